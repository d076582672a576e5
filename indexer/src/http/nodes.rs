//! Routes about nodes: accounts, keys, queue entries, and who signed which bundle.

use super::json::nodes as json;
use super::query::{self, Asked, BatchQuery, PageQuery, Paged, Segment, StateQuery};
use super::{Answer, Failure, Http, file};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use cairn_types::ACCOUNT_PROOF_FILE_EXTENSION;
use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_COUNTER, MAX_NODES};

pub(super) async fn nodes(State(http): State<Http>, asked: Asked<PageQuery>) -> Answer {
    let Paged { from, limit, commitment } = query::numbered_page(asked, u64::from(MAX_NODES) - 1)?;
    let (_, page) = http.api.nodes(commitment, from.unwrap_or_default() as u32, limit).await?;
    Ok(Json(json::nodes(commitment, &page)).into_response())
}

pub(super) async fn node(State(http): State<Http>, index: Segment, asked: Asked<StateQuery>) -> Answer {
    let (index, (batch, commitment)) = (node_index(index)?, query::state(asked)?);
    Ok(Json(json::node(&http.api.node(commitment, index, batch).await?)).into_response())
}

pub(super) async fn proof(State(http): State<Http>, index: Segment, asked: Asked<StateQuery>) -> Answer {
    let (index, (batch, commitment)) = (node_index(index)?, query::state(asked)?);
    let found = http.api.account_proof(commitment, index, batch).await?;
    Ok(file(
        &format!("node-{index}"),
        ACCOUNT_PROOF_FILE_EXTENSION,
        found.proof.encode(),
        (found.commitment, found.settled),
    ))
}

pub(super) async fn signed(State(http): State<Http>, index: Segment, asked: Asked<PageQuery>) -> Answer {
    let index = node_index(index)?;
    let Paged { from, limit, commitment } = query::numbered_page(asked, MAX_COUNTER - 1)?;
    let page = http.api.signed(commitment, index, from, limit).await?;
    Ok(Json(json::signed(commitment, index, &page)).into_response())
}

pub(super) async fn key(State(http): State<Http>, key: Segment, asked: Asked<PageQuery>) -> Answer {
    let key = query::receipt_key(&query::segment(key, "key")?)?;
    let Paged { from, limit, commitment } = query::numbered_page(asked, MAX_COUNTER - 1)?;
    let page = http.api.key_uses(commitment, key, from, limit).await?;
    Ok(Json(json::key(commitment, &key, &page)).into_response())
}

pub(super) async fn entries(State(http): State<Http>, number: Segment, asked: Asked<PageQuery>) -> Answer {
    let number = query::number(&query::segment(number, "number")?, "number", u64::MAX)?;
    let Paged { from, limit, commitment } = query::numbered_page(asked, MAX_COUNTER - 1)?;
    let (header, page, commitment) = http.api.entries(commitment, number, from, limit).await?;
    Ok(Json(json::entries(commitment, &header, &page)).into_response())
}

pub(super) async fn bundle(
    State(http): State<Http>,
    place: Result<Path<(String, String)>, PathRejection>,
    asked: Asked<BatchQuery>,
) -> Answer {
    let Path((number, bundle)) =
        place.map_err(|_| super::invalid("number, bundle", "it is not UTF-8", "percent-encode UTF-8"))?;
    let number = query::number(&number, "number", u64::MAX)?;
    let bundle = query::number(&bundle, "bundle", MAX_BATCH_BUNDLES as u64 - 1)? as u16;
    let value = match query::batch(asked)? {
        (None, commitment) => json::bundle(number, bundle, &http.api.bundle(commitment, number, bundle).await?, None),
        (Some(digest), commitment) => {
            let (found, replaced) = http.api.replaced_bundle(commitment, number, digest, bundle).await?;
            json::bundle(number, bundle, &found, Some(&replaced))
        }
    };
    Ok(Json(value).into_response())
}

fn node_index(segment: Segment) -> Result<u32, Failure> {
    query::node_index(&query::segment(segment, "node_index")?)
}

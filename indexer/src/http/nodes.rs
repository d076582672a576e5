//! Routes about nodes: accounts, keys, queue entries, and who signed which bundle.

use super::json::nodes as json;
use super::query::{self, Asked, PageQuery, Segment, StateQuery};
use super::{Answer, Failure, Http, file};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use cairn_types::ACCOUNT_PROOF_FILE_EXTENSION;
use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_COUNTER, MAX_NODES};

pub(super) async fn nodes(State(http): State<Http>, asked: Asked<PageQuery>) -> Answer {
    let (from, limit) = query::numbered_page(asked, u64::from(MAX_NODES) - 1)?;
    let (_, page) = http.api.nodes(from.unwrap_or_default() as u32, limit).await?;
    Ok(Json(json::nodes(&page)).into_response())
}

pub(super) async fn node(State(http): State<Http>, index: Segment, asked: Asked<StateQuery>) -> Answer {
    let (index, batch) = (node_index(index)?, query::state(asked)?);
    Ok(Json(json::node(&http.api.node(index, batch).await?)).into_response())
}

pub(super) async fn proof(State(http): State<Http>, index: Segment, asked: Asked<StateQuery>) -> Answer {
    let (index, batch) = (node_index(index)?, query::state(asked)?);
    let proof = http.api.account_proof(index, batch).await?;
    Ok(file(&format!("node-{index}.{ACCOUNT_PROOF_FILE_EXTENSION}"), proof.encode()))
}

pub(super) async fn signed(State(http): State<Http>, index: Segment, asked: Asked<PageQuery>) -> Answer {
    let index = node_index(index)?;
    let (from, limit) = query::numbered_page(asked, MAX_COUNTER - 1)?;
    Ok(Json(json::signed(index, &http.api.signed(index, from, limit).await?)).into_response())
}

pub(super) async fn key(State(http): State<Http>, key: Segment, asked: Asked<PageQuery>) -> Answer {
    let key = query::receipt_key(&query::segment(key, "key")?)?;
    let (from, limit) = query::numbered_page(asked, MAX_COUNTER - 1)?;
    Ok(Json(json::key(&key, &http.api.key_uses(key, from, limit).await?)).into_response())
}

pub(super) async fn entries(State(http): State<Http>, number: Segment, asked: Asked<PageQuery>) -> Answer {
    let number = query::number(&query::segment(number, "number")?, "number", u64::MAX)?;
    let (from, limit) = query::numbered_page(asked, MAX_COUNTER - 1)?;
    let (header, page) = http.api.entries(number, from, limit).await?;
    Ok(Json(json::entries(&header, &page)).into_response())
}

pub(super) async fn bundle(State(http): State<Http>, place: Result<Path<(String, String)>, PathRejection>) -> Answer {
    let Path((number, bundle)) =
        place.map_err(|_| super::invalid("number, bundle", "it is not UTF-8", "percent-encode UTF-8"))?;
    let number = query::number(&number, "number", u64::MAX)?;
    let bundle = query::number(&bundle, "bundle", MAX_BATCH_BUNDLES as u64 - 1)? as u16;
    Ok(Json(json::bundle(number, bundle, &http.api.bundle(number, bundle).await?)).into_response())
}

fn node_index(segment: Segment) -> Result<u32, Failure> {
    query::node_index(&query::segment(segment, "node_index")?)
}

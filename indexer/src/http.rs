//! The JSON interface.
//!
//! | route | answer |
//! |---|---|
//! | `GET /v1/status` | how far the index is, and what keeps it |
//! | `GET /v1/batches/{number}` | header, digests and bundles of a batch; `?replaced=<header digest>` asks for a replaced one |
//! | `GET /v1/batches/{number}/entries` | queue entries that the batch consumed, paged |
//! | `GET /v1/batches/{number}/bundles/{bundle}` | a bundle: what was signed, by which key, the signature, the path to the header |
//! | `GET /v1/replaced` | batches that the chain replaced, with why and by what, paged |
//! | `GET /v1/nodes` | nodes and their proved totals, paged |
//! | `GET /v1/nodes/{index}` | a node; `?batch=` names the batch after which, else the last one |
//! | `GET /v1/nodes/{index}/proof` | a `.cairnaccount` file: the account, or that there is none, after that batch |
//! | `GET /v1/nodes/{index}/bundles` | bundles that a node signed, paged |
//! | `GET /v1/keys/{key}` | queue entries that gave a node this receipt key, paged |
//! | `GET /v1/receipts/{digest}` | a receipt, its positions, paged, and those in replaced batches |
//! | `GET /v1/receipts/{digest}/proof` | a `.cairnproof` file; `?batch=&bundle=&receipt=` picks a position |
//! | `GET /v1/content/{kind}:{digest}` | receipts whose payload has the digest, paged |
//! | `GET /metrics` | Prometheus |
//!
//! Pages: `?limit=` up to 100, `?page=` the `next_page` of the answer before.
//!
//! `?commitment=finalized`, which goes without saying, or `confirmed`: how sure the chain has to be of what is answered. An
//! answer's own `commitment` says how sure it is. Files say so in the header `cairn-commitment`, and in their names when what
//! they prove is not final. Whether the chain has verified the proof of a batch is its `settled`, and of a file the header
//! `cairn-settled`: a batch without that can still be abandoned.

mod error;
mod json;
mod nodes;
mod query;
mod replaced;

use crate::api::{Api, ApiError};
use crate::{Commitment, ContentDigest, metrics};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use cairn_types::PROOF_FILE_EXTENSION;
use error::{Failure, invalid};
use metrics_exporter_prometheus::PrometheusHandle;
use query::{Asked, BatchQuery, PageQuery, Paged, PositionQuery, Segment};
use std::time::{Duration, Instant};

#[derive(Clone)]
pub(crate) struct Http {
    pub api: Api,
    pub metrics: Option<PrometheusHandle>,
    /// Longest time that an answer may take.
    pub patience: Duration,
}

type Answer = Result<Response, Failure>;

pub(crate) fn router(http: Http) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/batches/{number}", get(batch))
        .route("/v1/batches/{number}/entries", get(nodes::entries))
        .route("/v1/batches/{number}/bundles/{bundle}", get(nodes::bundle))
        .route("/v1/replaced", get(replaced::list))
        .route("/v1/nodes", get(nodes::nodes))
        .route("/v1/nodes/{index}", get(nodes::node))
        .route("/v1/nodes/{index}/proof", get(nodes::proof))
        .route("/v1/nodes/{index}/bundles", get(nodes::signed))
        .route("/v1/keys/{key}", get(nodes::key))
        .route("/v1/receipts/{digest}", get(receipt))
        .route("/v1/receipts/{digest}/proof", get(proof))
        .route("/v1/content/{digest}", get(content))
        .route("/metrics", get(exposition))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(http.clone(), measured))
        .with_state(http)
}

async fn status(State(http): State<Http>) -> Answer {
    Ok(Json(json::status(&http.api.status())).into_response())
}

async fn batch(State(http): State<Http>, number: Segment, asked: Asked<BatchQuery>) -> Answer {
    let number = query::number(&query::segment(number, "number")?, "number", u64::MAX)?;
    let value = match query::batch(asked)? {
        (None, commitment) => json::batch(&http.api.batch(commitment, number).await?),
        (Some(digest), commitment) => {
            let found = http.api.replaced_batch(commitment, number, digest).await?;
            json::replaced::batch(&found)
        }
    };
    Ok(Json(value).into_response())
}

async fn receipt(State(http): State<Http>, digest: Segment, asked: Asked<PageQuery>) -> Answer {
    let digest = query::receipt_digest(query::segment(digest, "digest")?)?;
    let Paged { from, limit, commitment } = query::page(asked)?;
    let found = http.api.receipt(commitment, digest, from, limit).await?;
    Ok(Json(json::receipt(commitment, &digest, &found)).into_response())
}

async fn proof(State(http): State<Http>, digest: Segment, asked: Asked<PositionQuery>) -> Answer {
    let digest = query::receipt_digest(query::segment(digest, "digest")?)?;
    let (place, commitment) = query::position(asked)?;
    let (_, found) = http.api.proof(commitment, digest, place).await?;
    Ok(file(&digest.to_string(), PROOF_FILE_EXTENSION, found.proof.encode(), (found.commitment, found.settled)))
}

/// A file to be kept. Its format has no place for how sure the chain is and whether it has verified the batch's proof, so that
/// stands beside it.
fn file(name: &str, extension: &str, bytes: Vec<u8>, (commitment, settled): (Commitment, bool)) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert("cairn-commitment", HeaderValue::from_static(commitment.name()));
    headers.insert("cairn-settled", HeaderValue::from_static(if settled { "true" } else { "false" }));
    let mark = if commitment == Commitment::Finalized { "" } else { ".confirmed" };
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}{mark}.{extension}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

async fn content(State(http): State<Http>, digest: Segment, asked: Asked<PageQuery>) -> Answer {
    let text = query::segment(digest, "digest")?;
    let digest: ContentDigest = text
        .parse()
        .map_err(|error| invalid("digest", &format!("it is not a payload digest: {error}"), "as in sha256:<hex>"))?;
    let Paged { from, limit, commitment } = query::page(asked)?;
    let (hits, next) = http.api.content(commitment, digest, from, limit).await?;
    Ok(Json(json::content(commitment, &digest, &hits, next)).into_response())
}

async fn exposition(State(http): State<Http>) -> Answer {
    let Some(handle) = http.metrics else {
        return Err(Failure::new(StatusCode::NOT_FOUND, "path", "metrics are not recorded", "start with a recorder"));
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response())
}

async fn nowhere() -> Failure {
    let fix = "use /v1/status, /v1/batches/{number}, /v1/batches/{number}/entries, /v1/batches/{number}/bundles/{bundle}, \
               /v1/replaced, /v1/nodes, /v1/nodes/{index}, /v1/nodes/{index}/proof, /v1/nodes/{index}/bundles, /v1/keys/{key}, \
               /v1/receipts/{digest}, /v1/receipts/{digest}/proof, /v1/content/{kind}:{digest} or /metrics";
    Failure::new(StatusCode::NOT_FOUND, "path", "nothing is served here", fix)
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "everything here is read-only", "use GET")
}

/// Times every request, and ends those that take too long.
async fn measured(State(http): State<Http>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = match tokio::time::timeout(http.patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "request", "the answer took too long", "try again")
            .into_response(),
    };
    let outcome = match response.status().as_u16() {
        200..=299 => "ok",
        404 => "not_found",
        400..=499 => "invalid",
        _ => "failed",
    };
    metrics::request("http", &route, outcome, started.elapsed());
    response
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::NotFound { field, message, fix } => Self::new(StatusCode::NOT_FOUND, field, &message, &fix),
            ApiError::Mismatch { field, message, fix } => Self::new(StatusCode::CONFLICT, field, &message, &fix),
            ApiError::Internal(message) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server", &message, "see the indexer's log")
            }
        }
    }
}

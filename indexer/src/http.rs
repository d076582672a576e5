//! The JSON interface.
//!
//! | route | answer |
//! |---|---|
//! | `GET /v1/status` | how far the index is, and what keeps it |
//! | `GET /v1/batches/{number}` | header, digests and bundles of a batch |
//! | `GET /v1/receipts/{digest}` | a receipt and its positions, paged |
//! | `GET /v1/receipts/{digest}/proof` | a `.cairnproof` file; `?batch=&bundle=&receipt=` picks a position |
//! | `GET /v1/content/{kind}:{digest}` | receipts whose payload has the digest, paged |
//! | `GET /metrics` | Prometheus |
//!
//! Pages: `?limit=` up to 100, `?page=` the `next_page` of the answer before.

mod error;
mod json;

use crate::api::{Api, ApiError, PAGE_SIZE};
use crate::content::lower_hex;
use crate::{ContentDigest, Place, metrics};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use cairn_types::{Digest, PROOF_FILE_EXTENSION};
use error::{Failure, invalid};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use std::time::{Duration, Instant};

#[derive(Clone)]
pub(crate) struct Http {
    pub api: Api,
    pub metrics: Option<PrometheusHandle>,
    /// Longest time that an answer may take.
    pub patience: Duration,
}

type Answer = Result<Response, Failure>;
type Segment = Result<Path<String>, PathRejection>;

/// Where in a list to go on. Unknown parameters are refused: a misspelt one would silently do nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    page: Option<String>,
}

/// Which of a receipt's positions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    batch: Option<u64>,
    bundle: Option<u64>,
    receipt: Option<u64>,
}

pub(crate) fn router(http: Http) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/batches/{number}", get(batch))
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

async fn batch(State(http): State<Http>, number: Segment) -> Answer {
    let text = segment(number, "number")?;
    let number = text
        .parse()
        .ok()
        .filter(|number: &u64| number.to_string() == text)
        .ok_or_else(|| invalid("number", "it is not a batch number", "write it in decimal digits"))?;
    Ok(Json(json::batch(&http.api.batch(number).await?)).into_response())
}

async fn receipt(State(http): State<Http>, digest: Segment, query: Result<Query<Page>, QueryRejection>) -> Answer {
    let digest = receipt_digest(segment(digest, "digest")?)?;
    let (from, limit) = page(query)?;
    Ok(Json(json::receipt(&digest, &http.api.receipt(digest, from, limit).await?)).into_response())
}

async fn proof(State(http): State<Http>, digest: Segment, query: Result<Query<Position>, QueryRejection>) -> Answer {
    let digest = receipt_digest(segment(digest, "digest")?)?;
    let place = position(query)?;
    let (_, proof) = http.api.proof(digest, place).await?;
    let disposition = format!("attachment; filename=\"{digest}.{PROOF_FILE_EXTENSION}\"");
    let mut response = proof.encode().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

async fn content(State(http): State<Http>, digest: Segment, query: Result<Query<Page>, QueryRejection>) -> Answer {
    let text = segment(digest, "digest")?;
    let digest: ContentDigest = text
        .parse()
        .map_err(|error| invalid("digest", &format!("it is not a payload digest: {error}"), "as in sha256:<hex>"))?;
    let (from, limit) = page(query)?;
    let (hits, next) = http.api.content(digest, from, limit).await?;
    Ok(Json(json::content(&digest, &hits, next)).into_response())
}

async fn exposition(State(http): State<Http>) -> Answer {
    let Some(handle) = http.metrics else {
        return Err(Failure::new(StatusCode::NOT_FOUND, "path", "metrics are not recorded", "start with a recorder"));
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response())
}

async fn nowhere() -> Failure {
    let fix = "use /v1/status, /v1/batches/{number}, /v1/receipts/{digest}, /v1/receipts/{digest}/proof, \
               /v1/content/{kind}:{digest} or /metrics";
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

fn segment(segment: Segment, field: &'static str) -> Result<String, Failure> {
    segment.map(|Path(text)| text).map_err(|_| invalid(field, "it is not UTF-8", "percent-encode UTF-8"))
}

fn receipt_digest(text: String) -> Result<Digest, Failure> {
    let fix = "write the 64 lower-case hexadecimal digits of the receipt's digest";
    let bytes = lower_hex(&text).ok_or_else(|| invalid("digest", "it is not a receipt digest", fix))?;
    Digest::from_bytes(bytes).map_err(|error| invalid("digest", &error.to_string(), fix))
}

fn page(query: Result<Query<Page>, QueryRejection>) -> Result<(Option<Place>, usize), Failure> {
    let fix = "use limit=1 to 100 and page=<next_page of the answer before>";
    let Query(Page { limit, page }) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    let limit = limit.unwrap_or(PAGE_SIZE);
    if !(1..=PAGE_SIZE).contains(&limit) {
        return Err(invalid("limit", "it is not 1 to 100", fix));
    }
    let from = page
        .map(|text| {
            let place = lower_hex::<{ Place::BYTES }>(&text).and_then(|key| Place::from_key(&key));
            place.ok_or_else(|| invalid("page", "it is not a next_page", fix))
        })
        .transpose()?;
    Ok((from, limit))
}

fn position(query: Result<Query<Position>, QueryRejection>) -> Result<Option<Place>, Failure> {
    let fix = "give batch, bundle and receipt of one of the receipt's positions, or none of them";
    let Query(position) = query.map_err(|error| invalid("query", &error.body_text(), fix))?;
    match (position.batch, position.bundle, position.receipt) {
        (None, None, None) => Ok(None),
        (Some(batch), Some(bundle), Some(receipt)) => match Place::checked(batch, bundle, receipt) {
            Some(place) => Ok(Some(place)),
            None => Err(invalid("batch, bundle, receipt", "no batch has such a position", fix)),
        },
        _ => Err(invalid("batch, bundle, receipt", "a part of the position is missing", fix)),
    }
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

//! The route about batches that the chain replaced.

use super::query::{self, Asked, PageQuery, Paged};
use super::{Answer, Http, json};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;

pub(super) async fn list(State(http): State<Http>, asked: Asked<PageQuery>) -> Answer {
    let Paged { from, limit, commitment } = query::replaced_page(asked)?;
    let (batches, next) = http.api.replaced(commitment, from, limit).await?;
    Ok(Json(json::replaced::list(commitment, &batches, next)).into_response())
}

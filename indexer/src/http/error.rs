//! Refusals in JSON: what, which field, why, and what to do.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused request.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    field: &'static str,
    message: String,
    fix: String,
}

impl Failure {
    pub fn new(status: StatusCode, field: &'static str, message: &str, fix: &str) -> Self {
        Self { status, field, message: message.to_owned(), fix: fix.to_owned() }
    }
}

pub(super) fn invalid(field: &'static str, message: &str, fix: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, field, message, fix)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self.status {
            StatusCode::BAD_REQUEST => "invalid",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::CONFLICT => "leaf_mismatch",
            StatusCode::SERVICE_UNAVAILABLE => "timeout",
            _ => "internal",
        };
        let body = json!({ "error": error, "field": self.field, "message": self.message, "fix": self.fix });
        (self.status, Json(body)).into_response()
    }
}

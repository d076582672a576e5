//! One JSON-RPC request over HTTP: limited, timed, and tried again where that can help.

use super::url::{Endpoint, InvalidUrl, parse};
use crate::rpc::wire::code;
use crate::{BoxError, ChainError};
use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes of an answer: a hundred accounts of Cairn's have 3 MB in base64.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Further attempts after the first.
const RETRIES: usize = 3;
/// Pause before the second attempt; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Letters of a server's text that a message repeats.
const QUOTED: usize = 300;

pub(super) struct Transport {
    endpoint: Endpoint,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    ids: AtomicU64,
}

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum CallError {
    /// The server answered with an error object.
    Answer { code: i64, message: String, data: Option<Value> },
    /// No answer, for now.
    Unreachable { what: String, source: Option<BoxError> },
    /// The server will not answer this, whatever is tried.
    Closed(String),
    /// An answer that is not one.
    Odd(String),
}

#[derive(Deserialize)]
struct Answer {
    id: Value,
    #[serde(default)]
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i64,
    message: String,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Outcome<T> {
    result: T,
}

impl Transport {
    pub fn new(url: &str) -> Result<Self, InvalidUrl> {
        let endpoint = parse(url)?;
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { endpoint, client, ids: AtomicU64::new(1) })
    }

    pub fn place(&self) -> &str {
        &self.endpoint.place
    }

    /// Calls a method. All of those that Cairn calls may be repeated: the same transaction executes at most once.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, CallError> {
        let attempts = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_max_times(RETRIES).with_jitter();
        let attempt = || async {
            tokio::time::timeout(ATTEMPT, self.attempt(method, &params)).await.unwrap_or_else(|_| {
                let what = format!("it did not answer within {} seconds", ATTEMPT.as_secs());
                Err(CallError::Unreachable { what, source: None })
            })
        };
        attempt.retry(attempts).when(CallError::may_pass).await
    }

    async fn attempt<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, CallError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("cairn/", env!("CARGO_PKG_VERSION")))
            .body(Full::from(body))
            .map_err(|error| CallError::Closed(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| CallError::Unreachable {
            what: if error.is_connect() { "it cannot be connected to" } else { "the connection failed" }.to_owned(),
            source: Some(error.into()),
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await.map_err(unread)?.to_bytes();
        match status {
            StatusCode::OK => decode(id, &body),
            StatusCode::TOO_MANY_REQUESTS => Err(unreachable("it asks for fewer requests (HTTP 429)")),
            _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                Err(unreachable(format!("it answered HTTP {status}")))
            }
            _ => Err(CallError::Closed(format!(
                "it answered HTTP {status}: {}",
                quoted(&String::from_utf8_lossy(&body))
            ))),
        }
    }
}

fn unread(error: BoxError) -> CallError {
    if error.is::<http_body_util::LengthLimitError>() {
        return CallError::Closed(format!("its answer is longer than {MAX_ANSWER_BYTES} bytes"));
    }
    CallError::Unreachable { what: "the connection broke in the middle of the answer".to_owned(), source: Some(error) }
}

fn unreachable(what: impl Into<String>) -> CallError {
    CallError::Unreachable { what: what.into(), source: None }
}

fn decode<T: DeserializeOwned>(id: u64, body: &[u8]) -> Result<T, CallError> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| CallError::Odd(format!("it is not JSON-RPC: {error}")))?;
    if let Some(ErrorObject { code, message, data }) = answer.error {
        return Err(CallError::Answer { code, message: quoted(&message), data });
    }
    if answer.id != json!(id) {
        return Err(CallError::Odd("it answers another request".to_owned()));
    }
    // `null` is a result for who asks for an option, and an error for everybody else.
    let outcome: Outcome<T> = serde_json::from_slice(body)
        .map_err(|error| CallError::Odd(format!("the result has another shape: {error}")))?;
    Ok(outcome.result)
}

/// A server's text, short and without anything that a terminal obeys.
fn quoted(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(QUOTED).collect()
}

pub(super) fn odd(place: &str, method: &str, reason: impl fmt::Display) -> ChainError {
    ChainError::Transient { what: format!("{place} answered {method} with something else: {reason}"), source: None }
}

impl CallError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Odd(_) => true,
            Self::Answer { code, .. } => matches!(*code, code::NODE_UNHEALTHY | code::MIN_CONTEXT_SLOT),
            Self::Closed(_) => false,
        }
    }

    pub fn into_chain(self, place: &str, method: &str) -> ChainError {
        let transient = self.may_pass();
        match self {
            Self::Answer { code, message, .. } => {
                let what = format!("{place} refused {method}: {message} ({code})");
                if transient { ChainError::Transient { what, source: None } } else { ChainError::Invalid(what) }
            }
            Self::Unreachable { what, source } => {
                ChainError::Transient { what: format!("{place} did not answer {method}: {what}"), source }
            }
            Self::Closed(what) => {
                let what = format!("{place} does not answer {method}: {what}; check the URL and what its plan allows");
                ChainError::Fatal { what, source: None }
            }
            Self::Odd(reason) => odd(place, method, reason),
        }
    }
}

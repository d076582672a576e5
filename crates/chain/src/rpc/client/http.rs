//! One JSON-RPC request to one server over HTTP: limited in size, counted by connection, never repeated.

use super::health::Why;
use super::url::Endpoint;
use crate::BoxError;
use crate::rpc::wire::code;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// Bytes of an answer: a hundred accounts of Cairn's have 3 MB in base64.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Bytes that are read of an answer that is an HTTP error.
const MAX_COMPLAINT_BYTES: usize = 16 << 10;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Letters of a server's text that a message repeats.
const QUOTED: usize = 300;

pub(super) struct Transport {
    endpoint: Endpoint,
    client: Client<HttpsConnector<Counted>, Full<Bytes>>,
    ids: AtomicU64,
    connections: Arc<AtomicU64>,
}

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum CallError {
    /// The server understood the question, and says no.
    Answer { code: i64, message: String, data: Option<Value> },
    /// The server cannot answer this question; another one may.
    Unable { what: String, class: Unable },
    /// The server cannot be used for now, whatever it is asked.
    Failed(Failure),
}

/// What it means when no server is able to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unable {
    /// They do not know the method, or do not keep what it asks for.
    Unknown,
    /// They broke on it.
    Broken,
    /// What they say is more than is read.
    TooLong,
}

/// What went wrong with a server.
#[derive(Debug)]
pub(super) struct Failure {
    pub why: Why,
    pub what: String,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The slot that it said it is at.
    pub slot: Option<u64>,
}

impl Failure {
    pub fn new(why: Why, what: impl Into<String>) -> Self {
        Self { why, what: what.into(), retry_after: None, slot: None }
    }

    /// An answer that does not hold together: the next one may, from this server or the one behind it.
    pub fn odd(method: &str, reason: impl std::fmt::Display) -> Self {
        Self::new(Why::Odd, format!("it answered {method} with something else: {reason}"))
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
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
    pub fn new(endpoint: Endpoint) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Counted { tcp, made: connections.clone() };
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(counted);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { endpoint, client, ids: AtomicU64::new(1), connections }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Connections begun so far: behind each new one may be another machine, or another chain.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Asks once. The caller limits the time.
    pub async fn request<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, CallError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("cairn/", env!("CARGO_PKG_VERSION")))
            .body(Full::from(body))
            .map_err(|error| Failure::new(Why::Denied, format!("it cannot be asked: {error}")))?;
        let response = self.client.request(request).await.map_err(|error| {
            let what = if error.is_connect() { "it cannot be connected to" } else { "the connection failed" };
            Failure::new(Why::Unreachable, format!("{what}: {}", root_cause(&error)))
        })?;
        let (head, body) = response.into_parts();
        if head.status != StatusCode::OK {
            let complaint = Limited::new(body, MAX_COMPLAINT_BYTES).collect().await;
            let complaint = complaint.map(|body| body.to_bytes()).unwrap_or_default();
            // Some providers wrap the refusal of one question into the status that it resembles.
            if head.status == StatusCode::BAD_REQUEST
                && let Ok(Answer { error: Some(error), .. }) = serde_json::from_slice(&complaint)
            {
                return Err(error.into_call_error());
            }
            return Err(refusal(head.status, &head.headers, &complaint).into());
        }
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(unread)?.to_bytes();
        decode(id, method, &body)
    }
}

/// What an HTTP status other than 200 says about a server.
fn refusal(status: StatusCode, headers: &HeaderMap, complaint: &[u8]) -> Failure {
    let retry_after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Failure { retry_after, ..Failure::new(Why::Limited, "it asks for fewer requests (HTTP 429)") };
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Failure { retry_after, ..Failure::new(Why::Unreachable, format!("it answered HTTP {status}")) };
    }
    let text = quoted(&String::from_utf8_lossy(complaint));
    Failure::new(
        Why::Denied,
        format!("it answered HTTP {status}: {text}; check the URL, the key in it and what its plan allows"),
    )
}

fn unread(error: BoxError) -> CallError {
    if error.is::<http_body_util::LengthLimitError>() {
        let what = format!("its answer is longer than {MAX_ANSWER_BYTES} bytes");
        return CallError::Unable { what, class: Unable::TooLong };
    }
    let what = format!("the connection broke in the middle of the answer: {}", root_cause(error.as_ref()));
    Failure::new(Why::Unreachable, what).into()
}

fn decode<T: DeserializeOwned>(id: u64, method: &str, body: &[u8]) -> Result<T, CallError> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| Failure::odd(method, format_args!("it is not JSON-RPC: {error}")))?;
    if let Some(error) = answer.error {
        return Err(error.into_call_error());
    }
    if answer.id != json!(id) {
        return Err(Failure::odd(method, "it answers another request").into());
    }
    // `null` is a result for who asks for an option, and an error for everybody else.
    let outcome: Outcome<T> = serde_json::from_slice(body)
        .map_err(|error| Failure::odd(method, format_args!("the result has another shape: {error}")))?;
    Ok(outcome.result)
}

impl ErrorObject {
    fn into_call_error(self) -> CallError {
        let Self { code, message, data } = self;
        let message = quoted(&message);
        let what = format!("{message} ({code})");
        match code {
            code::NODE_UNHEALTHY => Failure::new(Why::Unhealthy, what).into(),
            code::TOO_MANY_REQUESTS => Failure::new(Why::Limited, what).into(),
            code::MIN_CONTEXT_SLOT => {
                let slot = data.as_ref().and_then(|data| data.get("contextSlot")).and_then(Value::as_u64);
                Failure { slot, ..Failure::new(Why::Lagging, what) }.into()
            }
            code::METHOD_NOT_FOUND | code::EXCLUDED_FROM_INDEX | code::NO_HISTORY => {
                CallError::Unable { what, class: Unable::Unknown }
            }
            code::INTERNAL => CallError::Unable { what, class: Unable::Broken },
            _ => CallError::Answer { code, message, data },
        }
    }
}

/// What is at the bottom of an error: `Connection refused`, where those above only say that something failed.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    quoted(&cause.to_string())
}

/// A server's text, short and without anything that a terminal obeys.
pub(super) fn quoted(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(QUOTED).collect()
}

/// Counts the connections that it makes.
#[derive(Clone)]
struct Counted {
    tcp: HttpConnector,
    made: Arc<AtomicU64>,
}

impl Service<Uri> for Counted {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = <HttpConnector as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.tcp.call(uri)
    }
}

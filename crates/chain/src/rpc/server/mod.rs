//! The embedded chain behind Solana's JSON-RPC, served by the process that writes it.
//!
//! It is an open door for whoever reaches the port, as a local validator's is: they can read everything, send what they
//! have keys for, and ask the faucet. Hence the default address is this machine's own, and a browser's cross-site
//! request, which cannot carry `application/json` without asking first, is refused.

mod encode;
mod envelope;
mod error;
mod listener;
mod methods;
mod params;
mod transactions;

use crate::EmbeddedChain;
use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use listener::LimitedListener;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Bytes of a request, as on the cluster: a transaction has at most 1,644 in base64, a hundred addresses 5,000.
const MAX_REQUEST_BYTES: usize = 50 << 10;
/// Requests answered at once.
const MAX_CONCURRENT: usize = 64;
/// How long the body of a request may take to arrive, and a request to be answered.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long open connections may delay a stop.
const STOP: Duration = Duration::from_secs(2);

/// A running JSON-RPC server.
#[derive(Debug)]
pub struct EmbeddedRpcServer {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl EmbeddedRpcServer {
    /// Serves `chain` on `listener` until `stop` is cancelled. Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(chain: EmbeddedChain, listener: TcpListener, stop: CancellationToken) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let service = Arc::new(Service { chain, places: Semaphore::new(MAX_CONCURRENT) });
        let router =
            Router::new().route("/", post(answer)).route("/health", get(|| async { "ok" })).with_state(service);
        let task = tokio::spawn(async move {
            let stopping = stop.clone();
            let server =
                axum::serve(LimitedListener::new(listener), router).with_graceful_shutdown(stopping.cancelled_owned());
            tokio::select! {
                ended = server => ended,
                // A client that never finishes its request does not keep the process.
                () = async { stop.cancelled().await; tokio::time::sleep(STOP).await } => Ok(()),
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// When it ended for another reason than the token.
    pub async fn join(self) -> io::Result<()> {
        self.task.await.map_err(io::Error::other)?
    }
}

struct Service {
    chain: EmbeddedChain,
    places: Semaphore,
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        let message = "send JSON-RPC with the header content-type: application/json\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response();
    }
    if body.size_hint().lower() > MAX_REQUEST_BYTES as u64 {
        return too_long();
    }
    let work = async {
        let body = match to_bytes(body, MAX_REQUEST_BYTES).await {
            Ok(body) => body,
            Err(error) => return refused(&error),
        };
        let Ok(_place) = service.places.acquire().await else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        match envelope::answer(&service.chain, &body).await {
            Some(bytes) => ([(header::CONTENT_TYPE, "application/json")], Body::from(bytes)).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        }
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

fn refused(error: &axum::Error) -> Response {
    match std::error::Error::source(error) {
        Some(source) if source.is::<http_body_util::LengthLimitError>() => too_long(),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn too_long() -> Response {
    let message = format!("a request has at most {MAX_REQUEST_BYTES} bytes: ask in parts\n");
    (StatusCode::PAYLOAD_TOO_LARGE, message).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

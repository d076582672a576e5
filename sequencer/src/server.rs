//! The gRPC server: the sequencer's service, health and reflection on one port.

use std::net::SocketAddr;
use std::time::Duration;

use cairn_proto::v1::sequencer_server::SequencerServer;
use cairn_proto::{FILE_DESCRIPTOR_SET, MAX_MESSAGE_BYTES};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};

use crate::intake::service::Service;
use crate::tls::TlsError;

/// Name of the service in health checks and reflection.
pub const SERVICE_NAME: &str = "cairn.v1.Sequencer";
/// A silent connection is asked this often whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// HTTP/2 streams of one connection beyond the bundles in flight: for questions, health and reflection.
const OTHER_STREAMS: u32 = 16;

/// Why the server did not run, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be used.
    #[error("cannot listen at {address}; if another process does, stop it or choose another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The descriptors do not decode: a defect of the build.
    #[error("the descriptors of the services do not decode")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The server failed.
    #[error("the gRPC server failed")]
    Serve(#[source] tonic::transport::Error),
}

/// A bound socket, and the address that it got.
#[derive(Debug)]
pub struct Bound {
    /// The address, with the real port.
    pub address: SocketAddr,
    listener: TcpListener,
}

/// Takes the address, so that clients may connect, before anything is served.
///
/// # Errors
/// [`ServerError::Listen`].
pub async fn bind(address: SocketAddr) -> Result<Bound, ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    Ok(Bound { address: listener.local_addr().map_err(failed)?, listener })
}

/// Serves until told to stop, then until every call is answered.
///
/// # Errors
/// [`ServerError`].
pub async fn serve(
    bound: Bound,
    service: Service,
    tls: Option<ServerTlsConfig>,
    stop: CancellationToken,
) -> Result<(), ServerError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<SequencerServer<Service>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(SERVICE_NAME)
        .with_service_name("grpc.health.v1.Health")
        .build_v1()
        .map_err(ServerError::Reflection)?;
    let streams = service.info.limits.bundles_in_flight.saturating_add(OTHER_STREAMS);
    let stopping = async move {
        stop.cancelled().await;
        health.set_not_serving::<SequencerServer<Service>>().await;
    };
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls).map_err(ServerError::Serve)?;
    }
    server
        .max_concurrent_streams(Some(streams))
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(SequencerServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .serve_with_incoming_shutdown(TcpIncoming::from(bound.listener).with_nodelay(Some(true)), stopping)
        .await
        .map_err(ServerError::Serve)
}

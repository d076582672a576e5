//! Starting and stopping: store, follower, and the two interfaces.

use crate::api::Api;
use crate::blobs::{Blobs, Source};
use crate::config::{Config, ConfigError};
use crate::follow::{Follower, counted};
use crate::grpc::Service;
use crate::http::{Http, router};
use crate::listener::Bounded;
use crate::status::{ConfirmedStatus, Status};
use crate::store::{Identity, OpenError, Store, StoreError};
use cairn_chain::{Chain, RollupClient, RollupError};
use cairn_proto::v1::indexer_server::IndexerServer;
use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A request over gRPC, in bytes, at most: all of them are a digest and a few numbers.
const MAX_REQUEST_BYTES: usize = 4_096;
/// How often a gRPC connection shows that it is alive, which keeps it from being closed as silent.
const PING: Duration = Duration::from_secs(10);
/// When stopping, how long requests under way may take to finish.
const GRACE: Duration = Duration::from_secs(10);
/// When stopping, how often to look whether anybody still reads the store.
const READERS_ATTEMPTS: usize = 200;
/// When stopping, how long between two such looks.
const READERS_PAUSE: Duration = Duration::from_millis(10);

/// Why the indexer did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The rollup cannot be read.
    #[error("reading the rollup: {0}")]
    Rollup(#[from] RollupError),
    /// The index cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The index cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address cannot be listened at.
    #[error("{flag} {address}: {source}")]
    Listen {
        /// The flag.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Server reflection cannot be set up.
    #[error("server reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A background task stopped.
    #[error("a background task stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A running indexer.
pub struct Indexer {
    status: watch::Receiver<Status>,
    grpc: SocketAddr,
    http: SocketAddr,
    store: Arc<Store>,
    tasks: JoinSet<&'static str>,
    token: CancellationToken,
}

impl Indexer {
    /// Starts following `config.rollup` on `chain`, with data from `blobs`, until `token` is cancelled.
    ///
    /// `metrics` renders `/metrics`: [`crate::metrics::install`] makes one per process.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub async fn start(
        config: Config,
        chain: Arc<dyn Chain>,
        blobs: Blobs,
        metrics: Option<PrometheusHandle>,
        token: CancellationToken,
    ) -> Result<Self, StartError> {
        config.check()?;
        crate::metrics::describe();
        cairn_chain::metrics::describe();
        let client = RollupClient::new(chain, config.program, config.rollup);
        let rollup = client.rollup().await?;
        let (folder, rollup_id, rebuild) = (config.store.clone(), rollup.rollup_id, config.rebuild);
        let (store, status) = tokio::task::spawn_blocking(move || -> Result<_, StartError> {
            if rebuild {
                tracing::warn!(folder = %folder.display(), "emptying the index");
                Store::destroy(&folder)?;
            }
            let store = Store::open(&folder, &Identity::new(rollup_id))?;
            // What was stored last leads to its root, or the disk is to be mistrusted before it is built on.
            let whole = store.whole()?;
            let totals = whole.totals(&rollup_id)?;
            whole.open_state(&totals.cursor, [])?;
            drop(whole);
            let mut status = Status {
                genesis_hash: rollup.genesis_hash,
                program: config.program,
                rollup: config.rollup,
                rollup_id,
                slot: 0,
                batches_on_chain: rollup.tip.batches,
                batches_settled: rollup.settled.batches,
                batches_indexed: 0,
                header_digest: None,
                bundles: 0,
                receipts: 0,
                leaf_mismatches: 0,
                nodes: 0,
                queue_position: 0,
                state_root: totals.cursor.state_root,
                confirmed: ConfirmedStatus::new(0, rollup.tip.batches, &totals),
                batches_replaced: 0,
                problem: None,
            };
            status.count(&counted(&store, &rollup_id)?);
            Ok((Arc::new(store), status))
        })
        .await??;

        let grpc_listener = listen("--indexer-listen", config.listen).await?;
        let http_listener = listen("--indexer-http", config.http).await?;
        let address = |listener: &TcpListener, flag, asked| {
            listener.local_addr().map_err(|source| StartError::Listen { flag, address: asked, source })
        };
        let grpc = address(&grpc_listener, "--indexer-listen", config.listen)?;
        let http = address(&http_listener, "--indexer-http", config.http)?;

        let (sender, receiver) = watch::channel(status);
        let api = Api { store: store.clone(), status: receiver.clone() };
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(cairn_proto::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<IndexerServer<Service>>().await;

        // Should one task end, the others do too: half an indexer is none.
        let token = token.child_token();
        let mut tasks = JoinSet::new();
        let follower = Follower {
            client,
            rollup_id,
            store: store.clone(),
            source: Source::new(blobs),
            status: sender,
            poll: config.poll,
            retry: config.retry,
            patience: config.fetch,
            seen: Default::default(),
        };
        let stop = token.clone();
        tasks.spawn(async move {
            follower.run(stop.clone()).await;
            stop.cancel();
            "follower"
        });

        let stop = token.clone();
        let service = IndexerServer::new(Service(api.clone())).max_decoding_message_size(MAX_REQUEST_BYTES);
        let connections = Bounded::new(grpc_listener, config.connections.get()).into_stream();
        let server = tonic::transport::Server::builder()
            .timeout(config.patience)
            .concurrency_limit_per_connection(32)
            .max_concurrent_streams(64)
            .http2_keepalive_interval(Some(PING))
            .add_service(service)
            .add_service(health_service)
            .add_service(reflection)
            .serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "gRPC server stopped");
            }
            stop.cancel();
            "grpc"
        });

        let stop = token.clone();
        let routes = router(Http { api, metrics, patience: config.patience });
        let listener = Bounded::new(http_listener, config.connections.get());
        let server = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "HTTP server stopped");
            }
            stop.cancel();
            "http"
        });
        tracing::info!(%grpc, %http, rollup = %config.rollup, "indexer serves");
        Ok(Self { status: receiver, grpc, http, store, tasks, token })
    }

    /// What the indexer says about itself, and whenever that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Where gRPC listens.
    #[must_use]
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc
    }

    /// Where JSON and metrics listen.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Waits until the first `batches` batches are indexed and final; the status then, or the one in which something keeps the
    /// indexer from them or it stopped.
    pub async fn wait_for(&self, batches: u64) -> Status {
        let mut status = self.status.clone();
        let met = status.wait_for(|status| status.batches_indexed >= batches || status.problem.is_some()).await;
        met.map_or_else(|_| self.status.borrow().clone(), |status| status.clone())
    }

    /// Stops: no new requests, those under way finish, the store is flushed and closed.
    ///
    /// # Errors
    /// When the store cannot be flushed; what it acknowledged is in its log all the same.
    pub async fn stop(self) -> Result<(), StartError> {
        self.token.cancel();
        self.stopped().await
    }

    /// Waits until the token that it was started with is cancelled, or a part of it fails; then closes the store.
    ///
    /// # Errors
    /// As [`Self::stop`].
    pub async fn stopped(mut self) -> Result<(), StartError> {
        let token = self.token.clone();
        let late = async move {
            token.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::pin!(late);
        loop {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                () = &mut late => {
                    tracing::warn!("requests under way were cut off");
                    self.tasks.shutdown().await;
                    break;
                }
            };
            let Some(ended) = ended else { break };
            match ended {
                Ok(task) => tracing::debug!(task, "stopped"),
                Err(error) => {
                    tracing::error!(%error, "a task of the indexer failed");
                    self.token.cancel();
                }
            }
        }
        let store = self.store;
        // Answers that were cut off may still be reading; the folder is free once this is the last one to let go.
        for _ in 0..READERS_ATTEMPTS {
            if Arc::strong_count(&store) == 1 {
                break;
            }
            tokio::time::sleep(READERS_PAUSE).await;
        }
        tokio::task::spawn_blocking(move || store.flush()).await??;
        Ok(())
    }
}

async fn listen(flag: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { flag, address, source })
}

//! A network of one's own: a chain, and sequencer, prover and indexer on it, over one data directory.

use crate::home::{Home, HomeError, Manifest, Rollup};
use crate::system::{Settings, System, SystemError};
use crate::validator::{PortChoice, Validator, ValidatorError};
use cairn_chain::{Address, EmbeddedRpcServer};
use cairn_prover::{LocalProver, Options, Profile, Prover};
use serde::Serialize;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the network is on.
#[derive(Debug, Clone)]
pub enum ChainChoice {
    /// The embedded chain, served as JSON-RPC at this address.
    Embedded(SocketAddr),
    /// A validator.
    Validator {
        /// The binary.
        binary: PathBuf,
        /// Its ports.
        ports: PortChoice,
    },
}

/// What to start.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// Data directory; one that was used before is continued.
    pub data: PathBuf,
    /// Profile of the proofs.
    pub profile: Profile,
    /// The chain.
    pub chain: ChainChoice,
    /// Addresses and times of sequencer and indexer.
    pub settings: Settings,
    /// Threads that prove; one per core unless given.
    pub prove_threads: Option<NonZeroUsize>,
}

/// Hears how far the start is. Every method may be called from any thread.
pub trait Progress: Send + Sync + 'static {
    /// The validator has been starting for this long.
    fn validator(&self, waited: Duration);
    /// The rollup is being created or read.
    fn rollup(&self);
    /// `done` of `total` circuits are built.
    fn circuits(&self, done: usize, total: usize);
}

/// Nobody hears it.
impl Progress for () {
    fn validator(&self, _: Duration) {}
    fn rollup(&self) {}
    fn circuits(&self, _: usize, _: usize) {}
}

/// Why a network does not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The validator.
    #[error(transparent)]
    Validator(#[from] ValidatorError),
    /// The address of the embedded chain's JSON-RPC.
    #[error("cannot serve JSON-RPC at {address}: stop what listens there, or give another --port-offset")]
    Rpc {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The prover.
    #[error(transparent)]
    Prover(#[from] cairn_prover::StartError),
    /// Sequencer or indexer.
    #[error(transparent)]
    System(#[from] SystemError),
    /// A task.
    #[error("a background task failed")]
    Task(#[from] tokio::task::JoinError),
}

/// The chain, while it runs.
#[derive(Debug)]
enum Running {
    Embedded { server: EmbeddedRpcServer, stop: CancellationToken },
    Validator(Validator),
}

/// Where everything of a network is. What scripts read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Directory {
    /// The data directory.
    pub data: PathBuf,
    /// `embedded` or `validator`.
    pub chain: &'static str,
    /// Solana JSON-RPC.
    pub rpc: String,
    /// Solana's subscriptions, where the chain has them.
    pub websocket: Option<String>,
    /// The sequencer's gRPC.
    pub sequencer: String,
    /// The indexer's gRPC.
    pub indexer_grpc: String,
    /// The indexer's JSON.
    pub indexer: String,
    /// Prometheus metrics of everything in this process.
    pub metrics: Option<String>,
    /// Genesis hash of the chain, base58.
    pub genesis_hash: String,
    /// The settlement program.
    pub program: String,
    /// The `Rollup` account.
    pub rollup: String,
    /// The rollup's identity.
    pub rollup_id: String,
    /// Profile of its proofs.
    pub profile: String,
    /// The key under acknowledgements, base58.
    pub acknowledgement_key: String,
    /// Key files: admin, sequencer, acknowledgement, registrar.
    pub keys: PathBuf,
    /// Key file of the registrar, who lets nodes in without a bond.
    pub registrar: PathBuf,
}

/// A running network.
pub struct Network {
    /// Its data directory.
    pub home: Home,
    /// Sequencer and indexer.
    pub system: System,
    /// Where everything is.
    pub directory: Directory,
    chain: Running,
}

impl Network {
    /// Starts the chain, opens or creates the rollup on it, and starts prover, sequencer and indexer. When this returns,
    /// everything answers.
    ///
    /// # Errors
    /// [`NetworkError`]; what was started is stopped.
    pub async fn start<P: Progress>(options: NetworkOptions, progress: Arc<P>) -> Result<Self, NetworkError> {
        let home = Home::create(&options.data)?;
        let (opened, prover) =
            tokio::join!(open(&home, &options, progress.as_ref()), prove(&options, Arc::clone(&progress)));
        let (chain, rollup) = opened?;
        let started = match prover {
            Ok(prover) => {
                let acknowledgement_key = rollup.acknowledgement.address().to_string();
                let manifest = rollup.manifest.clone();
                let system = System::start(&home, rollup, prover, options.settings.clone()).await;
                system.map(|system| (system, manifest, acknowledgement_key)).map_err(NetworkError::from)
            }
            Err(error) => Err(error),
        };
        match started {
            Ok((system, manifest, acknowledgement_key)) => {
                let directory =
                    directory(&home, &chain, &system, manifest, acknowledgement_key, options.settings.metrics);
                Ok(Self { home, system, directory, chain })
            }
            Err(error) => {
                if let Err(also) = chain.stop().await {
                    tracing::error!(error = %also, "the chain could not be stopped");
                }
                Err(error)
            }
        }
    }

    /// The validator, when it is on one.
    #[must_use]
    pub fn validator(&self) -> Option<&Validator> {
        match &self.chain {
            Running::Validator(validator) => Some(validator),
            Running::Embedded { .. } => None,
        }
    }

    /// Waits until a part of it ends by itself; why, [`Self::stop`] says. A validator that ends is started again.
    pub async fn ended(&self) {
        self.system.ended().await;
    }

    /// Stops it: sequencer and indexer first, which may still read the chain, then the chain.
    ///
    /// # Errors
    /// What went wrong in either; both are stopped.
    pub async fn stop(self) -> Result<(), NetworkError> {
        let system = self.system.stop().await;
        self.chain.stop().await?;
        Ok(system?)
    }
}

impl Running {
    async fn stop(self) -> Result<(), NetworkError> {
        match self {
            Self::Embedded { server, stop } => {
                stop.cancel();
                let address = server.address();
                server.join().await.map_err(|source| NetworkError::Rpc { address, source })
            }
            Self::Validator(validator) => Ok(validator.stop().await?),
        }
    }
}

async fn open(
    home: &Home,
    options: &NetworkOptions,
    progress: &dyn Progress,
) -> Result<(Running, Rollup), NetworkError> {
    match &options.chain {
        ChainChoice::Embedded(address) => {
            progress.rollup();
            let (chain, rollup) = home.open_embedded(options.profile).await?;
            let rpc = |source| NetworkError::Rpc { address: *address, source };
            let listener = TcpListener::bind(address).await.map_err(rpc)?;
            let stop = CancellationToken::new();
            let server = EmbeddedRpcServer::serve(chain, listener, stop.clone()).map_err(rpc)?;
            Ok((Running::Embedded { server, stop }, rollup))
        }
        ChainChoice::Validator { binary, ports } => {
            home.check(options.profile, true)?;
            let waiting = |waited| progress.validator(waited);
            let validator = Validator::start(&home.validator(), binary, options.profile, *ports, &waiting).await?;
            progress.rollup();
            let rollup = home.open_rollup(validator.chain(), Some(&validator.url()), options.profile).await;
            match rollup {
                Ok(rollup) => Ok((Running::Validator(validator), rollup)),
                Err(error) => {
                    validator.stop().await?;
                    Err(error.into())
                }
            }
        }
    }
}

async fn prove<P: Progress>(options: &NetworkOptions, progress: Arc<P>) -> Result<Arc<dyn Prover>, NetworkError> {
    let options = Options { threads: options.prove_threads, ..Options::new(options.profile) };
    let start = move || LocalProver::start(options, &|_, done, total| progress.circuits(done, total));
    Ok(Arc::new(tokio::task::spawn_blocking(start).await??))
}

fn directory(
    home: &Home,
    chain: &Running,
    system: &System,
    manifest: Manifest,
    acknowledgement_key: String,
    metrics: bool,
) -> Directory {
    let (kind, rpc, websocket) = match chain {
        Running::Embedded { server, .. } => ("embedded", server.url(), None),
        Running::Validator(validator) => ("validator", validator.url(), Some(validator.websocket_url())),
    };
    let indexer = format!("http://{}", system.indexer.http_address());
    Directory {
        data: home.path().to_owned(),
        chain: kind,
        rpc,
        websocket,
        sequencer: format!("http://{}", system.sequencer.address()),
        indexer_grpc: format!("http://{}", system.indexer.grpc_address()),
        metrics: metrics.then(|| format!("{indexer}/metrics")),
        indexer,
        genesis_hash: Address(system.indexer.status().borrow().genesis_hash).to_string(),
        program: manifest.program,
        rollup: manifest.rollup,
        rollup_id: manifest.rollup_id,
        profile: manifest.profile,
        acknowledgement_key,
        registrar: home.registrar(),
        keys: home.keys(),
    }
}

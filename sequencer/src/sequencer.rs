//! The sequencer as a whole: starting it, and what holds it while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cairn_chain::{Address, Keypair, RollupClient, RollupError};
use cairn_prover::Prover;
use cairn_types::Digest;
use object_store::ObjectStore;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::blocking::blocking;
use crate::config::{Config, ConfigError};
use crate::intake::door::Door;
use crate::intake::service::Service;
use crate::run::{self, RunError, Tasks};
use crate::seal::sealer::{self, Ask, Sealer};
use crate::server::{self, ServerError};
use crate::settle::prove::ProverStage;
use crate::settle::publish::Publisher;
use crate::settle::stage_task::Shared;
use crate::settle::submit::{Submitter, summary_before};
use crate::status::{BatchEvent, Board, LogStatus, StageStatus};
use crate::store::{Identity, OpenError, Store, StoreError};
use crate::{Stage, metrics};

/// Requests for a seal that wait at one time.
const ASKS: usize = 64;

/// What a sequencer works with.
#[derive(Clone)]
pub struct Parts {
    /// The rollup on its chain.
    pub rollup: RollupClient,
    /// The key that the rollup knows as its sequencer's.
    pub key: Keypair,
    /// Who proves.
    pub prover: Arc<dyn Prover>,
    /// Digest over the prover's circuits: a log is for one set of them.
    pub circuit_digest: [u8; 32],
    /// Where data and proofs are published.
    pub objects: Arc<dyn ObjectStore>,
}

/// Why a sequencer did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The rollup cannot be read.
    #[error("cannot read the rollup from the chain")]
    Rollup(#[source] RollupError),
    /// The rollup has another sequencer.
    #[error(
        "the rollup's sequencer is {on_chain}, this key is {key}; use its key, or have the admin set this one with set_sequencer"
    )]
    Key {
        /// Who may submit.
        on_chain: Address,
        /// Who we are.
        key: Address,
    },
    /// The rollup takes other proofs.
    #[error(
        "the rollup takes {rollup} proofs, this prover makes {prover} ones; start the prover with the rollup's profile"
    )]
    Profile {
        /// Profile of the rollup.
        rollup: &'static str,
        /// Profile of the prover.
        prover: &'static str,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store fails.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The writer's thread does not start.
    #[error("cannot start the thread that writes the log")]
    Thread(#[source] std::io::Error),
}

/// Why a batch was not sealed on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sequencer is stopping or has failed; nothing acknowledged is lost, it is sealed after the next start")]
pub struct SealNowError;

/// A running sequencer.
#[derive(Debug)]
pub struct Sequencer {
    address: SocketAddr,
    rollup_id: Digest,
    board: Board,
    asks: mpsc::Sender<Ask>,
    running: JoinHandle<Result<(), RunError>>,
}

impl Sequencer {
    /// Starts: compares store, rollup, key and prover, then listens. When this returns, clients can connect.
    ///
    /// Runs until `stop` is cancelled or something fails that trying again cannot help; [`Self::join`] says which.
    ///
    /// # Errors
    /// What does not fit together, with what to do about it.
    pub async fn start(config: Config, parts: Parts, stop: CancellationToken) -> Result<Self, StartError> {
        config.validate()?;
        let rollup_id = check_rollup(&parts).await?;
        let identity = Identity { rollup_id, circuit_digest: parts.circuit_digest };
        let folder = config.store.clone();
        let store = blocking(move || Store::open(&folder, &identity)).await?;
        Self::start_on(Arc::new(store), config, parts, rollup_id, stop).await
    }

    /// Starts on an open store of this rollup.
    pub(crate) async fn start_on(
        store: Arc<Store>,
        config: Config,
        parts: Parts,
        rollup_id: Digest,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        metrics::describe();
        let log = Arc::clone(&store);
        let (unsealed, status) =
            blocking(move || Ok::<_, StartError>((sealer::unsealed(&log)?, status_of(&log)?))).await?;
        let bound = server::bind(config.listen).await?;
        let address = bound.address;
        info!(%address, %rollup_id, acknowledged = status.bundles_acknowledged, unsealed = status.bundles_unsealed(), "sequencer starts");

        // Cancelled by the caller or by a task that fails; a failure is not the caller's to hear of through `stop`.
        let stop = stop.child_token();
        let board = Board::new(status);
        let shared = Shared { store: Arc::clone(&store), rollup_id, board: board.clone() };
        let (offers, to_write) = mpsc::channel(config.in_flight.get() as usize);
        let (announce, appended) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::channel(ASKS);
        let writer = run::writer(Arc::clone(&store), to_write, board.clone(), announce).map_err(StartError::Thread)?;

        let service = Service {
            rollup_id,
            in_flight: config.in_flight.get(),
            door: Door::new(rollup_id, config.in_flight, offers),
            store: Arc::clone(&store),
            status: board.watch(),
            stop: stop.clone(),
        };
        let sealer = Sealer {
            store: Arc::clone(&store),
            rollup_id,
            limits: config.seal,
            unsealed,
            appended,
            asks: asked,
            board: board.clone(),
        };
        let publisher = Publisher { shared: shared.clone(), objects: Arc::clone(&parts.objects) };
        let prover =
            ProverStage { shared: shared.clone(), prover: parts.prover, objects: parts.objects, stop: stop.clone() };
        let submitter = Submitter::new(shared, parts.rollup, parts.key, config.chain_poll);
        let server = server::serve(bound, service, stop.clone());
        let tasks = Tasks { writer, sealer, publisher, prover, submitter };
        let running = tokio::spawn(run::all(server, tasks, board.clone(), store, config.grace, stop));
        Ok(Self { address, rollup_id, board, asks, running })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The rollup that it serves.
    #[must_use]
    pub fn rollup_id(&self) -> Digest {
        self.rollup_id
    }

    /// How far the log has come, and each change of it.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<LogStatus> {
        self.board.watch()
    }

    /// What happens to batches from now on. A listener that lags far behind misses some.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<BatchEvent> {
        self.board.events()
    }

    /// Seals everything that is acknowledged by now, however little. Returns the number of sealed batches.
    ///
    /// # Errors
    /// When the sequencer is stopping.
    pub async fn seal_now(&self) -> Result<u64, SealNowError> {
        let (ask, answer) = oneshot::channel();
        self.asks.send(ask).await.map_err(|_| SealNowError)?;
        answer.await.map_err(|_| SealNowError)
    }

    /// Waits until `batches` batches have passed `stage`; `false` when the sequencer ends before.
    pub async fn wait_for(&self, stage: Stage, batches: u64) -> bool {
        let mut status = self.board.watch();
        let passed = status.wait_for(|status| status.stage(stage).batches >= batches);
        tokio::select! {
            passed = passed => passed.is_ok(),
            () = self.asks.closed() => self.board.watch().borrow().stage(stage).batches >= batches,
        }
    }

    /// Waits until it has stopped: bundles in flight answered, store flushed and closed.
    ///
    /// # Errors
    /// The failure that stopped it, if one did.
    pub async fn join(self) -> Result<(), RunError> {
        match self.running.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Ok(()),
            },
        }
    }
}

impl Submitter {
    fn new(shared: Shared, rollup: RollupClient, key: Keypair, poll: Duration) -> Self {
        Self { shared, rollup, key, poll, spent: None, outcomes: std::collections::BTreeMap::new() }
    }
}

/// Compares the rollup with key and prover, and gives its identity.
async fn check_rollup(parts: &Parts) -> Result<Digest, StartError> {
    let rollup = parts.rollup.rollup().await.map_err(StartError::Rollup)?;
    let (on_chain, key) = (rollup.sequencer, parts.key.address());
    if on_chain != key {
        return Err(StartError::Key { on_chain, key });
    }
    let (on_chain, prover) = (rollup.profile.name(), parts.prover.profile().name());
    if on_chain != prover {
        return Err(StartError::Profile { rollup: on_chain, prover });
    }
    Ok(rollup.rollup_id)
}

/// What the store says about every stage.
fn status_of(store: &Store) -> Result<LogStatus, StoreError> {
    let mut status = LogStatus {
        bundles_acknowledged: store.log_end()?,
        bundles_sealed: store.last_batch()?.map_or(0, |batch| batch.end),
        ..LogStatus::default()
    };
    for stage in Stage::ALL {
        let batches = store.passed(stage)?;
        status.set_stage(stage, StageStatus { batches, last: summary_before(store, batches)? });
    }
    Ok(status)
}

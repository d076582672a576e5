//! The sequencer as a whole: starting it, and what holds it while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use cairn_chain::{Address, Commitment, Keypair, RollupClient, RollupError};
use cairn_interface::Rollup;
use cairn_proto::{Limits, MAX_MESSAGE_BYTES, SequencerInfo};
use cairn_prover::Prover;
use cairn_types::Digest;
use cairn_types::limits::{MAX_BUNDLE_RECEIPTS, MAX_RECEIPT_BYTES};
use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::blocking::blocking;
use crate::config::{Config, ConfigError};
use crate::intake::acknowledge::Acknowledger;
use crate::intake::authorise::Log;
use crate::intake::door::{self, Door};
use crate::intake::rate::Limiter;
use crate::intake::service::Service;
use crate::intake::writer::Writer;
use crate::promise;
use crate::registry::follow::{ChainView, FollowError, Follower};
use crate::registry::pending::Pending;
use crate::run::{self, RunError, Tasks};
use crate::seal::sealer::{self, Ask, Sealer};
use crate::server::{self, ServerError};
use crate::settle::look::summary_before;
use crate::settle::prove::{self, ProverStage};
use crate::settle::publish::Publisher;
use crate::settle::stage_task::Shared;
use crate::settle::submit::Submitter;
use crate::settle::verify::settler::{Reclaim, SettleLimits, Settler};
use crate::status::{BatchEvent, Board, LogStatus, StageStatus};
use crate::store::{Identity, OpenError, Store, StoreError};
use crate::tls::{self, TlsError};
use crate::{Stage, metrics};

/// Requests for a seal that wait at one time.
const ASKS: usize = 64;

/// What a sequencer works with.
#[derive(Clone)]
pub struct Parts {
    /// The rollup on its chain.
    pub rollup: RollupClient,
    /// The key that the rollup knows as its sequencer's: it submits headers.
    pub key: Keypair,
    /// The key that signs acknowledgements: another one, which the rollup lists as such.
    pub acknowledgement_key: Keypair,
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
    /// Acknowledgements would be signed with the wrong key.
    #[error(
        "the rollup's acknowledgement key is {on_chain}, this one is {key}; use its key, or have the admin set this one with set_sequencer"
    )]
    AcknowledgementKey {
        /// Whose signature stands under acknowledgements.
        on_chain: Address,
        /// Ours.
        key: Address,
    },
    /// More would be promised than the queue's deadline allows.
    #[error(
        "--settle-most is {most} slots, but the rollup's queue_deadline is {deadline}: a rotation would overtake what was promised; promise less"
    )]
    Promise {
        /// The longest promise.
        most: u64,
        /// The rollup's deadline.
        deadline: u64,
    },
    /// The queue cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
    /// The chain verifies proofs of another circuit than the prover makes.
    #[error(
        "the rollup settles with proofs of circuit {rollup}, this version makes those of {own}; run the version that fits the rollup, or start with --settle false to go on without settling"
    )]
    Circuit {
        /// Circuit of the rollup, in hex.
        rollup: String,
        /// Circuit of this version, in hex.
        own: String,
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
    /// The checkers' threads do not start.
    #[error("cannot start the threads that check bundles")]
    Checkers(#[source] rayon::ThreadPoolBuildError),
}

/// Why a batch was not sealed on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sequencer is stopping or has failed; nothing acknowledged is lost, it is sealed after the next start")]
pub struct SealNowError;

/// Why the rent of the account for proofs is not back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sequencer is stopping or has failed; the rent stays in the account that proofs are uploaded to, and the next start finds it there"
)]
pub struct ReclaimError;

/// A running sequencer.
#[derive(Debug)]
pub struct Sequencer {
    address: SocketAddr,
    rollup_id: Digest,
    board: Board,
    asks: mpsc::Sender<Ask>,
    reclaims: mpsc::Sender<Reclaim>,
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
        let rollup = check_rollup(&config, &parts).await?;
        let identity = Identity { rollup_id: rollup.rollup_id, circuit_digest: parts.circuit_digest };
        let folder = config.store.clone();
        let store = blocking(move || Store::open(&folder, &identity)).await?;
        Self::start_on(Arc::new(store), config, parts, rollup, stop).await
    }

    /// Starts on an open store of this rollup.
    pub(crate) async fn start_on(
        store: Arc<Store>,
        config: Config,
        parts: Parts,
        rollup: Rollup,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        metrics::describe();
        cairn_chain::metrics::describe();
        let tls = config.tls.as_ref().map(tls::load).transpose()?;
        let (log, expected) = (Arc::clone(&store), config.expected());
        let (unsealed, status, pending, pace, account) = blocking(move || {
            let pending = Pending::load(&log)?;
            Ok::<_, StartError>((
                sealer::unsealed(&log)?,
                status_of(&log)?,
                pending,
                prove::pace_so_far(&log, expected)?,
                log.proof_account()?,
            ))
        })
        .await?;
        let slot = parts.rollup.chain().slot(Commitment::Finalized).await.map_err(RollupError::from);
        let slot = slot.map_err(StartError::Rollup)?;
        let bound = server::bind(config.listen).await?;
        let (address, rollup_id) = (bound.address, rollup.rollup_id);
        info!(%address, %rollup_id, acknowledged = status.bundles_acknowledged, unsealed = status.bundles_unsealed(), tls = tls.is_some(), "sequencer starts");

        // Cancelled by the caller or by a task that fails; a failure is not the caller's to hear of through `stop`.
        let stop = stop.child_token();
        let board = Board::new(status);
        let shared = Shared { store: Arc::clone(&store), rollup_id, board: board.clone() };
        let registrations = Arc::new(RwLock::new(pending));
        let (pace, news) = (Arc::new(Mutex::new(pace)), Arc::new(Notify::new()));
        let view = ChainView { slot, seen: Instant::now(), settled: rollup.settled.batches };
        let (view, chain) = watch::channel(view);
        let (offers, to_write) = mpsc::channel(config.in_flight.get() as usize);
        let (announce, appended) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::channel(ASKS);
        let (reclaims, reclaimed) = mpsc::channel(ASKS);

        let follower = Follower {
            store: Arc::clone(&store),
            rollup: parts.rollup.clone(),
            acknowledgement_key: parts.acknowledgement_key.address(),
            registrations: Arc::clone(&registrations),
            view,
            news: Arc::clone(&news),
            board: board.clone(),
            poll: config.chain_poll,
        };
        // What the chain knows of nodes is known here before the first of them is answered.
        follower.look().await?;
        let acknowledger = Acknowledger {
            rollup_id,
            key: parts.acknowledgement_key.clone(),
            limits: config.promise,
            bundles_per_batch: config.seal.bundles.into(),
            seal_age: config.seal.age,
            pace: Arc::clone(&pace),
            status: board.watch(),
            chain: chain.clone(),
        };
        let writer = Writer { store: Arc::clone(&store), registrations: Arc::clone(&registrations), acknowledger };
        let writer = run::writer(writer, to_write, board.clone(), announce).map_err(StartError::Thread)?;

        let log = Log { store: Arc::clone(&store), registrations: Arc::clone(&registrations) };
        let limiter = Arc::new(Limiter::new(config.rates));
        let checkers = door::checkers(config.check_threads.get() as usize).map_err(StartError::Checkers)?;
        let service = Service {
            info: info_of(&rollup, &parts, &config),
            door: Door::new(log.clone(), Arc::clone(&limiter), checkers, config.in_flight, offers),
            limiter,
            log,
            status: board.watch(),
            chain,
            stop: stop.clone(),
        };
        let sealer = Sealer {
            store: Arc::clone(&store),
            rollup_id,
            limits: config.seal,
            unsealed,
            registrations,
            news,
            appended,
            asks: asked,
            board: board.clone(),
        };
        let publisher = Publisher { shared: shared.clone(), objects: Arc::clone(&parts.objects) };
        let (objects, stopped) = (parts.objects, stop.clone());
        let prover = ProverStage { shared: shared.clone(), prover: parts.prover, objects, pace, stop: stopped };
        let (client, key, poll) = (parts.rollup.with_fees(config.fees), parts.key, config.chain_poll);
        let limits = SettleLimits { settles: config.settle, rest: config.proof_account_rest, poll };
        let settler = Settler::new(shared.clone(), client.clone(), key.clone(), account, limits, reclaimed);
        let submitter = Submitter::new(shared, client, key, poll);
        let server = server::serve(bound, service, tls, stop.clone());
        let tasks = Tasks { writer, follower, sealer, publisher, prover, submitter, settler };
        let running = tokio::spawn(run::all(server, tasks, board.clone(), store, config.grace, stop));
        Ok(Self { address, rollup_id, board, asks, reclaims, running })
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

    /// Seals everything that is acknowledged and every queue entry that was seen by now, however little. Returns the number
    /// of sealed batches. While [`crate::seal::policy::MAX_UNSUBMITTED`] of them are not on chain, it waits for that first.
    ///
    /// # Errors
    /// When the sequencer is stopping.
    pub async fn seal_now(&self) -> Result<u64, SealNowError> {
        let (ask, answer) = oneshot::channel();
        self.asks.send(ask).await.map_err(|_| SealNowError)?;
        answer.await.map_err(|_| SealNowError)
    }

    /// Closes the account that proofs are uploaded to, once there is no proof that waits for it, and waits until its rent is
    /// back, finally. The next proof opens another.
    ///
    /// # Errors
    /// When the sequencer is stopping.
    pub async fn reclaim_rent(&self) -> Result<(), ReclaimError> {
        let (ask, answer) = oneshot::channel();
        self.reclaims.send(ask).await.map_err(|_| ReclaimError)?;
        answer.await.map_err(|_| ReclaimError)
    }

    /// Waits until `batches` batches have passed `stage`; `false` when the sequencer ends before.
    pub async fn wait_for(&self, stage: Stage, batches: u64) -> bool {
        self.wait_until(|status| status.stage(stage).batches >= batches).await
    }

    /// Waits until the status is as `reached` wants it; `false` when the sequencer ends before.
    pub async fn wait_until(&self, mut reached: impl FnMut(&LogStatus) -> bool) -> bool {
        let mut status = self.board.watch();
        let ended = tokio::select! {
            waited = status.wait_for(&mut reached) => return waited.is_ok(),
            () = self.asks.closed() => self.board.watch(),
        };
        let last = ended.borrow();
        reached(&last)
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

/// Compares the rollup with keys, prover and configuration.
pub(crate) async fn check_rollup(config: &Config, parts: &Parts) -> Result<Rollup, StartError> {
    let rollup = parts.rollup.rollup().await.map_err(StartError::Rollup)?;
    let (on_chain, key) = (rollup.sequencer, parts.key.address());
    if on_chain != key {
        return Err(StartError::Key { on_chain, key });
    }
    let (on_chain, key) = (rollup.acknowledgement_key, parts.acknowledgement_key.address());
    if on_chain != key {
        return Err(StartError::AcknowledgementKey { on_chain, key });
    }
    let (most, deadline) = (promise::slots(config.promise.most), rollup.registry.queue_deadline);
    if most >= deadline {
        return Err(StartError::Promise { most, deadline });
    }
    let (on_chain, prover) = (rollup.profile.name(), parts.prover.profile().name());
    if on_chain != prover {
        return Err(StartError::Profile { rollup: on_chain, prover });
    }
    let own = cairn_chain::circuit_id(rollup.profile);
    if config.settle && rollup.circuit_id != own {
        return Err(StartError::Circuit { rollup: hex::encode(rollup.circuit_id), own: hex::encode(own) });
    }
    Ok(rollup)
}

/// What clients are told about this sequencer.
fn info_of(rollup: &Rollup, parts: &Parts, config: &Config) -> SequencerInfo {
    SequencerInfo {
        genesis_hash: rollup.genesis_hash,
        program_id: parts.rollup.program().0,
        rollup_address: parts.rollup.address().0,
        profile: rollup.profile,
        rollup_id: rollup.rollup_id,
        acknowledgement_key: parts.acknowledgement_key.address().0,
        limits: Limits {
            receipts_per_bundle: MAX_BUNDLE_RECEIPTS as u32,
            receipt_bytes: MAX_RECEIPT_BYTES as u32,
            message_bytes: MAX_MESSAGE_BYTES as u32,
            bundles_in_flight: config.in_flight.get(),
            bundles_per_second: config.rates.node,
        },
        slot: 0,
    }
}

/// What the store says about every stage.
fn status_of(store: &Store) -> Result<LogStatus, StoreError> {
    let last = store.last_batch()?;
    let proved = match store.passed(Stage::Proved)?.checked_sub(1) {
        Some(number) => store.batch(number)?.map_or(0, |batch| batch.end),
        None => 0,
    };
    let mut status = LogStatus {
        bundles_acknowledged: store.log_end()?,
        bundles_sealed: last.as_ref().map_or(0, |batch| batch.end),
        bundles_proved: proved,
        queue_seen: store.queue_end()?.position,
        queue_consumed: last.map_or(0, |batch| batch.header.queue_to.position),
        ..LogStatus::default()
    };
    for stage in Stage::ALL {
        let batches = store.passed(stage)?;
        status.set_stage(stage, StageStatus { batches, last: summary_before(store, batches)? });
    }
    Ok(status)
}

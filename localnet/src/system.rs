//! Sequencer and indexer over one data directory.

use crate::home::{Home, HomeError, Rollup};
use cairn_chain::RollupClient;
use cairn_client::submit::Pins;
use cairn_indexer::{Blobs, Indexer};
use cairn_objects as objects;
use cairn_prover::Prover;
use cairn_sequencer::{Parts, RunError, Sequencer};
use object_store::ObjectStore;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the sequencer looks for registrations: the chain is in this process, and somebody is waiting.
const POLL: Duration = Duration::from_millis(200);
/// How long the account that proofs are uploaded to is kept for a further one: somebody is waiting for the rent.
const PROOF_ACCOUNT_REST: Duration = Duration::from_secs(2);

/// Where a system listens, and how it works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the sequencer's gRPC; port 0 takes any free one.
    pub sequencer: SocketAddr,
    /// Address of the indexer's gRPC.
    pub indexer: SocketAddr,
    /// Address of the indexer's JSON and metrics.
    pub http: SocketAddr,
    /// Seal a batch when its oldest bundle has waited this long.
    pub seal_age: Duration,
    /// How often the chain is looked at.
    pub chain_poll: Duration,
    /// Whether `/metrics` shows the metrics of this process. One system of a process can.
    pub metrics: bool,
}

impl Settings {
    /// Any free ports of this machine, for a system whose owner says when a batch is sealed.
    #[must_use]
    pub fn local() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let seal_age = cairn_sequencer::SealLimits::PROTOCOL.age;
        Self { sequencer: any, indexer: any, http: any, seal_age, chain_poll: POLL, metrics: false }
    }
}

/// Why the system does not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The object store.
    #[error("cannot open the object store")]
    Objects(#[from] object_store::Error),
    /// The metrics recorder.
    #[error("cannot install the metrics recorder")]
    Metrics(#[source] cairn_chain::BoxError),
    /// The sequencer.
    #[error(transparent)]
    Sequencer(#[from] cairn_sequencer::StartError),
    /// The sequencer stopped by itself.
    #[error(transparent)]
    SequencerStopped(#[from] RunError),
    /// The indexer.
    #[error(transparent)]
    Indexer(#[from] cairn_indexer::StartError),
}

/// A running system.
pub struct System {
    /// The rollup on its chain.
    pub rollup: RollupClient,
    /// The sequencer.
    pub sequencer: Sequencer,
    /// The indexer.
    pub indexer: Indexer,
    /// What a node of this system knows beforehand.
    pub pins: Pins,
    stop: CancellationToken,
}

impl System {
    /// Starts both over what [`Home::open_rollup`] opened.
    ///
    /// # Errors
    /// [`SystemError`].
    pub async fn start(
        home: &Home,
        rollup: Rollup,
        prover: Arc<dyn Prover>,
        settings: Settings,
    ) -> Result<Self, SystemError> {
        let pins = Pins {
            node_index: None,
            rollup_id: Some(rollup.client.rollup_id(prover.profile()).await.map_err(HomeError::from)?),
            acknowledgement_key: Some(rollup.acknowledgement.address().0),
        };
        // Before anything is measured.
        let metrics = settings.metrics.then(cairn_indexer::metrics::install).transpose();
        let metrics = metrics.map_err(|error| SystemError::Metrics(error.into()))?;
        let stop = CancellationToken::new();
        // Should the second part not start, the first must not go on alone.
        let abandoned = stop.clone().drop_guard();
        let objects: Arc<dyn ObjectStore> = Arc::new(objects::local_folder(&home.objects())?);
        let parts = Parts {
            rollup: rollup.client.clone(),
            key: rollup.sequencer,
            acknowledgement_key: rollup.acknowledgement,
            circuit_digest: cairn_prover::circuit_digest(prover.profile()),
            prover,
            objects: Arc::clone(&objects),
        };
        let mut config = cairn_sequencer::Config::local(home.sequencer());
        config.listen = settings.sequencer;
        config.chain_poll = settings.chain_poll;
        config.proof_account_rest = PROOF_ACCOUNT_REST;
        config.seal.age = settings.seal_age;
        let sequencer = Sequencer::start(config, parts, stop.clone()).await?;
        let mut config = cairn_indexer::Config::local(home.indexer(), rollup.client.program(), rollup.client.address());
        (config.listen, config.http) = (settings.indexer, settings.http);
        // It looks twice as often: somebody waits for what it finds.
        config.poll = settings.chain_poll / 2;
        let chain = Arc::clone(rollup.client.chain());
        let indexer =
            Indexer::start(config, chain, Blobs::OnChain { own: Some(objects) }, metrics, stop.clone()).await?;
        abandoned.disarm();
        Ok(Self { rollup: rollup.client, sequencer, indexer, pins, stop })
    }

    /// Waits until one of them ends by itself; why, [`Self::stop`] says.
    pub async fn ended(&self) {
        let mut indexed = self.indexer.status();
        let indexer = async { while indexed.changed().await.is_ok() {} };
        tokio::select! {
            _ = self.sequencer.wait_until(|_| false) => {}
            () = indexer => {}
        }
    }

    /// Stops both: what is under way finishes, stores are flushed and closed.
    ///
    /// # Errors
    /// What went wrong in either.
    pub async fn stop(self) -> Result<(), SystemError> {
        self.stop.cancel();
        let (indexer, sequencer) = (self.indexer.stopped().await, self.sequencer.join().await);
        sequencer?;
        Ok(indexer?)
    }
}

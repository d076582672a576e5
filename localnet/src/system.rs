//! Sequencer and indexer over one data directory.

use crate::home::{Home, HomeError, Rollup};
use cairn_chain::RollupClient;
use cairn_client::submit::Pins;
use cairn_indexer::Indexer;
use cairn_prover::Prover;
use cairn_sequencer::{Parts, RunError, Sequencer, objects};
use object_store::ObjectStore;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the sequencer looks for registrations: the chain is in this process, and somebody is waiting.
const POLL: Duration = Duration::from_millis(200);

/// Why the system does not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The object store.
    #[error("cannot open the object store")]
    Objects(#[from] object_store::Error),
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
    /// The rollup on the embedded chain.
    pub rollup: RollupClient,
    /// The sequencer, listening on a free port.
    pub sequencer: Sequencer,
    /// The indexer, listening on free ports.
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
    pub async fn start(home: &Home, rollup: Rollup, prover: Arc<dyn Prover>) -> Result<Self, SystemError> {
        let pins = Pins {
            node_index: None,
            rollup_id: Some(rollup.client.rollup_id(prover.profile()).await.map_err(HomeError::from)?),
            acknowledgement_key: Some(rollup.acknowledgement.address().0),
        };
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
        let config = cairn_sequencer::Config { chain_poll: POLL, ..cairn_sequencer::Config::local(home.sequencer()) };
        let sequencer = Sequencer::start(config, parts, stop.clone()).await?;
        let config = cairn_indexer::Config::local(home.indexer(), rollup.client.address());
        let chain = Arc::clone(rollup.client.chain());
        let indexer = Indexer::start(config, chain, objects, None, stop.clone()).await?;
        abandoned.disarm();
        Ok(Self { rollup: rollup.client, sequencer, indexer, pins, stop })
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

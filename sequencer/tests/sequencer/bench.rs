//! A world with a sequencer in it that can be stopped and started again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::{Acknowledgement, v1};
use cairn_prover::Prover;
use cairn_sequencer::{Config, RunError, SealLimits, Sequencer, Stage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::cluster::{self, Cluster};
use crate::samples::{QuickProver, World, request_for};

pub struct Bench {
    pub world: World,
    pub config: Config,
    pub prover: Arc<dyn Prover>,
    pub folder: TempDir,
}

pub struct Running {
    pub sequencer: Sequencer,
    pub stop: CancellationToken,
    pub client: SequencerClient<Channel>,
}

impl Bench {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open(folder.path()).await;
        Self::of(world, folder)
    }

    /// On a cluster that makes everything final at once, until it is told otherwise.
    pub async fn on_cluster() -> (Self, Arc<Cluster>) {
        let folder = tempfile::tempdir().unwrap();
        let (cluster, chain) = cluster::begin(&folder.path().join("chain"));
        let world = World::on(cluster.clone(), &chain, folder.path()).await;
        (Self::of(world, folder), cluster)
    }

    pub fn of(world: World, folder: TempDir) -> Self {
        let local = Config::local(folder.path().join("log"));
        let seal = SealLimits { entry_age: Duration::from_millis(10), ..local.seal };
        let (chain_poll, grace) = (Duration::from_millis(50), Duration::from_secs(2));
        // Their prover stands where the engine stands: the program would refuse what it makes.
        let config = Config { seal, chain_poll, grace, settle: false, ..local };
        Self { world, config, prover: Arc::new(QuickProver), folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> PathBuf {
        self.config.store.clone()
    }

    pub fn request(&self, node_index: u32, sequence: u64, receipts: u64) -> v1::SubmitBundleRequest {
        request_for(&self.world.rollup_id, node_index, sequence, receipts)
    }

    /// Starts a sequencer, and waits until it knows the world's nodes: batch 0 registers them.
    pub async fn start(&self) -> Running {
        let running = self.start_at_once().await;
        running.sequencer.wait_until(|status| status.queue_consumed > 0).await;
        running
    }

    /// As [`Self::start`], and waits until what is sealed is on chain.
    pub async fn start_settled(&self) -> Running {
        let running = self.start().await;
        let settled = |status: &cairn_sequencer::LogStatus| {
            status.stage(Stage::Submitted).batches == status.stage(Stage::Sealed).batches
        };
        assert!(running.sequencer.wait_until(settled).await);
        running
    }

    /// Starts a sequencer.
    pub async fn start_at_once(&self) -> Running {
        let stop = CancellationToken::new();
        let parts = self.world.parts(Arc::clone(&self.prover));
        let sequencer = Sequencer::start(self.config.clone(), parts, stop.clone()).await.unwrap();
        // Connects with the first call: some of these sequencers are meant to stop at once.
        let address = Endpoint::from_shared(format!("http://{}", sequencer.address())).unwrap();
        let client = SequencerClient::new(address.connect_lazy());
        Running { sequencer, stop, client }
    }
}

impl Running {
    pub async fn submit(&mut self, request: v1::SubmitBundleRequest) -> Result<Acknowledgement, Status> {
        let reply = self.client.submit_bundle(request).await?;
        Ok(reply.into_inner().try_into().unwrap())
    }

    pub async fn stop(self) -> Result<(), RunError> {
        drop(self.client);
        self.stop.cancel();
        self.sequencer.join().await
    }
}

//! Two batches, proved and submitted once, and copies of them for each test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cairn_chain::{Chain, Commitment, EmbeddedChain, Options, ProofAccount, ProofPlace, RollupClient, TimeSource};
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_prover::{LocalProver, Profile, Prover};
use cairn_sequencer::store::{Identity, Store};
use cairn_sequencer::{Config, RunError, SealLimits, Sequencer, Stage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::samples::{QuickProver, World, request_for};

/// Batches: the registrations, and one with a bundle.
pub const BATCHES: u64 = 2;
/// A node.
const NODE: u32 = 3;

/// A folder with a chain and a log whose batches are proved and submitted.
pub struct Prepared(TempDir);

/// A copy of it, or what became of it.
pub struct Bench {
    pub world: World,
    folder: Arc<TempDir>,
    log: &'static str,
}

pub struct Running {
    pub sequencer: Sequencer,
    stop: CancellationToken,
}

fn config(store: &Path, settle: bool) -> Config {
    let local = Config::local(store.to_owned());
    let seal = SealLimits { entry_age: Duration::from_millis(10), ..local.seal };
    let (chain_poll, grace) = (Duration::from_millis(50), Duration::from_secs(2));
    Config { seal, chain_poll, grace, settle, ..local }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { _ = std::fs::copy(&from, &to).unwrap() }
    }
}

impl Prepared {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open(folder.path()).await;
        let start = || LocalProver::start(cairn_prover::Options::new(Profile::Dev), &());
        let prover = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        let (stop, parts) = (CancellationToken::new(), world.parts(Arc::new(prover)));
        let sequencer = Sequencer::start(config(&folder.path().join("log"), false), parts, stop.clone()).await.unwrap();
        assert!(sequencer.wait_until(|status| status.queue_consumed > 0).await);
        let mut client = SequencerClient::connect(format!("http://{}", sequencer.address())).await.unwrap();
        client.submit_bundle(request_for(&world.rollup_id, NODE, 0, 2)).await.unwrap();
        assert_eq!(sequencer.seal_now().await.unwrap(), BATCHES);
        assert!(sequencer.wait_for(Stage::Submitted, BATCHES).await);
        drop(client);
        stop.cancel();
        sequencer.join().await.unwrap();
        Self(folder)
    }

    pub async fn copy(&self) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        copy(self.0.path(), folder.path());
        let world = World::open(folder.path()).await;
        Bench { world, folder: Arc::new(folder), log: "log" }
    }
}

impl Prepared {
    /// A copy whose chain is seen through a cluster, which makes everything final at once until it is told otherwise.
    pub async fn copy_on_cluster(&self) -> (Bench, Arc<Cluster>) {
        let folder = tempfile::tempdir().unwrap();
        copy(self.0.path(), folder.path());
        let dir = folder.path().join("chain");
        let chain = EmbeddedChain::open(&dir, Options::of(Profile::Dev)).unwrap();
        let cluster = Cluster::over(&dir, chain.clone(), TimeSource::System, Arc::default());
        let world = World::on(cluster.clone(), &chain, folder.path()).await;
        (Bench { world, folder: Arc::new(folder), log: "log" }, cluster)
    }
}

impl Bench {
    /// The same, whose sequencers reach the chain through `chain`.
    pub fn through(mut self, chain: Arc<dyn Chain>) -> Self {
        let rollup = &self.world.rollup;
        self.world.rollup = RollupClient::new(chain, rollup.program(), rollup.address());
        self
    }

    /// Another log with the same batches, on the same chain.
    pub fn twin(&self) -> Self {
        let World { rollup, rollup_id, key, objects } = &self.world;
        let world =
            World { rollup: rollup.clone(), rollup_id: *rollup_id, key: key.clone(), objects: Arc::clone(objects) };
        copy(&self.folder.path().join(self.log), &self.folder.path().join("twin"));
        Self { world, folder: Arc::clone(&self.folder), log: "twin" }
    }

    /// Starts a sequencer. There is nothing left to prove.
    pub async fn start(&self, settle: bool) -> Running {
        let (stop, parts) = (CancellationToken::new(), self.world.parts(Arc::new(QuickProver) as Arc<dyn Prover>));
        let config = config(&self.folder.path().join(self.log), settle);
        let sequencer = Sequencer::start(config, parts, stop.clone()).await.unwrap();
        Running { sequencer, stop }
    }

    pub fn store(&self) -> Store {
        let identity = Identity { rollup_id: self.world.rollup_id, circuit_digest: [3; 32] };
        Store::open(&self.folder.path().join(self.log), &identity).unwrap()
    }

    /// Lamports of the sequencer.
    pub async fn balance(&self) -> u64 {
        let chain = self.world.rollup.chain();
        chain.account(&self.world.key.address(), Commitment::Finalized).await.unwrap().unwrap().lamports
    }

    /// The account that proofs are uploaded to.
    pub async fn proof_account(&self) -> Option<ProofAccount> {
        // A running sequencer has its key to itself.
        let rollup = &self.world.rollup;
        let size = cairn_chain::AccountFilter::Size(cairn_interface::proof_account(Profile::Dev).size as u64);
        let read = rollup.chain().program_accounts(&rollup.program(), &[size], Commitment::Finalized).await.unwrap();
        let (address, _) = read.accounts.first()?;
        let read = rollup.proof_snapshot_at(Some(address), Commitment::Finalized).await.unwrap();
        match read.place {
            ProofPlace::Nothing => None,
            ProofPlace::Unusable(reason) => panic!("{reason}"),
            ProofPlace::Proof(account) => Some(*account),
        }
    }
}

impl Running {
    pub async fn stop(self) -> Result<(), RunError> {
        self.stop.cancel();
        self.sequencer.join().await
    }
}

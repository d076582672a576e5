//! `cairn bench pipeline`: a crowd of nodes through every stage of the system, each stage timed and weighed.
//!
//! Nothing is short-cut: nodes are registered by transactions and consumed by proved batches, bundles are signed and
//! go over gRPC, batches are proved, submitted and indexed, and proof files are fetched and verified.

mod crowd;
mod report;

pub use report::{Report, StageFigure};

use crate::home::{Home, HomeError};
use crate::registration::RegistrationError;
use crate::system::{Settings, System, SystemError};
use cairn_chain::{Keypair, RollupError};
use cairn_client::verify::{Verdict, verify};
use cairn_interface::MAX_QUEUE_FOR_REGISTRATION;
use cairn_proto::v1::GetProofRequest;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_prover::{LocalProver, Options, Profile, Prover, bench, memory};
use cairn_sequencer::{BatchEvent, Stage};
use cairn_types::limits::{MAX_BUNDLE_RECEIPTS, SEGMENT_BUNDLES};
use cairn_types::{Digest, ReceiptProof};
use crowd::Crowd;
use futures::{StreamExt, TryStreamExt, stream};
use report::Meter;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How often the queue is looked at while it is full.
const POLL: Duration = Duration::from_millis(100);
/// Proof files that are fetched at one time.
const FETCHES: usize = 16;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Nodes to register.
    pub nodes: usize,
    /// Receipts to submit, spread evenly over the nodes.
    pub receipts: usize,
    /// Receipts in a bundle, at most.
    pub bundle_receipts: usize,
    /// Proof files to fetch and verify at the end.
    pub verified: usize,
    /// Profile of the proofs.
    pub profile: Profile,
    /// Threads that prove; one per core by default.
    pub threads: Option<NonZeroUsize>,
    /// A new data directory.
    pub data: PathBuf,
}

/// Hears which stage is under way.
pub trait Watch: Send + Sync {
    /// `done` of `total` of the stage `name` are done.
    fn step(&self, name: &'static str, done: usize, total: usize);
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The shape.
    #[error("{field} is {given}: {rule}")]
    Shape {
        /// Which number.
        field: &'static str,
        /// What was given.
        given: usize,
        /// What it has to be.
        rule: &'static str,
    },
    /// The data directory is in use.
    #[error("{0} is not empty: measure in a new directory")]
    NotEmpty(PathBuf),
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The prover.
    #[error(transparent)]
    Prover(#[from] cairn_prover::StartError),
    /// The floor.
    #[error(transparent)]
    Floor(#[from] bench::BenchError),
    /// Starting or stopping.
    #[error(transparent)]
    System(Box<SystemError>),
    /// A registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The chain.
    #[error(transparent)]
    Rollup(#[from] RollupError),
    /// A made-up receipt.
    #[error(transparent)]
    Receipt(#[from] cairn_types::ReceiptError),
    /// A made-up leaf.
    #[error(transparent)]
    Leaf(#[from] cairn_types::LeafError),
    /// A made-up bundle.
    #[error(transparent)]
    Bundle(#[from] cairn_types::BundleError),
    /// The sequencer or indexer cannot be reached.
    #[error("cannot reach a service of this process")]
    Connect(#[from] tonic::transport::Error),
    /// The sequencer or indexer refuses.
    #[error("a service refuses: {0}")]
    Refused(Box<tonic::Status>),
    /// The sequencer stopped.
    #[error("the sequencer stopped before every batch was submitted")]
    Stopped,
    /// The indexer stopped at a batch.
    #[error("the indexer refuses to go on: {0}")]
    Indexer(String),
    /// A receipt did not verify.
    #[error("receipt {0} does not verify")]
    Unverified(Digest),
    /// A task.
    #[error("a background task failed")]
    Task(#[from] tokio::task::JoinError),
}

impl From<SystemError> for PipelineError {
    fn from(error: SystemError) -> Self {
        Self::System(Box::new(error))
    }
}

impl From<tonic::Status> for PipelineError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl Pipeline {
    /// Runs every stage and measures it.
    ///
    /// # Errors
    /// [`PipelineError`]; the data directory keeps what was done.
    pub async fn run(&self, watch: &dyn Watch) -> Result<Report, PipelineError> {
        self.check()?;
        let home = Home::create(&self.data)?;
        let mut meter = Meter::default();

        meter.begin();
        let (_, rollup) = home.open_embedded(self.profile).await?;
        let options = Options { threads: self.threads, ..Options::new(self.profile) };
        let prover = tokio::task::spawn_blocking(move || LocalProver::start(options, &())).await??;
        let prover = Arc::new(prover);
        let crowd = tokio::task::block_in_place(|| Crowd::new(self.nodes));
        let registrations = rollup.registrations();
        let system = System::start(&home, rollup, Arc::clone(&prover) as Arc<dyn Prover>, Settings::local()).await?;
        let proving = watch_proving(&system);
        meter.end("start", "nodes", self.nodes);

        meter.begin();
        for (index, node) in crowd.nodes.iter().enumerate() {
            watch.step("register", index, self.nodes);
            wait_for_room(&system).await?;
            registrations.ensure_node(&Keypair::generate(), &node.public).await?;
        }
        meter.end("register", "nodes", self.nodes);

        meter.begin();
        wait_for_consumption(&system, self.nodes, watch).await?;
        let registered_in = system.sequencer.seal_now().await.map_err(|_| PipelineError::Stopped)?;
        meter.end("consume", "nodes", self.nodes);

        meter.begin();
        let rollup_id = system.sequencer.rollup_id();
        let shape = (self.receipts, self.bundle_receipts);
        let made = tokio::task::block_in_place(|| crowd.receipts(rollup_id, shape))?;
        meter.end("make receipts", "receipts", self.receipts);

        meter.begin();
        let bundles = tokio::task::block_in_place(|| crowd.sign(rollup_id, made))?;
        let signed = bundles.len();
        meter.end("sign", "bundles", signed);

        let wanted = crowd::some_receipts(&bundles, self.verified);
        meter.begin();
        crowd::submit(&format!("http://{}", system.sequencer.address()), rollup_id, bundles, watch).await?;
        meter.end("submit", "receipts", self.receipts);

        meter.begin();
        watch.step("prove", 0, self.receipts);
        let batches = system.sequencer.seal_now().await.map_err(|_| PipelineError::Stopped)?;
        if !system.sequencer.wait_for(Stage::Submitted, batches).await {
            return Err(PipelineError::Stopped);
        }
        meter.end("seal, prove, submit", "receipts", self.receipts);

        meter.begin();
        watch.step("settle", 0, self.receipts);
        if !system.sequencer.wait_for(Stage::Settled, batches).await {
            return Err(PipelineError::Stopped);
        }
        meter.end("verify on chain", "batches", batches as usize);

        meter.begin();
        let indexed = system.indexer.wait_for(batches).await;
        if let Some(problem) = indexed.problem {
            return Err(PipelineError::Indexer(problem.reason));
        }
        meter.end("index", "receipts", self.receipts);

        meter.begin();
        verify_some(&system, &wanted, batches, watch).await?;
        meter.end("fetch and verify", "receipts", wanted.len());

        let proved = proving.stop().await?;
        system.stop().await?;
        meter.begin();
        let floor = {
            let (prover, receipts) = (Arc::clone(&prover), self.receipts);
            tokio::task::spawn_blocking(move || bench::floor(&prover, receipts)).await??
        };
        meter.end("floor", "receipts", self.receipts);
        let proving_receipts = proved.iter().skip(registered_in as usize).sum::<Duration>();
        Ok(Report {
            machine: memory::processor(),
            threads: prover.threads(),
            profile: self.profile.name(),
            nodes: self.nodes,
            receipts: self.receipts,
            bundles: signed,
            segment_bundles: SEGMENT_BUNDLES,
            batches,
            registration_batches: registered_in,
            prove_seconds: proving_receipts.as_secs_f64(),
            receipts_per_second: self.receipts as f64 / proving_receipts.as_secs_f64(),
            floor_ratio: floor.as_secs_f64() / proving_receipts.as_secs_f64(),
            stages: meter.stages,
        })
    }

    fn check(&self) -> Result<(), PipelineError> {
        let shape = |field, given, rule| Err(PipelineError::Shape { field, given, rule });
        if self.nodes == 0 {
            return shape("--nodes", self.nodes, "there has to be one");
        }
        if self.receipts < self.nodes {
            return shape("--receipts", self.receipts, "every node needs one: give at least as many as --nodes");
        }
        if !(1..=MAX_BUNDLE_RECEIPTS).contains(&self.bundle_receipts) {
            return shape("--bundle-receipts", self.bundle_receipts, "a bundle holds 1 to 256");
        }
        match self.data.read_dir().map(|mut entries| entries.next().is_some()) {
            Ok(true) => Err(PipelineError::NotEmpty(self.data.clone())),
            _ => Ok(()),
        }
    }
}

/// Waits until the registry takes another node.
async fn wait_for_room(system: &System) -> Result<(), PipelineError> {
    loop {
        let read = system.rollup.finalized_queue().await?;
        if read.queue.end.position - read.rollup.consumed_position() < MAX_QUEUE_FOR_REGISTRATION {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until every registration is in a submitted batch.
async fn wait_for_consumption(system: &System, nodes: usize, watch: &dyn Watch) -> Result<(), PipelineError> {
    loop {
        let consumed = system.rollup.rollup().await?.tip.queue.position as usize;
        watch.step("consume", consumed.min(nodes), nodes);
        if consumed >= nodes {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Times of proving, batch by batch.
struct Proving(tokio::task::JoinHandle<Vec<Duration>>, tokio::sync::oneshot::Sender<()>);

fn watch_proving(system: &System) -> Proving {
    let mut events = system.sequencer.events();
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut times = Vec::new();
        loop {
            let event = tokio::select! {
                biased;
                event = events.recv() => event,
                _ = &mut stopped => return times,
            };
            match event {
                Ok(BatchEvent::Proved { took, .. }) => times.push(took),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "batch events were missed"),
                Err(RecvError::Closed) => return times,
            }
        }
    });
    Proving(task, stop)
}

impl Proving {
    async fn stop(self) -> Result<Vec<Duration>, PipelineError> {
        // The task ends by itself when the sequencer is gone; then nobody hears this.
        let _ = self.1.send(());
        Ok(self.0.await?)
    }
}

/// Fetches proof files and verifies them against the chain.
async fn verify_some(system: &System, wanted: &[Digest], batches: u64, watch: &dyn Watch) -> Result<(), PipelineError> {
    let mut anchors = Vec::new();
    for number in 0..batches {
        let batch = system.rollup.batch(number).await?;
        anchors.push(batch.ok_or(RollupError::Missing(system.rollup.batch_address(number)))?.digest);
    }
    let client = IndexerClient::connect(format!("http://{}", system.indexer.grpc_address())).await?;
    let (client, anchors) = (&client, &anchors);
    let mut outcomes = stream::iter(wanted.iter().copied())
        .map(|receipt| async move {
            let request = GetProofRequest { receipt_digest: receipt.to_bytes().to_vec(), ..GetProofRequest::default() };
            let file = client.clone().get_proof(request).await?.into_inner().file;
            let proof = ReceiptProof::decode(&file).map_err(|_| PipelineError::Unverified(receipt))?;
            match verify(&proof, anchors) {
                Verdict::Anchored(verified) if verified.receipt_digest == receipt => Ok(()),
                _ => Err(PipelineError::Unverified(receipt)),
            }
        })
        .buffer_unordered(FETCHES);
    let mut done = 0;
    while let Some(()) = outcomes.try_next().await? {
        done += 1;
        watch.step("verify", done, wanted.len());
    }
    Ok(())
}

//! A crawl from WARC files to verified proof files of settled batches, through every component.

use crate::home::{Home, HomeError};
use crate::registration::RegistrationError;
use crate::system::{Settings, System, SystemError};
use cairn_chain::RollupError;
use cairn_client::Spool;
use cairn_client::connect::Address;
use cairn_client::key::NodeKey;
use cairn_client::spool::SpoolError;
use cairn_client::submit::{self, Node, SubmitError};
use cairn_client::verify::{Verdict, verify};
use cairn_client::warc::{self, Crawl, Report};
use cairn_proto::v1::GetProofRequest;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_prover::{LocalProver, Options, Profile, Prover};
use cairn_sequencer::{BatchEvent, Settlement, Stage};
use cairn_types::{Digest, PROOF_FILE_EXTENSION, Receipt, ReceiptProof};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// Proofs that are fetched at one time.
const FETCHES: usize = 16;
/// How the node waits for its registration to be in a sealed batch: five minutes at most, and it looks often.
fn patient() -> submit::Config {
    submit::Config {
        min_delay: Duration::from_millis(50),
        max_delay: Duration::from_millis(500),
        max_failures: Some(600),
        ..submit::Config::default()
    }
}

/// What a demo does.
#[derive(Debug, Clone)]
pub struct Demo {
    /// WARC files to submit.
    pub warcs: Vec<PathBuf>,
    /// Data directory; one that was used before is continued.
    pub data: PathBuf,
    /// Profile of the proofs.
    pub profile: Profile,
}

/// Hears how far the demo is. Every method may be called from any thread.
pub trait Observer: warc::Progress + submit::Progress + Send + Sync + 'static {
    /// `done` of `total` circuits are built.
    fn circuits(&self, done: usize, total: usize);
    /// The node is registered under this index, and waits for a batch to consume that.
    fn registered(&self, node_index: u32);
    /// The files are read.
    fn read(&self, report: &Report);
    /// Something happened to a batch.
    fn batch(&self, event: &BatchEvent);
    /// `done` of `total` receipts are verified.
    fn verified(&self, done: usize, total: usize);
}

/// What a demo came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Receipts made from the files.
    pub receipts: u64,
    /// Records that gave no receipt.
    pub skipped: u64,
    /// Index of the node that submitted.
    pub node_index: u32,
    /// Batches on chain, the ones that hold registrations included.
    pub batches: u64,
    /// Those of them whose proof the chain has verified, by the word of the rollup's own account.
    pub settled: u64,
    /// Receipts whose proof file leads to the header of a settled batch.
    pub verified: u64,
    /// Receipts whose proof file does not.
    pub failed: u64,
    /// Time spent proving in this run.
    pub prove_seconds: f64,
    /// Compute units of the transactions that submitted headers in this run.
    pub compute_units: u64,
    /// Transactions that brought proofs to the chain in this run.
    pub upload_transactions: u64,
    /// Transactions in which the chain verified them and settled the batches.
    pub verify_transactions: u64,
    /// Compute units of these.
    pub verify_compute_units: u64,
    /// Fees of every transaction to submit and settle batches in this run.
    pub lamports_fees: u64,
    /// Rent that was paid into the account that proofs are uploaded to.
    pub lamports_locked: u64,
    /// Rent that came back out of it.
    pub lamports_refunded: u64,
    /// Header digest of every settled batch: what `cairn verify --root` takes.
    pub anchors: Vec<String>,
    /// The data directory.
    pub state_dir: PathBuf,
    /// Sum of the receipts' content lengths.
    pub payload_bytes: u64,
    /// Bytes of the batch proofs made in this run.
    pub proof_bytes: u64,
    /// Bytes of the blobs published in this run, compressed.
    pub blob_bytes: u64,
    /// Receipts that were acknowledged in an earlier run and were not sent again.
    pub already_acknowledged: u64,
}

/// Why a demo stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Starting or stopping.
    #[error(transparent)]
    System(Box<SystemError>),
    /// The prover.
    #[error(transparent)]
    Prover(#[from] cairn_prover::StartError),
    /// A WARC file.
    #[error(transparent)]
    Read(#[from] warc::ReadError),
    /// Nothing to show.
    #[error("the files gave no receipts: {0} records were read and none is an HTTP response")]
    NoReceipts(u64),
    /// A receipt.
    #[error(transparent)]
    Receipt(#[from] cairn_types::ReceiptError),
    /// Submitting.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The node's spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The node's place in the registry.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The sequencer stopped before the batches were settled.
    #[error("the sequencer stopped before every batch was settled")]
    Stopped,
    /// The indexer cannot go on.
    #[error("the indexer refuses to go on: {0}")]
    Indexer(String),
    /// The chain.
    #[error(transparent)]
    Rollup(#[from] RollupError),
    /// The indexer's interface.
    #[error("cannot reach the indexer")]
    Connect(#[from] tonic::transport::Error),
    /// The indexer's answer.
    #[error("the indexer has no proof of receipt {receipt}")]
    Proof {
        /// Which.
        receipt: Digest,
        /// Its words.
        #[source]
        source: Box<tonic::Status>,
    },
    /// A proof file.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A task.
    #[error("a background task failed")]
    Task(#[from] tokio::task::JoinError),
}

impl From<SystemError> for DemoError {
    fn from(error: SystemError) -> Self {
        Self::System(Box::new(error))
    }
}

/// What the batch events of a run add up to.
#[derive(Debug, Default, Clone, Copy)]
struct Effort {
    proving: Duration,
    compute_units: u64,
    proof_bytes: u64,
    blob_bytes: u64,
    /// Sums of all batches.
    settlement: Settlement,
    lamports_refunded: u64,
}

impl Demo {
    /// Runs it to the end.
    ///
    /// # Errors
    /// [`DemoError`]. What was acknowledged until then is in the data directory, and the next run goes on from there.
    pub async fn run<O: Observer>(&self, observer: Arc<O>) -> Result<Summary, DemoError> {
        let home = Home::create(&self.data)?;
        let (_, rollup) = home.open_embedded(self.profile).await?;
        let key = home.node_key()?;
        observer.registered(rollup.registrations().ensure_node(&home.node_authority()?, &key.key().public()).await?);
        let prover = self.start_prover(Arc::clone(&observer)).await?;
        let system = System::start(&home, rollup, prover, Settings::local()).await?;
        let outcome = self.with_system(&home, &system, key.key().clone(), &observer).await;
        let stopped = system.stop().await;
        match outcome {
            Ok(summary) => Ok(stopped.map(|()| summary)?),
            // Why the sequencer stopped is what it says when it is joined.
            Err(DemoError::Stopped) => stopped.map_err(DemoError::from).and(Err(DemoError::Stopped)),
            Err(error) => Err(error),
        }
    }

    async fn start_prover<O: Observer>(&self, observer: Arc<O>) -> Result<Arc<dyn Prover>, DemoError> {
        let options = Options::new(self.profile);
        let start = move || LocalProver::start(options, &|_, done, total| observer.circuits(done, total));
        Ok(Arc::new(tokio::task::spawn_blocking(start).await??))
    }

    async fn with_system<O: Observer>(
        &self,
        home: &Home,
        system: &System,
        key: NodeKey,
        observer: &Arc<O>,
    ) -> Result<Summary, DemoError> {
        let effort = watch_batches(system, Arc::clone(observer));
        let address = Address::from(format!("http://{}", system.sequencer.address()).as_str());
        let spool = Arc::new(Spool::open(&home.spool())?);
        let mut node = Node::connect(&address, key, spool, system.pins, patient(), observer.as_ref()).await?;
        let options = node.reading(None)?;
        let node_index = options.node_index;
        let crawl = self.read(options, Arc::clone(observer)).await?;
        observer.read(&crawl.report);
        let submitted = node.submit(&crawl.receipts, false, observer.as_ref()).await?;
        let batches = system.sequencer.seal_now().await.map_err(|_| DemoError::Stopped)?;
        if !system.sequencer.wait_for(Stage::Settled, batches).await {
            return Err(DemoError::Stopped);
        }
        // The rent comes back when no further proof has come for a moment.
        if !system.sequencer.wait_until(|status| status.proof_account_lamports == 0).await {
            return Err(DemoError::Stopped);
        }
        let indexed = system.indexer.wait_for(batches).await;
        if let Some(problem) = indexed.problem {
            return Err(DemoError::Indexer(problem.reason));
        }
        let anchors = anchors(system, batches).await?;
        let (verified, failed) = verify_all(home, system, &crawl.receipts, &anchors, observer.as_ref()).await?;
        let effort = effort.stop().await?;
        Ok(Summary {
            receipts: crawl.receipts.len() as u64,
            skipped: crawl.report.skipped.len() as u64,
            node_index,
            batches,
            settled: anchors.len() as u64,
            verified,
            failed,
            prove_seconds: effort.proving.as_secs_f64(),
            compute_units: effort.compute_units,
            upload_transactions: effort.settlement.upload_transactions,
            verify_transactions: effort.settlement.verify_transactions,
            verify_compute_units: effort.settlement.verify_compute_units,
            lamports_fees: effort.settlement.lamports_fees,
            lamports_locked: effort.settlement.lamports_locked,
            lamports_refunded: effort.lamports_refunded,
            anchors: anchors.iter().map(Digest::to_hex).collect(),
            state_dir: home.path().to_owned(),
            payload_bytes: crawl.receipts.iter().map(|receipt| receipt.content_length).sum(),
            proof_bytes: effort.proof_bytes,
            blob_bytes: effort.blob_bytes,
            already_acknowledged: submitted.skipped,
        })
    }

    async fn read<O: Observer>(&self, options: warc::Options, observer: Arc<O>) -> Result<Crawl, DemoError> {
        let warcs = self.warcs.clone();
        let read = move || warc::read_files(&warcs, &options, observer.as_ref());
        let crawl = tokio::task::spawn_blocking(read).await??;
        if crawl.receipts.is_empty() {
            return Err(DemoError::NoReceipts(crawl.report.skipped.len() as u64));
        }
        Ok(crawl)
    }
}

/// Adds up what happens to batches, and tells the observer.
struct Effects(JoinHandle<Effort>, tokio::sync::oneshot::Sender<()>);

fn watch_batches<O: Observer>(system: &System, observer: Arc<O>) -> Effects {
    let mut events = system.sequencer.events();
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut effort = Effort::default();
        loop {
            let event = tokio::select! {
                biased;
                event = events.recv() => event,
                _ = &mut stopped => return effort,
            };
            match event {
                Ok(event) => {
                    effort.add(&event);
                    observer.batch(&event);
                }
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "batch events were missed: the sums are too low")
                }
                Err(RecvError::Closed) => return effort,
            }
        }
    });
    Effects(task, stop)
}

impl Effects {
    async fn stop(self) -> Result<Effort, DemoError> {
        // The task ends by itself when the sequencer is gone; then nobody hears this.
        let _ = self.1.send(());
        Ok(self.0.await?)
    }
}

impl Effort {
    fn add(&mut self, event: &BatchEvent) {
        match event {
            BatchEvent::Published { blob_bytes, .. } => self.blob_bytes += blob_bytes,
            BatchEvent::Proved { took, proof_bytes, .. } => {
                self.proving += *took;
                self.proof_bytes += proof_bytes;
            }
            BatchEvent::Submitted { compute_units, fee, .. } => {
                self.compute_units += compute_units.unwrap_or_default();
                self.settlement.lamports_fees += fee.unwrap_or_default();
            }
            BatchEvent::Settled { settlement, .. } => {
                self.settlement.upload_transactions += settlement.upload_transactions;
                self.settlement.verify_transactions += settlement.verify_transactions;
                self.settlement.verify_compute_units += settlement.verify_compute_units;
                self.settlement.lamports_fees += settlement.lamports_fees;
                self.settlement.lamports_locked += settlement.lamports_locked;
            }
            BatchEvent::ProofAccountClosed { lamports_refunded, lamports_fees } => {
                self.lamports_refunded += lamports_refunded;
                self.settlement.lamports_fees += lamports_fees;
            }
            _ => {}
        }
    }
}

/// Header digests of those of the first `batches` batches whose proof the chain has verified. Whether it has is read from the
/// rollup's account, not taken from the sequencer.
async fn anchors(system: &System, batches: u64) -> Result<Vec<Digest>, DemoError> {
    let settled = system.rollup.rollup().await?.settled.batches;
    let mut anchors = Vec::new();
    for number in 0..batches.min(settled) {
        let batch = system.rollup.batch(number).await?;
        let batch = batch.ok_or(RollupError::Missing(system.rollup.batch_address(number)))?;
        anchors.push(batch.digest);
    }
    Ok(anchors)
}

/// Gets each receipt's proof file from the indexer, keeps it, and checks that it leads to a batch that the chain has settled.
async fn verify_all<O: Observer>(
    home: &Home,
    system: &System,
    receipts: &[Receipt],
    anchors: &[Digest],
    observer: &O,
) -> Result<(u64, u64), DemoError> {
    let folder = home.proofs();
    std::fs::create_dir_all(&folder).map_err(|source| DemoError::Write { path: folder.clone(), source })?;
    let client = IndexerClient::connect(format!("http://{}", system.indexer.grpc_address())).await?;
    let digests = receipts
        .iter()
        .map(|receipt| Ok(Receipt::digest_of(&receipt.encode()?)))
        .collect::<Result<Vec<_>, DemoError>>()?;
    let (mut verified, mut failed) = (0, 0);
    let mut outcomes =
        stream::iter(digests).map(|digest| fetch(client.clone(), digest, &folder, anchors)).buffer_unordered(FETCHES);
    while let Some(holds) = outcomes.try_next().await? {
        if holds {
            verified += 1
        } else {
            failed += 1
        }
        observer.verified((verified + failed) as usize, receipts.len());
    }
    Ok((verified, failed))
}

async fn fetch(
    mut client: IndexerClient<Channel>,
    receipt: Digest,
    folder: &Path,
    anchors: &[Digest],
) -> Result<bool, DemoError> {
    let request = GetProofRequest { receipt_digest: receipt.to_bytes().to_vec(), ..GetProofRequest::default() };
    let proof = client
        .get_proof(request)
        .await
        .map_err(|source| DemoError::Proof { receipt, source: source.into() })?
        .into_inner();
    let path = folder.join(format!("{receipt}.{PROOF_FILE_EXTENSION}"));
    tokio::fs::write(&path, &proof.file).await.map_err(|source| DemoError::Write { path, source })?;
    // What counts is the file as a buyer would have it, and that it is about the receipt that was asked for.
    let Ok(proof) = ReceiptProof::decode(&proof.file) else { return Ok(false) };
    Ok(matches!(verify(&proof, anchors), Verdict::Anchored(verified) if verified.receipt_digest == receipt))
}

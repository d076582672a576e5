//! Coordinators and workers of the tests.

use crate::samples::{Rollup, bundle};
use cairn_circuits::{CircuitSet, SegmentShape};
use cairn_prover::remote::{Connection, Coordinator, Event, Settings, Token, Worker, WorkerError, serve};
use cairn_prover::{BatchProof, LocalProver, Options, Profile, Progress, ProveError, Prover, Stage};
use cairn_types::Batch;
use cairn_types::state::PartialState;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Nothing takes longer than this, however busy the machine is.
const MOST: Duration = Duration::from_secs(1_800);

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// With one thread, so that workers and coordinator share the machine.
pub fn prover() -> LocalProver {
    with_threads(1)
}

fn with_threads(threads: usize) -> LocalProver {
    LocalProver::start(Options { threads: NonZeroUsize::new(threads), ..Options::new(Profile::Dev) }, &()).unwrap()
}

pub fn circuits() -> &'static CircuitSet {
    CircuitSet::get(Profile::Dev, &|_| ()).unwrap()
}

/// Workers only, with leases that end soon.
pub fn settings() -> Settings {
    Settings { local: false, lease: Duration::from_secs(5), ..Settings::default() }
}

/// A batch of so many segments, each with bundles.
pub fn batch(segments: u64) -> (Batch, PartialState) {
    let bundles = (segments - 1) * SegmentShape::FULL.bundles() as u64 + 1;
    Rollup::default().seal((0..bundles).map(|sequence| bundle(sequence, 1)).collect(), vec![])
}

/// Waits until it holds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < MOST, "{what}: not within {MOST:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets a batch come as far as its first aggregation, and cancels it there: what follows other tests prove.
#[derive(Clone, Default)]
pub struct Until(Arc<AtomicBool>);

impl Progress for Until {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        let reached = stage == Stage::Segments && done == total;
        self.0.fetch_or(reached, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Until {
    pub async fn reached(&self) {
        until("every segment is proved", || self.cancelled()).await;
    }
}

/// A coordinator that serves.
pub struct Serving {
    pub coordinator: Arc<Coordinator>,
    pub address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    pub async fn start(settings: Settings, token: Option<Token>) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), settings, token).await
    }

    pub async fn start_at(address: SocketAddr, settings: Settings, token: Option<Token>) -> Self {
        let coordinator = Arc::new(Coordinator::start(prover(), settings).unwrap());
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (served, stop) = (Arc::clone(&coordinator), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move { serve(&served, listener, token, None, stopped).await.unwrap() });
        Self { coordinator, address, stop, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Proves in the background.
    pub fn prove(
        &self,
        (batch, before): (Batch, PartialState),
        progress: impl Progress + Send + 'static,
    ) -> JoinHandle<Result<BatchProof, ProveError>> {
        let coordinator = Arc::clone(&self.coordinator);
        tokio::task::spawn_blocking(move || coordinator.prove(&batch, &before, &progress))
    }

    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(MOST, self.task).await.unwrap().unwrap();
    }
}

/// A worker that runs in this process.
pub struct Working {
    pub events: Arc<Mutex<Vec<Event>>>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), WorkerError>>,
}

impl Working {
    /// With one thread, beside others.
    pub fn start(name: &str, connection: Connection) -> Self {
        Self::start_with(prover(), name, connection)
    }

    /// With two threads, where no other proves.
    pub fn start_alone(name: &str, connection: Connection) -> Self {
        Self::start_with(with_threads(2), name, connection)
    }

    fn start_with(prover: LocalProver, name: &str, connection: Connection) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&events);
        let worker = Worker::new(prover, connection, name, move |event| noted.lock().unwrap().push(event)).unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move { worker.run(&stopped).await });
        Self { events, stop, task }
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    /// Proofs that were used.
    pub fn used(&self) -> usize {
        self.count(|event| matches!(event, Event::Proved { used: true, .. }))
    }

    pub async fn stop(self) -> Result<(), WorkerError> {
        self.stop.cancel();
        self.ended().await
    }

    pub async fn ended(self) -> Result<(), WorkerError> {
        tokio::time::timeout(MOST, self.task).await.unwrap().unwrap()
    }
}

pub async fn proof(proving: JoinHandle<Result<BatchProof, ProveError>>) -> Result<BatchProof, ProveError> {
    tokio::time::timeout(MOST, proving).await.expect("no proof in time").unwrap()
}

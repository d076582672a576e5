//! The prover whose proofs are made by workers, by this process, or by both.

use super::board::{Board, Holder, Rules};
use super::shared::{Shared, Work};
use super::{clock, metrics};
use crate::local::aggregations;
use crate::{BatchProof, LocalProver, Profile, Progress, ProveError, Prover, Stage, VerifyError, plan};
use cairn_circuits::LEVELS;
use cairn_types::Batch;
use cairn_types::state::PartialState;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a proof in the making looks whether it is cancelled.
const LOOK: Duration = Duration::from_millis(100);
/// Threads of this process look for jobs at least this often.
const IDLE: Duration = Duration::from_secs(1);
/// A session ends when nothing is heard of it for so many lease times.
const SILENT_LEASES: u32 = 4;
/// Heartbeats in the time of a lease.
const HEARTBEATS: u32 = 3;

/// How a coordinator treats its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether the threads of this process prove as well.
    pub local: bool,
    /// A job goes to another when nothing is heard of its worker for so long.
    pub lease: Duration,
    /// A job goes to another after so long, whatever its worker says.
    pub patience: Duration,
    /// So many wrong proofs exclude a worker...
    pub most_wrong: u32,
    /// ...until it has sent none for so long.
    pub exclusion: Duration,
    /// A worker waits in one call for a job so long at most.
    pub poll: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            local: true,
            lease: Duration::from_secs(15),
            patience: Duration::from_secs(600),
            most_wrong: 3,
            exclusion: Duration::from_secs(600),
            poll: Duration::from_secs(20),
        }
    }
}

impl Settings {
    /// Time between two heartbeats.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        self.lease / HEARTBEATS
    }

    fn rules(&self) -> Rules {
        Rules {
            lease: self.lease,
            patience: self.patience,
            silence: self.lease * SILENT_LEASES,
            most_wrong: self.most_wrong,
            exclusion: self.exclusion,
            local: self.local,
        }
    }
}

/// Proves batches with the help of workers, which [`super::serve`] lets in. With neither a worker nor `local` proving it
/// waits and says so.
#[derive(Debug)]
pub struct Coordinator {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
}

impl Coordinator {
    /// Opens the board. `prover` has the circuits that proofs are verified with, and the threads that prove here.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn start(prover: LocalProver, settings: Settings) -> std::io::Result<Self> {
        let threads = if settings.local { prover.at_once_of_any() } else { 0 };
        let shared = Arc::new(Shared::new(prover, Board::new(settings.rules())));
        // Made first: on an error, dropping it ends the threads that have started.
        let coordinator = Self { shared: Arc::clone(&shared), settings };
        for index in 0..threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("prove-job-{index}")).spawn(move || work(&shared))?;
        }
        let shared = Arc::downgrade(&shared);
        thread::Builder::new().name("prove-clock".into()).spawn(move || clock::run(&shared))?;
        Ok(coordinator)
    }

    /// Workers that are connected.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.lock().board.workers()
    }

    /// Jobs that nobody has taken yet, and those that are being made.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.shared.lock().board.load()
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.tell();
    }
}

/// A batch on the board, taken off it however proving ends.
struct OnBoard<'a> {
    shared: &'a Shared,
    batch: u64,
}

impl Drop for OnBoard<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.board.remove(self.batch);
        state.failed.remove(&self.batch);
        drop(state);
        self.shared.tell();
    }
}

impl Prover for Coordinator {
    fn profile(&self) -> Profile {
        self.shared.prover.profile()
    }

    fn prove(&self, batch: &Batch, before: &PartialState, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
        let segments = plan::segments(batch, before)?;
        let count = segments.len();
        let statement = batch.header.statement();
        let work =
            Work { statements: plan::statements(batch, &segments), segments, header: batch.header.words(), statement };
        let mut steps = Steps { progress, totals: [count, aggregations(count, 1..=LEVELS), 1, 1], shown: [None; 4] };
        steps.show([0; 4]);
        let id = self.shared.lock().board.add(batch.header.number, count, work, Instant::now());
        let on_board = OnBoard { shared: &self.shared, batch: id };
        self.shared.tell();
        let proof = loop {
            if progress.cancelled() {
                return Err(ProveError::Cancelled);
            }
            let mut state = self.shared.lock();
            if let Some(error) = state.failed.remove(&id) {
                return Err(error);
            }
            let (done, proof) = (state.board.done(id), state.board.finished(id));
            if proof.is_none() && steps.are_shown(done) {
                self.shared.wait(&mut state, LOOK);
            }
            drop(state);
            steps.show(done);
            if let Some(proof) = proof {
                break proof;
            }
        };
        drop(on_board);
        let proof = BatchProof { profile: self.profile(), statement, bytes: proof.to_bytes() };
        self.verify(&proof).map_err(ProveError::SelfCheck)?;
        Ok(proof)
    }

    fn verify(&self, proof: &BatchProof) -> Result<(), VerifyError> {
        self.shared.prover.verify(proof)
    }
}

/// Tells the caller each step once and in order.
struct Steps<'a> {
    progress: &'a dyn Progress,
    totals: [usize; 4],
    shown: [Option<usize>; 4],
}

impl Steps<'_> {
    const STAGES: [Stage; 4] = [Stage::Segments, Stage::Aggregation, Stage::Batch, Stage::Final];

    fn are_shown(&self, done: [usize; 4]) -> bool {
        self.shown.iter().zip(done).all(|(shown, done)| shown.unwrap_or(0) == done)
    }

    fn show(&mut self, done: [usize; 4]) {
        for (index, stage) in Self::STAGES.into_iter().enumerate() {
            let begun = index == 0 || done[index] > 0 || done[index - 1] == self.totals[index - 1];
            if begun {
                let first = self.shown[index].map_or(0, |shown| shown + 1);
                (first..=done[index]).for_each(|step| self.progress.step(stage, step, self.totals[index]));
                self.shown[index] = Some(done[index]);
            }
        }
    }
}

/// A thread of this process that takes jobs from the board.
fn work(shared: &Shared) {
    loop {
        let mut state = shared.lock();
        let assignment = loop {
            if state.stopping {
                return;
            }
            match state.board.take(Holder::Local, Instant::now()) {
                Ok(Some(assignment)) => break assignment,
                _ => shared.wait(&mut state, IDLE),
            }
        };
        drop(state);
        let (task, work) = (assignment.task, assignment.work);
        let Some(job) = work.job(&task, &assignment.children) else { continue };
        let proof = shared.prover.pool().install(|| job.prove(shared.prover.circuits()));
        let mut state = shared.lock();
        match proof {
            Ok(proof) => {
                let completed = state.board.complete(assignment.lease, Arc::new(proof), Instant::now());
                metrics::ended(task.layer(), "local", if completed.used { "used" } else { "late" }, completed.took);
            }
            Err(error) => {
                // Here nobody lies: what cannot be proved here has no proof.
                metrics::ended(task.layer(), "local", "failed", Duration::ZERO);
                state.failed.insert(task.batch, error);
            }
        }
        drop(state);
        shared.tell();
    }
}

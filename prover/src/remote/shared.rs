//! What the parts of a coordinator share: the board behind a lock, and who waits for it to change.

use super::board::{Board, HEADER, Task};
use crate::job::Job;
use crate::{LocalProver, ProveError};
use cairn_circuits::{Layer, LayerProof, SegmentInputs, Statement};
use cairn_types::{Digest, HEADER_WORDS};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What a batch comes with.
#[derive(Debug)]
pub struct Work {
    /// Inputs of its segments.
    pub segments: Vec<SegmentInputs>,
    /// What the proofs below the header's have to say, by height and place.
    pub statements: Vec<Vec<Statement>>,
    /// The header's words.
    pub header: [u64; HEADER_WORDS],
    /// The header's digest.
    pub statement: Digest,
}

impl Work {
    /// The job of a task over the proofs of its children; `None` when they are not those.
    pub fn job<'a>(&'a self, task: &Task, children: &'a [Arc<LayerProof>]) -> Option<Job<'a>> {
        let child = |index: usize| children.get(index).and_then(|proof| proof.node());
        Some(match task.layer() {
            Layer::Segment => Job::Segment(self.segments.get(task.index)?),
            Layer::Aggregation(level) => Job::Aggregation { level, left: child(0)?, right: child(1) },
            Layer::Batch => Job::Batch { child: child(0)?, header: &self.header },
            Layer::Final => Job::Final(child(0)?),
        })
    }

    /// What the proof of a task has to say in public.
    pub fn stated(&self, task: &Task) -> Vec<u64> {
        if task.height() >= HEADER {
            return self.statement.words().to_vec();
        }
        let statement = self.statements.get(task.height()).and_then(|row| row.get(task.index));
        statement.map(|statement| statement.to_array().to_vec()).unwrap_or_default()
    }
}

/// The board with what the coordinator notes beside it.
#[derive(Debug)]
pub struct State {
    /// The board.
    pub board: Board<Work, LayerProof>,
    /// Batches that cannot be proved, as this process itself has found.
    pub failed: BTreeMap<u64, ProveError>,
    /// The coordinator is gone.
    pub stopping: bool,
}

/// See above.
#[derive(Debug)]
pub struct Shared {
    /// Circuits and threads of this process.
    pub prover: LocalProver,
    state: Mutex<State>,
    changed: Condvar,
    /// Tells calls that wait for a job.
    pub notify: Notify,
}

impl Shared {
    /// Around an empty board.
    pub fn new(prover: LocalProver, board: Board<Work, LayerProof>) -> Self {
        let state = State { board, failed: BTreeMap::new(), stopping: false };
        Self { prover, state: Mutex::new(state), changed: Condvar::new(), notify: Notify::new() }
    }

    /// The board, for a moment: nothing is proved or sent under this lock.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Waits until the board changes, or for `most`.
    pub fn wait(&self, guard: &mut MutexGuard<'_, State>, most: Duration) {
        self.changed.wait_for(guard, most);
    }

    /// Tells everybody that the board has changed.
    pub fn tell(&self) {
        self.changed.notify_all();
        self.notify.notify_waiters();
    }
}

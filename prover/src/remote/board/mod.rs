//! Which proofs are to be made, and who makes which: a state machine without threads, clocks or circuits.
//!
//! Batches are put on the board with their number of segments; every proof of their trees is a [`Task`]. A task is ready when
//! its children are done, is taken on a lease, and is done when the first good proof of it comes in. A lease that is not extended
//! ends, and the task is ready again; what its holder brings later still counts if nobody was faster. Time is an argument.

mod leases;
mod members;
#[cfg(test)]
mod model;
mod task;
#[cfg(test)]
mod tests;

pub use members::{HelloError, MAX_SESSIONS, SessionId};
pub use task::{HEADER, TOP, Task, width};

use cairn_circuits::LEVELS;
use members::Members;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How leases and workers are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A lease ends when it is not extended for so long.
    pub lease: Duration,
    /// A lease ends after so long, whatever its holder says.
    pub patience: Duration,
    /// A session ends when nothing is heard of it for so long.
    pub silence: Duration,
    /// So many wrong proofs exclude a worker.
    pub most_wrong: u32,
    /// Wrong proofs count for so long.
    pub exclusion: Duration,
    /// Whether this process makes proofs as well.
    pub local: bool,
}

/// Who takes a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A thread of this process, whose leases do not end.
    Local,
    /// A worker.
    Session(SessionId),
}

/// There is no such session: it was silent for too long, excluded, or of an earlier process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this session has ended: say hello again")]
pub struct NoSession;

/// A task with what it is made from.
#[derive(Debug)]
pub struct Assignment<W, P> {
    /// The lease.
    pub lease: u64,
    /// The task.
    pub task: Task,
    /// What its batch came with.
    pub work: Arc<W>,
    /// Proofs of its children: none, one or two.
    pub children: Vec<Arc<P>>,
}

/// What became of a finished proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// Whether it is the one that counts; otherwise somebody was faster, or the batch is gone.
    pub used: bool,
    /// Time since the lease was given.
    pub took: Duration,
}

#[derive(Debug)]
enum State<P> {
    /// For its children.
    Waiting,
    /// To be taken from then on.
    Ready(Instant),
    /// Somebody makes it.
    Leased(u64),
    /// Made. The proof is dropped when its parent is made.
    Done(Option<Arc<P>>),
}

#[derive(Debug)]
struct Entry<P> {
    state: State<P>,
    /// Workers that could not make it.
    failed_by: BTreeSet<String>,
    failures: u32,
}

#[derive(Debug)]
struct Sheet<W, P> {
    work: Arc<W>,
    segments: usize,
    entries: BTreeMap<Task, Entry<P>>,
}

#[derive(Debug)]
struct Lease {
    task: Task,
    holder: Holder,
    since: Instant,
    /// `None` for ever.
    deadline: Option<Instant>,
    live: bool,
}

/// The board. `W` is what a batch comes with, `P` a proof.
#[derive(Debug)]
pub struct Board<W, P> {
    rules: Rules,
    sheets: BTreeMap<u64, Sheet<W, P>>,
    ready: BTreeSet<Task>,
    leases: BTreeMap<u64, Lease>,
    members: Members,
    next: u64,
}

impl<W, P> Board<W, P> {
    /// An empty board.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        let members = Members::new(rules.most_wrong, rules.exclusion);
        Self { rules, sheets: BTreeMap::new(), ready: BTreeSet::new(), leases: BTreeMap::new(), members, next: 0 }
    }

    /// Puts a batch on the board, and gives its place.
    pub fn add(&mut self, number: u64, segments: usize, work: W, now: Instant) -> u64 {
        let batch = self.unique();
        let mut entries = BTreeMap::new();
        for height in 0..=TOP {
            for index in 0..width(segments, height) {
                let task = Task::new(number, batch, height, index);
                let state = if height == 0 { State::Ready(now) } else { State::Waiting };
                self.ready.extend((height == 0).then_some(task));
                entries.insert(task, Entry { state, failed_by: BTreeSet::new(), failures: 0 });
            }
        }
        self.sheets.insert(batch, Sheet { work: Arc::new(work), segments, entries });
        batch
    }

    /// Takes a batch off the board, with everything that was to be done for it.
    pub fn remove(&mut self, batch: u64) {
        self.sheets.remove(&batch);
        self.ready.retain(|task| task.batch != batch);
        let gone: Vec<_> =
            self.leases.iter().filter(|(_, lease)| lease.task.batch == batch).map(|(id, _)| *id).collect();
        for id in gone {
            self.drop_lease(id);
        }
    }

    /// The batch's proof, when it is made.
    #[must_use]
    pub fn finished(&self, batch: u64) -> Option<Arc<P>> {
        let (task, entry) = self.sheets.get(&batch)?.entries.first_key_value()?;
        match &entry.state {
            State::Done(proof) if task.height() == TOP => proof.clone(),
            _ => None,
        }
    }

    /// Segments, aggregations, batch and last proofs that are done.
    #[must_use]
    pub fn done(&self, batch: u64) -> [usize; 4] {
        let mut done = [0; 4];
        for (task, entry) in self.sheets.get(&batch).into_iter().flat_map(|sheet| &sheet.entries) {
            let part = match task.height() {
                0 => 0,
                HEADER => 2,
                TOP => 3,
                _ => 1,
            };
            done[part] += usize::from(matches!(entry.state, State::Done(_)));
        }
        done
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When the worker is excluded, or there are too many.
    pub fn hello(&mut self, id: SessionId, name: &str, slots: usize, now: Instant) -> Result<(), HelloError> {
        self.members.hello(id, name, slots, now)
    }

    /// Ends a session. What it has leased is ready again.
    pub fn goodbye(&mut self, id: &SessionId, now: Instant) {
        let leases = self.members.sessions.get(id).map(|session| session.leases.clone()).unwrap_or_default();
        leases.into_iter().for_each(|lease| self.give_back(lease, now));
        self.members.sessions.remove(id);
    }

    /// The name of a session.
    ///
    /// # Errors
    /// When it has ended.
    pub fn name(&self, id: &SessionId) -> Result<&str, NoSession> {
        self.members.sessions.get(id).map(|session| session.name.as_str()).ok_or(NoSession)
    }

    /// Workers that are connected.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.members.sessions.len()
    }

    /// Tasks that are ready, and those that are being made.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.ready.len(), self.leases.values().filter(|lease| lease.live).count())
    }

    /// Whether tasks are ready and nobody is there to take them.
    #[must_use]
    pub fn is_stranded(&self) -> bool {
        !self.ready.is_empty() && !self.rules.local && self.members.sessions.is_empty()
    }

    fn settle(&mut self, task: Task, proof: Arc<P>, now: Instant) -> bool {
        let Some(sheet) = self.sheets.get_mut(&task.batch) else { return false };
        let Some(entry) = sheet.entries.get_mut(&task).filter(|entry| !matches!(entry.state, State::Done(_))) else {
            return false;
        };
        entry.state = State::Done(Some(proof));
        self.ready.remove(&task);
        for child in task.children(sheet.segments) {
            if let Some(child) = sheet.entries.get_mut(&child) {
                child.state = State::Done(None);
            }
        }
        let Some(parent) = task.parent() else { return true };
        let is_done = |task: Task| sheet.entries.get(&task).is_some_and(|entry| matches!(entry.state, State::Done(_)));
        if parent.children(sheet.segments).all(is_done)
            && let Some(entry) = sheet.entries.get_mut(&parent)
        {
            entry.state = State::Ready(now);
            self.ready.insert(parent);
        }
        true
    }

    fn unique(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

// The top has one child, the last aggregation, which is alone at its height.
const _: () = assert!(1 << LEVELS == cairn_circuits::MAX_SEGMENTS);

//! Crashes on purpose, for tests: the process "dies" just before or just after a chosen write reaches the disk.

use std::sync::{Arc, Mutex};

use super::{Change, StoreError};

/// On which side of a write the crash happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// The crash that is planned, if any. After it, every write fails: a dead process writes nothing.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    plan: Option<(usize, Side)>,
    writes: Vec<Change>,
    dead: bool,
}

impl Faults {
    /// Dies at the write number `write`, counted from now.
    pub(crate) fn crash_at(&self, write: usize, side: Side) {
        *self.state.lock().unwrap() = State { plan: Some((write, side)), ..State::default() };
    }

    /// Whether the planned crash has happened.
    pub(crate) fn crashed(&self) -> bool {
        self.state.lock().unwrap().dead
    }

    /// The writes that were done.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.state.lock().unwrap().writes.clone()
    }

    /// Counts a write in and returns its number. Writes of several threads may be under way at one time.
    pub(super) fn before(&self, change: Change) -> Result<usize, StoreError> {
        let mut state = self.state.lock().unwrap();
        let write = state.writes.len();
        state.dead |= state.plan == Some((write, Side::Before));
        if state.dead {
            return Err(crash(change));
        }
        state.writes.push(change);
        Ok(write)
    }

    pub(super) fn after(&self, change: Change, write: usize) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap();
        state.dead |= state.plan == Some((write, Side::After));
        if state.dead { Err(crash(change)) } else { Ok(()) }
    }
}

fn crash(change: Change) -> StoreError {
    StoreError::Damaged { family: "fault", key: change.name().to_owned(), reason: "crashed on purpose".to_owned() }
}

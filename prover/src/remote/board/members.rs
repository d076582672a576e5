//! Who is connected, and who has sent wrong proofs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A session's identity, random.
pub type SessionId = [u8; 16];

/// Sessions at one time, at most.
pub const MAX_SESSIONS: usize = 1_024;

/// A worker's session.
#[derive(Debug)]
pub struct Session {
    /// What the worker calls itself.
    pub name: String,
    /// Jobs it makes at one time.
    pub slots: usize,
    /// When it was last heard of.
    pub heard: Instant,
    /// Its leases, those that have expired among them.
    pub leases: BTreeSet<u64>,
}

/// Wrong proofs of a worker.
#[derive(Debug, Clone, Copy)]
struct Record {
    wrong: u32,
    last: Instant,
}

/// Sessions by identity, records by name.
#[derive(Debug)]
pub struct Members {
    /// The sessions.
    pub sessions: BTreeMap<SessionId, Session>,
    records: BTreeMap<String, Record>,
    most_wrong: u32,
    exclusion: Duration,
}

/// Why a worker gets no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// It has sent wrong proofs.
    #[error("this worker has sent {wrong} wrong proofs and is excluded for another {} seconds: check its memory and its version", left.as_secs() + 1)]
    Excluded {
        /// How many.
        wrong: u32,
        /// For how long it stays excluded.
        left: Duration,
    },
    /// Too many sessions.
    #[error("there are {MAX_SESSIONS} sessions, no more are taken: stop workers that are not needed")]
    Full,
}

impl Members {
    /// Nobody yet. `most_wrong` wrong proofs exclude a name until it has sent none for `exclusion`.
    pub const fn new(most_wrong: u32, exclusion: Duration) -> Self {
        Self { sessions: BTreeMap::new(), records: BTreeMap::new(), most_wrong, exclusion }
    }

    /// Begins a session.
    pub fn hello(&mut self, id: SessionId, name: &str, slots: usize, now: Instant) -> Result<(), HelloError> {
        self.forgive(now);
        if let Some(record) = self.records.get(name).filter(|record| record.wrong >= self.most_wrong) {
            let left = (record.last + self.exclusion).saturating_duration_since(now);
            return Err(HelloError::Excluded { wrong: record.wrong, left });
        }
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(HelloError::Full);
        }
        let session = Session { name: name.to_owned(), slots, heard: now, leases: BTreeSet::new() };
        self.sessions.insert(id, session);
        Ok(())
    }

    /// Notes a wrong proof. Gives whether the name is excluded now.
    pub fn wrong(&mut self, name: &str, now: Instant) -> bool {
        let record = self.records.entry(name.to_owned()).or_insert(Record { wrong: 0, last: now });
        record.wrong += 1;
        record.last = now;
        record.wrong >= self.most_wrong
    }

    /// Whether a name has sent a wrong proof of late: it is given one job at a time.
    pub fn on_probation(&self, name: &str) -> bool {
        self.records.contains_key(name)
    }

    /// Forgets wrong proofs of long ago.
    pub fn forgive(&mut self, now: Instant) {
        let exclusion = self.exclusion;
        self.records.retain(|_, record| now.saturating_duration_since(record.last) < exclusion);
    }

    /// Whether somebody is connected who is not in `names`.
    pub fn others_than(&self, names: &BTreeSet<String>) -> bool {
        self.sessions.values().any(|session| !names.contains(&session.name))
    }
}

//! What is known about each server: for status pages.

use super::health::Why;
use super::pool::Pool;
use serde::Serialize;
use std::time::Duration;

/// What is known about one RPC server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerStatus {
    /// Scheme, host and port.
    pub server: String,
    /// Whether it is used.
    pub state: ServerState,
    /// Why it is not used, or was not when last asked.
    pub reason: Option<String>,
    /// Time until it is asked again.
    pub rests_for: Option<Duration>,
    /// Its newest slot at any commitment.
    pub slot: Option<u64>,
    /// How long ago that slot was first seen there.
    pub slot_age: Option<Duration>,
}

/// Whether a server is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    /// Nobody needed it yet.
    Unasked,
    /// It answered when last asked.
    Healthy,
    /// It failed, and is asked again after its rest.
    Resting,
    /// It needs an operator: it serves another chain, or does not let us in.
    Excluded,
}

impl ServerState {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Healthy => "healthy",
            Self::Resting => "resting",
            Self::Excluded => "excluded",
        }
    }
}

pub(super) fn of(pool: &Pool) -> Vec<ServerStatus> {
    let (now, board) = (pool.now(), pool.board());
    let status = |(index, server): (usize, &super::server::Server)| {
        let health = board.health(index);
        let failure = health.last_failure();
        let newest = health.newest_slot(now);
        ServerStatus {
            server: server.place().to_owned(),
            state: match failure {
                Some(rest) if Why::is_lasting(rest.why) => ServerState::Excluded,
                Some(_) => ServerState::Resting,
                None if health.has_answered() => ServerState::Healthy,
                None => ServerState::Unasked,
            },
            reason: failure.map(|rest| rest.what.clone()),
            rests_for: failure.map(|rest| rest.until.saturating_sub(now)),
            slot: newest.map(|(slot, _)| slot),
            slot_age: newest.map(|(_, age)| age),
        }
    };
    pool.servers.iter().enumerate().map(status).collect()
}

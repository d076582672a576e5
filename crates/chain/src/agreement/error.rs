//! Why there is no agreement.

use super::clusters::chain_name;
use crate::{Address, ChainError, RollupError};
use std::fmt;

/// Who says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Server and its words, in the order the servers were given.
    pub by: Vec<(String, String)>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (server, words)) in self.by.iter().enumerate() {
            let and = if place == 0 { "" } else { ", " };
            write!(f, "{and}{server} says that {words}")?;
        }
        Ok(())
    }
}

/// Why nothing can be said about a rollup.
#[derive(Debug, thiserror::Error)]
pub enum AgreementError {
    /// Nobody was asked.
    #[error("no server was named")]
    NoServers,
    /// A server has no answer. It is not dropped: an agreement of the others is not the one that was asked for.
    #[error("{server} does not answer, so there is no agreement: {source}")]
    Silent {
        /// Which.
        server: String,
        /// Why.
        source: Box<ChainError>,
    },
    /// A server is of another chain.
    #[error("{server} serves chain {}, not {}", chain_name(.found), chain_name(.pinned))]
    WrongChain {
        /// Which.
        server: String,
        /// Its genesis hash.
        found: [u8; 32],
        /// The one that was asked for.
        pinned: [u8; 32],
    },
    /// A server shows accounts that the program cannot have written.
    #[error("{server} shows what the program would not write: {source}")]
    Answer {
        /// Which.
        server: String,
        /// What is wrong.
        source: Box<RollupError>,
    },
    /// A server's accounts contradict one another.
    #[error("{server} contradicts itself: {what}")]
    Contradiction {
        /// Which.
        server: String,
        /// In what.
        what: String,
    },
    /// No server knows the rollup.
    #[error("no server has a rollup at {0}, finalized: check its address, the program and the chain")]
    NoRollup(Address),
    /// One server does not know the rollup, although others do.
    #[error("{server} has no rollup at {rollup}, finalized, and {other} has: it lags or is on a fork")]
    RollupMissing {
        /// Which.
        server: String,
        /// One that knows it.
        other: String,
        /// Where it is.
        rollup: Address,
    },
    /// The servers say different things of the rollup.
    #[error("the servers disagree on the rollup's {part}: {said}")]
    Differ {
        /// On what.
        part: &'static str,
        /// Who says what.
        said: Said,
    },
}

/// Why nothing can be said about a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Dispute {
    /// The servers say different things of it.
    #[error("the servers disagree on the {part} of batch {number}: {said}")]
    Differ {
        /// Which batch.
        number: u64,
        /// On what of it.
        part: &'static str,
        /// Who says what.
        said: Said,
    },
    /// One server did not arrive at it in time.
    #[error(
        "{other} has batch {number}, and {server} does not: at its finalized slot {slot} the rollup has {tip} batches in \
         generation {generation}; it lags or is on a fork"
    )]
    Behind {
        /// Which batch.
        number: u64,
        /// The server without it.
        server: String,
        /// Its newest finalized slot.
        slot: u64,
        /// Batches that it has.
        tip: u64,
        /// Its generation.
        generation: u64,
        /// A server with it, or of a later generation.
        other: String,
    },
    /// The account is gone at one server and still there at another.
    #[error("batch {number}: {server} says that it is settled and its account closed, {other} still has the account")]
    Closed {
        /// Which batch.
        number: u64,
        /// The server without it.
        server: String,
        /// A server with it.
        other: String,
    },
}

//! What several servers say of a rollup, believed only where all of them say it, at `finalized`.
//!
//! One server can show whatever it likes: its answers are not signed. Somebody who does not run a validator therefore
//! asks servers of different operators, each on its own, and takes nothing that they do not agree on. Everything that
//! can be recomputed is: which accounts these are, the rollup's identity, headers' digests, their chain. The rest is
//! compared. Nobody is dropped: a server that does not answer means that there is no agreement.
//!
//! | module | what |
//! |---|---|
//! | `clusters` | Solana's public clusters by genesis hash |
//! | `servers` | servers whose opinions can be independent |
//! | `ask` | what each server says, with patience for one that lags |
//! | `check` | a server held against itself and the pins |
//! | `compare` | servers held against one another |
//! | `error` | why there is no agreement |

mod ask;
mod check;
mod clusters;
mod compare;
mod error;
mod servers;

pub use clusters::{Cluster, UnknownCluster};
pub use error::{AgreementError, Dispute, Said};
pub use servers::{NotIndependent, Server, independent};

use crate::Address;
use cairn_interface::Profile;
use cairn_types::{BatchHeader, Digest};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the asker knows beforehand, and no server is believed about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pins {
    /// Hash of the chain's first block.
    pub genesis_hash: [u8; 32],
    /// The settlement program.
    pub program: Address,
    /// The `Rollup` account.
    pub rollup: Address,
}

/// How long a server that is behind the others is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// In all.
    pub wait: Duration,
    /// Between two questions.
    pub poll: Duration,
}

impl Default for Patience {
    /// Half a minute: a healthy server is seconds behind another.
    fn default() -> Self {
        Self { wait: Duration::from_secs(30), poll: Duration::from_secs(1) }
    }
}

/// What all servers said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The rollup's identity, recomputed from the pins and its profile.
    pub rollup_id: Digest,
    /// Profile of its proofs.
    pub profile: Profile,
    /// Each server as of its last answer, in the order they were given.
    pub servers: Vec<View>,
    /// Each batch that was asked for.
    pub batches: BTreeMap<u64, Finding>,
}

/// Where a server stood when it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The server's name.
    pub server: String,
    /// Its newest finalized slot.
    pub slot: u64,
    /// Batches that it has.
    pub tip: u64,
    /// Those of them whose proofs the chain has verified.
    pub settled: u64,
    /// How often pending batches were abandoned.
    pub generation: u64,
}

/// What is to be thought of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is final on chain, every server says so and says the same of it.
    Final(Box<FinalBatch>),
    /// No server has it: the rollup ends before it.
    Absent {
        /// Batches that the rollup has, by the server that has the most.
        tip: u64,
    },
    /// It was settled, and every server says that its account has been closed since: the chain does not tell its digest.
    Closed,
    /// The servers do not agree on it.
    Disputed(Dispute),
}

/// A batch that all servers agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalBatch {
    /// Its header.
    pub header: BatchHeader,
    /// The header's digest, recomputed.
    pub digest: Digest,
    /// The slot in which it was submitted.
    pub slot: u64,
    /// The cluster's clock then, seconds since the Unix epoch.
    pub time: i64,
    /// Whether the chain has verified its proof, by all servers. Otherwise it is submitted, no more: a batch that is not
    /// settled can be abandoned.
    pub settled: bool,
    /// The finalized slot at which each server was seen to have it.
    pub seen: Vec<u64>,
}

/// Asks every server for the rollup and the batches `numbers`, at `finalized`, and compares.
///
/// Batches are read up to 64 in a request, all servers at the same time.
///
/// # Errors
/// [`AgreementError`] when there is no agreement on the rollup itself, down to a server that does not answer. What they
/// disagree on about a single batch is a [`Finding::Disputed`].
pub async fn agree(
    servers: &[Server],
    pins: &Pins,
    numbers: &BTreeSet<u64>,
    patience: Patience,
) -> Result<Agreement, AgreementError> {
    if servers.is_empty() {
        return Err(AgreementError::NoServers);
    }
    ask::same_chain(servers, pins).await?;
    let told = ask::all(servers, pins, numbers, patience).await?;
    compare::agreement(servers, pins, &told, numbers)
}

//! The account tree: what a batch reads of it, and how it moves (clauses 3 to 6).
//!
//! Nobody holds the tree to prove or check a batch. A [`PartialState`] is the part that one batch touches: its accounts and
//! the siblings along their paths. Sequencer and indexer open it from their stores through [`StateRead`], apply the batch
//! and write back what changed; a prover gets it as the witness.

mod memory;
mod partial;

pub use memory::MemoryState;
pub use partial::PartialState;

use crate::{Account, BundleData, Digest, QueueEntry};
use alloc::collections::BTreeSet;

/// Where accounts and inner nodes of the tree are kept.
pub trait StateRead {
    /// Why reading fails.
    type Error;

    /// The account at `index`, `None` if none was ever registered there.
    ///
    /// # Errors
    /// When the store fails.
    fn account(&self, index: u32) -> Result<Option<Account>, Self::Error>;

    /// The node at `level` (1 above the accounts, 23 below the root) that covers indices `position << level` and up;
    /// `None` if nothing was ever registered below it.
    ///
    /// # Errors
    /// When the store fails.
    fn node(&self, level: u8, position: u32) -> Result<Option<Digest>, Self::Error>;
}

/// The accounts that a batch touches.
#[must_use]
pub fn touched(bundles: &[BundleData], entries: &[QueueEntry]) -> BTreeSet<u32> {
    bundles.iter().map(|bundle| bundle.node_index).chain(entries.iter().map(|entry| entry.node_index)).collect()
}

/// Why a state does not take a bundle or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The index was not named when the state was opened.
    #[error("account {0} is not in the opened part of the state")]
    NotOpened(u32),
    /// No registration wrote this account.
    #[error("node_index {0} is not registered")]
    NotRegistered(u32),
    /// The account does not take the bundle.
    #[error("node {index}: {source}")]
    Account {
        /// The node.
        index: u32,
        /// Why.
        source: crate::AccountError,
    },
    /// A node is not the hash of those below it.
    #[error("node {position} at level {level} of the state is not what its children give")]
    Inconsistent {
        /// Height above the accounts.
        level: u8,
        /// Which node of that level.
        position: u32,
    },
    /// The tree has another root.
    #[error("the state's root is {actual}, not {expected}")]
    Root {
        /// The root that it has.
        actual: Digest,
        /// The root that it should have.
        expected: Digest,
    },
}

//! The bundle: what a node puts its name to.

use crate::hash::{Kind, hash};
use crate::leaf::LeafError;
use crate::limits::{MAX_BUNDLE_RECEIPTS, MAX_COUNTER, MAX_NODES};
use crate::{Digest, limits};
use borsh::{BorshDeserialize, BorshSerialize};

/// The statement of a bundle, 14 words: 1 to 256 receipts of one node, in order of fetch time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Bundle {
    /// The rollup it is for.
    pub rollup_id: Digest,
    /// The node.
    pub node_index: u32,
    /// Number of bundles of this node before it.
    pub sequence: u64,
    /// Root of the tree of depth 8 over its leaves.
    pub receipts_root: Digest,
    /// Receipts in it, 1 to 256.
    pub count: u16,
    /// Fetch time of the first receipt.
    pub time_min: u64,
    /// Fetch time of the last receipt.
    pub time_max: u64,
    /// Sum of content lengths.
    pub bytes: u64,
}

/// Why receipts are not a bundle, or a statement is not theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// No receipts, or more than fit.
    #[error("a bundle holds 1 to {MAX_BUNDLE_RECEIPTS} receipts, not {0}")]
    Count(usize),
    /// Node index over the account tree.
    #[error("node_index {0} is not below 2^24")]
    NodeIndex(u32),
    /// Sequence out of range.
    #[error("sequence {0} is not below 2^62")]
    Sequence(u64),
    /// A leaf is not well formed.
    #[error("receipt {index}: {source}")]
    Leaf {
        /// Position in the bundle.
        index: usize,
        /// What is wrong with it.
        source: LeafError,
    },
    /// Receipts are not in order of fetch time.
    #[error("receipt {index} was fetched at {time}, before its predecessor at {previous}: sort receipts by fetch time")]
    Order {
        /// Position in the bundle.
        index: usize,
        /// Its fetch time.
        time: u64,
        /// The fetch time before it.
        previous: u64,
    },
    /// The receipts' bytes are too many for one bundle.
    #[error("the receipts of a bundle are {0} bytes, over {max}: send fewer per bundle", max = limits::MAX_BUNDLE_BYTES)]
    Bytes(usize),
}

impl Bundle {
    /// The words that [`Kind::Bundle`] hashes.
    #[must_use]
    pub fn words(&self) -> [u64; 14] {
        let ([i0, i1, i2, i3], [r0, r1, r2, r3]) = (self.rollup_id.words(), self.receipts_root.words());
        [
            i0,
            i1,
            i2,
            i3,
            u64::from(self.node_index),
            self.sequence,
            r0,
            r1,
            r2,
            r3,
            u64::from(self.count),
            self.time_min,
            self.time_max,
            self.bytes,
        ]
    }

    /// `bundle_digest`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        hash(Kind::Bundle, &self.words())
    }

    /// Checks node index and sequence, which no receipt shows.
    pub(crate) fn check_place(node_index: u32, sequence: u64) -> Result<(), BundleError> {
        if node_index >= MAX_NODES {
            return Err(BundleError::NodeIndex(node_index));
        }
        if sequence >= MAX_COUNTER {
            return Err(BundleError::Sequence(sequence));
        }
        Ok(())
    }
}

//! The path from a leaf to the root of its batch, as a program is handed it.
//!
//! A proof file ([`crate::ReceiptProof`]) holds the same path between a receipt's bytes and a header. Here both ends are left
//! out: the leaf is whatever the caller derived, the root is that of a batch which the chain has settled.

use crate::limits::{BATCH_DEPTH, MAX_BUNDLE_RECEIPTS, MAX_NODES, RECEIPTS_DEPTH};
use crate::{Bundle, Digest, Leaf, tree};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of an [`InclusionPath`].
pub const INCLUSION_PATH_BYTES: usize =
    2 + Digest::BYTES * RECEIPTS_DEPTH + (8 + 2 + 8 + 8 + 8) + 2 + Digest::BYTES * BATCH_DEPTH;

/// Everything between a leaf and the root of its batch that neither the leaf nor the batch says. Its bytes are its fields in
/// this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct InclusionPath {
    /// Slot of the leaf in its bundle.
    pub leaf_index: u16,
    /// Siblings from the leaf up to `receipts_root`.
    pub leaf_path: [Digest; RECEIPTS_DEPTH],
    /// The bundle's sequence.
    pub sequence: u64,
    /// Receipts in the bundle.
    pub count: u16,
    /// Earliest fetch time in the bundle.
    pub time_min: u64,
    /// Latest fetch time in the bundle.
    pub time_max: u64,
    /// Sum of content lengths in the bundle.
    pub bytes: u64,
    /// Slot of the bundle in its batch.
    pub bundle_index: u16,
    /// Siblings from the bundle's digest up to `batch_root`.
    pub bundle_path: [Digest; BATCH_DEPTH],
}

/// What a batch's header says of every bundle in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchScope {
    /// The rollup of all of them.
    pub rollup_id: Digest,
    /// How many there are.
    pub bundles: u64,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InclusionPathError {
    /// Not the bytes of a path, or a word among them that is not canonical.
    #[error(
        "the path has another length than {INCLUSION_PATH_BYTES} bytes, or a word that is not below the field modulus"
    )]
    NonCanonical,
    /// No node has this index.
    #[error("node_index {0} is not below 2^24")]
    NodeIndex(u32),
    /// No bundle has so many receipts.
    #[error("a bundle holds 1 to {MAX_BUNDLE_RECEIPTS} receipts, not {0}")]
    Count(u16),
    /// The bundle has no such slot.
    #[error("leaf_index {index} is not below the bundle's count {count}")]
    LeafIndex {
        /// Of the leaf.
        index: u16,
        /// Of the bundle.
        count: u16,
    },
    /// The batch has no such slot.
    #[error("bundle_index {index} is not below the batch's {bundles} bundles")]
    BundleIndex {
        /// Of the bundle.
        index: u16,
        /// Of the batch.
        bundles: u64,
    },
}

impl InclusionPath {
    /// The bytes.
    ///
    /// # Panics
    /// Never: they are always as many.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; INCLUSION_PATH_BYTES] {
        let mut bytes = [0; INCLUSION_PATH_BYTES];
        borsh::to_writer(&mut bytes[..], self).expect("a path has one length");
        bytes
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// [`InclusionPathError::NonCanonical`] when they are too few or too many, or a word is not canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InclusionPathError> {
        let path: Self = borsh::from_slice(bytes).map_err(|_| InclusionPathError::NonCanonical)?;
        let canonical = [path.sequence, path.time_min, path.time_max, path.bytes].map(cairn_goldilocks::is_canonical);
        if canonical == [true; 4] { Ok(path) } else { Err(InclusionPathError::NonCanonical) }
    }

    /// The root of the batch of this scope in which `leaf` is in this place, in a bundle of `node_index`.
    ///
    /// # Errors
    /// When an index is outside what it indexes.
    pub fn batch_root(&self, leaf: &Leaf, node_index: u32, batch: &BatchScope) -> Result<Digest, InclusionPathError> {
        if node_index >= MAX_NODES {
            return Err(InclusionPathError::NodeIndex(node_index));
        }
        if !(1..=MAX_BUNDLE_RECEIPTS).contains(&usize::from(self.count)) {
            return Err(InclusionPathError::Count(self.count));
        }
        let outside_bundle = InclusionPathError::LeafIndex { index: self.leaf_index, count: self.count };
        let outside_batch = InclusionPathError::BundleIndex { index: self.bundle_index, bundles: batch.bundles };
        if self.leaf_index >= self.count {
            return Err(outside_bundle);
        }
        if u64::from(self.bundle_index) >= batch.bundles {
            return Err(outside_batch);
        }
        let bundle = Bundle {
            rollup_id: batch.rollup_id,
            node_index,
            sequence: self.sequence,
            receipts_root: tree::fold(leaf.digest(), u64::from(self.leaf_index), &self.leaf_path)
                .ok_or(outside_bundle)?,
            count: self.count,
            time_min: self.time_min,
            time_max: self.time_max,
            bytes: self.bytes,
        };
        tree::fold(bundle.digest(), u64::from(self.bundle_index), &self.bundle_path).ok_or(outside_batch)
    }
}

//! The history of a rollup: a Merkle tree over its settled batches, as RFC 6962 defines it (RFC 9162, section 2.1), with
//! SHA-256.
//!
//! The program keeps the tree in compact form, the size and one *peak* for each bit set in it, and appends to it; a root
//! commits to every batch that was ever settled. Hosts keep the leaf hashes and make paths. SHA-256 is injected
//! ([`Sha256`]): a syscall there, a library here. What the program uses allocates nothing.

use crate::{BatchHeader, Digest};
use alloc::vec::Vec;

/// A node of the tree, or its root.
pub type Hash = [u8; 32];

/// Peaks of the compact form, and the longest path: the tree takes no more than `2^PEAKS - 1` leaves.
pub const PEAKS: usize = 32;
/// Leaves that the tree takes.
pub const MAX_SIZE: u64 = (1 << PEAKS) - 1;
/// Bytes that the leaf of a batch is the hash of.
pub const LEAF_BYTES: usize = 5 * Digest::BYTES + 4 * 8;

/// What leaves and inner nodes begin with, so that neither can be taken for the other.
const LEAF_PREFIX: &[u8] = &[0];
const NODE_PREFIX: &[u8] = &[1];

/// SHA-256.
pub trait Sha256 {
    /// The hash of `parts`, one after the other.
    fn hash(parts: &[&[u8]]) -> Hash;
}

/// SHA-256 of hosts.
#[cfg(feature = "native-hash")]
#[derive(Clone, Copy, Debug)]
pub enum NativeSha256 {}

#[cfg(feature = "native-hash")]
impl Sha256 for NativeSha256 {
    fn hash(parts: &[&[u8]]) -> Hash {
        use sha2::Digest as _;
        parts.iter().fold(sha2::Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
    }
}

/// What the history says of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledBatch {
    /// The rollup.
    pub rollup_id: Digest,
    /// Its number, which is its index in the tree.
    pub number: u64,
    /// Digest of its header.
    pub header_digest: Digest,
    /// Root over its bundles.
    pub batch_root: Digest,
    /// Account root after it.
    pub new_state_root: Digest,
    /// Digest of its blob.
    pub data_digest: Digest,
    /// Length of its blob in bytes.
    pub data_length: u64,
    /// Slot in which it was submitted: from then on nobody could change it.
    pub slot: u64,
    /// The cluster's clock then, seconds since the Unix epoch.
    pub time: i64,
}

impl SettledBatch {
    /// The batch of `header`, whose digest the caller has, submitted at `slot` and `time`.
    #[must_use]
    pub const fn of(header: &BatchHeader, header_digest: Digest, slot: u64, time: i64) -> Self {
        Self {
            rollup_id: header.rollup_id,
            number: header.number,
            header_digest,
            batch_root: header.batch_root,
            new_state_root: header.new_state_root,
            data_digest: header.data_digest,
            data_length: header.data_length,
            slot,
            time,
        }
    }

    /// The bytes of its leaf: the fields in their order, integers little-endian.
    #[must_use]
    pub fn bytes(&self) -> [u8; LEAF_BYTES] {
        let words: [&[u64]; 7] = [
            &self.rollup_id.words(),
            &[self.number],
            &self.header_digest.words(),
            &self.batch_root.words(),
            &self.new_state_root.words(),
            &self.data_digest.words(),
            &[self.data_length, self.slot, self.time.cast_unsigned()],
        ];
        let mut bytes = [0; LEAF_BYTES];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words.into_iter().flatten()) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    /// Its leaf in the tree.
    #[must_use]
    pub fn leaf<S: Sha256>(&self) -> Hash {
        leaf::<S>(&self.bytes())
    }
}

/// The hash of a leaf.
#[must_use]
pub fn leaf<S: Sha256>(data: &[u8]) -> Hash {
    S::hash(&[LEAF_PREFIX, data])
}

fn node<S: Sha256>(left: &Hash, right: &Hash) -> Hash {
    S::hash(&[NODE_PREFIX, left, right])
}

/// The tree has as many leaves as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a history takes {MAX_SIZE} batches, and this one has {size}")]
pub struct HistoryFull {
    /// Its size.
    pub size: u64,
}

/// Appends `leaf` to the tree of `size` leaves and returns its new size. Peak `k` is the root of `2^k` leaves where bit
/// `k` of the size is set; the others are never read.
///
/// # Errors
/// [`HistoryFull`] at [`MAX_SIZE`], and nothing is changed.
pub fn append<S: Sha256>(size: u64, peaks: &mut [Hash; PEAKS], leaf: Hash) -> Result<u64, HistoryFull> {
    if size >= MAX_SIZE {
        return Err(HistoryFull { size });
    }
    let level = size.trailing_ones() as usize;
    let peak = peaks[..level].iter().fold(leaf, |right, left| node::<S>(left, &right));
    peaks[level] = peak;
    Ok(size + 1)
}

/// The root of the tree of `size` leaves with these peaks; of the empty tree, the hash of nothing.
///
/// # Panics
/// When the size is over [`MAX_SIZE`], which no tree reaches that was built by [`append`].
#[must_use]
pub fn root<S: Sha256>(size: u64, peaks: &[Hash; PEAKS]) -> Hash {
    assert!(size <= MAX_SIZE, "a history of {size} batches");
    let mut occupied = peaks.iter().enumerate().filter(|(level, _)| (size >> level) & 1 == 1).map(|(_, peak)| peak);
    match occupied.next() {
        None => S::hash(&[]),
        Some(lowest) => occupied.fold(*lowest, |right, left| node::<S>(left, &right)),
    }
}

/// Why a path does not show that a leaf is in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The tree has no such leaf, or is larger than trees get.
    #[error("index {index} is not in a history of {size} batches")]
    Index {
        /// The index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// A path of another length than leads from this index to this tree's root.
    #[error("a path from index {index} in a history of {size} batches is not {length} hashes long")]
    Length {
        /// The index.
        index: u64,
        /// The tree's size.
        size: u64,
        /// Hashes handed in.
        length: usize,
    },
    /// It leads to another root.
    #[error("the path leads to another history root")]
    Root,
}

/// Checks that `leaf` has `index` in the tree of `size` leaves under `root`: RFC 9162, section 2.1.3.2.
///
/// # Errors
/// When the index is outside the tree, or the path has another length or leads to another root.
pub fn verify<S: Sha256>(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), PathError> {
    if index >= size || size > MAX_SIZE {
        return Err(PathError::Index { index, size });
    }
    let wrong_length = PathError::Length { index, size, length: path.len() };
    // The node that has been reached and the last one of its level: zero at the root.
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return Err(wrong_length);
        }
        if at & 1 == 1 || at == last {
            hash = node::<S>(sibling, &hash);
            // A last node without a sibling is its own parent, until it is one on the right.
            let alone = at.trailing_zeros();
            (at, last) = (at >> alone, last >> alone);
        } else {
            hash = node::<S>(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(PathError::Root) }
}

/// The root over `leaves`, hashes of leaves.
#[must_use]
pub fn root_of<S: Sha256>(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => S::hash(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(left_of(leaves.len()));
            node::<S>(&root_of::<S>(left), &root_of::<S>(right))
        }
    }
}

/// The path from the leaf at `index` to the root over `leaves`: its siblings, the lowest first. `None` when there is no such
/// leaf.
#[must_use]
pub fn path<S: Sha256>(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    let (mut leaves, mut index) = (leaves, index);
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(left_of(leaves.len()));
        if index < left.len() {
            path.push(root_of::<S>(right));
            leaves = left;
        } else {
            path.push(root_of::<S>(left));
            (leaves, index) = (right, index - left.len());
        }
    }
    path.reverse();
    Some(path)
}

/// Leaves of the left subtree: the largest power of two below `leaves`, which is at least 2.
const fn left_of(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

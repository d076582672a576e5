//! The rows of the store.

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::{Bundle, Cursor, Digest, HEADER_WORDS, Leaf};

/// How far the index is: written together with the batch that it includes.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Progress {
    /// Where the next batch must continue.
    pub cursor: Cursor,
    /// Bundles so far.
    pub bundles: u64,
    /// Receipts so far.
    pub receipts: u64,
    /// Receipts so far whose bytes do not give their leaf.
    pub leaf_mismatches: u64,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct BatchRow {
    pub words: [u64; HEADER_WORDS],
    pub header_digest: Digest,
    pub slot: u64,
    pub leaf_mismatches: u64,
    pub statements: Vec<Bundle>,
}

/// The leaves of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct LeavesRow {
    pub leaves: Vec<Leaf>,
}

/// What a place says about the receipt there.
pub(super) const VALID: u8 = 0;
/// The receipt's bytes do not give the leaf that was proved.
pub(super) const MISMATCH: u8 = 1;

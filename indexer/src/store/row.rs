//! The rows of the store, and the keys that are more than one number.

use super::{Family, Replaced, StoreError};
use crate::Place;
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::{Bundle, Cursor, Digest, HEADER_WORDS, Leaf, QueueEntry, ReceiptKey, ReceiptSignature};

/// How far the index is: written together with the batch that it includes.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Progress {
    /// Where the next batch must continue.
    pub cursor: Cursor,
    /// Batches that are kept as replaced.
    pub replaced: u64,
}

/// What the batches up to one hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Counts {
    /// Bundles so far.
    pub bundles: u64,
    /// Receipts so far.
    pub receipts: u64,
    /// Receipts so far whose bytes do not give their leaf.
    pub leaf_mismatches: u64,
    /// Nodes so far that have an account.
    pub nodes: u64,
}

/// How much of the indexed history the chain is how sure of: counts of batches, `settled` ≤ `finalized` ≤ `confirmed` ≤
/// what is indexed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reach {
    /// Batches that the chain has, confirmed.
    pub confirmed: u64,
    /// Batches that are final.
    pub finalized: u64,
    /// Batches whose proof the chain has verified: they are never replaced.
    pub settled: u64,
    /// How often the rollup's pending batches had been abandoned when the chain last had all that is indexed.
    pub generation: u64,
}

impl Reach {
    /// What is left of it when only the first `batches` batches stay.
    #[must_use]
    pub fn cut(self, batches: u64) -> Self {
        let Self { confirmed, finalized, settled, generation } = self;
        let [confirmed, finalized, settled] = [confirmed, finalized, settled].map(|count| count.min(batches));
        Self { confirmed, finalized, settled, generation }
    }
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct BatchRow {
    pub words: [u64; HEADER_WORDS],
    pub header_digest: Digest,
    pub slot: u64,
    pub leaf_mismatches: u64,
    /// Nodes whose first account this batch wrote.
    pub new_nodes: u64,
    /// What the index holds up to this batch.
    pub counts: Counts,
    pub statements: Vec<Bundle>,
}

/// A batch that another stands in the place of.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct ReplacedRow {
    pub batch: BatchRow,
    pub entries: Vec<QueueEntry>,
    pub replaced: Replaced,
}

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct BundleRow {
    pub signature: ReceiptSignature,
    /// The key of its node before the batch, which the signature verifies under.
    pub key: ReceiptKey,
    pub leaves: Vec<Leaf>,
    /// Digest of the published bytes, where those do not give the leaf that was proved.
    pub mismatches: Vec<(u16, Digest)>,
}

impl BundleRow {
    /// Digest of the published bytes of each receipt, and whether they give the leaf that was proved.
    pub fn receipts(&self) -> impl Iterator<Item = (Digest, bool)> {
        self.leaves.iter().enumerate().map(|(at, leaf)| {
            let mismatch = self.mismatches.iter().find(|(index, _)| usize::from(*index) == at);
            let [_, _, _, _, a, b, c, d] = leaf.words();
            // A leaf's words are canonical.
            mismatch.map_or((Digest::constant([a, b, c, d]), true), |(_, digest)| (*digest, false))
        })
    }
}

/// A consumed entry of the registration queue.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct EntryRow {
    pub batch: u64,
    pub entry: QueueEntry,
}

/// What a place says about the receipt there.
pub(super) const VALID: u8 = 0;
/// The receipt's bytes do not give the leaf that was proved.
pub(super) const MISMATCH: u8 = 1;

/// The version of what batch `number` wrote.
pub(super) fn version(number: u64) -> [u8; 8] {
    (!number).to_be_bytes()
}

pub(super) fn account_key(index: u32) -> [u8; 4] {
    index.to_be_bytes()
}

pub(super) fn node_key(level: u8, position: u32) -> [u8; 5] {
    let [a, b, c, d] = position.to_be_bytes();
    [level, a, b, c, d]
}

pub(super) fn bundle_key(batch: u64, bundle: u16) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&batch.to_be_bytes());
    key[8..].copy_from_slice(&bundle.to_be_bytes());
    key
}

pub(super) fn signed_key(node_index: u32, sequence: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&node_index.to_be_bytes());
    key[4..].copy_from_slice(&sequence.to_be_bytes());
    key
}

pub(super) fn key_key(key: &ReceiptKey, position: u64) -> Vec<u8> {
    [&key.to_bytes()[..], &position.to_be_bytes()].concat()
}

pub(super) fn replaced_key(number: u64, digest: &Digest) -> Vec<u8> {
    [&number.to_be_bytes()[..], &digest.to_bytes()].concat()
}

pub(super) fn replaced_bundle_key(number: u64, digest: &Digest, bundle: u16) -> Vec<u8> {
    [&number.to_be_bytes()[..], &digest.to_bytes(), &bundle.to_be_bytes()].concat()
}

/// After the digest of a receipt.
pub(super) fn replaced_place_key(place: Place, digest: &Digest) -> Vec<u8> {
    let place = place.to_key();
    [&place[..8], &digest.to_bytes(), &place[8..]].concat()
}

/// The number in the bytes that follow `prefix` in a key.
pub(super) fn number_after(family: Family, key: &[u8], prefix: &[u8]) -> Result<u64, StoreError> {
    let rest = key.strip_prefix(prefix).and_then(|rest| rest.try_into().ok());
    rest.map(u64::from_be_bytes).ok_or_else(|| super::damaged(family, key, "is not a key of this family"))
}

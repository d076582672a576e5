//! The log: acknowledged bundles in their order, and who has which sequence.

use std::ops::Range;

use cairn_types::Account;
use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::{Change, Family, Placed, Store, StoreError, StoredBundle, damaged, decode, encode, number_of};

/// A bundle that is to join the log at an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBundle {
    /// Place in the log, key and promise.
    pub placed: Placed,
    /// The bundle.
    pub bundle: StoredBundle,
    /// The node's account with it.
    pub head: Account,
}

impl Store {
    /// Bundles in the log: the next one gets this index.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn log_end(&self) -> Result<u64, StoreError> {
        let mut iterator = self.db.raw_iterator_cf(self.family(Family::Bundles));
        iterator.seek_to_last();
        iterator.status().map_err(|source| StoreError::Database { what: "find the end of its log", source })?;
        iterator.key().map_or(Ok(0), |key| Ok(number_of(Family::Bundles, key)? + 1))
    }

    /// Where a sequence of a node is, if the log has it.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, StoreError> {
        self.get(Family::Sequences, &sequence_key(node_index, sequence))
    }

    /// The evidence against a node that signed two bundles with one sequence: the first refused one.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn conflict(&self, node_index: u32, sequence: u64) -> Result<Option<StoredBundle>, StoreError> {
        self.get(Family::Conflicts, &sequence_key(node_index, sequence))
    }

    /// Appends bundles, moves their nodes' heads, and keeps refused ones as evidence, in one write. The first evidence for
    /// a sequence stays.
    ///
    /// # Errors
    /// When the disk fails; then nothing of it happened.
    pub fn append(&self, bundles: &[NewBundle], conflicts: &[StoredBundle]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for NewBundle { placed, bundle, head } in bundles {
            let (node_index, sequence) = (bundle.data.node_index, bundle.data.sequence);
            batch.put_cf(self.family(Family::Bundles), placed.log_index.to_be_bytes(), encode(bundle));
            batch.put_cf(self.family(Family::Sequences), sequence_key(node_index, sequence), encode(placed));
            batch.put_cf(self.family(Family::Heads), node_index.to_be_bytes(), encode(head));
        }
        for bundle in conflicts.iter().rev() {
            let key = sequence_key(bundle.data.node_index, bundle.data.sequence);
            if self.get::<StoredBundle>(Family::Conflicts, &key)?.is_none() {
                batch.put_cf(self.family(Family::Conflicts), key, encode(bundle));
            }
        }
        if batch.is_empty() { Ok(()) } else { self.commit(Change::Append, batch) }
    }

    /// The bundles at `range`, all of them, in order.
    ///
    /// # Errors
    /// When the disk fails or one is missing.
    pub fn bundles(&self, range: Range<u64>) -> Result<Vec<StoredBundle>, StoreError> {
        let start = range.start.to_be_bytes();
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut iterator = self.db.iterator_cf(self.family(Family::Bundles), mode);
        range
            .map(|index| {
                let (key, value) = iterator
                    .next()
                    .transpose()
                    .map_err(|source| StoreError::Database { what: "read its log", source })?
                    .ok_or_else(|| damaged(Family::Bundles, &index.to_be_bytes(), "is missing"))?;
                if *key != index.to_be_bytes() {
                    return Err(damaged(Family::Bundles, &index.to_be_bytes(), "is missing"));
                }
                decode(Family::Bundles, &key, &value)
            })
            .collect()
    }
}

fn sequence_key(node_index: u32, sequence: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&node_index.to_be_bytes());
    key[4..].copy_from_slice(&sequence.to_be_bytes());
    key
}

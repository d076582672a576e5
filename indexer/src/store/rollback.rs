//! Taking batches back, when the chain's final history has others in their place.

use super::row::{
    BatchRow, BundleRow, EntryRow, Progress, account_key, bundle_key, key_key, node_key, signed_key, version,
};
use super::write::{PROGRESS, contents_of};
use super::{Family, Store, StoreError, damaged, encode};
use crate::Place;
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::{BatchHeader, Cursor, Digest, Receipt};
use rocksdb::WriteBatch;
use std::collections::BTreeSet;

impl Store {
    /// Takes back the last batch: everything that storing it wrote, in one write. `false` when there is none.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn take_back(&self, rollup_id: &Digest) -> Result<bool, StoreError> {
        let progress = self.progress(rollup_id)?;
        let Some(number) = progress.cursor.batches.checked_sub(1) else { return Ok(false) };
        let key = number.to_be_bytes();
        let missing = || damaged(Family::Batches, &key, "is missing");
        let row = self.get::<BatchRow>(Family::Batches, &key)?.ok_or_else(missing)?;
        let header = BatchHeader::from_words(&row.words).map_err(|error| damaged(Family::Batches, &key, error))?;
        let mut write = WriteBatch::default();
        write.delete_cf(self.family(Family::Batches), key);
        let mut nodes = BTreeSet::new();
        for position in header.queue_from.position.saturating_add(1)..=header.queue_to.position {
            nodes.insert(self.delete_entry(&mut write, position)?);
        }
        for (at, statement) in row.statements.iter().enumerate() {
            nodes.insert(statement.node_index);
            write.delete_cf(self.family(Family::Signed), signed_key(statement.node_index, statement.sequence));
            self.delete_bundle(&mut write, number, at as u16)?;
        }
        self.delete_state(&mut write, number, &nodes);
        let cursor = Cursor {
            batches: number,
            header_digest: header.previous,
            state_root: header.old_state_root,
            queue: header.queue_from,
        };
        let progress = Progress {
            cursor,
            bundles: progress.bundles.saturating_sub(u64::from(header.bundles)),
            receipts: progress.receipts.saturating_sub(u64::from(header.receipts)),
            leaf_mismatches: progress.leaf_mismatches.saturating_sub(row.leaf_mismatches),
            nodes: progress.nodes.saturating_sub(row.new_nodes),
        };
        write.put_cf(self.family(Family::Meta), PROGRESS, encode(&progress));
        self.db
            .write_opt(write, &self.sync)
            .map(|()| true)
            .map_err(|source| StoreError::Database { what: "take back a batch", source })
    }

    /// Deletes an entry; the node that it was about.
    fn delete_entry(&self, write: &mut WriteBatch, position: u64) -> Result<u32, StoreError> {
        let key = position.to_be_bytes();
        let missing = || damaged(Family::Entries, &key, "is missing");
        let EntryRow { entry, .. } = self.get(Family::Entries, &key)?.ok_or_else(missing)?;
        write.delete_cf(self.family(Family::Entries), key);
        write.delete_cf(self.family(Family::Keys), key_key(&entry.key, position));
        Ok(entry.node_index)
    }

    fn delete_bundle(&self, write: &mut WriteBatch, batch: u64, bundle: u16) -> Result<(), StoreError> {
        let key = bundle_key(batch, bundle);
        let missing = || damaged(Family::Bundles, &key, "is missing");
        let row = self.get::<BundleRow>(Family::Bundles, &key)?.ok_or_else(missing)?;
        write.delete_cf(self.family(Family::Bundles), key);
        for (at, (digest, _)) in row.receipts().enumerate() {
            let place = Place { batch, bundle, receipt: at as u16 };
            self.delete_receipt(write, &digest, place)?;
        }
        Ok(())
    }

    fn delete_receipt(&self, write: &mut WriteBatch, digest: &Digest, place: Place) -> Result<(), StoreError> {
        let bytes = digest.to_bytes();
        let missing = || damaged(Family::Receipts, &bytes, "is missing");
        let receipt = self.raw(Family::Receipts, &bytes)?.ok_or_else(missing)?;
        if self.validity(digest, place)? == Some(true) {
            let receipt = Receipt::decode(&receipt).map_err(|error| damaged(Family::Receipts, &bytes, error))?;
            for content in contents_of(&receipt) {
                write.delete_cf(self.family(Family::Content), [&content.key()[..], &place.to_key()].concat());
            }
        }
        write.delete_cf(self.family(Family::Places), [&bytes[..], &place.to_key()].concat());
        // Places are in the order of history: when the first is in this batch, all of them are, and nobody else needs
        // the bytes.
        if self.first_place(digest)?.is_none_or(|first| first.batch >= place.batch) {
            write.delete_cf(self.family(Family::Receipts), bytes);
        }
        Ok(())
    }

    fn delete_state(&self, write: &mut WriteBatch, number: u64, nodes: &BTreeSet<u32>) {
        let version = version(number);
        for index in nodes {
            write.delete_cf(self.family(Family::Accounts), [&account_key(*index)[..], &version].concat());
        }
        // A level holds the ancestors of those accounts; above the first, several of them share one.
        for level in 1..ACCOUNTS_DEPTH as u8 {
            for position in nodes.iter().map(|index| index >> level).collect::<BTreeSet<_>>() {
                write.delete_cf(self.family(Family::Nodes), [&node_key(level, position)[..], &version].concat());
            }
        }
    }
}

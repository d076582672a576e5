//! Taking batches out of the history, when the chain has others in their place. Nothing of them is lost: headers, bundles,
//! entries and places move to where replaced batches are kept, and the receipts' bytes stay where they are.

use super::row::{
    BatchRow, BundleRow, EntryRow, Progress, account_key, bundle_key, key_key, node_key, signed_key, version,
};
use super::view::header_of;
use super::write::{PROGRESS, REACH, contents_of};
use super::{Family, Replaced, Store, StoreError, damaged, encode};
use crate::Place;
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::{Cursor, Digest, QueueEntry, Receipt};
use rocksdb::WriteBatch;
use std::collections::BTreeSet;

impl Store {
    /// Takes the last batch out of the history and keeps it as replaced, in one write. `false` when there is none.
    ///
    /// `replaced` is what became of it.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn take_back(&self, replaced: Replaced) -> Result<bool, StoreError> {
        let view = self.whole()?;
        let Some(number) = view.batches().checked_sub(1) else { return Ok(false) };
        let key = number.to_be_bytes();
        let missing = || damaged(Family::Batches, &key, "is missing");
        let row = self.get::<BatchRow>(Family::Batches, &key)?.ok_or_else(missing)?;
        let header = header_of(Family::Batches, &key, &row)?;
        let mut write = WriteBatch::default();
        write.delete_cf(self.family(Family::Batches), key);
        let (mut nodes, mut entries) = (BTreeSet::new(), Vec::new());
        for position in header.queue_from.position.saturating_add(1)..=header.queue_to.position {
            let entry = self.delete_entry(&mut write, position)?;
            nodes.insert(entry.node_index);
            entries.push(entry);
        }
        for (at, statement) in row.statements.iter().enumerate() {
            nodes.insert(statement.node_index);
            write.delete_cf(self.family(Family::Signed), signed_key(statement.node_index, statement.sequence));
            let place = Place { batch: number, bundle: at as u16, receipt: 0 };
            self.delete_bundle(&mut write, place, &row.header_digest)?;
        }
        self.delete_state(&mut write, number, &nodes);
        let cursor = Cursor {
            batches: number,
            header_digest: header.previous,
            state_root: header.old_state_root,
            queue: header.queue_from,
        };
        self.keep(&mut write, row, &header, entries, replaced);
        let progress = Progress { cursor, replaced: view.replaced_count()?.saturating_add(1) };
        write.put_cf(self.family(Family::Meta), PROGRESS, encode(&progress));
        write.put_cf(self.family(Family::Meta), REACH, encode(&view.reach()?.cut(number)));
        self.db
            .write_opt(write, &self.sync)
            .map(|()| true)
            .map_err(|source| StoreError::Database { what: "take back a batch", source })
    }

    fn delete_entry(&self, write: &mut WriteBatch, position: u64) -> Result<QueueEntry, StoreError> {
        let key = position.to_be_bytes();
        let missing = || damaged(Family::Entries, &key, "is missing");
        let EntryRow { entry, .. } = self.get(Family::Entries, &key)?.ok_or_else(missing)?;
        write.delete_cf(self.family(Family::Entries), key);
        write.delete_cf(self.family(Family::Keys), key_key(&entry.key, position));
        Ok(entry)
    }

    fn delete_bundle(&self, write: &mut WriteBatch, place: Place, header: &Digest) -> Result<(), StoreError> {
        let key = bundle_key(place.batch, place.bundle);
        let missing = || damaged(Family::Bundles, &key, "is missing");
        let row = self.get::<BundleRow>(Family::Bundles, &key)?.ok_or_else(missing)?;
        write.delete_cf(self.family(Family::Bundles), key);
        for (at, (digest, valid)) in row.receipts().enumerate() {
            self.delete_place(write, &digest, Place { receipt: at as u16, ..place }, valid)?;
        }
        self.keep_bundle(write, place, header, &row);
        Ok(())
    }

    fn delete_place(
        &self,
        write: &mut WriteBatch,
        digest: &Digest,
        place: Place,
        valid: bool,
    ) -> Result<(), StoreError> {
        let bytes = digest.to_bytes();
        if valid {
            let missing = || damaged(Family::Receipts, &bytes, "is missing");
            let receipt = self.raw(Family::Receipts, &bytes)?.ok_or_else(missing)?;
            let receipt = Receipt::decode(&receipt).map_err(|error| damaged(Family::Receipts, &bytes, error))?;
            for content in contents_of(&receipt) {
                write.delete_cf(self.family(Family::Content), [&content.key()[..], &place.to_key()].concat());
            }
        }
        write.delete_cf(self.family(Family::Places), [&bytes[..], &place.to_key()].concat());
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

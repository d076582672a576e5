//! Storing a verified batch: everything about it, the accounts after it, and the progress, in one write.

use super::row::{
    BatchRow, BundleRow, Counts, EntryRow, MISMATCH, Progress, Reach, VALID, account_key, bundle_key, key_key,
    node_key, signed_key, version,
};
use super::{Family, Store, StoreError, View, encode};
use crate::place::Place;
use crate::{ContentDigest, VerifiedBatch};
use cairn_types::Receipt;
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::state::StateRead as _;
use rocksdb::WriteBatch;
use std::collections::BTreeSet;

pub(super) const PROGRESS: &[u8] = b"progress";
pub(super) const REACH: &[u8] = b"reach";

impl Store {
    /// Stores a batch that continues from what is stored, and how far the chain reaches with it; after a crash it is there
    /// entirely or not at all. A batch that was replaced and stands again is taken from where it was kept.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn store(&self, verified: &VerifiedBatch, reach: &Reach) -> Result<(), StoreError> {
        let header = &verified.batch.header;
        let mut write = WriteBatch::default();
        let whole = self.whole()?;
        let back = u64::from(self.bring_back(&mut write, header.number, &verified.header_digest)?);
        let replaced = whole.replaced_count()?.saturating_sub(back);
        let before = whole.totals(&header.rollup_id)?;
        let new_nodes = self.put_state(&mut write, verified, &whole)?;
        self.put_entries(&mut write, verified);
        let leaf_mismatches = verified.leaf_mismatches();
        let counts = Counts {
            bundles: before.bundles.saturating_add(u64::from(header.bundles)),
            receipts: before.receipts.saturating_add(u64::from(header.receipts)),
            leaf_mismatches: before.leaf_mismatches.saturating_add(leaf_mismatches),
            nodes: before.nodes.saturating_add(new_nodes),
        };
        let row = BatchRow {
            words: header.words(),
            header_digest: verified.header_digest,
            slot: verified.slot,
            leaf_mismatches,
            new_nodes,
            counts,
            statements: verified.batch.statements.clone(),
        };
        write.put_cf(self.family(Family::Batches), header.number.to_be_bytes(), encode(&row));
        for at in 0..verified.batch.bundles.len() {
            self.put_bundle(&mut write, verified, at);
        }
        write.put_cf(self.family(Family::Meta), PROGRESS, encode(&Progress { cursor: header.cursor(), replaced }));
        write.put_cf(self.family(Family::Meta), REACH, encode(reach));
        self.db.write_opt(write, &self.sync).map_err(|source| StoreError::Database { what: "store a batch", source })
    }

    /// Keeps how far the chain reaches.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reached(&self, reach: &Reach) -> Result<(), StoreError> {
        let mut write = WriteBatch::default();
        write.put_cf(self.family(Family::Meta), REACH, encode(reach));
        self.db
            .write_opt(write, &self.sync)
            .map_err(|source| StoreError::Database { what: "keep how much is final", source })
    }

    fn put_bundle(&self, write: &mut WriteBatch, verified: &VerifiedBatch, at: usize) {
        let (number, bundle_index) = (verified.batch.header.number, at as u16);
        let (bundle, receipts) = (&verified.batch.bundles[at], &verified.receipts[at]);
        let key = bundle_key(number, bundle_index);
        let signed = signed_key(bundle.node_index, bundle.sequence);
        write.put_cf(self.family(Family::Signed), signed, key);
        let mut mismatches = Vec::new();
        for (at, (record, receipt)) in bundle.records.iter().zip(receipts).enumerate() {
            let place = Place { batch: number, bundle: bundle_index, receipt: at as u16 }.to_key();
            let digest = Receipt::digest_of(&record.receipt);
            if receipt.is_err() {
                mismatches.push((at as u16, digest));
            }
            let digest = digest.to_bytes();
            let state = if receipt.is_ok() { VALID } else { MISMATCH };
            write.put_cf(self.family(Family::Receipts), digest, &record.receipt);
            write.put_cf(self.family(Family::Places), [&digest[..], &place].concat(), [state]);
            for content in receipt.iter().flat_map(contents_of) {
                write.put_cf(self.family(Family::Content), [&content.key()[..], &place].concat(), digest);
            }
        }
        let row = BundleRow {
            signature: bundle.signature,
            key: verified.keys[at],
            leaves: bundle.records.iter().map(|record| record.leaf).collect(),
            mismatches,
        };
        write.put_cf(self.family(Family::Bundles), key, encode(&row));
    }

    fn put_entries(&self, write: &mut WriteBatch, verified: &VerifiedBatch) {
        let header = &verified.batch.header;
        for (position, entry) in (header.queue_from.position.saturating_add(1)..).zip(&verified.batch.entries) {
            let row = EntryRow { batch: header.number, entry: *entry };
            write.put_cf(self.family(Family::Entries), position.to_be_bytes(), encode(&row));
            if !entry.key.is_zero() {
                let node = entry.node_index.to_be_bytes();
                write.put_cf(self.family(Family::Keys), key_key(&entry.key, position), node);
            }
        }
    }

    /// Writes what the batch left of the account tree; the number of nodes that have their first account from it.
    fn put_state(&self, write: &mut WriteBatch, verified: &VerifiedBatch, whole: &View<'_>) -> Result<u64, StoreError> {
        let number = verified.batch.header.number;
        let (before, version) = (whole.state(number), version(number));
        let mut new_nodes = 0_u64;
        let mut ancestors = BTreeSet::new();
        for (index, account) in verified.state.accounts() {
            if before.account(index)?.is_none() {
                new_nodes = new_nodes.saturating_add(1);
            }
            let key = [&account_key(index)[..], &version].concat();
            write.put_cf(self.family(Family::Accounts), key, encode(&account));
            ancestors.extend((1..ACCOUNTS_DEPTH as u8).map(|level| (level, index >> level)));
        }
        // The siblings of the paths are in the state too; they are as they were.
        for ((level, position), digest) in verified.state.nodes().filter(|(place, _)| ancestors.contains(place)) {
            let key = [&node_key(level, position)[..], &version].concat();
            write.put_cf(self.family(Family::Nodes), key, digest.to_bytes());
        }
        Ok(new_nodes)
    }
}

pub(super) fn contents_of(receipt: &Receipt) -> [ContentDigest; 3] {
    [
        ContentDigest::Blake3(receipt.payload_blake3),
        ContentDigest::Sha256(receipt.payload_sha256),
        ContentDigest::Sha1(receipt.payload_sha1),
    ]
}

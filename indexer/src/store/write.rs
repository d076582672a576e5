//! Storing a verified batch: everything about it, and the progress, in one write.

use super::row::{BatchRow, LeavesRow, MISMATCH, Progress, VALID};
use super::{Family, Store, StoreError, encode};
use crate::place::Place;
use crate::{ContentDigest, VerifiedBatch};
use cairn_types::Receipt;
use rocksdb::WriteBatch;

pub(super) const PROGRESS: &[u8] = b"progress";

impl Store {
    /// Stores a batch that continues from what is stored; after a crash it is there entirely or not at all.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn store(&self, verified: &VerifiedBatch) -> Result<(), StoreError> {
        let header = &verified.batch.header;
        let mut write = WriteBatch::default();
        let row = BatchRow {
            words: header.words(),
            header_digest: verified.header_digest,
            slot: verified.slot,
            leaf_mismatches: verified.leaf_mismatches(),
            statements: verified.batch.statements.clone(),
        };
        write.put_cf(self.family(Family::Batches), header.number.to_be_bytes(), encode(&row));
        for (at, (bundle, receipts)) in verified.batch.bundles.iter().zip(&verified.receipts).enumerate() {
            let bundle_index = at as u16;
            let leaves = LeavesRow { leaves: bundle.records.iter().map(|record| record.leaf).collect() };
            let key = [&header.number.to_be_bytes()[..], &bundle_index.to_be_bytes()].concat();
            write.put_cf(self.family(Family::Leaves), key, encode(&leaves));
            for (at, (record, receipt)) in bundle.records.iter().zip(receipts).enumerate() {
                let place = Place { batch: header.number, bundle: bundle_index, receipt: at as u16 }.to_key();
                let digest = Receipt::digest_of(&record.receipt).to_bytes();
                let state = if receipt.is_ok() { VALID } else { MISMATCH };
                write.put_cf(self.family(Family::Receipts), digest, &record.receipt);
                write.put_cf(self.family(Family::Places), [&digest[..], &place].concat(), [state]);
                for content in receipt.iter().flat_map(contents_of) {
                    write.put_cf(self.family(Family::Content), [&content.key()[..], &place].concat(), digest);
                }
            }
        }
        let before = self.progress(&header.rollup_id)?;
        let progress = Progress {
            cursor: header.cursor(),
            bundles: before.bundles.saturating_add(u64::from(header.bundles)),
            receipts: before.receipts.saturating_add(u64::from(header.receipts)),
            leaf_mismatches: before.leaf_mismatches.saturating_add(row.leaf_mismatches),
        };
        write.put_cf(self.family(Family::Meta), PROGRESS, encode(&progress));
        self.db.write_opt(write, &self.sync).map_err(|source| StoreError::Database { what: "store a batch", source })
    }
}

fn contents_of(receipt: &Receipt) -> [ContentDigest; 3] {
    [
        ContentDigest::Blake3(receipt.payload_blake3),
        ContentDigest::Sha256(receipt.payload_sha256),
        ContentDigest::Sha1(receipt.payload_sha1),
    ]
}

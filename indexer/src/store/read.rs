//! What is asked of the store.

use super::row::{BatchRow, BundleRow, Progress, VALID, bundle_key};
use super::write::PROGRESS;
use super::{Family, Store, StoreError, damaged};
use crate::{ContentDigest, Place};
use cairn_types::{Batch, BatchHeader, Bundle, BundleData, Cursor, Digest, ReceiptProof, ReceiptSignature, Record};
use rocksdb::{Direction, IteratorMode, ReadOptions};

/// How far the index is, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Where the next batch must continue.
    pub cursor: Cursor,
    /// Bundles.
    pub bundles: u64,
    /// Receipts.
    pub receipts: u64,
    /// Receipts whose bytes do not give their leaf.
    pub leaf_mismatches: u64,
    /// Nodes that have an account.
    pub nodes: u64,
}

/// A batch of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// Its header.
    pub header: BatchHeader,
    /// Digest of the header.
    pub header_digest: Digest,
    /// Slot of its submission.
    pub slot: u64,
    /// Receipts in it whose bytes do not give their leaf.
    pub leaf_mismatches: u64,
    /// Statements of its bundles.
    pub statements: Vec<Bundle>,
}

/// A receipt of the index, with some of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// Canonical bytes.
    pub bytes: Vec<u8>,
    /// Places in order, each with whether the bytes give the leaf that was proved there.
    pub places: Vec<(Place, bool)>,
    /// Where the next page begins; `None` after the last place.
    pub next: Option<Place>,
}

/// A receipt that a payload digest leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHit {
    /// The receipt.
    pub receipt_digest: Digest,
    /// Where it stands.
    pub place: Place,
}

impl Store {
    /// Where the next batch must continue.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn cursor(&self, rollup_id: &Digest) -> Result<Cursor, StoreError> {
        Ok(self.progress(rollup_id)?.cursor)
    }

    /// What is indexed so far.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn totals(&self, rollup_id: &Digest) -> Result<Totals, StoreError> {
        let Progress { cursor, bundles, receipts, leaf_mismatches, nodes } = self.progress(rollup_id)?;
        Ok(Totals { cursor, bundles, receipts, leaf_mismatches, nodes })
    }

    pub(super) fn progress(&self, rollup_id: &Digest) -> Result<Progress, StoreError> {
        let cursor = Cursor::genesis(rollup_id);
        let none = || Progress { cursor, bundles: 0, receipts: 0, leaf_mismatches: 0, nodes: 0 };
        Ok(self.get(Family::Meta, PROGRESS)?.unwrap_or_else(none))
    }

    /// The batch with this number.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn batch(&self, number: u64) -> Result<Option<StoredBatch>, StoreError> {
        let key = number.to_be_bytes();
        let Some(row) = self.get::<BatchRow>(Family::Batches, &key)? else { return Ok(None) };
        let header = BatchHeader::from_words(&row.words).map_err(|error| damaged(Family::Batches, &key, error))?;
        if header.statement() != row.header_digest {
            return Err(damaged(Family::Batches, &key, "is not the header that was stored"));
        }
        Ok(Some(StoredBatch {
            header,
            header_digest: row.header_digest,
            slot: row.slot,
            leaf_mismatches: row.leaf_mismatches,
            statements: row.statements,
        }))
    }

    /// A receipt with up to `limit` of its places, from `from` on.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn receipt(
        &self,
        digest: &Digest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Option<ReceiptEntry>, StoreError> {
        let digest = digest.to_bytes();
        let Some(bytes) = self.raw(Family::Receipts, &digest)? else { return Ok(None) };
        let rows = self.page(Family::Places, &digest, from, limit.saturating_add(1))?;
        let mut places: Vec<_> = rows.into_iter().map(|(place, value)| (place, *value == [VALID])).collect();
        let next = places.get(limit).map(|(place, _)| *place);
        places.truncate(limit);
        Ok(Some(ReceiptEntry { bytes, places, next }))
    }

    /// The earliest place of the receipt, whether its bytes give the leaf there or not.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn first_place(&self, digest: &Digest) -> Result<Option<Place>, StoreError> {
        let rows = self.page(Family::Places, &digest.to_bytes(), None, 1)?;
        Ok(rows.first().map(|(place, _)| *place))
    }

    /// The earliest place where the receipt's bytes give the leaf that was proved.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn first_valid_place(&self, digest: &Digest) -> Result<Option<Place>, StoreError> {
        let mut found = Ok(None);
        self.scan(Family::Places, &digest.to_bytes(), None, |place, value| {
            if value == [VALID] {
                found = Ok(Some(place));
            }
            matches!(found, Ok(None))
        })?;
        found
    }

    /// Whether the receipt stands at `place`, and if so whether its bytes give the leaf that was proved there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn validity(&self, digest: &Digest, place: Place) -> Result<Option<bool>, StoreError> {
        let key = [&digest.to_bytes()[..], &place.to_key()].concat();
        Ok(self.raw(Family::Places, &key)?.map(|value| value == [VALID]))
    }

    /// The proof of the receipt at `place`, verified again before it leaves.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn proof(&self, digest: &Digest, place: Place) -> Result<Option<ReceiptProof>, StoreError> {
        let bytes = digest.to_bytes();
        let (Some(receipt), Some(stored)) = (self.raw(Family::Receipts, &bytes)?, self.batch(place.batch)?) else {
            return Ok(None);
        };
        let key = bundle_key(place.batch, place.bundle);
        let Some(row) = self.get::<BundleRow>(Family::Bundles, &key)? else { return Ok(None) };
        let (bundle, receipt_index) = (usize::from(place.bundle), usize::from(place.receipt));
        // A proof needs one receipt's bytes, the leaves of its bundle and the statements of the batch: no more is read.
        let mut records: Vec<_> = row.leaves.into_iter().map(|leaf| Record { receipt: Vec::new(), leaf }).collect();
        let Some(record) = records.get_mut(receipt_index) else { return Ok(None) };
        record.receipt = receipt;
        let mut bundles: Vec<_> = stored
            .statements
            .iter()
            .map(|statement| BundleData {
                node_index: statement.node_index,
                sequence: statement.sequence,
                signature: ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]),
                records: Vec::new(),
            })
            .collect();
        let Some(data) = bundles.get_mut(bundle) else { return Ok(None) };
        data.records = records;
        let batch = Batch { header: stored.header, statements: stored.statements, bundles, entries: Vec::new() };
        let Some(proof) = ReceiptProof::new(&batch, bundle, receipt_index) else { return Ok(None) };
        match proof.verify() {
            Ok(verified) if verified.header_digest == stored.header_digest && verified.receipt_digest == *digest => {
                Ok(Some(proof))
            }
            Ok(_) => Err(damaged(Family::Receipts, &bytes, "gives another digest")),
            Err(error) => Err(damaged(Family::Receipts, &bytes, error)),
        }
    }

    /// Up to `limit` receipts whose payload has this digest, from `from` on, and where the next page begins.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn content(
        &self,
        content: &ContentDigest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<ContentHit>, Option<Place>), StoreError> {
        let key = content.key();
        let rows = self.page(Family::Content, &key, from, limit.saturating_add(1))?;
        let mut hits = rows
            .into_iter()
            .map(|(place, value)| {
                let receipt_digest =
                    Digest::from_slice(&value).map_err(|error| damaged(Family::Content, &key, error))?;
                Ok(ContentHit { receipt_digest, place })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let next = hits.get(limit).map(|hit| hit.place);
        hits.truncate(limit);
        Ok((hits, next))
    }

    fn page(
        &self,
        family: Family,
        prefix: &[u8],
        from: Option<Place>,
        limit: usize,
    ) -> Result<Vec<(Place, Box<[u8]>)>, StoreError> {
        let mut rows = Vec::new();
        self.scan(family, prefix, from, |place, value| {
            rows.push((place, value.into()));
            rows.len() < limit
        })?;
        Ok(rows)
    }

    /// Walks the places under `prefix` in order, from `from` on, as long as `visit` wants more.
    fn scan(
        &self,
        family: Family,
        prefix: &[u8],
        from: Option<Place>,
        mut visit: impl FnMut(Place, &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let first = from.map_or_else(Vec::new, |place| place.to_key().to_vec());
        let start = [prefix, &first].concat();
        let mut options = ReadOptions::default();
        // A place is never all ones, so this is past every key of the prefix.
        options.set_iterate_upper_bound([prefix, &[0xff; Place::BYTES]].concat());
        let mode = IteratorMode::From(&start, Direction::Forward);
        for row in self.db.iterator_cf_opt(self.family(family), options, mode) {
            let (key, value) = row.map_err(|source| StoreError::Database { what: "read a page", source })?;
            let place = key.strip_prefix(prefix).and_then(Place::from_key);
            let place = place.ok_or_else(|| damaged(family, &key, "is not a place"))?;
            if !visit(place, &value) {
                break;
            }
        }
        Ok(())
    }
}

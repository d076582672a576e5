//! What is read is one moment of the store, and no more of it than the chain is sure enough of.

use super::row::{BatchRow, Counts, Reach};
use super::write::{PROGRESS, REACH};
use super::{Family, Progress, Store, StoreError, damaged};
use crate::{Commitment, Place};
use borsh::BorshDeserialize;
use cairn_types::{BatchHeader, Bundle, Cursor, Digest};
use rocksdb::{Direction, IteratorMode, ReadOptions, Snapshot};

/// The store as it is at one moment, up to a number of batches: what is past them does not show in anything read here.
pub struct View<'a> {
    pub(super) store: &'a Store,
    pub(super) snapshot: Snapshot<'a>,
    pub(super) batches: u64,
    pub(super) finalized: u64,
    pub(super) settled: u64,
    pub(super) everything: bool,
}

/// What a view holds.
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
    /// How sure the chain is of it.
    pub commitment: Commitment,
    /// Whether the chain has verified its proof.
    pub settled: bool,
}

impl Store {
    /// What is final, or what is confirmed.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn view(&self, commitment: Commitment) -> Result<View<'_>, StoreError> {
        let mut view = self.unbounded();
        let reach = view.reach()?;
        (view.finalized, view.settled) = (reach.finalized, reach.settled);
        view.batches = match commitment {
            Commitment::Finalized => reach.finalized,
            Commitment::Confirmed => reach.confirmed,
        };
        view.everything = commitment == Commitment::Confirmed;
        Ok(view)
    }

    /// All that is indexed, whatever the chain says of it by now.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn whole(&self) -> Result<View<'_>, StoreError> {
        let mut view = self.unbounded();
        let reach = view.reach()?;
        (view.finalized, view.settled) = (reach.finalized, reach.settled);
        view.batches = view.progress()?.map_or(0, |progress| progress.cursor.batches);
        Ok(view)
    }

    fn unbounded(&self) -> View<'_> {
        View { store: self, snapshot: self.db.snapshot(), batches: 0, finalized: 0, settled: 0, everything: true }
    }
}

impl View<'_> {
    /// Batches in it.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// How much of the indexed history the chain is how sure of.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn reach(&self) -> Result<Reach, StoreError> {
        Ok(self.get(Family::Meta, REACH)?.unwrap_or_default())
    }

    pub(super) fn progress(&self) -> Result<Option<Progress>, StoreError> {
        self.get(Family::Meta, PROGRESS)
    }

    /// Batches that were replaced and are kept, whatever they had reached.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn replaced_count(&self) -> Result<u64, StoreError> {
        Ok(self.progress()?.map_or(0, |progress| progress.replaced))
    }

    /// How sure the chain is of batch `number`, which is in this view.
    #[must_use]
    pub fn commitment_of(&self, number: u64) -> Commitment {
        if number < self.finalized { Commitment::Finalized } else { Commitment::Confirmed }
    }

    /// Whether the chain has verified the proof of batch `number`.
    #[must_use]
    pub fn is_settled(&self, number: u64) -> bool {
        number < self.settled
    }

    /// Where the next batch must continue.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn cursor(&self, rollup_id: &Digest) -> Result<Cursor, StoreError> {
        Ok(self.totals(rollup_id)?.cursor)
    }

    /// What is in it.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn totals(&self, rollup_id: &Digest) -> Result<Totals, StoreError> {
        let (cursor, counts) = match self.batches.checked_sub(1) {
            None => (Cursor::genesis(rollup_id), Counts::default()),
            Some(last) => {
                let (row, header) =
                    self.row(last)?.ok_or_else(|| damaged(Family::Batches, &last.to_be_bytes(), "is missing"))?;
                (header.cursor(), row.counts)
            }
        };
        let Counts { bundles, receipts, leaf_mismatches, nodes } = counts;
        Ok(Totals { cursor, bundles, receipts, leaf_mismatches, nodes })
    }

    /// The batch with this number.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn batch(&self, number: u64) -> Result<Option<StoredBatch>, StoreError> {
        let (commitment, settled) = (self.commitment_of(number), self.is_settled(number));
        Ok(self.row(number)?.map(|(row, header)| stored(row, header, commitment, settled)))
    }

    pub(super) fn row(&self, number: u64) -> Result<Option<(BatchRow, BatchHeader)>, StoreError> {
        let key = number.to_be_bytes();
        if number >= self.batches {
            return Ok(None);
        }
        let Some(row) = self.get::<BatchRow>(Family::Batches, &key)? else { return Ok(None) };
        let header = header_of(Family::Batches, &key, &row)?;
        Ok(Some((row, header)))
    }

    pub(super) fn raw(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot
            .get_cf(self.store.family(family), key)
            .map_err(|source| StoreError::Database { what: "read a record", source })
    }

    pub(super) fn get<T: BorshDeserialize>(&self, family: Family, key: &[u8]) -> Result<Option<T>, StoreError> {
        let found = self.raw(family, key)?;
        found.map(|bytes| T::try_from_slice(&bytes).map_err(|error| damaged(family, key, error))).transpose()
    }

    /// Walks the rows from `start` to before `end` in order, as long as `visit` wants more.
    pub(super) fn walk(
        &self,
        family: Family,
        start: &[u8],
        end: Vec<u8>,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        if start >= end.as_slice() {
            return Ok(());
        }
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(end);
        let mode = IteratorMode::From(start, Direction::Forward);
        for row in self.snapshot.iterator_cf_opt(self.store.family(family), options, mode) {
            let (key, value) = row.map_err(|source| StoreError::Database { what: "read a page", source })?;
            if !visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// Walks the places under `prefix` in order, from `from` on, as long as `visit` wants more.
    pub(super) fn scan(
        &self,
        family: Family,
        prefix: &[u8],
        from: Option<Place>,
        mut visit: impl FnMut(Place, &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let first = from.map_or_else(Vec::new, |place| place.to_key().to_vec());
        let start = [prefix, &first].concat();
        // Places are in the order of history, so those of later batches are past this.
        let end = [prefix, &self.batches.to_be_bytes()].concat();
        self.walk(family, &start, end, |key, value| {
            let place = key.strip_prefix(prefix).and_then(Place::from_key);
            Ok(visit(place.ok_or_else(|| damaged(family, key, "is not a place"))?, value))
        })
    }
}

pub(super) fn header_of(family: Family, key: &[u8], row: &BatchRow) -> Result<BatchHeader, StoreError> {
    let header = BatchHeader::from_words(&row.words).map_err(|error| damaged(family, key, error))?;
    if header.statement() != row.header_digest {
        return Err(damaged(family, key, "is not the header that was stored"));
    }
    Ok(header)
}

pub(super) fn stored(row: BatchRow, header: BatchHeader, commitment: Commitment, settled: bool) -> StoredBatch {
    let BatchRow { header_digest, slot, leaf_mismatches, statements, .. } = row;
    StoredBatch { header, header_digest, slot, leaf_mismatches, statements, commitment, settled }
}

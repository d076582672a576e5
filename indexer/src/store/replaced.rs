//! Batches that the chain replaced: kept, and read.

use super::row::{BatchRow, BundleRow, ReplacedRow, VALID, replaced_bundle_key, replaced_key, replaced_place_key};
use super::view::{header_of, stored};
use super::{Family, Store, StoreError, StoredBatch, StoredBundle, View, damaged};
use crate::{Commitment, Place};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::{BatchHeader, Digest, QueueEntry};
use rocksdb::WriteBatch;

/// Why a batch stands on chain no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Reason {
    /// Another fork of the chain won: it was confirmed and never final.
    Fork,
    /// It was abandoned before it was settled.
    Abandoned,
}

impl Reason {
    /// The word for it in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What became of a batch that stands on chain no more.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Replaced {
    /// Why.
    pub reason: Reason,
    /// When it was seen, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Header digest of the batch that stood in its place then; `None` when there was none with its number yet.
    pub by: Option<Digest>,
    /// Whether it had been final.
    pub was_final: bool,
}

/// A replaced batch, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedBatch {
    /// The batch. Its commitment is what it had reached.
    pub batch: StoredBatch,
    /// Queue entries that it consumed, in order.
    pub entries: Vec<QueueEntry>,
    /// What became of it.
    pub replaced: Replaced,
}

/// Which of the replaced batches: its number and header digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplacedId {
    /// The number.
    pub number: u64,
    /// The header digest.
    pub header_digest: Digest,
}

impl ReplacedId {
    /// Bytes of its key form.
    pub(crate) const BYTES: usize = 8 + 32;

    pub(crate) fn to_key(self) -> Vec<u8> {
        replaced_key(self.number, &self.header_digest)
    }

    /// Reads its key form, from a key or from a page token that came back.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let (number, digest) = key.split_first_chunk::<8>()?;
        Some(Self { number: u64::from_be_bytes(*number), header_digest: Digest::from_slice(digest).ok()? })
    }
}

/// A place of a receipt in a batch that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedPlace {
    /// The place.
    pub place: Place,
    /// Header digest of the batch.
    pub header_digest: Digest,
    /// Whether the bytes give the leaf that was proved there.
    pub valid: bool,
    /// Why the batch stands no more.
    pub reason: Reason,
}

impl View<'_> {
    /// Up to `limit` replaced batches, from `from` on, and where the next page begins. A view of what is final has those
    /// that had been final.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn replaced(
        &self,
        from: Option<ReplacedId>,
        limit: usize,
    ) -> Result<(Vec<ReplacedBatch>, Option<ReplacedId>), StoreError> {
        let (mut batches, mut next) = (Vec::new(), None);
        let start = from.map_or_else(Vec::new, ReplacedId::to_key);
        self.walk(Family::Replaced, &start, vec![0xff; ReplacedId::BYTES], |key, value| {
            let row = ReplacedRow::try_from_slice(value).map_err(|error| damaged(Family::Replaced, key, error))?;
            if !self.shows(&row.replaced) {
                return Ok(true);
            }
            let found = replaced_batch(key, row)?;
            if batches.len() == limit {
                let (number, header_digest) = (found.batch.header.number, found.batch.header_digest);
                next = Some(ReplacedId { number, header_digest });
                return Ok(false);
            }
            batches.push(found);
            Ok(true)
        })?;
        Ok((batches, next))
    }

    /// A replaced batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn replaced_batch(&self, id: ReplacedId) -> Result<Option<ReplacedBatch>, StoreError> {
        let key = id.to_key();
        let row = self.get::<ReplacedRow>(Family::Replaced, &key)?.filter(|row| self.shows(&row.replaced));
        row.map(|row| replaced_batch(&key, row)).transpose()
    }

    /// A bundle of a replaced batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn replaced_bundle(&self, id: ReplacedId, bundle: u16) -> Result<Option<(StoredBundle, Replaced)>, StoreError> {
        let Some(found) = self.replaced_batch(id)? else { return Ok(None) };
        let key = replaced_bundle_key(id.number, &id.header_digest, bundle);
        let Some(row) = self.get::<BundleRow>(Family::ReplacedBundles, &key)? else { return Ok(None) };
        Ok(StoredBundle::new(&found.batch, row, bundle).map(|bundle| (bundle, found.replaced)))
    }

    /// Up to `limit` places of a receipt in replaced batches, by batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn replaced_places(&self, digest: &Digest, limit: usize) -> Result<Vec<ReplacedPlace>, StoreError> {
        let prefix = digest.to_bytes();
        let mut places = Vec::new();
        let end = [&prefix[..], &[0xff; ReplacedId::BYTES]].concat();
        self.walk(Family::ReplacedPlaces, &prefix, end, |key, value| {
            let strange = || damaged(Family::ReplacedPlaces, key, "is not a place");
            let rest = key.strip_prefix(&prefix[..]).ok_or_else(strange)?;
            let (id, at) = rest.split_at_checked(ReplacedId::BYTES).ok_or_else(strange)?;
            let ReplacedId { number, header_digest } = ReplacedId::from_key(id).ok_or_else(strange)?;
            let place = Place::from_key(&[&number.to_be_bytes()[..], at].concat()).ok_or_else(strange)?;
            let row = self.get::<ReplacedRow>(Family::Replaced, id)?.ok_or_else(strange)?;
            if self.shows(&row.replaced) {
                let (valid, reason) = (value == [VALID], row.replaced.reason);
                places.push(ReplacedPlace { place, header_digest, valid, reason });
            }
            Ok(places.len() < limit)
        })?;
        Ok(places)
    }

    /// Who asks for what is final is not told of what never was.
    fn shows(&self, replaced: &Replaced) -> bool {
        self.everything || replaced.was_final
    }
}

fn replaced_batch(key: &[u8], row: ReplacedRow) -> Result<ReplacedBatch, StoreError> {
    let header = header_of(Family::Replaced, key, &row.batch)?;
    let commitment = if row.replaced.was_final { Commitment::Finalized } else { Commitment::Confirmed };
    Ok(ReplacedBatch {
        batch: stored(row.batch, header, commitment, false),
        entries: row.entries,
        replaced: row.replaced,
    })
}

impl Store {
    /// Keeps a batch that goes, in the write that takes it out of the history.
    pub(super) fn keep(
        &self,
        write: &mut WriteBatch,
        batch: BatchRow,
        header: &BatchHeader,
        entries: Vec<QueueEntry>,
        replaced: Replaced,
    ) {
        let key = replaced_key(header.number, &batch.header_digest);
        let row = ReplacedRow { batch, entries, replaced };
        write.put_cf(self.family(Family::Replaced), key, super::encode(&row));
    }

    pub(super) fn keep_bundle(&self, write: &mut WriteBatch, place: Place, header: &Digest, row: &BundleRow) {
        let key = replaced_bundle_key(place.batch, header, place.bundle);
        write.put_cf(self.family(Family::ReplacedBundles), key, super::encode(row));
        for (at, (digest, valid)) in row.receipts().enumerate() {
            let key = replaced_place_key(Place { receipt: at as u16, ..place }, header);
            let state = if valid { VALID } else { super::row::MISMATCH };
            write.put_cf(self.family(Family::ReplacedPlaces), [&digest.to_bytes()[..], &key].concat(), [state]);
        }
    }

    /// A batch that stands again is replaced no more: what was kept of it goes in the write that stores it.
    pub(super) fn bring_back(&self, write: &mut WriteBatch, number: u64, header: &Digest) -> Result<bool, StoreError> {
        let key = replaced_key(number, header);
        let Some(row) = self.get::<ReplacedRow>(Family::Replaced, &key)? else { return Ok(false) };
        for bundle in 0..row.batch.statements.len() as u16 {
            let key = replaced_bundle_key(number, header, bundle);
            let missing = || damaged(Family::ReplacedBundles, &key, "is missing");
            let bundle_row = self.get::<BundleRow>(Family::ReplacedBundles, &key)?.ok_or_else(missing)?;
            for (at, (digest, _)) in bundle_row.receipts().enumerate() {
                let place = replaced_place_key(Place { batch: number, bundle, receipt: at as u16 }, header);
                write.delete_cf(self.family(Family::ReplacedPlaces), [&digest.to_bytes()[..], &place].concat());
            }
            write.delete_cf(self.family(Family::ReplacedBundles), key);
        }
        write.delete_cf(self.family(Family::Replaced), key);
        Ok(true)
    }
}

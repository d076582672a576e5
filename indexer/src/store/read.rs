//! What is asked of the store about receipts.

use super::row::{BundleRow, VALID, bundle_key};
use super::{Family, StoreError, View, damaged};
use crate::{Commitment, ContentDigest, Place};
use cairn_types::{Batch, BundleData, Digest, ReceiptProof, ReceiptSignature, Record};

/// A receipt of the index, with some of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// Canonical bytes.
    pub bytes: Vec<u8>,
    /// Places in order, each with whether the bytes give the leaf that was proved there.
    pub places: Vec<(Place, bool)>,
    /// Where the next page begins; `None` after the last place.
    pub next: Option<Place>,
    /// Batches that are final: places in later ones are confirmed only.
    pub finalized: u64,
}

impl ReceiptEntry {
    /// How sure the chain is of a place.
    #[must_use]
    pub fn commitment(&self, place: Place) -> Commitment {
        if place.batch < self.finalized { Commitment::Finalized } else { Commitment::Confirmed }
    }
}

/// A receipt that a payload digest leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHit {
    /// The receipt.
    pub receipt_digest: Digest,
    /// Where it stands.
    pub place: Place,
    /// How sure the chain is of it.
    pub commitment: Commitment,
}

impl View<'_> {
    /// A receipt with up to `limit` of its places, from `from` on. Its places may be none, when the only batches that it
    /// stood in were replaced.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn receipt(
        &self,
        digest: &Digest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Option<ReceiptEntry>, StoreError> {
        let Some(bytes) = self.raw(Family::Receipts, &digest.to_bytes())? else { return Ok(None) };
        if self.first_place(digest)?.is_none() && self.replaced_places(digest, 1)?.is_empty() {
            // It is there for a batch that this view has not.
            return Ok(None);
        }
        let rows = self.page(Family::Places, &digest.to_bytes(), from, limit.saturating_add(1))?;
        let mut places: Vec<_> = rows.into_iter().map(|(place, value)| (place, *value == [VALID])).collect();
        let next = places.get(limit).map(|(place, _)| *place);
        places.truncate(limit);
        Ok(Some(ReceiptEntry { bytes, places, next, finalized: self.finalized }))
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
        let mut found = None;
        self.scan(Family::Places, &digest.to_bytes(), None, |place, value| {
            found = (value == [VALID]).then_some(place);
            found.is_none()
        })?;
        Ok(found)
    }

    /// Whether the receipt stands at `place`, and if so whether its bytes give the leaf that was proved there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn validity(&self, digest: &Digest, place: Place) -> Result<Option<bool>, StoreError> {
        if place.batch >= self.batches {
            return Ok(None);
        }
        let key = [&digest.to_bytes()[..], &place.to_key()].concat();
        Ok(self.raw(Family::Places, &key)?.map(|value| value == [VALID]))
    }

    /// The proof of the receipt at `place`, verified again before it leaves.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn proof(&self, digest: &Digest, place: Place) -> Result<Option<ReceiptProof>, StoreError> {
        let bytes = digest.to_bytes();
        let (Some(stored), Some(receipt)) = (self.batch(place.batch)?, self.raw(Family::Receipts, &bytes)?) else {
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
                Ok(ContentHit { receipt_digest, place, commitment: self.commitment_of(place.batch) })
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
}

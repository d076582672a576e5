//! Sealed batches and how far each stage has come with them.

use std::collections::BTreeSet;

use cairn_types::BatchHeader;
use cairn_types::state::PartialState;
use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::record::SealedBatchBytes;
use super::times::Moment;
use super::{
    Change, Family, Purpose, SealedBatch, Store, StoreError, StoredProof, Submission, damaged, encode, number_of,
};
use crate::{Stage, clock};

impl Store {
    /// The batch with this number.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn batch(&self, number: u64) -> Result<Option<SealedBatch>, StoreError> {
        let key = number.to_be_bytes();
        self.get::<SealedBatchBytes>(Family::Batches, &key)?.map(|bytes| batch_of(&key, bytes)).transpose()
    }

    /// The batch that was sealed last.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn last_batch(&self) -> Result<Option<SealedBatch>, StoreError> {
        self.last::<SealedBatchBytes>(Family::Batches)?.map(|(key, bytes)| batch_of(&key, bytes)).transpose()
    }

    /// The batch that holds the bundle at `log_index`; `None` while none does.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn batch_of_bundle(&self, log_index: u64) -> Result<Option<SealedBatch>, StoreError> {
        let key = log_index.to_be_bytes();
        let mode = IteratorMode::From(&key, Direction::Forward);
        match self.db.iterator_cf(self.family(Family::Covers), mode).next() {
            None => Ok(None),
            Some(Err(source)) => Err(StoreError::Database { what: "find a bundle's batch", source }),
            Some(Ok((_, number))) => self.batch(number_of(Family::Covers, &number)?),
        }
    }

    /// Makes a seal durable in one write: header, range of bundles, the account tree from `before` to `after`, and the
    /// heads of the nodes whose entries the batch consumes.
    ///
    /// # Errors
    /// When the disk fails; then nothing is sealed.
    pub fn seal(
        &self,
        sealed: &SealedBatch,
        before: &PartialState,
        after: &PartialState,
        registered: &BTreeSet<u32>,
    ) -> Result<(), StoreError> {
        let record = SealedBatchBytes {
            words: sealed.header.words(),
            header_digest: sealed.header_digest,
            first: sealed.first,
            end: sealed.end,
            sealed_ms: sealed.sealed_ms,
            settle_by_slot: sealed.settle_by_slot,
        };
        let key = sealed.header.number.to_be_bytes();
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Batches), key, encode(&record));
        if let Some(last) = sealed.end.checked_sub(1).filter(|last| *last >= sealed.first) {
            batch.put_cf(self.family(Family::Covers), last.to_be_bytes(), key);
        }
        for (node_index, account) in after.accounts().filter(|(node_index, _)| registered.contains(node_index)) {
            self.put_head(&mut batch, node_index, &account)?;
        }
        self.put_state(&mut batch, sealed.header.number, before, after);
        self.commit(Change::Seal, batch)
    }

    /// Batches that have passed `stage`: the number of the next one.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn passed(&self, stage: Stage) -> Result<u64, StoreError> {
        let stage = match stage {
            Stage::Sealed => return Ok(self.last_batch()?.map_or(0, |batch| batch.header.number + 1)),
            // What is not final is not kept.
            Stage::Confirmed => Stage::Submitted,
            stage => stage,
        };
        self.cursor([stage_key(stage)])
    }

    pub(super) fn cursor(&self, key: [u8; 1]) -> Result<u64, StoreError> {
        let found = self
            .db
            .get_pinned_cf(self.family(Family::Stages), key)
            .map_err(|source| StoreError::Database { what: "read a stage", source })?;
        found.map_or(Ok(0), |bytes| number_of(Family::Stages, &bytes))
    }

    /// Batch `number` is published.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn published(&self, number: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_stage(&mut batch, Stage::Published, number + 1);
        self.put_moment(&mut batch, number, Moment::Published, clock::now_ms());
        self.commit(Change::Publish, batch)
    }

    /// Keeps the proof of batch `number` before it is published: proving is what takes long.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn keep_proof(&self, number: u64, proof: &StoredProof) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Proofs), number.to_be_bytes(), encode(proof));
        self.commit(Change::KeepProof, batch)
    }

    /// The proof of batch `number` is published.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn proved(&self, number: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_stage(&mut batch, Stage::Proved, number + 1);
        self.put_moment(&mut batch, number, Moment::Proved, clock::now_ms());
        self.commit(Change::Prove, batch)
    }

    /// The proof of batch `number`.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn proof(&self, number: u64) -> Result<Option<StoredProof>, StoreError> {
        self.get(Family::Proofs, &number.to_be_bytes())
    }

    /// The chain has batch `number`, finally, as of `slot`: keeps what is known about it, and when it was seen confirmed;
    /// the intent is done, and so is the witness, because the proof is there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn submitted(
        &self,
        number: u64,
        submission: &Submission,
        slot: u64,
        confirmed_ms: Option<u64>,
    ) -> Result<(), StoreError> {
        let key = number.to_be_bytes();
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Submissions), key, encode(submission));
        batch.delete_cf(self.family(Family::Witnesses), key);
        self.drop_intent(&mut batch, Purpose::SubmitBatch(number));
        if let Some(at_ms) = confirmed_ms {
            self.put_moment(&mut batch, number, Moment::Confirmed, at_ms);
        }
        self.put_moment(&mut batch, number, Moment::Finalized, clock::now_ms());
        self.put_stage(&mut batch, Stage::Submitted, number + 1);
        batch.put_cf(self.family(Family::Stages), SUBMITTED_SLOT, slot.to_be_bytes());
        self.commit(Change::Submit, batch)
    }

    /// What is known about the submission of batch `number`.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn submission(&self, number: u64) -> Result<Option<Submission>, StoreError> {
        self.get(Family::Submissions, &number.to_be_bytes())
    }

    /// As of this finalized slot the chain had the submitted batches, and no others: an answer of an older slot says nothing
    /// about them.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn submitted_slot(&self) -> Result<u64, StoreError> {
        self.cursor(SUBMITTED_SLOT)
    }

    /// The chain's finalized tip went back to `batches`, as of `slot`: later ones are to be submitted again. The outbox stays: what is in
    /// it may still execute.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn rewind(&self, batches: u64, slot: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let (from, to) = (batches.to_be_bytes(), u64::MAX.to_be_bytes());
        batch.delete_range_cf(self.family(Family::Submissions), from, to);
        self.put_stage(&mut batch, Stage::Submitted, batches);
        batch.put_cf(self.family(Family::Stages), SUBMITTED_SLOT, slot.to_be_bytes());
        self.commit(Change::Rewind, batch)
    }

    pub(super) fn put_stage(&self, batch: &mut WriteBatch, stage: Stage, passed: u64) {
        batch.put_cf(self.family(Family::Stages), [stage_key(stage)], passed.to_be_bytes());
    }
}

/// Where [`Family::Stages`] has the slot of the submitted batches.
const SUBMITTED_SLOT: [u8; 1] = [255];

const fn stage_key(stage: Stage) -> u8 {
    match stage {
        Stage::Sealed => 0,
        Stage::Published => 1,
        Stage::Proved => 2,
        Stage::Submitted | Stage::Confirmed => 3,
        Stage::Settled => 4,
    }
}

fn batch_of(key: &[u8], bytes: SealedBatchBytes) -> Result<SealedBatch, StoreError> {
    let header = BatchHeader::from_words(&bytes.words)
        .map_err(|error| damaged(Family::Batches, key, format!("has a bad header: {error}")))?;
    if header.number != number_of(Family::Batches, key)? || header.statement() != bytes.header_digest {
        return Err(damaged(Family::Batches, key, "is not the header that was stored"));
    }
    Ok(SealedBatch {
        header,
        header_digest: bytes.header_digest,
        first: bytes.first,
        end: bytes.end,
        sealed_ms: bytes.sealed_ms,
        settle_by_slot: bytes.settle_by_slot,
    })
}

//! Sealed batches and how far each stage has come with them.

use std::collections::BTreeSet;

use cairn_types::BatchHeader;
use cairn_types::state::PartialState;
use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::record::SealedBatchBytes;
use super::{
    Change, Family, Intent, SealedBatch, Store, StoreError, StoredProof, Submission, damaged, encode, number_of,
};
use crate::Stage;

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
        if stage == Stage::Sealed {
            return Ok(self.last_batch()?.map_or(0, |batch| batch.header.number + 1));
        }
        let key = [stage_key(stage)];
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
        self.commit(Change::Prove, batch)
    }

    /// The proof of batch `number`.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn proof(&self, number: u64) -> Result<Option<StoredProof>, StoreError> {
        self.get(Family::Proofs, &number.to_be_bytes())
    }

    /// Keeps a transaction before it is sent for the first time.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn intend(&self, number: u64, intent: &Intent) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Intents), number.to_be_bytes(), encode(intent));
        self.commit(Change::Intend, batch)
    }

    /// The transaction that was last prepared for batch `number`, while the chain does not have the batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn intent(&self, number: u64) -> Result<Option<Intent>, StoreError> {
        self.get(Family::Intents, &number.to_be_bytes())
    }

    /// The chain has batch `number`: keeps what is known about it; the intent is done, and so is the witness, because the
    /// proof is there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn submitted(&self, number: u64, submission: &Submission) -> Result<(), StoreError> {
        let key = number.to_be_bytes();
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Submissions), key, encode(submission));
        batch.delete_cf(self.family(Family::Intents), key);
        batch.delete_cf(self.family(Family::Witnesses), key);
        self.put_stage(&mut batch, Stage::Submitted, number + 1);
        self.commit(Change::Submit, batch)
    }

    /// What is known about the submission of batch `number`.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn submission(&self, number: u64) -> Result<Option<Submission>, StoreError> {
        self.get(Family::Submissions, &number.to_be_bytes())
    }

    /// The chain's tip went back to `batches`: later ones are to be submitted again.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn rewind(&self, batches: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let (from, to) = (batches.to_be_bytes(), u64::MAX.to_be_bytes());
        batch.delete_range_cf(self.family(Family::Submissions), from, to);
        batch.delete_range_cf(self.family(Family::Intents), from, to);
        self.put_stage(&mut batch, Stage::Submitted, batches);
        self.commit(Change::Rewind, batch)
    }

    fn put_stage(&self, batch: &mut WriteBatch, stage: Stage, passed: u64) {
        batch.put_cf(self.family(Family::Stages), [stage_key(stage)], passed.to_be_bytes());
    }
}

const fn stage_key(stage: Stage) -> u8 {
    match stage {
        Stage::Sealed => 0,
        Stage::Published => 1,
        Stage::Proved => 2,
        Stage::Submitted => 3,
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

//! The account that proofs are uploaded to, and the batches whose proof the chain has verified.

use cairn_chain::Keypair;
use rocksdb::WriteBatch;

use super::times::Moment;
use super::{Change, Family, Settlement, Store, StoreError, StoredProof, damaged, encode};
use crate::{Stage, clock};

/// There is one account, hence one key.
const ACCOUNT: &[u8] = &[];
/// Where [`Family::Stages`] has the slot of the settled batches.
const SETTLED_SLOT: [u8; 1] = [254];

impl Store {
    /// The key pair of the account that proofs are uploaded to; `None` before there was one.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn proof_account(&self) -> Result<Option<Keypair>, StoreError> {
        let Some(bytes) = self.get::<[u8; 64]>(Family::ProofAccount, ACCOUNT)? else { return Ok(None) };
        let key = Keypair::from_bytes(&bytes);
        key.map(Some).ok_or_else(|| damaged(Family::ProofAccount, ACCOUNT, "is not a key pair"))
    }

    /// Keeps the key pair of an account before it is made, in place of one that cannot be used. Rent is paid into that
    /// account: whoever does not know it any more has lost sight of the rent.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn name_proof_account(&self, key: &Keypair) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::ProofAccount), ACCOUNT, encode(&key.to_bytes()));
        self.commit(Change::NameAccount, batch)
    }

    /// The proof of batch `number`, which is proved.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn kept_proof(&self, number: u64) -> Result<StoredProof, StoreError> {
        let missing = || damaged(Family::Proofs, &number.to_be_bytes(), "is missing, though the batch is proved");
        self.proof(number)?.ok_or_else(missing)
    }

    /// The chain has verified the proof of batch `number`, finally, as of `slot`.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn settled(&self, number: u64, settlement: &Settlement, slot: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Settlements), number.to_be_bytes(), encode(settlement));
        self.put_moment(&mut batch, number, Moment::Settled, clock::now_ms());
        self.put_stage(&mut batch, Stage::Settled, number + 1);
        batch.put_cf(self.family(Family::Stages), SETTLED_SLOT, slot.to_be_bytes());
        self.commit(Change::Settle, batch)
    }

    /// What it took to settle batch `number`.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn settlement(&self, number: u64) -> Result<Option<Settlement>, StoreError> {
        self.get(Family::Settlements, &number.to_be_bytes())
    }

    /// As of this finalized slot the settled batches were settled: an answer of an older slot says nothing about them.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn settled_slot(&self) -> Result<u64, StoreError> {
        self.cursor(SETTLED_SLOT)
    }
}

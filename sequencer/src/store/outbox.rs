//! The outbox: transactions that are written down before they are sent, one for each purpose, until the chain has finally
//! done what they are for.

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::Digest;
use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::times::Moment;
use super::{Change, Family, Store, StoreError, damaged, decode, encode};

/// What a transaction is for. There is one transaction for a purpose at any time: the store keeps them under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The chain gets the header of this batch.
    SubmitBatch(u64),
}

impl Purpose {
    /// Kind (u8) ‖ number (u64, big-endian).
    fn key(self) -> [u8; 9] {
        let (kind, number) = match self {
            Self::SubmitBatch(number) => (SUBMIT_BATCH, number),
        };
        let mut key = [kind; 9];
        key[1..].copy_from_slice(&number.to_be_bytes());
        key
    }

    fn of(key: &[u8]) -> Result<Self, StoreError> {
        let known = <[u8; 9]>::try_from(key).ok();
        match known.map(|[kind, number @ ..]| (kind, u64::from_be_bytes(number))) {
            Some((SUBMIT_BATCH, number)) => Ok(Self::SubmitBatch(number)),
            _ => Err(damaged(Family::Outbox, key, "is for a purpose that this version does not know")),
        }
    }
}

const SUBMIT_BATCH: u8 = 0;

/// A transaction that is written down, sent or not.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Intent {
    /// Digest of what it brings to the chain: a header's, for a batch.
    pub digest: Digest,
    /// The signature that names it.
    pub signature: [u8; 64],
    /// The signed transaction, exactly as it is sent.
    pub transaction: Vec<u8>,
    /// Block height past which these bytes can execute no more.
    pub last_valid_block_height: u64,
    /// Transactions for this purpose that came before it and can execute no more.
    pub attempt: u32,
    /// When it was signed, in milliseconds since the Unix epoch.
    pub created_ms: u64,
}

impl Store {
    /// Keeps a transaction before it is sent for the first time, in place of one for the same purpose that can execute no
    /// more.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn intend(&self, purpose: Purpose, intent: &Intent) -> Result<(), StoreError> {
        let Purpose::SubmitBatch(number) = purpose;
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(Family::Outbox), purpose.key(), encode(intent));
        if intent.attempt == 0 {
            self.put_moment(&mut batch, number, Moment::Signed, intent.created_ms);
        }
        self.commit(Change::Intend, batch)
    }

    /// The transaction for this purpose.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn intent(&self, purpose: Purpose) -> Result<Option<Intent>, StoreError> {
        self.get(Family::Outbox, &purpose.key())
    }

    /// Every transaction in the outbox, by purpose: a few.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn outbox(&self) -> Result<Vec<(Purpose, Intent)>, StoreError> {
        let mode = IteratorMode::From(&[], Direction::Forward);
        let mut outbox = Vec::new();
        for entry in self.db.iterator_cf(self.family(Family::Outbox), mode) {
            let (key, value) = entry.map_err(|source| StoreError::Database { what: "read its outbox", source })?;
            outbox.push((Purpose::of(&key)?, decode(Family::Outbox, &key, &value)?));
        }
        Ok(outbox)
    }

    /// The purpose is fulfilled, finally.
    pub(super) fn drop_intent(&self, batch: &mut WriteBatch, purpose: Purpose) {
        batch.delete_cf(self.family(Family::Outbox), purpose.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Identity;

    #[test]
    fn purposes_are_kept_in_the_order_of_their_numbers_and_unknown_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity { rollup_id: Digest::ZERO, circuit_digest: [0; 32] };
        let store = Store::open(folder.path(), &identity).unwrap();
        let intent = |attempt| Intent {
            digest: Digest::ZERO,
            signature: [1; 64],
            transaction: vec![2; 3],
            last_valid_block_height: 4,
            attempt,
            created_ms: 5,
        };
        for number in [256, 3, 255] {
            store.intend(Purpose::SubmitBatch(number), &intent(0)).unwrap();
        }
        store.intend(Purpose::SubmitBatch(255), &intent(1)).unwrap();
        let expected = [(3, 0), (255, 1), (256, 0)];
        let expected = expected.map(|(number, attempt)| (Purpose::SubmitBatch(number), intent(attempt)));
        assert_eq!(store.outbox().unwrap(), expected);

        let mut batch = WriteBatch::default();
        store.drop_intent(&mut batch, Purpose::SubmitBatch(255));
        batch.put_cf(store.family(Family::Outbox), [9; 9], encode(&intent(0)));
        store.commit(Change::Submit, batch).unwrap();
        assert_eq!(store.intent(Purpose::SubmitBatch(255)).unwrap(), None);
        assert!(matches!(store.outbox(), Err(StoreError::Damaged { family: "outbox", .. })));
    }
}

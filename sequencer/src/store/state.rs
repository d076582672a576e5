//! The account tree after the last sealed batch: accounts and inner nodes, moved in the write that seals.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::state::{PartialState, StateRead};
use cairn_types::{Account, Digest};
use rocksdb::WriteBatch;

use super::{Family, Store, StoreError, encode};

/// An account that a batch touched, as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountBefore {
    /// Its index.
    pub node_index: u32,
    /// What was there.
    pub account: Option<Account>,
}

impl StateRead for Store {
    type Error = StoreError;

    fn account(&self, index: u32) -> Result<Option<Account>, StoreError> {
        self.get(Family::Accounts, &index.to_be_bytes())
    }

    fn node(&self, level: u8, position: u32) -> Result<Option<Digest>, StoreError> {
        self.get(Family::Nodes, &node_key(level, position))
    }
}

impl Store {
    /// The witness of batch `number`: the part of the tree that it touches, as it was before. `None` once the batch is
    /// submitted.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn witness(&self, number: u64) -> Result<Option<PartialState>, StoreError> {
        self.get(Family::Witnesses, &number.to_be_bytes())
    }

    /// The accounts that batch `number` touched, as they were before it.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn accounts_before(&self, number: u64) -> Result<Option<Vec<AccountBefore>>, StoreError> {
        self.get(Family::Undo, &number.to_be_bytes())
    }

    /// Moves the tree from `before` to `after`, and keeps what proving and undoing the batch need.
    pub(super) fn put_state(&self, batch: &mut WriteBatch, number: u64, before: &PartialState, after: &PartialState) {
        let was: BTreeMap<_, _> = before.accounts().collect();
        let mut undo = Vec::new();
        for (node_index, account) in after.accounts() {
            let old = was.get(&node_index).copied();
            if old != Some(account) {
                undo.push(AccountBefore { node_index, account: old });
                batch.put_cf(self.family(Family::Accounts), node_index.to_be_bytes(), encode(&account));
            }
        }
        let was: BTreeMap<_, _> = before.nodes().collect();
        for (place, digest) in after.nodes() {
            if was.get(&place) != Some(&digest) {
                batch.put_cf(self.family(Family::Nodes), node_key(place.0, place.1), encode(&digest));
            }
        }
        let key = number.to_be_bytes();
        let witness = encode(before);
        crate::metrics::witness(witness.len());
        batch.put_cf(self.family(Family::Witnesses), key, witness);
        batch.put_cf(self.family(Family::Undo), key, encode(&undo));
    }
}

fn node_key(level: u8, position: u32) -> [u8; 5] {
    let [a, b, c, d] = position.to_be_bytes();
    [level, a, b, c, d]
}

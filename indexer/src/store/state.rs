//! The account tree after any of the indexed batches.

use super::row::{account_key, node_key, version};
use super::{Family, Store, StoreError, View, damaged};
use borsh::BorshDeserialize as _;
use cairn_types::state::{PartialState, StateRead};
use cairn_types::{Account, Cursor, Digest};
use rocksdb::DBRawIterator;
use std::cell::RefCell;

/// The account tree as it was after a number of batches. What is written later does not show.
pub struct StateAt<'a> {
    batches: u64,
    accounts: RefCell<DBRawIterator<'a>>,
    nodes: RefCell<DBRawIterator<'a>>,
}

impl View<'_> {
    /// The account tree after the first `batches` batches, of which the view has to have as many.
    #[must_use]
    pub fn state(&self, batches: u64) -> StateAt<'_> {
        let walk = |family| RefCell::new(self.snapshot.raw_iterator_cf(self.store.family(family)));
        let batches = batches.min(self.batches);
        StateAt { batches, accounts: walk(Family::Accounts), nodes: walk(Family::Nodes) }
    }

    /// The accounts at `indices` as they were at `cursor`, with their paths, recomputed up to its root.
    ///
    /// # Errors
    /// When the disk fails, or what it has does not lead to that root.
    pub fn open_state(
        &self,
        cursor: &Cursor,
        indices: impl IntoIterator<Item = u32>,
    ) -> Result<PartialState, StoreError> {
        let state = PartialState::open(&self.state(cursor.batches), indices)?;
        let key = cursor.batches.to_be_bytes();
        state.verify(&cursor.state_root).map_err(|error| damaged(Family::Nodes, &key, error)).map(|()| state)
    }
}

impl Store {
    /// As [`View::open_state`], of all that is indexed.
    ///
    /// # Errors
    /// As there.
    pub fn open_state(
        &self,
        cursor: &Cursor,
        indices: impl IntoIterator<Item = u32>,
    ) -> Result<PartialState, StoreError> {
        self.whole()?.open_state(cursor, indices)
    }
}

impl StateRead for StateAt<'_> {
    type Error = StoreError;

    fn account(&self, index: u32) -> Result<Option<Account>, StoreError> {
        let prefix = account_key(index);
        let decode = |bytes: &[u8]| Account::try_from_slice(bytes).map_err(|error| error.to_string());
        self.newest(Family::Accounts, &self.accounts, &prefix, decode)
    }

    fn node(&self, level: u8, position: u32) -> Result<Option<Digest>, StoreError> {
        let prefix = node_key(level, position);
        let decode = |bytes: &[u8]| Digest::from_slice(bytes).map_err(|error| error.to_string());
        self.newest(Family::Nodes, &self.nodes, &prefix, decode)
    }
}

impl StateAt<'_> {
    /// The newest version under `prefix` that one of the batches wrote.
    fn newest<T>(
        &self,
        family: Family,
        walk: &RefCell<DBRawIterator<'_>>,
        prefix: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, StoreError> {
        let Some(last) = self.batches.checked_sub(1) else { return Ok(None) };
        let mut walk = walk.borrow_mut();
        walk.seek([prefix, &version(last)].concat());
        match walk.item() {
            Some((key, value)) if key.starts_with(prefix) => {
                decode(value).map(Some).map_err(|reason| damaged(family, key, reason))
            }
            _ => walk.status().map(|()| None).map_err(|source| StoreError::Database { what: "read the state", source }),
        }
    }
}

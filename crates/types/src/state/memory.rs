//! The account tree in memory.

use super::{PartialState, StateRead};
use crate::{Account, Digest};
use alloc::collections::BTreeMap;
use core::convert::Infallible;

/// A whole account tree in memory: for tests, benchmarks and tools that replay a rollup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryState {
    accounts: BTreeMap<u32, Account>,
    nodes: BTreeMap<(u8, u32), Digest>,
}

impl MemoryState {
    /// Writes back what a batch changed.
    pub fn commit(&mut self, state: &PartialState) {
        self.accounts.extend(state.accounts());
        self.nodes.extend(state.nodes());
    }

    /// Opens the part that touches `indices`.
    #[must_use]
    pub fn open(&self, indices: impl IntoIterator<Item = u32>) -> PartialState {
        let Ok(state) = PartialState::open(self, indices);
        state
    }
}

impl StateRead for MemoryState {
    type Error = Infallible;

    fn account(&self, index: u32) -> Result<Option<Account>, Infallible> {
        Ok(self.accounts.get(&index).copied())
    }

    fn node(&self, level: u8, position: u32) -> Result<Option<Digest>, Infallible> {
        Ok(self.nodes.get(&(level, position)).copied())
    }
}

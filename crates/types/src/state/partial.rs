//! The part of the account tree that a batch touches.

use super::{StateError, StateRead};
use crate::limits::{ACCOUNTS_DEPTH, MAX_NODES};
use crate::tree::{EMPTY, node};
use crate::{Account, Bundle, Digest, EntryKind, QueueEntry, ReceiptKey, ReceiptSignature};
use alloc::collections::BTreeMap;
use borsh::{BorshDeserialize, BorshSerialize};

/// Height of the root.
const TOP: u8 = ACCOUNTS_DEPTH as u8;

/// Accounts with the siblings along their paths: enough to apply a batch and to know the root before and after.
///
/// Bytes that were read need [`PartialState::verify`] before anything is believed.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PartialState {
    /// The accounts, `None` where none was registered.
    accounts: BTreeMap<u32, Option<Account>>,
    /// By level (0 is the accounts' own) and position: the nodes on and beside the paths that are not empty subtrees.
    nodes: BTreeMap<(u8, u32), Digest>,
}

impl PartialState {
    /// Reads the part of a tree around `indices`. Those not below 2^24 have no account and are passed over.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open<R: StateRead>(reader: &R, indices: impl IntoIterator<Item = u32>) -> Result<Self, R::Error> {
        let mut state = Self { accounts: BTreeMap::new(), nodes: BTreeMap::new() };
        for position in [0, 1] {
            state.load(reader, TOP - 1, position)?;
        }
        for index in indices {
            if index >= MAX_NODES || state.accounts.contains_key(&index) {
                continue;
            }
            state.accounts.insert(index, reader.account(index)?);
            for level in 0..TOP {
                let position = index >> level;
                state.load(reader, level, position)?;
                state.load(reader, level, position ^ 1)?;
            }
        }
        Ok(state)
    }

    fn load<R: StateRead>(&mut self, reader: &R, level: u8, position: u32) -> Result<(), R::Error> {
        if self.nodes.contains_key(&(level, position)) {
            return Ok(());
        }
        let digest = match level {
            0 => reader.account(position)?.map(|account| account.digest()),
            _ => reader.node(level, position)?,
        };
        if let Some(digest) = digest {
            self.nodes.insert((level, position), digest);
        }
        Ok(())
    }

    /// Checks that every account and node leads to `root`.
    ///
    /// # Errors
    /// The first node that does not, or a root that is another.
    pub fn verify(&self, root: &Digest) -> Result<(), StateError> {
        for (&index, account) in &self.accounts {
            if index >= MAX_NODES {
                return Err(StateError::NotOpened(index));
            }
            let mut digest = account.map_or(Digest::ZERO, |account| account.digest());
            for level in 0..TOP {
                let position = index >> level;
                if self.digest(level, position) != digest {
                    return Err(StateError::Inconsistent { level, position });
                }
                digest = self.parent(level, position);
            }
        }
        let actual = self.root();
        if actual == *root { Ok(()) } else { Err(StateError::Root { actual, expected: *root }) }
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.parent(TOP - 1, 0)
    }

    /// The account at `index`, `None` if none is registered there.
    ///
    /// # Errors
    /// When the state was opened without it.
    pub fn account(&self, index: u32) -> Result<Option<Account>, StateError> {
        self.accounts.get(&index).copied().ok_or(StateError::NotOpened(index))
    }

    /// Siblings from the account at `index` up to the root.
    ///
    /// # Errors
    /// When the state was opened without it.
    pub fn path(&self, index: u32) -> Result<[Digest; ACCOUNTS_DEPTH], StateError> {
        self.account(index)?;
        Ok(core::array::from_fn(|level| self.digest(level as u8, index >> level ^ 1)))
    }

    /// Clauses 3 and 4: the bundle's account takes it.
    ///
    /// # Errors
    /// Why it does not; nothing has changed then.
    pub fn apply_bundle(&mut self, bundle: &Bundle, signature: &ReceiptSignature) -> Result<(), StateError> {
        let index = bundle.node_index;
        let account = self.account(index)?.ok_or(StateError::NotRegistered(index))?;
        let after = account.after(bundle, signature).map_err(|source| StateError::Account { index, source })?;
        self.set(index, after);
        Ok(())
    }

    /// Clause 5: the entry's account is written. This is total, as in the circuit: where none is registered, which the
    /// program does not let happen, a rotation or deactivation changes an account of zeros.
    ///
    /// # Errors
    /// When the state was opened without the account.
    pub fn apply_entry(&mut self, entry: &QueueEntry) -> Result<(), StateError> {
        let index = entry.node_index;
        let account = self.account(index)?;
        let after = match entry.kind {
            EntryKind::Register => Account::new(entry.key),
            EntryKind::Rotate | EntryKind::Deactivate => {
                account.unwrap_or(Account::new(ReceiptKey::ZERO)).with_key(entry.key)
            }
        };
        self.set(index, after);
        Ok(())
    }

    /// The accounts, to be written back.
    pub fn accounts(&self) -> impl Iterator<Item = (u32, Account)> + '_ {
        self.accounts.iter().filter_map(|(index, account)| account.map(|account| (*index, account)))
    }

    /// The nodes at levels 1 to 23 by level and position, to be written back.
    pub fn nodes(&self) -> impl Iterator<Item = ((u8, u32), Digest)> + '_ {
        let inner = |(level, _): &(u8, u32)| (1..TOP).contains(level);
        self.nodes.iter().filter(move |(place, _)| inner(place)).map(|(place, digest)| (*place, *digest))
    }

    fn set(&mut self, index: u32, account: Account) {
        self.accounts.insert(index, Some(account));
        let mut digest = account.digest();
        for level in 0..TOP {
            let position = index >> level;
            self.nodes.insert((level, position), digest);
            digest = self.parent(level, position);
        }
    }

    fn digest(&self, level: u8, position: u32) -> Digest {
        self.nodes.get(&(level, position)).copied().unwrap_or(EMPTY[usize::from(level)])
    }

    /// The node above the one at `position`.
    fn parent(&self, level: u8, position: u32) -> Digest {
        let left = position & !1;
        node(&self.digest(level, left), &self.digest(level, left | 1))
    }
}

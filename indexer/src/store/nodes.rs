//! What is asked of the store about nodes: accounts, keys, queue entries, and who signed which bundle.

use super::row::{BundleRow, EntryRow, account_key, bundle_key, number_after, version};
use super::{Family, StoreError, StoredBatch, View, damaged};
use crate::{Commitment, Place};
use borsh::BorshDeserialize as _;
use cairn_types::limits::{BATCH_DEPTH, MAX_NODES};
use cairn_types::state::StateRead as _;
use cairn_types::{Account, AccountProof, Bundle, Digest, QueueEntry, ReceiptKey, ReceiptSignature, tree};

/// Part of a list, and where the next part begins; `None` after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, N = u64> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next: Option<N>,
}

/// An entry that a batch consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its position in the queue; the first is 1.
    pub position: u64,
    /// Number of the batch that consumed it.
    pub batch: u64,
    /// The entry.
    pub entry: QueueEntry,
    /// How sure the chain is of that batch.
    pub commitment: Commitment,
}

/// An entry that gave a node a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The entry.
    pub given: StoredEntry,
    /// Whether the node has that key now.
    pub current: bool,
}

/// A bundle of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedBundle {
    /// Its sequence among the node's.
    pub sequence: u64,
    /// Number of its batch.
    pub batch: u64,
    /// Its position in that batch.
    pub bundle: u16,
    /// How sure the chain is of that batch.
    pub commitment: Commitment,
}

/// A bundle with what shows who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    /// What was signed.
    pub statement: Bundle,
    /// The signature over the statement's digest.
    pub signature: ReceiptSignature,
    /// The key that it verifies under: the node's in the state before the batch.
    pub key: ReceiptKey,
    /// Siblings from the statement's digest up to the batch root.
    pub siblings: Vec<Digest>,
    /// Digest of the published bytes of each receipt, and whether they give the leaf that was signed.
    pub receipts: Vec<(Digest, bool)>,
    /// Digest of the batch's header.
    pub header_digest: Digest,
    /// The batch root in it.
    pub batch_root: Digest,
    /// How sure the chain is of that batch.
    pub commitment: Commitment,
}

impl StoredBundle {
    /// Bundle number `bundle` of `batch`, of which `row` is stored.
    pub(super) fn new(batch: &StoredBatch, row: BundleRow, bundle: u16) -> Option<Self> {
        let index = usize::from(bundle);
        let statement = batch.statements.get(index).copied()?;
        let digests: Vec<_> = batch.statements.iter().map(Bundle::digest).collect();
        Some(Self {
            statement,
            signature: row.signature,
            key: row.key,
            siblings: tree::path(BATCH_DEPTH, &digests, index),
            receipts: row.receipts().collect(),
            header_digest: batch.header_digest,
            batch_root: batch.header.batch_root,
            commitment: batch.commitment,
        })
    }
}

impl View<'_> {
    /// The account of a node after the first `batches` batches.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn node(&self, batches: u64, index: u32) -> Result<Option<Account>, StoreError> {
        self.state(batches).account(index)
    }

    /// Up to `limit` nodes with an account after the last batch, from index `from` on.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn nodes(&self, from: u32, limit: usize) -> Result<Page<(u32, Account), u32>, StoreError> {
        let mut page = Page { items: Vec::new(), next: None };
        let Some(last) = self.batches.checked_sub(1) else { return Ok(page) };
        let mut walk = self.snapshot.raw_iterator_cf(self.store.family(Family::Accounts));
        let mut index = from;
        loop {
            walk.seek([&account_key(index)[..], &version(last)].concat());
            let Some((key, value)) = walk.item() else { break };
            let found = key.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
            let found = found.ok_or_else(|| damaged(Family::Accounts, key, "is not a key of this family"))?;
            if found == index {
                if page.items.len() == limit {
                    page.next = Some(index);
                    break;
                }
                let account = Account::try_from_slice(value);
                page.items.push((index, account.map_err(|error| damaged(Family::Accounts, key, error))?));
            }
            // Past the versions of this node, or at those of the next one, of which the newest may be too new.
            index = if found == index { found.saturating_add(1) } else { found };
            if index >= MAX_NODES {
                break;
            }
        }
        walk.status().map(|()| page).map_err(|source| StoreError::Database { what: "read a page", source })
    }

    /// The proof of a node's account, or of its absence, after batch `number`, verified again before it leaves. `None`
    /// when there is no such batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn account_proof(&self, number: u64, index: u32) -> Result<Option<AccountProof>, StoreError> {
        let Some(batch) = self.batch(number)? else { return Ok(None) };
        let state = self.open_state(&batch.header.cursor(), [index])?;
        let proof = AccountProof::new(&batch.header, &state, index);
        let shown = proof.as_ref().and_then(|proof| proof.verify().ok());
        if shown.is_none_or(|shown| shown.header_digest != batch.header_digest || shown.node_index != index) {
            return Err(damaged(Family::Accounts, &account_key(index), "gives no proof"));
        }
        Ok(proof)
    }

    /// Up to `limit` entries that gave a node `key`, from queue position `from` on.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn key_uses(&self, key: &ReceiptKey, from: Option<u64>, limit: usize) -> Result<Page<KeyUse>, StoreError> {
        let state = self.state(self.batches);
        let consumed = match self.batches.checked_sub(1) {
            Some(last) => self.row(last)?.map_or(0, |(_, header)| header.queue_to.position),
            None => 0,
        };
        let end = consumed.saturating_add(1);
        let found = self.numbered(Family::Keys, &key.to_bytes(), (from, end), limit, |_, _| Ok(()))?;
        let mut page = Page { items: Vec::new(), next: found.next };
        for (position, ()) in found.items {
            let Some(given) = self.entry(position)? else { continue };
            let current = state.account(given.entry.node_index)?.is_some_and(|account| account.key == *key);
            page.items.push(KeyUse { given, current });
        }
        Ok(page)
    }

    /// The entry at a queue position, if a batch consumed it.
    fn entry(&self, position: u64) -> Result<Option<StoredEntry>, StoreError> {
        let row = self.get::<EntryRow>(Family::Entries, &position.to_be_bytes())?;
        let row = row.filter(|row| row.batch < self.batches);
        Ok(row.map(|EntryRow { batch, entry }| StoredEntry {
            position,
            batch,
            entry,
            commitment: self.commitment_of(batch),
        }))
    }

    /// Up to `limit` entries that batch `number` consumed, from queue position `from` on. `None` when there is no such
    /// batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn entries(
        &self,
        number: u64,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Option<Page<StoredEntry>>, StoreError> {
        let Some(batch) = self.batch(number)? else { return Ok(None) };
        let first = batch.header.queue_from.position.saturating_add(1);
        let (mut position, last) = (from.unwrap_or(first).max(first), batch.header.queue_to.position);
        let mut page = Page { items: Vec::new(), next: None };
        while position <= last {
            if page.items.len() == limit {
                page.next = Some(position);
                break;
            }
            let missing = || damaged(Family::Entries, &position.to_be_bytes(), "is missing");
            page.items.push(self.entry(position)?.ok_or_else(missing)?);
            position = position.saturating_add(1);
        }
        Ok(Some(page))
    }

    /// Up to `limit` bundles that a node signed, from sequence `from` on.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn signed(&self, index: u32, from: Option<u64>, limit: usize) -> Result<Page<SignedBundle>, StoreError> {
        let read = |key: &[u8], value: &[u8]| {
            let whole = [value, &[0, 0]].concat();
            Place::from_key(&whole).ok_or_else(|| damaged(Family::Signed, key, "is not a bundle's place"))
        };
        let end = self.node(self.batches, index)?.map_or(0, |account| account.next_sequence);
        let page = self.numbered(Family::Signed, &index.to_be_bytes(), (from, end), limit, read)?;
        let bundle = |(sequence, place): (u64, Place)| {
            let commitment = self.commitment_of(place.batch);
            SignedBundle { sequence, batch: place.batch, bundle: place.bundle, commitment }
        };
        Ok(Page { items: page.items.into_iter().map(bundle).collect(), next: page.next })
    }

    /// A bundle of a batch.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn bundle(&self, number: u64, bundle: u16) -> Result<Option<StoredBundle>, StoreError> {
        let key = bundle_key(number, bundle);
        let (Some(batch), Some(row)) = (self.batch(number)?, self.get::<BundleRow>(Family::Bundles, &key)?) else {
            return Ok(None);
        };
        Ok(StoredBundle::new(&batch, row, bundle))
    }

    /// Up to `limit` rows whose key is `prefix` and a number, by number, from the first number on to before the second.
    fn numbered<T>(
        &self,
        family: Family,
        prefix: &[u8],
        (from, end): (Option<u64>, u64),
        limit: usize,
        read: impl Fn(&[u8], &[u8]) -> Result<T, StoreError>,
    ) -> Result<Page<(u64, T)>, StoreError> {
        let start = [prefix, &from.unwrap_or(0).to_be_bytes()].concat();
        let end = [prefix, &end.to_be_bytes()].concat();
        let mut page = Page { items: Vec::new(), next: None };
        self.walk(family, &start, end, |key, value| {
            let number = number_after(family, key, prefix)?;
            if page.items.len() == limit {
                page.next = Some(number);
                return Ok(false);
            }
            page.items.push((number, read(key, value)?));
            Ok(true)
        })?;
        Ok(page)
    }
}

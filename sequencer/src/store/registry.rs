//! Who may sign: the registration queue as it was seen, and every node's account as the log leaves it.

use std::ops::Range;

use cairn_types::{Account, QueueCursor, ReceiptKey, queue_genesis};
use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::{Change, Family, Queued, Store, StoreError, damaged, decode, encode};

impl Store {
    /// A node's account with every acknowledged bundle; `None` as long as no sealed batch has its registration.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn head(&self, node_index: u32) -> Result<Option<Account>, StoreError> {
        self.get(Family::Heads, &node_index.to_be_bytes())
    }

    /// The lowest index of a node whose head has this key.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn node_of_key(&self, key: &ReceiptKey) -> Result<Option<u32>, StoreError> {
        let prefix = key.to_bytes();
        let mode = IteratorMode::From(&prefix, Direction::Forward);
        match self.db.iterator_cf(self.family(Family::Keys), mode).next() {
            None => Ok(None),
            Some(Err(source)) => Err(StoreError::Database { what: "find a key", source }),
            Some(Ok((found, _))) => {
                found.strip_prefix(&prefix[..]).map(|index| node_index_of(&found, index)).transpose()
            }
        }
    }

    /// How much of the queue was seen: the cursor after the last entry.
    ///
    /// # Errors
    /// When the disk fails or the store is damaged.
    pub fn queue_end(&self) -> Result<QueueCursor, StoreError> {
        let last = self.last::<Queued>(Family::Queue)?;
        Ok(match last {
            Some((_, queued)) => queued.cursor,
            None => QueueCursor { position: 0, digest: queue_genesis(&self.rollup_id) },
        })
    }

    /// Keeps entries that follow those that are there.
    ///
    /// # Errors
    /// When the disk fails; then nothing of it happened.
    pub fn enqueue(&self, entries: &[Queued]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for queued in entries {
            batch.put_cf(self.family(Family::Queue), queued.cursor.position.to_be_bytes(), encode(queued));
        }
        if batch.is_empty() { Ok(()) } else { self.commit(Change::Enqueue, batch) }
    }

    /// The entries at `positions`, all of them, in order. The first entry of a queue has position 1.
    ///
    /// # Errors
    /// When the disk fails or one is missing.
    pub fn queued(&self, positions: Range<u64>) -> Result<Vec<Queued>, StoreError> {
        let start = positions.start.to_be_bytes();
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut iterator = self.db.iterator_cf(self.family(Family::Queue), mode);
        positions
            .map(|position| {
                let missing = || damaged(Family::Queue, &position.to_be_bytes(), "is missing");
                let next = iterator.next().transpose();
                let next = next.map_err(|source| StoreError::Database { what: "read the queue", source })?;
                let (key, value) = next.ok_or_else(missing)?;
                let queued: Queued = decode(Family::Queue, &key, &value)?;
                if *key == position.to_be_bytes() && queued.cursor.position == position {
                    Ok(queued)
                } else {
                    Err(missing())
                }
            })
            .collect()
    }

    /// Puts a node's head, and moves it in the index of keys.
    pub(super) fn put_head(&self, batch: &mut WriteBatch, node_index: u32, head: &Account) -> Result<(), StoreError> {
        let index = node_index.to_be_bytes();
        if let Some(before) = self.head(node_index)? {
            batch.delete_cf(self.family(Family::Keys), key_key(&before.key, node_index));
        }
        batch.put_cf(self.family(Family::Heads), index, encode(head));
        if !head.key.is_zero() {
            batch.put_cf(self.family(Family::Keys), key_key(&head.key, node_index), []);
        }
        Ok(())
    }
}

fn key_key(key: &ReceiptKey, node_index: u32) -> [u8; ReceiptKey::BYTES + 4] {
    let mut bytes = [0; ReceiptKey::BYTES + 4];
    bytes[..ReceiptKey::BYTES].copy_from_slice(&key.to_bytes());
    bytes[ReceiptKey::BYTES..].copy_from_slice(&node_index.to_be_bytes());
    bytes
}

fn node_index_of(key: &[u8], index: &[u8]) -> Result<u32, StoreError> {
    let bytes = <[u8; 4]>::try_from(index).map_err(|_| damaged(Family::Keys, key, "is not a key and a node index"))?;
    Ok(u32::from_be_bytes(bytes))
}

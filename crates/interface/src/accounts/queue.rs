//! The `Queue` account.

use super::reader::Reader;
use super::{AccountError, QUEUE};
use crate::{Address, QUEUE_RING};
use alloc::vec::Vec;
use cairn_types::limits::MAX_NODES;
use cairn_types::{EntryKind, QueueCursor, QueueEntry, ReceiptKey};

/// An entry that the ring still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingEntry {
    /// Its position, from 1, and the digest of the chain up to and with it.
    pub cursor: QueueCursor,
    /// The slot in which it was added.
    pub slot: u64,
    /// What it says.
    pub entry: QueueEntry,
}

/// A rollup's registration queue, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The rollup it belongs to.
    pub rollup: Address,
    /// Entries so far, and the digest of the last; of the genesis, before the first.
    pub end: QueueCursor,
    /// Nodes registered so far, which is the index of the next one.
    pub nodes: u32,
    /// The last [`QUEUE_RING`] entries, oldest first; fewer in a young queue.
    pub ring: Vec<RingEntry>,
}

/// Why entries cannot be had from the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// Past the queue's end, or backwards.
    #[error("queue positions {from} to {to} are not a range within the queue, which has {length} entries")]
    Range {
        /// Where the range starts.
        from: u64,
        /// Where it ends.
        to: u64,
        /// Entries in the queue.
        length: u64,
    },
    /// Overwritten by later entries.
    #[error("the ring no longer holds the entry at position {wanted}, its oldest is {oldest}: read it from a blob")]
    Gone {
        /// The first entry asked for.
        wanted: u64,
        /// The first entry there is.
        oldest: u64,
    },
    /// An entry does not chain to the one before.
    #[error(
        "the digest at queue position {0} does not follow from the entry before: these are not this queue's entries"
    )]
    Broken(u64),
}

impl Queue {
    /// Reads an account that belongs to the program. A queue that has not been extended to its full size has the wrong
    /// length for one.
    ///
    /// The digests are not recomputed: [`Self::entries_from`] does that, from a cursor that the reader has.
    ///
    /// # Errors
    /// When the bytes are not a `Queue`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(QUEUE, data)?;
        let rollup = reader.address("rollup")?;
        let end = QueueCursor { position: reader.word("length")?, digest: reader.digest("digest")? };
        let nodes = u32::try_from(reader.word("nodes")?).ok().filter(|nodes| *nodes <= MAX_NODES);
        let nodes = nodes.ok_or(reader.invalid("nodes", "it is over 2^24"))?;

        let kept = end.position.min(QUEUE_RING as u64);
        let mut ring = Vec::new();
        for place in 0..QUEUE_RING as u64 {
            // The last position up to the end that falls on this place; none, where a young queue has not been yet.
            let behind = (end.position % QUEUE_RING as u64 + QUEUE_RING as u64 - place) % QUEUE_RING as u64;
            if behind < kept {
                ring.push(entry(&mut reader, end.position - behind)?);
            } else {
                reader.zeros("ring", super::layout::RING_ENTRY)?;
            }
        }
        ring.sort_unstable_by_key(|entry| entry.cursor.position);
        if ring.last().is_some_and(|last| last.cursor.digest != end.digest) {
            return Err(reader.invalid("digest", "it is not that of the ring's last entry"));
        }
        Ok(Self { rollup, end, nodes, ring })
    }

    /// The entries that lead from position `from` to position `to`: those at `from + 1` to `to`, as the account has them.
    ///
    /// # Errors
    /// When the queue has not got that far, or the ring has lost the first of them.
    pub fn entries(&self, from: u64, to: u64) -> Result<&[RingEntry], RingError> {
        let length = self.end.position;
        if from > to || to > length {
            return Err(RingError::Range { from, to, length });
        }
        let oldest = length - self.ring.len() as u64 + 1;
        match from.checked_sub(oldest - 1) {
            Some(skipped) => Ok(&self.ring[skipped as usize..(to + 1 - oldest) as usize]),
            None if from == to => Ok(&[]),
            None => Err(RingError::Gone { wanted: from + 1, oldest }),
        }
    }

    /// The entries that lead from `cursor` to position `to`, each checked to chain to the one before: what whoever knows
    /// the queue up to `cursor` has to apply next.
    ///
    /// # Errors
    /// As [`Self::entries`], and when they do not continue from `cursor`.
    pub fn entries_from(&self, cursor: &QueueCursor, to: u64) -> Result<&[RingEntry], RingError> {
        let entries = self.entries(cursor.position, to)?;
        entries.iter().try_fold(*cursor, |before, entry| match before.push(&entry.entry) {
            after if after == entry.cursor => Ok(after),
            after => Err(RingError::Broken(after.position)),
        })?;
        Ok(entries)
    }

    /// The digest at `position`, where the ring still has it.
    #[must_use]
    pub fn cursor_at(&self, position: u64) -> Option<QueueCursor> {
        if position == self.end.position {
            return Some(self.end);
        }
        let entry = self.entries(position.checked_sub(1)?, position).ok()?.first()?;
        Some(entry.cursor)
    }
}

fn entry(reader: &mut Reader<'_>, position: u64) -> Result<RingEntry, AccountError> {
    let digest = reader.digest("ring digest")?;
    let slot = reader.word("ring slot")?;
    let kind = EntryKind::from_code(reader.half("ring kind")?.into());
    let kind = kind.ok_or(reader.invalid("ring kind", "it is not that of a registration, rotation or deactivation"))?;
    let node_index = reader.half("ring node_index")?;
    let key = ReceiptKey::from_bytes(reader.bytes("ring key")?);
    let key = key.map_err(|_| reader.invalid("ring key", "a word is not canonical"))?;
    let entry = QueueEntry::new(kind, node_index, key)
        .map_err(|_| reader.invalid("ring", "an entry's node_index or key is not one of its kind"))?;
    Ok(RingEntry { cursor: QueueCursor { position, digest }, slot, entry })
}

//! The `Queue` account.

use super::reader::Reader;
use super::{AccountError, QUEUE};
use crate::{Address, QUEUE_RING};
use alloc::vec::Vec;
use cairn_types::QueueCursor;

/// A digest of the queue that the chain still knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Position and digest.
    pub cursor: QueueCursor,
    /// When it was added.
    pub slot: u64,
}

/// A rollup's registration queue, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The rollup it belongs to.
    pub rollup: Address,
    /// Entries so far, and the digest of the last.
    pub end: QueueCursor,
    /// The digests that a batch may consume up to, oldest first: at most [`QUEUE_RING`], position 0 being the genesis.
    pub known: Vec<QueueEntry>,
}

impl Queue {
    /// Reads an account that belongs to the program.
    ///
    /// # Errors
    /// When the bytes are not a `Queue`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(QUEUE, data)?;
        let rollup = reader.address("rollup")?;
        let length = reader.word("length")?;
        let digest = reader.digest("digest")?;
        let mut digests = Vec::with_capacity(QUEUE_RING);
        for _ in 0..QUEUE_RING {
            digests.push(reader.digest("digests")?);
        }
        let mut slots = Vec::with_capacity(QUEUE_RING);
        for _ in 0..QUEUE_RING {
            let [a, b, c, d, e, f] = reader.bytes("slots")?;
            slots.push(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
        }
        let ring = QUEUE_RING as u64;
        let known = (length.saturating_sub(ring - 1)..=length)
            .map(|position| {
                let place = (position % ring) as usize;
                let cursor = QueueCursor { position, digest: digests[place] };
                QueueEntry { cursor, slot: slots[place] }
            })
            .collect::<Vec<_>>();
        if known.last().map(|entry| entry.cursor.digest) != Some(digest) {
            return Err(reader.invalid("digest", "it is not the ring's last"));
        }
        Ok(Self { rollup, end: QueueCursor { position: length, digest }, known })
    }
}

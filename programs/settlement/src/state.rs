//! Accounts, as they lie in memory: fixed offsets, no padding, read and written in place.
//!
//! `cairn_interface` documents and parses the same layouts; the sizes are compared at compile time, the fields by the
//! program's tests.

use anchor_lang::bytemuck::{Pod, Zeroable};
use anchor_lang::prelude::*;
use cairn_interface::{BATCH, QUEUE, QUEUE_RING, ROLLUP, layout};
use cairn_types::{Cursor, Digest, HEADER_WORDS, QueueCursor};

/// Four words of a digest.
pub type Words = [u64; 4];

/// [`Cursor`] as plain words.
#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct CursorWords {
    pub batches: u64,
    pub header_digest: Words,
    pub state_root: Words,
    pub queue_position: u64,
    pub queue_digest: Words,
}

impl From<&Cursor> for CursorWords {
    fn from(cursor: &Cursor) -> Self {
        Self {
            batches: cursor.batches,
            header_digest: cursor.header_digest.words(),
            state_root: cursor.state_root.words(),
            queue_position: cursor.queue.position,
            queue_digest: cursor.queue.digest.words(),
        }
    }
}

#[account]
pub struct Rollup {
    pub admin: [u8; 32],
    pub sequencer: [u8; 32],
    pub acknowledgement_key: [u8; 32],
    pub genesis_hash: [u8; 32],
    pub rollup_id: Words,
    pub circuit_id: [u8; 32],
    pub settled: CursorWords,
    pub tip: CursorWords,
    pub id: u64,
    pub generation: u64,
    pub max_pending: u64,
    pub reserved: [u64; 15],
    pub profile: u8,
    pub paused: u8,
    pub bump: u8,
    pub queue_bump: u8,
    pub padding: [u8; 4],
}

#[account]
pub struct Queue {
    pub rollup: [u8; 32],
    pub length: u64,
    pub digest: Words,
    pub digests: [Words; QUEUE_RING],
    pub slots: [[u8; layout::RING_SLOT]; QUEUE_RING],
}

impl Queue {
    /// Puts the digest at the queue's current length into the ring.
    pub fn record(&mut self, digest: &Digest, slot: u64) {
        let place = self.length as usize % QUEUE_RING;
        self.digest = digest.words();
        self.digests[place] = digest.words();
        let mut bytes = [0; layout::RING_SLOT];
        bytes.copy_from_slice(&slot.to_le_bytes()[..layout::RING_SLOT]);
        self.slots[place] = bytes;
    }

    /// The digest at `position`, if the queue has got there and the ring still has it.
    pub fn digest_at(&self, position: u64) -> Option<&Words> {
        let behind = self.length.checked_sub(position)?;
        if behind >= QUEUE_RING as u64 {
            return None;
        }
        self.digests.get(position as usize % QUEUE_RING)
    }
}

#[account]
pub struct Batch {
    pub rollup: [u8; 32],
    pub payer: [u8; 32],
    pub number: u64,
    pub generation: u64,
    pub slot: u64,
    pub time: i64,
    pub attestations: u64,
    pub digest: Words,
    pub header: [u64; HEADER_WORDS],
}

const _: () = {
    assert!(layout::DISCRIMINATOR + size_of::<Rollup>() == ROLLUP.size);
    assert!(layout::DISCRIMINATOR + size_of::<Queue>() == QUEUE.size);
    assert!(layout::DISCRIMINATOR + size_of::<Batch>() == BATCH.size);
    assert!(size_of::<CursorWords>() == layout::CURSOR);
};

/// Whether a header's queue cursor is at these words.
pub fn is_at(cursor: &QueueCursor, position: u64, digest: &Words) -> bool {
    cursor.position == position && cursor.digest.words() == *digest
}

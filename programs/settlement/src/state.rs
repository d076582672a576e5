//! Accounts, as they lie in memory: fixed offsets, no padding, read and written in place.
//!
//! `cairn_interface` documents and parses the same layouts; the sizes are compared at compile time, the fields by the
//! program's tests.

use crate::fail::{ensure, refusal};
use anchor_lang::Discriminator;
use anchor_lang::bytemuck::{self, Pod, Zeroable};
use anchor_lang::prelude::*;
use cairn_interface::{BATCH, MAX_BLOB_LOCATION_BYTES, NODE, ROLLUP, SettlementError, layout};
use cairn_types::{Cursor, HEADER_WORDS, KEY_WORDS, QueueCursor};

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
    pub registrar: [u8; 32],
    pub settled: CursorWords,
    pub tip: CursorWords,
    pub id: u64,
    pub generation: u64,
    pub max_pending: u64,
    pub bond: u64,
    pub queue_deadline: u64,
    pub paused_until: i64,
    pub overdue_batches: u32,
    pub settled_overdue_batches: u32,
    pub settled_slot: u64,
    pub reserved: [u64; layout::ROLLUP_RESERVED / 8],
    pub profile: u8,
    pub bump: u8,
    pub queue_bump: u8,
    pub blob_location_length: u8,
    pub padding: [u8; 4],
    /// In eights, because bytemuck knows arrays of few lengths.
    pub blob_location: [[u8; 8]; MAX_BLOB_LOCATION_BYTES / 8],
}

impl Rollup {
    /// The queue position up to which entries count as consumed: their places in the ring are free again. Up to the settled
    /// cursor and not the tip, since an abandoned batch has to find its entries again.
    pub fn consumed_position(&self) -> u64 {
        self.settled.queue_position
    }

    /// Whether batches and registrations are refused at this time.
    pub fn is_paused(&self, clock: &Clock) -> bool {
        clock.unix_timestamp < self.paused_until
    }
}

#[account]
pub struct Node {
    pub rollup: [u8; 32],
    pub authority: [u8; 32],
    pub payer: [u8; 32],
    pub receipt_key: [u64; KEY_WORDS],
    pub registered_slot: u64,
    pub bond: u64,
    pub last_position: u64,
    pub index: u32,
    pub last_kind: u8,
    pub bump: u8,
    pub padding: [u8; 2],
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
    pub status: u32,
    pub overdue_batches: u32,
    pub settled_slot: u64,
    pub digest: Words,
    pub header: [u64; HEADER_WORDS],
}

const _: () = {
    assert!(layout::DISCRIMINATOR + size_of::<Rollup>() == ROLLUP.size);
    assert!(layout::DISCRIMINATOR + size_of::<Node>() == NODE.size);
    assert!(layout::DISCRIMINATOR + size_of::<Batch>() == BATCH.size);
    assert!(size_of::<CursorWords>() == layout::CURSOR);
};

/// The account as what it has to be, which this program has made; refuses with `otherwise`.
pub fn load<'a, T: Discriminator + bytemuck::Pod>(
    account: &AccountView,
    data: &'a [u8],
    otherwise: SettlementError,
) -> Result<&'a T> {
    ensure(account.owned_by(&crate::ID), otherwise)?;
    let body = data.strip_prefix(T::DISCRIMINATOR).ok_or(refusal(otherwise))?;
    bytemuck::try_from_bytes(body).map_err(|_| refusal(otherwise))
}

/// Whether a header's queue cursor is at these words.
pub fn is_at(cursor: &QueueCursor, position: u64, digest: &Words) -> bool {
    cursor.position == position && cursor.digest.words() == *digest
}

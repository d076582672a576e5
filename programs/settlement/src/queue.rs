//! The registration queue's account: a head, and a ring of the last entries, whole.
//!
//! It is longer than one instruction can make an account, so that it is grown after it was created. It is read through
//! [`open`] and [`open_mut`], which refuse it before it has its full size, and not by Anchor, which looks at an account's
//! beginning only.

use crate::fail::{ensure, refusal};
use crate::state::{Rollup, Words};
use anchor_lang::bytemuck::{self, Pod, Zeroable};
use anchor_lang::prelude::*;
use cairn_interface::{QUEUE, QUEUE_RING, SettlementError, layout};
use cairn_types::{Digest, KEY_WORDS, QueueCursor, QueueEntry};

const RING: u64 = QUEUE_RING as u64;

/// What the account begins with.
#[account]
pub struct Queue {
    pub rollup: [u8; 32],
    pub length: u64,
    pub digest: Words,
    pub nodes: u64,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct Entry {
    pub digest: Words,
    pub slot: u64,
    pub kind: u32,
    pub node_index: u32,
    pub key: [u64; KEY_WORDS],
}

/// The account at its full size. The entry at position `p`, from 1, is at place `p % 256`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct FullQueue {
    pub head: Queue,
    ring: [Entry; QUEUE_RING],
}

const _: () = {
    assert!(size_of::<Queue>() == layout::QUEUE_HEAD);
    assert!(size_of::<Entry>() == layout::RING_ENTRY);
    assert!(layout::DISCRIMINATOR + size_of::<FullQueue>() == QUEUE.size);
};

/// The queue of the rollup at `rollup`, from an account and its bytes.
#[inline(never)]
pub fn open<'a>(account: &AccountView, data: &'a [u8], rollup: &Address) -> Result<&'a FullQueue> {
    ensure(account.owned_by(&crate::ID), SettlementError::WrongQueue)?;
    let body = data.strip_prefix(Queue::DISCRIMINATOR).ok_or(refusal(SettlementError::WrongQueue))?;
    let queue: &FullQueue = bytemuck::try_from_bytes(body).map_err(|_| refusal(SettlementError::UnextendedQueue))?;
    ensure(queue.head.rollup == *rollup.as_array(), SettlementError::WrongQueue)?;
    Ok(queue)
}

/// As [`open`], to append to.
pub fn open_mut<'a>(account: &AccountView, data: &'a mut [u8], rollup: &Address) -> Result<&'a mut FullQueue> {
    open(account, data, rollup)?;
    let body = data.get_mut(layout::DISCRIMINATOR..).unwrap_or_default();
    bytemuck::try_from_bytes_mut(body).map_err(|_| refusal(SettlementError::UnextendedQueue))
}

impl FullQueue {
    /// The entry at `position`, if the queue has got there and the ring still has it.
    pub fn at(&self, position: u64) -> Option<&Entry> {
        let behind = self.head.length.checked_sub(position)?;
        if position == 0 || behind >= RING {
            return None;
        }
        self.ring.get((position % RING) as usize)
    }

    /// Refuses when as many entries wait to be consumed as `limit`, which is at most the size of the ring: no entry is
    /// overwritten before it is consumed.
    pub fn check_room(&self, rollup: &Rollup, limit: u64) -> Result<()> {
        let waiting = self.head.length.saturating_sub(rollup.consumed_position());
        ensure(waiting < limit.min(RING), SettlementError::QueueFull)
    }

    /// Appends an entry, for which there has to be room. Gives its position.
    #[inline(never)]
    pub fn append(&mut self, entry: &QueueEntry, slot: u64) -> Result<u64> {
        let digest = Digest::from_words(self.head.digest).map_err(|_| refusal(SettlementError::WrongQueue))?;
        let end = QueueCursor { position: self.head.length, digest }.push(entry);
        self.head.length = end.position;
        self.head.digest = end.digest.words();
        if let Some(place) = self.ring.get_mut((end.position % RING) as usize) {
            *place = Entry {
                digest: end.digest.words(),
                slot,
                kind: entry.kind as u32,
                node_index: entry.node_index,
                key: entry.key.words(),
            };
        }
        Ok(end.position)
    }
}

//! Where a rollup stands: what the next batch must continue from.

use crate::hash::queue_genesis;
use crate::{Digest, EMPTY_STATE_ROOT};
use borsh::{BorshDeserialize, BorshSerialize};

/// A position in the registration queue and the digest of the chain of entries up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct QueueCursor {
    /// Entries so far.
    pub position: u64,
    /// `digest_p`, or the genesis digest at position 0.
    pub digest: Digest,
}

/// What a batch continues from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Cursor {
    /// Batches so far, which is the number of the next one.
    pub batches: u64,
    /// Digest of the last header; zero before batch 0.
    pub header_digest: Digest,
    /// Root of the account tree.
    pub state_root: Digest,
    /// Consumed part of the registration queue.
    pub queue: QueueCursor,
}

impl Cursor {
    /// Before batch 0.
    #[must_use]
    pub fn genesis(rollup_id: &Digest) -> Self {
        Self {
            batches: 0,
            header_digest: Digest::ZERO,
            state_root: EMPTY_STATE_ROOT,
            queue: QueueCursor { position: 0, digest: queue_genesis(rollup_id) },
        }
    }
}

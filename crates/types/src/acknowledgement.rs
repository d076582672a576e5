//! What a sequencer signs when it takes a bundle.

use crate::Digest;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// First bytes of the signed message.
const CONTEXT: &[u8] = b"cairn v1 ack";

/// A promise: this bundle is durably at this place in the log, and settles by this slot.
///
/// Two of them for different bundles at one log index, or one whose slot has passed, show a broken promise to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Acknowledgement {
    /// The rollup.
    pub rollup_id: Digest,
    /// Bundles in the sequencer's log before it.
    pub log_index: u64,
    /// The node.
    pub node_index: u32,
    /// The bundle's sequence.
    pub sequence: u64,
    /// The bundle's digest.
    pub bundle_digest: Digest,
    /// The last slot in which its batch settles, if the sequencer keeps its word.
    pub settle_by_slot: u64,
}

impl Acknowledgement {
    /// Length of the signed message in bytes.
    pub const MESSAGE_BYTES: usize = CONTEXT.len() + 32 + 8 + 4 + 8 + 32 + 8;

    /// The message that the acknowledgement key signs with ed25519: the context, then every field in order, integers
    /// little-endian.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(Self::MESSAGE_BYTES);
        message.extend_from_slice(CONTEXT);
        self.serialize(&mut message).expect("borsh to memory");
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_the_message() {
        let ack = Acknowledgement {
            rollup_id: Digest::constant([1; 4]),
            log_index: 2,
            node_index: 3,
            sequence: 4,
            bundle_digest: Digest::constant([5; 4]),
            settle_by_slot: 6,
        };
        assert_eq!(ack.message().len(), Acknowledgement::MESSAGE_BYTES);
        for other in [
            Acknowledgement { rollup_id: Digest::ZERO, ..ack },
            Acknowledgement { log_index: 0, ..ack },
            Acknowledgement { node_index: 0, ..ack },
            Acknowledgement { sequence: 0, ..ack },
            Acknowledgement { bundle_digest: Digest::ZERO, ..ack },
            Acknowledgement { settle_by_slot: 0, ..ack },
        ] {
            assert_ne!(other.message(), ack.message());
        }
    }
}

//! Slots, block heights and blockhashes of the embedded chain: functions of its genesis and the time.

use crate::{BLOCKHASH_SLOTS, Blockhash, SLOT_MILLISECONDS};
use borsh::{BorshDeserialize, BorshSerialize};

/// What the chain began with; never changes.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Genesis {
    /// Random: tells this chain from every other.
    pub hash: [u8; 32],
    /// First slot.
    pub slot: u64,
    /// When that was, in milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

impl Genesis {
    /// The slot that the time says; slots pass whether or not anybody sends a transaction.
    pub fn slot_at(&self, unix_ms: i64) -> u64 {
        let elapsed = u64::try_from(unix_ms.saturating_sub(self.unix_ms)).unwrap_or(0);
        self.slot.saturating_add(elapsed / SLOT_MILLISECONDS)
    }

    /// Every slot has a block here, so height is what has passed since genesis.
    pub fn height_of(&self, slot: u64) -> u64 {
        slot.saturating_sub(self.slot)
    }

    /// The blockhash of a slot.
    pub fn blockhash_of(&self, slot: u64) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("cairn v1 embedded blockhash");
        hasher.update(&self.hash);
        hasher.update(&slot.to_be_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The blockhash that a client gets at `slot`.
    pub fn blockhash_at(&self, slot: u64) -> Blockhash {
        Blockhash {
            hash: self.blockhash_of(slot),
            last_valid_block_height: self.height_of(slot.saturating_add(BLOCKHASH_SLOTS)),
        }
    }

    /// Whether a transaction executing in `slot` may name `hash`: one of that slot or of the 150 before it.
    pub fn is_recent(&self, hash: &[u8; 32], slot: u64) -> bool {
        let oldest = slot.saturating_sub(BLOCKHASH_SLOTS).max(self.slot);
        (oldest..=slot).rev().any(|recent| self.blockhash_of(recent) == *hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> Genesis {
        Genesis { hash: [3; 32], slot: 1_000, unix_ms: 50_000 }
    }

    #[test]
    fn a_slot_passes_every_400_milliseconds_and_none_before_genesis() {
        let genesis = genesis();
        assert_eq!(genesis.slot_at(0), 1_000);
        assert_eq!(genesis.slot_at(50_399), 1_000);
        assert_eq!(genesis.slot_at(50_400), 1_001);
        assert_eq!(genesis.slot_at(50_000 + 86_400_000), 1_000 + 216_000);
    }

    #[test]
    fn a_blockhash_is_recent_for_150_slots_and_never_from_the_future_or_another_chain() {
        let genesis = genesis();
        let hash = genesis.blockhash_of(2_000);
        assert!(genesis.is_recent(&hash, 2_000));
        assert!(genesis.is_recent(&hash, 2_150));
        assert!(!genesis.is_recent(&hash, 2_151));
        assert!(!genesis.is_recent(&hash, 1_999));
        let other = Genesis { hash: [4; 32], ..genesis.clone() };
        assert!(!genesis.is_recent(&other.blockhash_of(2_000), 2_000));
        let offered = genesis.blockhash_at(2_000);
        assert_eq!((offered.hash, offered.last_valid_block_height), (hash, 1_150));
    }
}

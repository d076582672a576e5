//! `H_kind`: the tagged sponge over Poseidon-Goldilocks.

use crate::Digest;
use cairn_goldilocks::sponge;

/// What is hashed. Each kind has one fixed input length, and its own tag in the sponge's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A leaf: 8 words.
    Leaf = 1,
    /// An inner node: two digests, 8 words.
    Node = 2,
    /// A bundle: 14 words.
    Bundle = 3,
    /// An account: 8 words.
    Account = 4,
    /// A batch header: 48 words.
    Header = 5,
    /// A registration queue entry: 12 words.
    Queue = 6,
    /// A signature challenge: 14 words.
    Challenge = 7,
}

/// "CAIRN1" and two zero bytes, to which the kind is added.
const TAG: u64 = 0x4341_4952_4e31_0000;

impl Kind {
    /// The capacity tag, which starts in lane 8.
    #[must_use]
    pub const fn tag(self) -> u64 {
        TAG + self as u64
    }

    /// The one input length of this kind, in words.
    #[must_use]
    pub const fn input_words(self) -> usize {
        match self {
            Self::Leaf | Self::Node | Self::Account => 8,
            Self::Queue => 12,
            Self::Bundle | Self::Challenge => 14,
            Self::Header => 48,
        }
    }
}

/// The digest of `words`, which must be canonical and as many as [`Kind::input_words`] says.
///
/// [`sponge`] says how; the kind's tag and its one length keep every kind's digests apart.
///
/// # Panics
/// When the number of words is not that of the kind: lengths are fixed by the caller's types, never by data.
#[must_use]
pub fn hash(kind: Kind, words: &[u64]) -> Digest {
    assert_eq!(words.len(), kind.input_words(), "input length of H_{kind:?}");
    Digest::constant(sponge(kind.tag(), words))
}

/// `H_node(left, right)`.
#[must_use]
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let ([a, b, c, d], [e, f, g, h]) = (left.words(), right.words());
    hash(Kind::Node, &[a, b, c, d, e, f, g, h])
}

/// Digest at position 0 of a rollup's registration queue: an entry of kind 0 chained to the rollup's own identity.
#[must_use]
pub fn queue_genesis(rollup_id: &Digest) -> Digest {
    let mut words = [0; 12];
    words[..4].copy_from_slice(&rollup_id.words());
    hash(Kind::Queue, &words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_goldilocks::poseidon;

    #[test]
    fn the_same_words_under_two_kinds_have_two_digests() {
        let words = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_ne!(hash(Kind::Leaf, &words), hash(Kind::Node, &words));
        assert_ne!(hash(Kind::Leaf, &words), hash(Kind::Account, &words));
    }

    #[test]
    #[should_panic(expected = "input length")]
    fn another_length_is_a_bug_of_the_caller() {
        let _ = hash(Kind::Leaf, &[1, 2, 3]);
    }

    #[test]
    fn later_blocks_overwrite_and_are_zero_filled() {
        let mut words = [0; 12];
        words[8] = 5;
        let mut state = [0; 12];
        state[8] = Kind::Queue.tag();
        poseidon(&mut state);
        state[..8].fill(0);
        state[0] = 5;
        poseidon(&mut state);
        assert_eq!(hash(Kind::Queue, &words).words(), state[..4]);
    }
}

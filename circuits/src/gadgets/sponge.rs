//! `H_kind` in a circuit: the tagged Poseidon sponge.
//!
//! **What it proves**: the four outputs are `cairn_types::hash(kind, words)`, its native twin. **What it does not**:
//! anything about the words; a kind has one input length, fixed when the circuit is built.
//!
//! One row per block of eight words. Overwriting lanes 0 to 7 costs no row, since their old values are dropped.

use crate::plonk::{Builder, DigestTarget, F};
use cairn_types::Kind;
use plonky2::field::types::Field;
use plonky2::hash::hashing::PlonkyPermutation;
use plonky2::hash::poseidon::{PoseidonHash, PoseidonPermutation};
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::plonk::config::AlgebraicHasher;

/// Constrains the digest of `words`.
///
/// # Panics
/// When the number of words is not that of `kind`.
pub fn hash(builder: &mut Builder, kind: Kind, words: &[Target]) -> DigestTarget {
    assert_eq!(words.len(), kind.input_words(), "input length of H_{kind:?}");
    let zero = builder.zero();
    let mut state = [zero; 12];
    state[8] = builder.constant(F::from_canonical_u64(kind.tag()));
    for block in words.chunks(8) {
        state[..8].fill(zero);
        state[..block.len()].copy_from_slice(block);
        let permuted = builder.permute::<PoseidonHash>(PoseidonPermutation::new(state));
        state.copy_from_slice(permuted.as_ref());
    }
    [state[0], state[1], state[2], state[3]]
}

/// `H_node(left, right)`.
pub fn node(builder: &mut Builder, left: DigestTarget, right: DigestTarget) -> DigestTarget {
    let ([a, b, c, d], [e, f, g, h]) = (left, right);
    hash(builder, Kind::Node, &[a, b, c, d, e, f, g, h])
}

/// `H_node(one, other)`, or `H_node(other, one)` where `swapped`: the Poseidon gate has a wire for that, which it holds to be
/// 0 or 1.
pub fn node_swapped(
    builder: &mut Builder,
    swapped: BoolTarget,
    one: DigestTarget,
    other: DigestTarget,
) -> DigestTarget {
    let zero = builder.zero();
    let tag = builder.constant(F::from_canonical_u64(Kind::Node.tag()));
    let mut state = [zero; 12];
    state[..4].copy_from_slice(&one);
    state[4..8].copy_from_slice(&other);
    state[8] = tag;
    let permuted = PoseidonHash::permute_swapped(PoseidonPermutation::new(state), swapped, builder);
    let lanes = permuted.as_ref();
    [lanes[0], lanes[1], lanes[2], lanes[3]]
}

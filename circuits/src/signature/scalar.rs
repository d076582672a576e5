//! The signature's two numbers in a circuit: s below the group's order, and e the challenge's.
//!
//! **What it proves**: six words of 60 bits are a number below n; four words of 60 bits, the upper 28 bits of each being known, are the four
//! elements of a challenge modulo `2^60`. **What it does not**: that the words have these bits; the chain shows that.

use super::chain::{CHALLENGE_WORDS, SCALAR_WORDS, UPPER_BITS, WORD_BITS};
use super::generators::ChallengeGenerator;
use crate::Clause;
use crate::gadgets::Enforcer;
use crate::plonk::{Builder, DigestTarget, F};
use plonky2::field::types::Field;
use plonky2::iop::target::Target;

/// The order n of the group in words of 60 bits, lowest first.
pub(super) const ORDER: [u64; SCALAR_WORDS] = [
    580_922_117_714_608_097,
    614_112_005_200_677_326,
    1_152_893_809_450_170_856,
    1_152_657_621_816_272_895,
    1_152_217_817_165_561_855,
    524_287,
];

/// Bits of an element above its word of the challenge.
pub(super) const TOP_BITS: usize = 64 - WORD_BITS;

/// The highest word in which a number differs from the order, and the lowest word if none does.
pub(super) fn deciding_word(words: [u64; SCALAR_WORDS]) -> usize {
    (0..SCALAR_WORDS).rev().find(|&word| words[word] != ORDER[word]).unwrap_or(0)
}

/// Constrains `words` to be below the order; returns flags, one of which, that of the deciding word, must be 1, the others 0.
pub(super) fn below_order(
    builder: &mut Builder,
    enforcer: &mut Enforcer,
    words: [Target; SCALAR_WORDS],
) -> [Target; SCALAR_WORDS] {
    let clause = Clause::ScalarCanonical;
    let flags: [Target; SCALAR_WORDS] = builder.add_virtual_target_arr();
    let (zero, one) = (builder.zero(), builder.one());
    // Number of flags below a word, and by how much the flagged word is below the order's.
    let (mut below, mut margin) = (zero, zero);
    for (word, (&value, flag)) in words.iter().zip(flags).enumerate() {
        enforcer.bit(builder, clause, flag);
        let order = builder.constant(F::from_canonical_u64(ORDER[word]));
        let missing = builder.sub(order, value);
        enforcer.zero_if(builder, clause, below, missing);
        let beyond = builder.sub(missing, one);
        margin = builder.mul_add(flag, beyond, margin);
        below = builder.add(below, flag);
    }
    let none = builder.sub(below, one);
    enforcer.zero(builder, clause, none);
    let margin = enforcer.bind_one(builder, clause, margin);
    builder.range_check(margin, WORD_BITS);
    flags
}

/// A challenge's split in a circuit.
#[derive(Debug)]
pub struct ChallengeTarget {
    /// Of each element, the four bits above its word, lowest first.
    pub top_bits: [[Target; TOP_BITS]; CHALLENGE_WORDS],
    /// Of each element, the inverse of what its upper 32 bits lack of all ones.
    pub inverses: [Target; CHALLENGE_WORDS],
}

impl ChallengeTarget {
    /// Constrains `words`, whose upper bits are `upper`, to be the elements of `challenge` modulo `2^60`; `bits` are the wires of the
    /// words' bits, lowest first, which are filled from the challenge.
    ///
    /// An element is `word + 2^60·top` with `top` of four bits; that number is below p, and so the element's own, if its lower 32
    /// bits are zero or its upper 32 are not all ones.
    pub fn constrain(
        builder: &mut Builder,
        enforcer: &mut Enforcer,
        challenge: DigestTarget,
        words: [Target; CHALLENGE_WORDS],
        upper: [Target; CHALLENGE_WORDS],
        bits: Vec<Target>,
    ) -> Self {
        let top_bits: [[Target; TOP_BITS]; CHALLENGE_WORDS] = std::array::from_fn(|_| builder.add_virtual_target_arr());
        let inverses: [Target; CHALLENGE_WORDS] = builder.add_virtual_target_arr();
        let one = builder.one();
        let power = |bits: usize| F::from_canonical_u64(1 << bits);
        for element in 0..CHALLENGE_WORDS {
            let mut top = builder.zero();
            for &bit in top_bits[element].iter().rev() {
                enforcer.bit(builder, Clause::ChallengeSplit, bit);
                top = builder.mul_const_add(F::TWO, top, bit);
            }
            let number = builder.mul_const_add(power(WORD_BITS), top, words[element]);
            let difference = builder.sub(number, challenge[element]);
            enforcer.zero(builder, Clause::ChallengeSplit, difference);

            let lower = builder.mul_const_add(-power(32), upper[element], words[element]);
            let upper = builder.mul_const_add(power(UPPER_BITS), top, upper[element]);
            let missing = builder.add_const(upper, -F::from_canonical_u64(u32::MAX.into()));
            let all_ones = builder.mul_sub(missing, inverses[element], one);
            enforcer.zero_if(builder, Clause::ChallengeCanonical, all_ones, lower);
        }
        builder.add_simple_generator(ChallengeGenerator { challenge, bits, top_bits, inverses });
        Self { top_bits, inverses }
    }
}

//! How a forged signature is tried.

use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::samples::{self, Given, Slot, assign, build};
use cairn_circuits::plonk::F;
use cairn_circuits::{Clause, Clauses};
use cairn_schnorr::point::{Affine, Point};
use cairn_schnorr::quintic::Quintic;
use cairn_schnorr::scalar::Scalar;
use cairn_types::ReceiptSignature;
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;

/// A forger's changes of the witness.
pub type Inputs = PartialWitness<F>;

/// Generates `given`, changed by `tamper`, in a circuit without `clause`, and shows that the full one refuses the same wires.
pub fn attack(clause: Clause, given: &Given, tamper: impl FnOnce(&Slot, &mut Inputs)) {
    attack_in(Clauses::ALL, clause, given, tamper);
}

/// As [`attack`], in circuits that do not look at what a signature's equation comes to: for constraints without which a forger
/// would still have to find a solution of it.
pub fn attack_whatever_the_outcome(clause: Clause, given: &Given, tamper: impl FnOnce(&Slot, &mut Inputs)) {
    attack_in(Clauses::without(Clause::SignatureEquation), clause, given, tamper);
}

fn attack_in(clauses: Clauses, clause: Clause, given: &Given, tamper: impl FnOnce(&Slot, &mut Inputs)) {
    let full = build(clauses);
    let lenient = build(clauses.and_without(clause));
    let mut witness = assign(&lenient.target, given);
    // Where a chain or a word starts is the same for all signatures; what else is left free, the forger fills.
    let of_any = samples::full();
    let honest = Wires::generate(&of_any.circuit, assign(&of_any.target, &samples::signed(1, [0; 4])));
    fill_free(&mut witness, &lenient.target.free, &of_any.circuit, &honest);
    tamper(&lenient.target, &mut witness);
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(clause, &full.circuit, &lenient.circuit, &forged);
}

pub fn nothing(_: &Slot, _: &mut Inputs) {}

pub fn number(value: u64) -> F {
    F::from_noncanonical_u64(value)
}

/// Overwrites several targets.
pub fn set_all(witness: &mut Inputs, targets: impl IntoIterator<Item = Target>, values: impl IntoIterator<Item = F>) {
    targets.into_iter().zip(values).for_each(|(target, value)| set(witness, target, value));
}

/// A signature of these parts, which need not be one.
pub fn signature(nonce: [u64; 5], scalar: [u64; 5]) -> Option<ReceiptSignature> {
    let mut bytes = [0; 80];
    for (chunk, word) in bytes.as_chunks_mut().0.iter_mut().zip(nonce.into_iter().chain(scalar)) {
        *chunk = word.to_le_bytes();
    }
    Some(ReceiptSignature::from_bytes(bytes))
}

/// The two parts of a signature.
pub fn parts(given: &Given) -> ([u64; 5], [u64; 5]) {
    let signature = given.signature.expect("a signature");
    let words: Vec<u64> = signature.as_bytes().as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    (std::array::from_fn(|index| words[index]), std::array::from_fn(|index| words[5 + index]))
}

/// A scalar whose words are `seed`'s, short enough to be below the order.
pub fn scalar(seed: u64) -> Scalar {
    let word = |index: u64| blake_word(seed, index);
    Scalar::from_words([word(0), word(1), word(2), word(3), word(4) >> 2]).unwrap()
}

fn blake_word(seed: u64, index: u64) -> u64 {
    // Any spread of bits will do.
    (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
        .wrapping_mul(0xff51_afd7_ed55_8ccd)
}

/// The encoding of `s·G - e·K`, for which nobody's secret is needed.
pub fn commitment(s: Scalar, e: Scalar, key: [u64; 5]) -> [u64; 5] {
    let key = Affine::decode(Quintic::new(key).unwrap()).unwrap();
    (Point::multiply_generator(&s) - Point::from(key).multiply(&e)).encode().words()
}

/// The words of 60 bits of a challenge, and of its elements the four bits above.
pub fn challenge_parts(nonce: [u64; 5], given: &Given) -> [(u64, u64); 4] {
    let elements =
        cairn_schnorr::challenge(Quintic::new(nonce).unwrap(), Quintic::new(given.key).unwrap(), &given.message);
    elements.map(|element| (element & ((1 << 60) - 1), element >> 60))
}

/// Lets the chain run with the bits of `e`.
pub fn set_challenge_bits(slot: &Slot, witness: &mut Inputs, e: Scalar) {
    let bits = (0..320).map(|index| F::from_bool(e.bit(index)));
    set_all(witness, slot.signature.chain.challenge_bits(), bits);
}

/// Fills the top bits of the challenge's elements, and the inverses that go with them and with the upper bits that accumulators show.
pub fn set_challenge_tops(slot: &Slot, witness: &mut Inputs, words: [u64; 4], tops: [u64; 4]) {
    let split = &slot.signature.challenge;
    for element in 0..4 {
        let bits = (0..4).map(|bit| number(tops[element] >> bit & 1));
        set_all(witness, split.top_bits[element], bits);
        let upper = (words[element] >> 32) + (tops[element] << 28);
        let missing = number(upper) - number(u32::MAX.into());
        set(witness, split.inverses[element], missing.try_inverse().unwrap_or_default());
    }
}

/// The encoding of the opposite of an encoded point.
pub fn negative(w: [u64; 5]) -> [u64; 5] {
    (-Quintic::new(w).unwrap()).words()
}

//! Numbers other than those that the signature and the challenge are.

use crate::attack::{
    attack, challenge_parts, commitment, number, parts, scalar, set_all, set_challenge_bits, set_challenge_tops,
    signature,
};
use crate::forgery::set;
use crate::samples::{Given, Slot, secret_scalar, signed};
use cairn_circuits::Clause;
use cairn_circuits::plonk::F;
use cairn_circuits::signature::double_add::STEPS_PER_ROW;
use cairn_schnorr::scalar::{ORDER, Scalar};
use plonky2::field::types::Field;

const MESSAGE: [u64; 4] = [21, 22, 23, 24];
const ROWS_OF_WORD: usize = 60 / STEPS_PER_ROW;
const ROWS_OF_UPPER: usize = 28 / STEPS_PER_ROW;

fn plus_order(s: [u64; 5]) -> [u64; 5] {
    let mut carry = 0;
    std::array::from_fn(|index| {
        let sum = u128::from(s[index]) + u128::from(ORDER[index]) + carry;
        carry = sum >> 64;
        sum as u64
    })
}

#[test]
fn a_scalar_with_the_order_added() {
    let given = signed(1, MESSAGE);
    let (nonce, s) = parts(&given);
    let given = Given { signature: signature(nonce, plus_order(s)), ..given };
    // Whichever word is said to decide, and if none is.
    for flagged in 0..7 {
        attack(Clause::ScalarCanonical, &given, |slot, witness| {
            let flags = slot.signature.order_flags;
            set_all(witness, flags, (0..6).map(|word| number(u64::from(word == flagged))));
            let (_, margin) = slot.free.iter().find(|(clause, _)| *clause == Clause::ScalarCanonical).unwrap();
            set(witness, margin[0], number(0));
        });
    }
}

#[test]
fn a_scalar_past_the_order_with_flags_that_are_no_bits() {
    // n + 5 differs from n in the lowest word alone, so two flags that add up to 1 can make the margin 0. An empty slot lets
    // any scalar stand.
    let given = Given { key: [0; 5], message: MESSAGE, signature: None };
    let words = plus_order([5, 0, 0, 0, 0]);
    attack(Clause::ScalarCanonical, &given, |slot, witness| {
        let bits = (0..320).map(|index| number(words[index / 64] >> (index % 64) & 1));
        set_all(witness, slot.signature.chain.scalar_bits(), bits);
        let flag = -number(5).inverse();
        let flags = [flag, F::ONE - flag, F::ZERO, F::ZERO, F::ZERO, F::ZERO];
        set_all(witness, slot.signature.order_flags, flags);
        let (_, margin) = slot.free.iter().find(|(clause, _)| *clause == Clause::ScalarCanonical).unwrap();
        set(witness, margin[0], F::ZERO);
    });
}

fn challenge_scalar(nonce: [u64; 5], key: [u64; 5]) -> Scalar {
    let parts = challenge_parts(nonce, &Given { key, message: MESSAGE, signature: None });
    Scalar::from_challenge(&parts.map(|(word, _)| word))
}

/// A commitment to `s·G - e·K` for an `e` that is not the challenge's, and that e's words.
fn chosen() -> (Given, Scalar, [u64; 4]) {
    let key = signed(1, MESSAGE).key;
    let words = [91, 92 << 32, (1 << 60) - 1, 94];
    let (s, e) = (scalar(4), Scalar::from_challenge(&words));
    (Given { key, message: MESSAGE, signature: signature(commitment(s, e, key), s.words()) }, e, words)
}

#[test]
fn a_challenge_word_that_is_not_its_elements() {
    let (given, e, words) = chosen();
    attack(Clause::ChallengeSplit, &given, |slot, witness| {
        set_challenge_bits(slot, witness, e);
        set_challenge_tops(slot, witness, words, [0; 4]);
    });
}

#[test]
fn a_challenge_word_that_is_its_elements_with_top_bits_that_are_no_bits() {
    let (given, e, words) = chosen();
    let elements = challenge_parts(parts(&given).0, &given);
    attack(Clause::ChallengeSplit, &given, |slot, witness| {
        set_challenge_bits(slot, witness, e);
        let split = &slot.signature.challenge;
        for element in 0..4 {
            let (word, top) = elements[element];
            let lacking = number(word) + number(top) * number(1 << 60) - number(words[element]);
            let top = lacking / number(1 << 60);
            set_all(witness, split.top_bits[element], [top, number(0), number(0), number(0)]);
            let missing = number(words[element] >> 32) + top * number(1 << 28) - number(u32::MAX.into());
            set(witness, split.inverses[element], missing.inverse());
        }
    });
}

#[test]
fn accumulators_that_do_not_hold_the_bits() {
    let (given, e, _) = chosen();
    let elements = challenge_parts(parts(&given).0, &given);
    attack(Clause::SignatureAccumulators, &given, |slot, witness| {
        set_challenge_bits(slot, witness, e);
        for (element, (word, _)) in elements.into_iter().enumerate() {
            let [upper, lower] = ends_of_word(slot, element);
            set(witness, upper, number(word >> 32));
            set(witness, lower, number(word));
        }
    });
}

/// The challenge's accumulator after the upper bits of a word, and after the word.
fn ends_of_word(slot: &Slot, word: usize) -> [plonky2::iop::target::Target; 2] {
    let rows = &slot.signature.chain.rows;
    let start = rows.len() - (word + 1) * ROWS_OF_WORD;
    [start + ROWS_OF_UPPER, start + ROWS_OF_WORD].map(|end| rows[end - 1].after.challenge)
}

#[test]
fn a_word_that_does_not_start_from_zero() {
    let (given, e, words) = chosen();
    let elements = challenge_parts(parts(&given).0, &given);
    attack(Clause::SignatureWords, &given, |slot, witness| {
        set_challenge_bits(slot, witness, e);
        let starts: Vec<_> = slot.free.iter().filter(|(clause, _)| *clause == Clause::SignatureWords).collect();
        for (element, (word, top)) in elements.into_iter().enumerate() {
            let start = (number(word) - number(words[element])) / number(1 << 60);
            // Words are placed from the highest of six.
            set(witness, starts[5 - element].1[1], start);
            let upper = start * number(1 << 28) + number(words[element] >> 32) + number(top << 28);
            set(witness, slot.signature.challenge.inverses[element], (upper - number(u32::MAX.into())).inverse());
        }
    });
}

#[test]
fn a_challenge_longer_than_240_bits() {
    let (key, secret) = (signed(1, MESSAGE).key, secret_scalar(1));
    let r = scalar(6);
    let nonce = commitment(r, Scalar::ZERO, key);
    let e = challenge_scalar(nonce, key);
    for bit in [240, 299, 300, 318] {
        let mut words = e.words();
        words[bit / 64] |= 1 << (bit % 64);
        let longer = Scalar::from_words(words).unwrap();
        let given = Given { key, message: MESSAGE, signature: signature(nonce, (r + longer * secret).words()) };
        attack(Clause::ChallengeShort, &given, |slot, witness| set_challenge_bits(slot, witness, longer));
    }
}

#[test]
fn a_signature_with_the_scalar_of_an_honest_one_needs_no_forgery() {
    // The arithmetic of the attacks above makes a valid signature when nothing is forged.
    let (key, secret) = (signed(1, MESSAGE).key, secret_scalar(1));
    let r = scalar(5);
    let nonce = commitment(r, Scalar::ZERO, key);
    let s = r + challenge_scalar(nonce, key) * secret;
    let given = Given { key, message: MESSAGE, signature: signature(nonce, s.words()) };
    assert!(crate::verdicts::proves(&given));
}

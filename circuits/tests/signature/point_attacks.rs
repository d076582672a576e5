//! Keys that are no points of the group, and points that are not where the lines lead.

use crate::attack::{Inputs, attack, attack_whatever_the_outcome, challenge_parts, number, set_all, signature};
use crate::forgery::{Wires, set};
use crate::samples::{Given, Slot, assign, full, secret_scalar, signed};
use cairn_circuits::Clause;
use cairn_circuits::plonk::F;
use cairn_circuits::signature::double_add::{DoubleAddGate, STEPS_PER_ROW};
use cairn_circuits::signature::{OFFSET, Quintic};
use cairn_schnorr::point::Point;
use cairn_schnorr::scalar::Scalar;
use plonky2::field::extension::quintic::QuinticExtension;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::target::Target;

const MESSAGE: [u64; 4] = [31, 32, 33, 34];

fn quintic(words: [u64; 5]) -> Quintic {
    QuinticExtension(words.map(F::from_canonical_u64))
}

/// Puts `x = root²` in for the point of the key.
fn set_point(slot: &Slot, witness: &mut Inputs, root: Quintic) {
    set_all(witness, slot.signature.key.x, (root * root).0);
    set_all(witness, slot.signature.key.root, root.0);
}

#[test]
fn a_key_that_encodes_no_point() {
    let words = [5, 0, 0, 0, 0];
    assert!(cairn_schnorr::PublicKey::decode(words).is_err());
    let given = Given { key: words, ..signed(1, MESSAGE) };
    attack_whatever_the_outcome(Clause::KeyOnCurve, &given, |slot, witness| {
        set_point(slot, witness, quintic([9, 8, 7, 6, 5]));
    });
}

#[test]
fn a_key_whose_point_is_replaced_by_another() {
    // w stays, x is a square, and (x, w·x) is on no curve of ours.
    attack_whatever_the_outcome(Clause::KeyOnCurve, &signed(1, MESSAGE), |slot, witness| {
        set_point(slot, witness, quintic([9, 8, 7, 6, 5]));
    });
}

#[test]
fn the_neutral_key() {
    let given = Given { key: [0; 5], ..signed(1, MESSAGE) };
    attack_whatever_the_outcome(Clause::KeyOnCurve, &given, |slot, witness| {
        set_point(slot, witness, quintic([9, 8, 7, 6, 5]));
    });
}

#[test]
fn the_other_x_of_a_key_with_a_signature_by_the_opposite_secret() {
    // With the other root the chain computes s·G + e·K, shifted by N where the last bit of e is 1.
    let key = signed(1, MESSAGE).key;
    let given = (1..)
        .find_map(|seed| {
            let r = crate::attack::scalar(seed);
            let nonce = Point::multiply_generator(&r).encode().words();
            let words = challenge_parts(nonce, &Given { key, message: MESSAGE, signature: None }).map(|(word, _)| word);
            let s = r - Scalar::from_challenge(&words) * secret_scalar(1);
            let even = words[0] % 2 == 0;
            even.then(|| Given { key, message: MESSAGE, signature: signature(nonce, s.words()) })
        })
        .unwrap();
    let x = even_x(key);
    attack(Clause::KeyRoot, &given, |slot, witness| {
        let other = quintic([0, 263, 0, 0, 0]) / x;
        set_all(witness, slot.signature.key.x, other.0);
        set_all(witness, slot.signature.key.root, other.0);
    });
}

/// The x that a key's generator finds.
fn even_x(key: [u64; 5]) -> Quintic {
    let full = full();
    let given = Given { key, ..signed(1, MESSAGE) };
    let wires = Wires::generate(&full.circuit, assign(&full.target, &given));
    QuinticExtension(full.target.signature.key.x.map(|target| wires.get(&full.circuit, target)))
}

#[test]
fn each_slope_of_a_keys_tables_that_is_not_its_lines() {
    let given = signed(1, MESSAGE);
    let full = full();
    let honest = Wires::generate(&full.circuit, assign(&full.target, &given));
    assert_eq!(full.target.signature.key.slopes.len(), 6);
    for index in 0..6 {
        attack_whatever_the_outcome(Clause::KeySlopes, &given, |slot, witness| {
            let target = full.target.signature.key.slopes[index][2];
            set(witness, slot.signature.key.slopes[index][2], honest.get(&full.circuit, target) + F::ONE);
        });
    }
}

#[test]
fn tables_of_another_key_with_a_signature_by_that() {
    let (key, other) = (signed(1, MESSAGE).key, signed(2, MESSAGE));
    let r = crate::attack::scalar(8);
    let nonce = Point::multiply_generator(&r).encode().words();
    let words = challenge_parts(nonce, &Given { key, message: MESSAGE, signature: None }).map(|(word, _)| word);
    let s = r + Scalar::from_challenge(&words) * secret_scalar(2);
    let given = Given { key, message: MESSAGE, signature: signature(nonce, s.words()) };
    let full = full();
    let others = Wires::generate(&full.circuit, assign(&full.target, &other));
    let targets = |slot: &Slot| -> Vec<Target> {
        let tables = slot.signature.key.tables;
        [tables.minus_key, tables.mixed, tables.offset_minus_key, tables.offset_mixed].concat().concat()
    };
    attack(Clause::SignatureTables, &given, |slot, witness| {
        let values = targets(&full.target).into_iter().map(|target| others.get(&full.circuit, target));
        set_all(witness, targets(slot), values);
    });
}

#[test]
fn a_key_that_is_the_offset_and_whose_logarithm_nobody_knows() {
    // w = -6 makes C - K the point at infinity, to which no slope leads: as nobody can sign for it, nothing is lost.
    let words = crate::attack::negative([6, 0, 0, 0, 0]);
    assert!(cairn_schnorr::PublicKey::decode(words).is_ok());
    let given = Given { key: words, ..signed(1, MESSAGE) };
    attack_whatever_the_outcome(Clause::KeySlopes, &given, crate::attack::nothing);
}

#[test]
fn a_chain_that_starts_elsewhere() {
    attack_whatever_the_outcome(Clause::SignatureStart, &signed(1, MESSAGE), |slot, witness| {
        for (index, coordinate) in [OFFSET.x, OFFSET.y].into_iter().enumerate() {
            let (clause, targets) = &slot.free[first_start(slot) + index];
            assert_eq!(*clause, Clause::SignatureStart);
            set_all(witness, targets.iter().copied(), coordinate.0);
        }
    });
}

fn first_start(slot: &Slot) -> usize {
    slot.free.iter().position(|(clause, _)| *clause == Clause::SignatureStart).unwrap()
}

#[test]
fn bits_that_are_no_bits() {
    // 2·b + c stays what it is, so that words do, too.
    let given = signed(1, MESSAGE);
    let full = full();
    let honest = Wires::generate(&full.circuit, assign(&full.target, &given));
    for row in [0, 4, 40, 79] {
        for step in 0..STEPS_PER_ROW - 1 {
            for bits in [
                |slot: &Slot, row: usize| slot.signature.chain.rows[row].scalar_bits,
                |slot: &Slot, row: usize| slot.signature.chain.rows[row].challenge_bits,
            ] {
                attack_whatever_the_outcome(Clause::SignatureBits, &given, |slot, witness| {
                    let value = |step| honest.get(&full.circuit, bits(&full.target, row)[step]);
                    set(witness, bits(slot, row)[step], value(step) - F::ONE);
                    set(witness, bits(slot, row)[step + 1], value(step + 1) + F::TWO);
                });
            }
        }
    }
}

#[test]
fn slopes_of_a_step_that_are_not_its_lines() {
    let given = signed(1, MESSAGE);
    let full = full();
    let honest = Wires::generate(&full.circuit, assign(&full.target, &given));
    for row in [0, 41, 79] {
        for step in 0..STEPS_PER_ROW {
            for slope in [0, 1] {
                attack_whatever_the_outcome(Clause::SignatureSlopes, &given, |slot, witness| {
                    let wire = |slot: &Slot| DoubleAddGate::slopes(slot.signature.chain.rows[row].row, step)[slope][3];
                    set(witness, wire(slot), honest.get(&full.circuit, wire(&full.target)) + F::ONE);
                });
            }
        }
    }
}

#[test]
fn a_neutral_commitment_with_its_true_scalar() {
    // s·G - e·K is neutral: the owner of the key knows s for R = N, whose encoding is zero. No slope leads there.
    let key = signed(1, MESSAGE).key;
    let words = challenge_parts([0; 5], &Given { key, message: MESSAGE, signature: None }).map(|(word, _)| word);
    let s = Scalar::from_challenge(&words) * secret_scalar(1);
    let given = Given { key, message: MESSAGE, signature: signature([0; 5], s.words()) };
    attack_whatever_the_outcome(Clause::SignatureSlopes, &given, crate::attack::nothing);
}

#[test]
fn a_sum_that_is_put_where_the_signature_wants_it() {
    // Any R whatever: the last row ends in (1, -w).
    let nonce = [5, 4, 3, 2, 1];
    let given = Given { signature: signature(nonce, [1, 2, 3, 4, 5]), ..signed(1, MESSAGE) };
    attack(Clause::SignatureSums, &given, |slot, witness| {
        let [x, y] = slot.signature.chain.end;
        set_all(witness, x, Quintic::ONE.0);
        set_all(witness, y, quintic(nonce).0.map(|word| -word));
    });
}

#[test]
fn sums_of_a_step_that_are_not_on_its_lines() {
    let given = signed(1, MESSAGE);
    let full = full();
    let honest = Wires::generate(&full.circuit, assign(&full.target, &given));
    for step in 0..STEPS_PER_ROW {
        attack_whatever_the_outcome(Clause::SignatureSums, &given, |slot, witness| {
            let wire = |slot: &Slot| DoubleAddGate::x_after(slot.signature.chain.rows[40].row, step)[1];
            let value = honest.get(&full.circuit, wire(&full.target));
            set(witness, wire(slot), value + number(value.to_canonical_u64() | 1));
        });
    }
}

//! Signatures that are not the key's over the message.

use crate::attack::{attack, commitment, negative, nothing, number, parts, scalar, set_all, signature};
use crate::samples::{Given, signed};
use cairn_circuits::Clause;
use cairn_schnorr::scalar::Scalar;
use cairn_types::{Bundle, Digest};

const MESSAGE: [u64; 4] = [11, 12, 13, 14];

fn refused(given: &Given) {
    attack(Clause::SignatureEquation, given, nothing);
}

#[test]
fn a_signature_by_another_key() {
    let mut given = signed(1, MESSAGE);
    given.key = signed(2, MESSAGE).key;
    refused(&given);
}

#[test]
fn a_signature_over_another_message() {
    for word in 0..4 {
        let mut given = signed(1, MESSAGE);
        given.message[word] += 1;
        refused(&given);
    }
}

#[test]
fn a_signature_of_another_rollup_or_node() {
    let bundle = Bundle {
        rollup_id: Digest::constant([1, 2, 3, 4]),
        node_index: 5,
        sequence: 6,
        receipts_root: Digest::constant([7, 8, 9, 10]),
        count: 11,
        time_min: 12,
        time_max: 13,
        bytes: 14,
    };
    let other_rollup = Bundle { rollup_id: Digest::constant([1, 2, 3, 5]), ..bundle };
    let other_node = Bundle { node_index: 6, ..bundle };
    let later = Bundle { sequence: 7, ..bundle };
    for other in [other_rollup, other_node, later] {
        let mut given = signed(1, bundle.digest().words());
        given.message = other.digest().words();
        refused(&given);
    }
}

#[test]
fn a_signature_with_another_scalar_or_commitment() {
    let given = signed(1, MESSAGE);
    let (nonce, s) = parts(&given);
    let negative = negative(nonce);
    let zero = [0; 5];
    let mut changed = s;
    changed[0] ^= 1;
    for (nonce, s) in
        [(nonce, changed), (nonce, zero), (negative, s), (zero, s), ([5, 0, 0, 0, 0], s), ([4, 0, 0, 0, 0], s)]
    {
        refused(&Given { signature: signature(nonce, s), ..given });
    }
}

#[test]
fn a_commitment_made_for_a_challenge_that_hashing_does_not_give() {
    // Without the hash, anyone chooses s and e and computes R from them.
    let key = signed(1, MESSAGE).key;
    let e: Scalar = Scalar::from_challenge(&[91, 92, 93, 94]);
    let s = scalar(3);
    let given = Given { key, message: MESSAGE, signature: signature(commitment(s, e, key), s.words()) };
    refused(&given);
    attack(Clause::SignatureChallenge, &given, |slot, witness| {
        let (_, free) = &slot.free[0];
        set_all(witness, free.iter().copied(), [91, 92, 93, 94].map(number));
    });
}

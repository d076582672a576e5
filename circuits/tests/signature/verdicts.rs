//! The circuit's verdict is the native verifier's and the oracle's.

use crate::attack::{challenge_parts, commitment, parts, scalar, signature};
use crate::forgery::Wires;
use crate::oracle;
use crate::samples::{Given, assign, full, secret_scalar, signed};
use cairn_circuits::plonk::Circuit;
use cairn_circuits::{Gates, Generators};
use cairn_schnorr::scalar::Scalar;
use cairn_schnorr::{PublicKey, Signature};
use plonky2::iop::generator::generate_partial_witness;

/// Whether the circuit proves it. That it is the constraints which refuse, not the generators, is what attacks show.
pub fn proves(given: &Given) -> bool {
    let full = full();
    let witness = assign(&full.target, given);
    match generate_partial_witness(witness.clone(), &full.circuit.prover_only, &full.circuit.common) {
        Ok(_) => Wires::generate(&full.circuit, witness).prove(&full.circuit).is_ok(),
        Err(_) => false,
    }
}

/// Whether the native verifier accepts it.
fn verifies(given: &Given) -> bool {
    let Ok(key) = PublicKey::decode(given.key) else { return false };
    let Ok(signature) = Signature::from_bytes(given.signature.unwrap().as_bytes()) else { return false };
    key.verify(&given.message, &signature).is_ok()
}

const MESSAGE: [u64; 4] = [1, 0xffff_ffff_0000_0000, 0, u32::MAX as u64];

/// A valid signature with this nonce.
fn with_nonce(secret: u64, r: Scalar) -> Given {
    let key = signed(secret, MESSAGE).key;
    let nonce = commitment(r, Scalar::ZERO, key);
    let given = Given { key, message: MESSAGE, signature: None };
    let e = Scalar::from_challenge(&challenge_parts(nonce, &given).map(|(word, _)| word));
    Given { signature: signature(nonce, (r + e * secret_scalar(secret)).words()), ..given }
}

/// Valid ones, and each of their parts changed.
fn cases() -> Vec<(&'static str, Given)> {
    let valid = signed(1, MESSAGE);
    let (nonce, s) = parts(&valid);
    let flipped = |word: usize, bit: u32| {
        let mut s = s;
        s[word] ^= 1 << bit;
        Given { signature: signature(nonce, s), ..valid }
    };
    let other_nonce = |nonce: [u64; 5]| Given { signature: signature(nonce, s), ..valid };
    let mut message = valid.message;
    message[2] += 1;
    vec![
        ("valid", valid),
        ("valid, another key", signed(77, [9; 4])),
        ("valid, R = G", with_nonce(3, Scalar::ONE)),
        ("lowest bit of s", flipped(0, 0)),
        ("highest bit of s", flipped(4, 62)),
        ("bit 319 of s", flipped(4, 63)),
        ("R negative", other_nonce(crate::attack::negative(nonce))),
        ("R neutral", other_nonce([0; 5])),
        ("R off the curve", other_nonce([5, 0, 0, 0, 0])),
        ("another message", Given { message, ..valid }),
        ("another key's", Given { key: signed(2, MESSAGE).key, ..valid }),
        ("key neutral", Given { key: [0; 5], ..valid }),
        ("key off the curve", Given { key: [5, 0, 0, 0, 0], ..valid }),
        ("key negative", Given { key: crate::attack::negative(valid.key), ..valid }),
    ]
}

#[test]
fn valid_signatures_are_proved() {
    for secret in 1..6 {
        let given = signed(secret, [secret, 2, 3, 4]);
        assert!(verifies(&given) && proves(&given), "secret {secret}");
    }
}

#[test]
fn signatures_with_extreme_numbers_are_proved() {
    let minus_one = Scalar::ZERO - Scalar::ONE;
    for (secret, r) in [(1, Scalar::ONE), (1, minus_one), (2, scalar(9)), (3, minus_one - Scalar::ONE)] {
        let given = with_nonce(secret, r);
        assert!(verifies(&given) && proves(&given), "{r:?}");
    }
}

#[test]
fn the_circuit_and_the_native_verifier_agree() {
    for (name, given) in cases() {
        assert_eq!(proves(&given), verifies(&given), "{name}");
        assert_eq!(verifies(&given), name.starts_with("valid"), "{name}");
    }
}

#[test]
fn the_circuit_and_the_oracle_of_plain_arithmetic_agree() {
    for (name, given) in cases() {
        assert_eq!(oracle::accepts(&given), proves(&given), "{name}");
    }
}

#[test]
fn an_empty_slot_proves_with_any_key_and_message() {
    let offset = crate::attack::negative([6, 0, 0, 0, 0]);
    for key in [[0; 5], [5, 0, 0, 0, 0], offset, signed(1, [0; 4]).key] {
        assert!(proves(&Given { key, message: [9; 4], signature: None }), "{key:?}");
    }
}

#[test]
fn a_circuit_read_back_from_bytes_proves_signatures() {
    let full = full();
    let bytes = full.circuit.to_bytes(&Gates, &Generators).unwrap();
    let read = Circuit::from_bytes(&bytes, &Gates, &Generators).unwrap();
    assert!(read == full.circuit);
    let given = signed(6, MESSAGE);
    let proof = Wires::generate(&read, assign(&full.target, &given)).prove(&read).unwrap();
    full.circuit.verify(proof).unwrap();
}

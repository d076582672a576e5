//! One attack for each clause that the last circuit enforces, over the small batch circuit.

use crate::batch_attacks::{assign as assign_batch, build as build_batch, bundles, full as batch, header_of};
use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::heavy::seat;
use cairn_circuits::plonk::{F, Proof};
use cairn_circuits::{Clause, Clauses, FinalCircuit, FinalTarget, Layer, Profile, packed_proof};
use cairn_types::Digest;
use cairn_verifier::Rejection;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use std::sync::OnceLock;

fn build(clauses: Clauses) -> FinalCircuit {
    FinalTarget::draft(Layer::Final.config(Profile::Dev), &batch().circuit, clauses).build()
}

fn full() -> &'static FinalCircuit {
    static FULL: OnceLock<FinalCircuit> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

/// A proof of three bundles' header.
fn header_proof() -> &'static Proof {
    static PROOF: OnceLock<Proof> = OnceLock::new();
    PROOF.get_or_init(|| {
        let witness = assign_batch(batch(), bundles(), &header_of(bundles()));
        batch().circuit.prove(witness).unwrap()
    })
}

fn assign(circuit: &FinalCircuit, proof: &Proof) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, proof).unwrap();
    witness
}

#[test]
fn a_batch_proof_is_proved_again_with_its_statement_and_is_no_proof_of_the_pinned_circuit() {
    let _seat = seat();
    let circuit = &full().circuit;
    let proof = circuit.prove(assign(full(), header_proof())).unwrap();
    assert_eq!(proof.public_inputs, header_proof().public_inputs);
    circuit.verify(proof.clone()).unwrap();

    let words: Vec<u64> = proof.public_inputs.iter().map(PrimeField64::to_canonical_u64).collect();
    let words: [u64; 4] = words.try_into().unwrap();
    let packed = packed_proof::pack(&proof);
    assert_eq!(packed_proof::unpack(&circuit.common, words, &packed).unwrap(), proof);
    // The small tree's circuit has the same shape and another key.
    let verdict = cairn_verifier::verify_profile(Profile::Dev, &packed, &Digest::from_words(words).unwrap());
    assert_eq!(verdict, Err(Rejection::ProofOfWork), "its transcript begins with another digest");
}

#[test]
fn a_statement_that_is_not_the_batch_proofs() {
    let _seat = seat();
    let honest = Wires::generate(&full().circuit, assign(full(), header_proof()));
    let lenient = build(Clauses::without(Clause::FinalStatement));
    for lane in [0, 3] {
        let mut witness = assign(&lenient, header_proof());
        fill_free(&mut witness, &lenient.target.free, &full().circuit, &honest);
        set(&mut witness, lenient.target.statement[lane], F::TWO);
        let forged = Wires::generate(&lenient.circuit, witness);
        assert_only_the_clause_refuses(Clause::FinalStatement, &full().circuit, &lenient.circuit, &forged);
    }
}

#[test]
fn a_last_proof_over_a_child_of_another_circuit() {
    let _seat = seat();
    // The batch circuit without a clause: equal but for its key.
    let other = build_batch(Clauses::without(Clause::BatchIsReal));
    let forged_child = other.circuit.prove(assign_batch(&other, bundles(), &header_of(bundles()))).unwrap();
    let lenient = build(Clauses::without(Clause::ChildKey));
    let mut witness = assign(&lenient, &forged_child);
    witness.set_verifier_data_target(&lenient.target.child_key, &other.circuit.verifier_only).unwrap();
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(Clause::ChildKey, &full().circuit, &lenient.circuit, &forged);
}

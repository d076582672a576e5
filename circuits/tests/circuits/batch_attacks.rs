//! One attack for each clause that the batch circuit enforces, over one level of aggregation.

use crate::aggregation_attacks::{children, full as level, prove};
use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::heavy::seat;
use cairn_circuits::plonk::{F, Proof};
use cairn_circuits::public_inputs::{PublicInputs, PublicInputsValue};
use cairn_circuits::{BatchCircuit, BatchTarget, Clause, Clauses, Layer, Profile};
use cairn_types::header::word;
use cairn_types::{HEADER_WORDS, Kind, hash};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::witness::PartialWitness;
use std::sync::OnceLock;

pub fn build(clauses: Clauses) -> BatchCircuit {
    BatchTarget::draft(Layer::Batch.config(Profile::Dev), &level().circuit, clauses).build()
}

pub fn full() -> &'static BatchCircuit {
    static FULL: OnceLock<BatchCircuit> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

/// The proof of three bundles in two segments.
pub fn bundles() -> &'static Proof {
    static BUNDLES: OnceLock<Proof> = OnceLock::new();
    BUNDLES.get_or_init(|| prove(&children().full, &children().next))
}

/// The header that a proof gives, its free words being 100 and up.
pub fn header_of(proof: &Proof) -> [u64; HEADER_WORDS] {
    let said: PublicInputsValue = PublicInputs::from_slice(&proof.public_inputs).unwrap();
    let mut header = std::array::from_fn(|index| 100 + index as u64);
    let mut put = |at: usize, values: &[F]| {
        for (offset, value) in values.iter().enumerate() {
            header[at + offset] = value.to_canonical_u64();
        }
    };
    put(word::ROLLUP_ID, &said.rollup_id);
    put(word::BATCH_ROOT, &said.root);
    put(word::BUNDLES, &[said.bundles, said.receipts, said.bytes, said.time_min, said.time_max]);
    put(word::VERDICTS, &said.verdicts);
    put(word::TIERS, &[F::ZERO; 2]);
    put(word::OLD_STATE_ROOT, &said.old_state);
    put(word::NEW_STATE_ROOT, &said.new_state);
    put(word::QUEUE_FROM, &said.queue_from.to_array());
    put(word::QUEUE_TO, &said.queue_to.to_array());
    header
}

pub fn assign(circuit: &BatchCircuit, proof: &Proof, header: &[u64; HEADER_WORDS]) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, proof, header).unwrap();
    witness
}

/// Proves each header in a circuit without `clause`, and shows that the full one refuses it.
fn attack(clause: Clause, proof: &Proof, headers: &[[u64; HEADER_WORDS]]) {
    let _seat = seat();
    let lenient = build(Clauses::without(clause));
    for header in headers {
        let forged = Wires::generate(&lenient.circuit, assign(&lenient, proof, header));
        assert_only_the_clause_refuses(clause, &full().circuit, &lenient.circuit, &forged);
    }
}

/// Headers that differ from the true one by one in one of `words`.
fn off_by_one(words: impl IntoIterator<Item = usize>) -> Vec<[u64; HEADER_WORDS]> {
    let change = |index: usize| {
        let mut header = header_of(bundles());
        header[index] += 1;
        header
    };
    words.into_iter().map(change).collect()
}

/// First and last word of each of several parts of a header.
fn ends<const N: usize>(parts: [usize; N], length: usize) -> impl Iterator<Item = usize> {
    parts.into_iter().flat_map(move |at| [at, at + length - 1])
}

#[test]
fn a_true_header_is_proved_and_its_digest_is_the_statement() {
    let _seat = seat();
    let header = header_of(bundles());
    let proof = full().circuit.prove(assign(full(), bundles(), &header)).unwrap();
    let statement: Vec<u64> = proof.public_inputs.iter().map(PrimeField64::to_canonical_u64).collect();
    assert_eq!(statement, hash(Kind::Header, &header).words());
    full().circuit.verify(proof).unwrap();
}

#[test]
fn a_batch_of_nothing() {
    let none = &children().none;
    let nothing = prove(none, none);
    attack(Clause::BatchIsReal, &nothing, &[header_of(&nothing)]);
}

#[test]
fn each_word_of_the_header_that_the_bundles_decide() {
    let words = ends([word::ROLLUP_ID, word::BATCH_ROOT], 4).chain(word::BUNDLES..word::DATA_DIGEST);
    attack(Clause::HeaderIsTrue, bundles(), &off_by_one(words));
}

#[test]
fn a_state_root_of_the_header_that_is_not_the_proofs() {
    attack(Clause::HeaderState, bundles(), &off_by_one(ends([word::OLD_STATE_ROOT, word::NEW_STATE_ROOT], 4)));
}

#[test]
fn a_queue_position_or_digest_of_the_header_that_is_not_the_proofs() {
    let positions = [word::QUEUE_FROM, word::QUEUE_TO];
    let words = positions.into_iter().chain(ends(positions.map(|position| position + 1), 4));
    attack(Clause::HeaderQueue, bundles(), &off_by_one(words));
}

#[test]
fn a_statement_of_another_header() {
    let _seat = seat();
    let full = full();
    let header = header_of(bundles());
    let honest = Wires::generate(&full.circuit, assign(full, bundles(), &header));
    let lenient = build(Clauses::without(Clause::Statement));
    for lane in [0, 3] {
        let mut witness = assign(&lenient, bundles(), &header);
        fill_free(&mut witness, &lenient.target.free, &full.circuit, &honest);
        set(&mut witness, lenient.target.statement[lane], F::TWO);
        let forged = Wires::generate(&lenient.circuit, witness);
        assert_only_the_clause_refuses(Clause::Statement, &full.circuit, &lenient.circuit, &forged);
    }
}

#[test]
fn a_top_over_a_child_of_another_circuit() {
    let _seat = seat();
    // The same level built without a clause: equal but for its key.
    let config = Layer::Aggregation(1).config(Profile::Dev);
    let segment = &crate::segment_attacks::full().circuit;
    let depth = crate::segment_attacks::SMALL.bundles_depth;
    let other =
        cairn_circuits::AggregationTarget::draft(config, segment, depth, Clauses::without(Clause::AggregateRoot))
            .build();
    let mut witness = PartialWitness::new();
    other.target.assign(&mut witness, &children().full, &children().next).unwrap();
    for &target in other.target.free.iter().flat_map(|(_, targets)| targets) {
        set(&mut witness, target, F::TWO);
    }
    let forged_child = other.circuit.prove(witness).unwrap();

    let lenient = build(Clauses::without(Clause::ChildKey));
    let mut witness = assign(&lenient, &forged_child, &header_of(&forged_child));
    plonky2::iop::witness::WitnessWrite::set_verifier_data_target(
        &mut witness,
        &lenient.target.child_key,
        &other.circuit.verifier_only,
    )
    .unwrap();
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(Clause::ChildKey, &full().circuit, &lenient.circuit, &forged);
}

//! One attack for each clause that an aggregation level enforces, over small segments.

use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::heavy::seat;
use crate::segment_attacks::{self, SMALL};
use cairn_circuits::plonk::{F, Proof};
use cairn_circuits::public_inputs::PublicInputs;
use cairn_circuits::{
    AggregationCircuit, AggregationTarget, Clause, Clauses, Layer, Profile, SegmentCircuit, SegmentInputs,
};
use plonky2::field::types::Field;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use std::sync::OnceLock;

fn build(clauses: Clauses) -> AggregationCircuit {
    let config = Layer::Aggregation(1).config(Profile::Dev);
    AggregationTarget::draft(config, &segment_attacks::full().circuit, SMALL.bundles_depth, clauses).build()
}

/// The full circuit above small segments.
pub fn full() -> &'static AggregationCircuit {
    static FULL: OnceLock<AggregationCircuit> = OnceLock::new();
    FULL.get_or_init(|| build(Clauses::ALL))
}

fn prove_segment(circuit: &SegmentCircuit, inputs: &SegmentInputs) -> Proof {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, inputs).unwrap();
    circuit.circuit.prove(witness).unwrap()
}

/// Proofs of a full segment, of one with one bundle, and of none.
pub fn children() -> &'static [Proof; 3] {
    static CHILDREN: OnceLock<[Proof; 3]> = OnceLock::new();
    CHILDREN.get_or_init(|| {
        let two = segment_attacks::honest();
        let mut one = segment_attacks::honest();
        one.bundles.pop();
        [two, one, SegmentInputs::default()].map(|inputs| prove_segment(segment_attacks::full(), &inputs))
    })
}

fn assign(circuit: &AggregationCircuit, left: &Proof, right: &Proof) -> PartialWitness<F> {
    let mut witness = PartialWitness::new();
    circuit.target.assign(&mut witness, left, right).unwrap();
    witness
}

/// A proof over two children.
pub fn prove(left: &Proof, right: &Proof) -> Proof {
    full().circuit.prove(assign(full(), left, right)).unwrap()
}

/// Generates a node over `left` and `right`, changed by `tamper`, in a circuit without `clause`, and shows that the full
/// one refuses it.
fn attack(
    clause: Clause,
    left: &Proof,
    right: &Proof,
    tamper: impl FnOnce(&AggregationCircuit, &mut PartialWitness<F>),
) {
    let _seat = seat();
    let lenient = build(Clauses::without(clause));
    attack_with(clause, &lenient, left, right, tamper);
}

fn attack_with(
    clause: Clause,
    lenient: &AggregationCircuit,
    left: &Proof,
    right: &Proof,
    tamper: impl FnOnce(&AggregationCircuit, &mut PartialWitness<F>),
) {
    let full = full();
    let mut witness = assign(lenient, left, right);
    if !lenient.target.free.is_empty() {
        let [two, one, _] = children();
        let honest = Wires::generate(&full.circuit, assign(full, two, one));
        fill_free(&mut witness, &lenient.target.free, &full.circuit, &honest);
    }
    tamper(lenient, &mut witness);
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(clause, &full.circuit, &lenient.circuit, &forged);
}

/// Forges the values that a missing clause leaves free, one after the other.
fn attack_each_free(clause: Clause, values: &[(usize, usize, u64)]) {
    let _seat = seat();
    let [two, one, _] = children();
    let lenient = build(Clauses::without(clause));
    for &(index, lane, value) in values {
        attack_with(clause, &lenient, two, one, |circuit, witness| {
            set(witness, circuit.target.free[index].1[lane], F::from_canonical_u64(value));
        });
    }
}

#[test]
fn two_children_give_what_both_say_and_a_no_op_passes_the_left_one_through() {
    let _seat = seat();
    let [two, one, none] = children();
    let read = |proof: &Proof| PublicInputs::from_slice(&proof.public_inputs).unwrap();
    let number = F::from_canonical_u64;

    let both = read(&prove(two, one));
    assert_eq!((both.no_op, both.bundles, both.receipts), (F::ZERO, number(3), number(10)));
    assert_eq!((both.time_min, both.time_max), (number(4_000), number(5_030)));
    assert_eq!(both.bytes, read(two).bytes + read(one).bytes);

    let passed = read(&prove(one, none));
    let expected = PublicInputs { root: passed.root, ..read(one) };
    assert_eq!(passed, expected);
    let [left, empty] = [read(one).root, cairn_types::tree::EMPTY[1].words().map(number)];
    let node =
        cairn_types::tree::node(&cairn_circuits::plonk::digest_of(left), &cairn_circuits::plonk::digest_of(empty));
    assert_eq!(cairn_circuits::plonk::digest_of(passed.root), node);

    let nothing = read(&prove(none, none));
    assert_eq!(
        nothing,
        PublicInputs::from_array([F::ONE].into_iter().chain([F::ZERO; 18]).collect::<Vec<_>>().try_into().unwrap())
    );
}

#[test]
fn a_child_of_a_circuit_without_a_clause() {
    let clause = Clause::ReceiptsRoot;
    let lenient = segment_attacks::build(Clauses::without(clause));
    assert_eq!(lenient.circuit.common, segment_attacks::full().circuit.common, "only the key tells them apart");
    let mut witness = PartialWitness::new();
    lenient.target.assign(&mut witness, &segment_attacks::honest()).unwrap();
    for &target in lenient.target.free.iter().flat_map(|(_, targets)| targets) {
        witness.set_target(target, F::TWO).unwrap();
    }
    let forged_child = lenient.circuit.prove(witness).unwrap();
    attack(Clause::ChildKey, &forged_child, &forged_child, |circuit, witness| {
        for &target in circuit.target.free.iter().flat_map(|(_, targets)| targets) {
            witness.target_values.remove(&target);
        }
        witness.set_verifier_data_target(&circuit.target.child_key, &lenient.circuit.verifier_only).unwrap();
    });
}

#[test]
fn a_real_child_right_of_one_that_is_not_full() {
    let [two, one, _] = children();
    attack(Clause::LeftIsFull, one, two, |_, _| ());
}

#[test]
fn a_real_child_right_of_a_no_op() {
    // In a rollup whose identity is zero, so that nothing else tells the two apart.
    let mut inputs = segment_attacks::honest();
    inputs.rollup_id = [0; 4];
    let real = prove_segment(segment_attacks::full(), &inputs);
    attack(Clause::LeftIsFull, &children()[2], &real, |_, _| ());
}

#[test]
fn children_of_two_rollups() {
    let mut inputs = segment_attacks::honest();
    inputs.rollup_id[3] += 1;
    let other = prove_segment(segment_attacks::full(), &inputs);
    attack(Clause::AggregateRollup, &children()[0], &other, |_, _| ());
}

#[test]
fn a_root_that_is_not_the_node_over_the_childrens() {
    attack_each_free(Clause::AggregateRoot, &[(0, 0, 1), (0, 3, 1)]);
}

#[test]
fn each_total_that_is_not_the_sum_of_the_childrens() {
    let counters = [(0, 0, 4), (0, 1, 11), (0, 2, 1)];
    let verdicts = [(1, 0, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 4, 1)];
    attack_each_free(Clause::AggregateTotals, &[&counters[..], &verdicts[..]].concat());
}

#[test]
fn times_that_are_not_the_least_and_greatest_of_the_childrens() {
    attack_each_free(Clause::AggregateTimes, &[(0, 0, 5_000), (0, 1, 4_010)]);
}

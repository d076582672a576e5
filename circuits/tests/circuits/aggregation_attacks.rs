//! One attack for each clause that an aggregation level enforces, over small segments.

use crate::forgery::{Wires, assert_only_the_clause_refuses, fill_free, set};
use crate::heavy::seat;
use crate::scene::{Scene, key, leaf};
use crate::segment_attacks::{self, SMALL};
use cairn_circuits::plonk::{F, Proof, digest_of};
use cairn_circuits::public_inputs::PublicInputs;
use cairn_circuits::{
    AggregationCircuit, AggregationTarget, Clause, Clauses, Layer, Profile, SegmentCircuit, SegmentInputs,
};
use cairn_types::{Digest, EntryKind, QueueCursor, tree};
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

/// Proofs of segments that tests put together.
pub struct Children {
    /// Two bundles: full, and without entries.
    pub full: Proof,
    /// After that: one bundle and one entry.
    pub next: Proof,
    /// After that: one entry.
    pub entries: Proof,
    /// Nothing.
    pub none: Proof,
}

/// Two bundles and no entries.
fn full_scene() -> Scene {
    let mut scene = Scene::honest();
    scene.inputs.entries.clear();
    scene.settle()
}

/// A bundle of node 7 and the registration of node 9.
fn next_scene(after: &Scene) -> Scene {
    let start = after.after();
    let scene = start.bundle(7, vec![leaf(6_000, 50)]).entry(EntryKind::Register, 9, key(9));
    scene.settle()
}

/// One entry: node 7 gets another key.
fn entries_scene(after: &Scene) -> Scene {
    let start = after.after();
    start.entry(EntryKind::Rotate, 7, key(70)).settle()
}

fn prove_scene(scene: &Scene) -> Proof {
    prove_segment(segment_attacks::full(), &scene.inputs)
}

pub fn children() -> &'static Children {
    static CHILDREN: OnceLock<Children> = OnceLock::new();
    CHILDREN.get_or_init(|| {
        let full = full_scene();
        let next = next_scene(&full);
        let entries = entries_scene(&next);
        Children {
            full: prove_scene(&full),
            next: prove_scene(&next),
            entries: prove_scene(&entries),
            none: prove_segment(segment_attacks::full(), &SegmentInputs::default()),
        }
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
        let honest = Wires::generate(&full.circuit, assign(full, &children().full, &children().next));
        fill_free(&mut witness, &lenient.target.free, &full.circuit, &honest);
    }
    tamper(lenient, &mut witness);
    let forged = Wires::generate(&lenient.circuit, witness);
    assert_only_the_clause_refuses(clause, &full.circuit, &lenient.circuit, &forged);
}

/// Forges the values that a missing clause leaves free, one after the other.
fn attack_each_free(clause: Clause, values: &[(usize, usize, u64)]) {
    let _seat = seat();
    let lenient = build(Clauses::without(clause));
    for &(index, lane, value) in values {
        attack_with(clause, &lenient, &children().full, &children().next, |circuit, witness| {
            set(witness, circuit.target.free[index].1[lane], F::from_canonical_u64(value));
        });
    }
}

fn read(proof: &Proof) -> PublicInputs<F> {
    PublicInputs::from_slice(&proof.public_inputs).unwrap()
}

#[test]
fn two_children_give_what_both_say() {
    let _seat = seat();
    let Children { full, next, entries, .. } = children();
    let number = F::from_canonical_u64;
    let both = read(&prove(full, next));
    assert_eq!((both.no_op, both.bundles, both.receipts), (F::ZERO, number(3), number(7)));
    assert_eq!((both.time_min, both.time_max), (number(4_000), number(6_000)));
    assert_eq!(both.bytes, read(full).bytes + read(next).bytes);
    assert_eq!((both.old_state, both.new_state), (read(full).old_state, read(next).new_state));
    assert_eq!((both.queue_from, both.queue_to), (read(full).queue_from, read(next).queue_to));

    // Entries alone, which have times zero, follow bundles whose segment is not full.
    let last = read(&prove(next, entries));
    let expected = PublicInputs {
        root: last.root,
        new_state: read(entries).new_state,
        queue_to: read(entries).queue_to,
        ..read(next)
    };
    assert_eq!(last, expected);
    assert_ne!(last.new_state, read(next).new_state);
}

#[test]
fn a_no_op_passes_the_left_child_through() {
    let _seat = seat();
    let Children { next, entries, none, .. } = children();
    for left in [next, entries] {
        let passed = read(&prove(left, none));
        let empty = tree::EMPTY[1];
        let node = tree::node(&digest_of(read(left).root), &empty);
        assert_eq!(passed, PublicInputs { root: passed.root, ..read(left) });
        assert_eq!(digest_of(passed.root), node);
    }
    let nothing = read(&prove(none, none)).to_array();
    assert!(nothing[0].is_one() && nothing[1..].iter().all(Field::is_zero));
}

/// One bundle of node 7 over the first state.
fn one_bundle() -> Scene {
    Scene::empty().bundle(7, vec![leaf(4_500, 30)]).settle()
}

#[test]
fn a_child_of_a_circuit_without_a_clause() {
    let lenient = segment_attacks::build(Clauses::without(Clause::SegmentRoot));
    assert_eq!(lenient.circuit.common, segment_attacks::full().circuit.common, "only the key tells them apart");
    let prove = |inputs: &SegmentInputs| {
        let mut witness = segment_attacks::assign(&lenient, inputs);
        for &target in lenient.target.free.iter().flat_map(|(_, targets)| targets) {
            witness.set_target(target, F::TWO).unwrap();
        }
        lenient.circuit.prove(witness).unwrap()
    };
    let (forged, none) = (prove(&one_bundle().inputs), prove(&SegmentInputs::default()));
    attack(Clause::ChildKey, &forged, &none, |circuit, witness| {
        for &target in circuit.target.free.iter().flat_map(|(_, targets)| targets) {
            witness.target_values.remove(&target);
        }
        witness.set_verifier_data_target(&circuit.target.child_key, &lenient.circuit.verifier_only).unwrap();
    });
}

#[test]
fn bundles_right_of_a_child_that_is_not_full() {
    let left = one_bundle();
    let right = left.after().bundle(8, vec![leaf(1, 1)]).settle();
    attack(Clause::LeftIsFull, &prove_scene(&left), &prove_scene(&right), |_, _| ());
}

#[test]
fn a_real_child_right_of_a_no_op() {
    // Of a rollup and a queue that are zero, so that only the state tells the two apart: zero is the root of no tree.
    let mut scene = Scene::empty().entry(EntryKind::Register, 9, key(9));
    scene.queue = QueueCursor { position: 0, digest: Digest::ZERO };
    scene.inputs.rollup_id = [0; 4];
    let real = prove_scene(&scene.settle());
    attack(Clause::AggregateStateThreaded, &children().none, &real, |_, _| ());
}

#[test]
fn bundles_after_entries() {
    // The left segment is full and has consumed an entry.
    let mut left = Scene::honest();
    left.inputs.entries.truncate(1);
    let left = left.settle();
    let right = left.after().bundle(8, vec![leaf(1, 1)]).settle();
    attack(Clause::BundlesFirst, &prove_scene(&left), &prove_scene(&right), |_, _| ());
}

#[test]
fn a_child_that_starts_from_another_state_than_the_left_one_leaves() {
    // As if the left one had not happened: node 7 signs its next bundle twice.
    let right = one_bundle();
    assert_eq!(right.inputs.state, full_scene().inputs.state);
    attack(Clause::AggregateStateThreaded, &children().full, &prove_scene(&right), |_, _| ());
}

#[test]
fn a_child_that_starts_from_another_queue_than_the_left_one_leaves() {
    let next = next_scene(&full_scene());
    for (position, lane) in [(1, 0), (0, 1), (0, 3)] {
        let mut right = next.after();
        right.queue.position += position;
        let mut words = right.queue.digest.words();
        words[lane] ^= u64::from(position == 0);
        right.queue.digest = Digest::from_words(words).unwrap();
        let right = right.entry(EntryKind::Rotate, 7, key(70)).settle();
        attack(Clause::AggregateQueueThreaded, &children().next, &prove_scene(&right), |_, _| ());
    }
}

#[test]
fn ends_that_are_not_those_of_the_last_real_child() {
    // State (four words), queue (position, digest); each over a real right child and over a no-op.
    let Children { full, next, none, .. } = children();
    let lenient = build(Clauses::without(Clause::AggregateEnds));
    let _seat = seat();
    for right in [next, none] {
        let truth = if right == none { read(full) } else { read(right) };
        for (index, lane) in [(0, 3), (1, 0), (1, 4)] {
            attack_with(Clause::AggregateEnds, &lenient, full, right, |circuit, witness| {
                let queue = truth.queue_to.to_array();
                for ((_, targets), values) in circuit.target.free.iter().zip([&truth.new_state[..], &queue]) {
                    targets.iter().zip(values).for_each(|(&target, &value)| set(witness, target, value));
                }
                set(witness, circuit.target.free[index].1[lane], F::from_canonical_u64(42));
            });
        }
    }
}

#[test]
fn children_of_two_rollups() {
    let mut scene = full_scene().after().entry(EntryKind::Register, 9, key(9));
    scene.inputs.rollup_id[3] += 1;
    let other = prove_scene(&scene.settle());
    attack(Clause::AggregateRollup, &children().full, &other, |_, _| ());
}

#[test]
fn a_root_that_is_not_the_node_over_the_childrens() {
    attack_each_free(Clause::AggregateRoot, &[(0, 0, 1), (0, 3, 1)]);
}

#[test]
fn each_total_that_is_not_the_sum_of_the_childrens() {
    let counters = [(0, 0, 4), (0, 1, 8), (0, 2, 1)];
    let verdicts = [(1, 0, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 4, 1)];
    attack_each_free(Clause::AggregateTotals, &[&counters[..], &verdicts[..]].concat());
}

#[test]
fn times_that_are_not_the_least_and_greatest_of_the_childrens() {
    attack_each_free(Clause::AggregateTimes, &[(0, 0, 5_000), (0, 1, 4_010)]);
}

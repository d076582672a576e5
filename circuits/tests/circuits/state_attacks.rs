//! One attack for each clause about accounts and the state that a segment enforces.

use crate::forgery::set;
use crate::scene::{Scene, key, leaf, number, packed};
use crate::segment_attacks::{Lenient, all_free, attack, attack_exactly, free, honest, nothing};
use cairn_circuits::{Clause, SegmentInputs};
use cairn_types::EntryKind;
use plonky2::field::extension::quintic::QuinticExtension;

/// Two bundles of node 7, one after the other.
fn two_of_one_node() -> Scene {
    let leaves = |time| vec![leaf(time, packed(10)), leaf(time + 1, packed(20))];
    Scene::empty().bundle(7, leaves(1_000)).bundle(7, leaves(2_000)).settle()
}

/// One bundle of node 7.
fn one_bundle() -> Scene {
    Scene::empty().bundle(7, vec![leaf(1_000, packed(10))])
}

/// A scene over other accounts than those of the state that is stated.
fn over_a_forged_state(truth: &Scene, forged: Scene) -> SegmentInputs {
    SegmentInputs { state: truth.tree().root(), ..forged.settle().inputs }
}

#[test]
fn a_bundle_that_is_counted_again_on_the_account_before_it() {
    let mut inputs = two_of_one_node().inputs;
    inputs.bundles[1] = inputs.bundles[0].clone();
    attack_exactly(Clause::BundleAccountOpened, &inputs, nothing);
}

#[test]
fn a_bundle_of_a_node_that_was_never_registered() {
    let mut forged = one_bundle();
    let [k0, k1, k2, k3, k4] = key(99);
    forged.accounts.insert(99, [k0, k1, k2, k3, k4, 0, 0, 0]);
    (forged.inputs.bundles[0].node_index, forged.signers[0]) = (99, 99);
    attack_exactly(Clause::BundleAccountOpened, &over_a_forged_state(&one_bundle(), forged), nothing);
}

#[test]
fn an_account_with_another_key_sequence_or_total_than_the_states() {
    for word in 5..8 {
        let mut forged = one_bundle();
        forged.accounts.get_mut(&7).unwrap()[word] += 1;
        attack_exactly(Clause::BundleAccountOpened, &over_a_forged_state(&one_bundle(), forged), nothing);
    }
    let mut forged = one_bundle();
    forged.accounts.get_mut(&7).unwrap()[..5].copy_from_slice(&key(99));
    forged.signers[0] = 99;
    attack_exactly(Clause::BundleAccountOpened, &over_a_forged_state(&one_bundle(), forged), nothing);
}

#[test]
fn a_sequence_that_repeats_or_leaves_a_gap() {
    let lenient = Lenient::without(Clause::SequenceIsNext);
    for sequence in [8, 10] {
        lenient.attack(&honest(), free(0, 0, sequence));
    }
}

#[test]
fn each_part_of_an_account_that_a_bundle_moves_otherwise() {
    // First and last word of the key, sequence, receipts, bytes.
    let lenient = Lenient::without(Clause::AccountCounts);
    for word in [0, 4, 5, 6, 7] {
        lenient.attack(&honest(), free(0, word, 123_456));
    }
}

#[test]
fn a_total_of_bytes_of_2_to_the_62() {
    let mut scene = one_bundle();
    scene.accounts.get_mut(&7).unwrap()[7] = (1 << 62) - 10;
    // The range check is shown a small number instead.
    attack(Clause::BytesTotalBound, &scene, all_free(vec![vec![1_000], vec![0]]));
}

#[test]
fn a_bundle_moved_to_another_node() {
    // Signed with node 8's key and counted on node 8's account, but it says that it is of node 7.
    let mut scene = honest();
    scene.inputs.bundles[1].node_index = 7;
    scene.elsewhere.insert(1, 8);
    attack(Clause::BundleAccountIndex, &scene, nothing);
}

#[test]
fn a_slot_that_moves_the_state_otherwise() {
    let lenient = Lenient::without(Clause::StateMoves);
    let forge = |scene: &Scene, slot: usize| {
        // Of the clause, one root for each slot. What follows the forged one is empty and keeps it.
        let mut roots = scene.roots[1..].to_vec();
        roots[slot..].iter_mut().for_each(|root| root[0] = 42);
        all_free(roots.into_iter().map(Vec::from).collect())
    };
    let mut bundles_only = honest();
    bundles_only.inputs.entries.clear();
    let bundles_only = bundles_only.settle();
    lenient.attack(&bundles_only, forge(&bundles_only, 1));
    lenient.attack(&honest(), forge(&honest(), 3));
}

#[test]
fn an_empty_slot_that_moves_the_state() {
    let lenient = Lenient::without(Clause::StateMoves);
    let scene = one_bundle().settle();
    for slot in 1..4 {
        let mut roots = scene.roots[1..].to_vec();
        roots[slot..].iter_mut().for_each(|root| root[3] = 42);
        lenient.attack(&scene, all_free(roots.into_iter().map(Vec::from).collect()));
    }
}

/// What each slot starts from: the state for bundles, state and queue for entries.
fn starts(roots: [[u64; 4]; 4], queues: [[u64; 5]; 2]) -> Vec<Vec<u64>> {
    let [r0, r1, r2, r3] = roots.map(Vec::from);
    let [q2, q3] = queues.map(Vec::from);
    vec![r0, r1, r2, q2, r3, q3]
}

#[test]
fn a_bundle_that_starts_from_the_state_before_its_predecessor() {
    // The same bundle twice: the second starts where the first did, and so leads where the first led.
    let mut scene = two_of_one_node();
    scene.inputs.bundles[1] = scene.inputs.bundles[0].clone();
    let (r0, r1, queue) = (scene.roots[0], scene.roots[1], scene.queues[0]);
    let forged = all_free(starts([r0, r0, r1, r1], [queue; 2]));
    attack_exactly(Clause::StateThreaded, &scene.inputs, forged);
}

#[test]
fn entries_that_start_from_the_state_before_the_bundles() {
    let scene = Scene::honest();
    let mut entries_only = scene.clone();
    (entries_only.inputs.bundles, entries_only.signers) = (vec![], vec![]);
    let (scene, entries_only) = (scene.settle(), entries_only.settle());
    let inputs = SegmentInputs { entries: entries_only.inputs.entries.clone(), ..scene.inputs };
    let (r, e, q) = (scene.roots, entries_only.roots, scene.queues);
    let forged = all_free(starts([r[0], r[1], e[2], e[3]], [q[0], q[1]]));
    attack_exactly(Clause::StateThreaded, &inputs, forged);
}

#[test]
fn an_entry_that_is_consumed_twice() {
    let mut scene = Scene::empty().entry(EntryKind::Rotate, 7, key(70)).settle();
    scene.inputs.entries.push(scene.inputs.entries[0]);
    let (r, q) = (&scene.roots, &scene.queues);
    let forged = all_free(starts([r[0], r[0], r[2], r[2]], [q[0], q[0]]));
    attack_exactly(Clause::StateThreaded, &scene.inputs, forged);
}

#[test]
fn a_bundle_signed_with_a_key_that_was_rotated_away() {
    // The entry was consumed before: the account has the new key, the acknowledged bundle the old one's signature.
    let mut scene = one_bundle();
    scene.accounts.get_mut(&7).unwrap()[..5].copy_from_slice(&key(70));
    attack(Clause::SignatureEquation, &scene, nothing);
}

#[test]
fn a_bundle_signed_by_another_node() {
    let mut scene = honest();
    scene.signers[0] = 8;
    attack(Clause::SignatureEquation, &scene, nothing);
}

#[test]
fn a_bundle_of_a_deactivated_node_and_one_of_a_key_that_is_no_point() {
    // What stands for the key's point is on no curve, so that the signature's equation says nothing either way.
    let lenient = Lenient::without_and_without(Clause::KeyOnCurve, Clause::SignatureEquation);
    for words in [[0; 5], [5, 0, 0, 0, 0]] {
        assert!(cairn_schnorr::PublicKey::decode(words).is_err());
        let mut scene = one_bundle();
        scene.accounts.get_mut(&7).unwrap()[..5].copy_from_slice(&words);
        lenient.attack(&scene, |circuit, witness| {
            let root = QuinticExtension([9, 8, 7, 6, 5].map(number));
            let key = &circuit.target.bundles[0].signature.key;
            for (targets, values) in [(key.x, root * root), (key.root, root)] {
                targets.into_iter().zip(values.0).for_each(|(target, value)| set(witness, target, value));
            }
        });
    }
}

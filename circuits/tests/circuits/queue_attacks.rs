//! One attack for each clause about queue entries that a segment enforces.

use crate::forgery::set;
use crate::scene::{Scene, key, number};
use crate::segment_attacks::{Lenient, attack, attack_exactly, free, honest, nothing};
use cairn_circuits::plonk::F;
use cairn_circuits::{Clause, EntryInputs, SegmentInputs};
use cairn_types::{Digest, EntryKind, Kind, hash};
use plonky2::field::types::Field;

/// What is applied is not what the chain holds, but the digests of the chain are stated.
fn attack_chain(change: impl FnOnce(&mut Vec<EntryInputs>)) {
    let mut scene = honest();
    change(&mut scene.inputs.entries);
    attack(Clause::QueueChain, &scene, nothing);
}

#[test]
fn an_invented_registration() {
    attack_chain(|entries| entries[1].key = key(99));
}

#[test]
fn a_registration_that_is_skipped() {
    // The rotation is: in its place stands one that changes nothing.
    attack_chain(|entries| (entries[0].node_index, entries[0].key) = (8, key(8)));
}

#[test]
fn a_registration_that_is_repeated() {
    attack_chain(|entries| entries[1] = entries[0]);
}

#[test]
fn registrations_that_are_reordered() {
    attack_chain(|entries| entries.swap(0, 1));
}

#[test]
fn a_registration_for_another_node_or_of_another_kind() {
    attack_chain(|entries| entries[1].node_index = 10);
    attack_chain(|entries| entries[0].registers = true);
    attack_chain(|entries| entries[0].deactivates = true);
}

#[test]
fn a_queue_digest_of_no_chain() {
    let lenient = Lenient::without(Clause::QueueChain);
    for (slot, lane) in [(0, 0), (1, 0), (1, 3)] {
        lenient.attack(&honest(), free(slot, lane, 42));
    }
}

#[test]
fn an_empty_entry_slot_that_moves_the_digest() {
    let mut scene = honest();
    scene.inputs.entries.pop();
    attack(Clause::QueueChain, &scene, nothing);
}

#[test]
fn a_queue_position_that_does_not_count_the_entries() {
    let lenient = Lenient::without(Clause::QueuePosition);
    // Positions 4 and 5 are the true ones.
    for (slot, position) in [(1, 4), (1, 6), (0, 3), (0, 7)] {
        lenient.attack(&honest(), free(slot, 0, position));
    }
}

#[test]
fn an_entry_that_counts_twice() {
    attack(Clause::EntryIsBit, &honest(), |circuit, witness| {
        set(witness, circuit.target.entries[1].occupied, F::TWO);
    });
}

#[test]
fn an_entry_after_an_empty_slot() {
    let mut scene = honest();
    scene.inputs.entries[0] = EntryInputs::default();
    attack(Clause::EmptyEntriesLast, &scene, nothing);
}

#[test]
fn a_rotation_that_is_applied_as_something_else() {
    // Registering and deactivating at once is 2 in the chain: a rotation.
    let mut scene = honest();
    (scene.inputs.entries[0].registers, scene.inputs.entries[0].deactivates) = (true, true);
    attack(Clause::EntryKindKnown, &scene, nothing);
    for (registers, deactivates) in [(2, 0), (0, 2), (number(3).inverse().0, 0)] {
        attack(Clause::EntryKindKnown, &honest(), |circuit, witness| {
            set(witness, circuit.target.entries[0].registers, number(registers));
            set(witness, circuit.target.entries[0].deactivates, number(deactivates));
        });
    }
}

#[test]
fn an_entry_that_changes_another_account_than_the_chain_says() {
    let mut scene = honest();
    scene.inputs.entries[1].node_index = 8;
    scene.elsewhere.insert(3, 9);
    attack(Clause::EntryAccountIndex, &scene, nothing);
}

fn rotation() -> Scene {
    Scene::empty().entry(EntryKind::Rotate, 7, key(70))
}

#[test]
fn an_entry_over_an_account_that_is_not_in_the_state() {
    for word in 5..8 {
        let mut forged = rotation();
        forged.accounts.get_mut(&7).unwrap()[word] += 1;
        let inputs = SegmentInputs { state: rotation().tree().root(), ..forged.settle().inputs };
        attack_exactly(Clause::EntryAccountOpened, &inputs, nothing);
    }
}

#[test]
fn a_place_without_an_account_that_has_totals() {
    let scene = Scene::empty().entry(EntryKind::Rotate, 9, key(9)).settle();
    for word in 5..8 {
        attack_exactly(Clause::EntryAccountReal, &scene.inputs, |circuit, witness| {
            set(witness, circuit.target.entries[0].account.words()[word], F::TWO);
        });
    }
}

#[test]
fn an_account_that_is_there_twice() {
    let scene = rotation().settle();
    let leaf = hash(Kind::Account, &scene.accounts[&7]).words().map(|word| (number(word).double()).0);
    let mut tree = scene.tree();
    tree.set(7, Digest::from_words(leaf.map(|word| word % cairn_goldilocks::MODULUS)).unwrap());
    let inputs = SegmentInputs { state: tree.root(), ..scene.inputs };
    attack_exactly(Clause::EntryAccountReal, &inputs, |circuit, witness| {
        set(witness, circuit.target.entries[0].exists, F::TWO);
    });
}

#[test]
fn each_part_of_an_account_that_an_entry_writes_otherwise() {
    // Of the rotation and the registration: first and last word of the key, sequence, receipts, bytes.
    let lenient = Lenient::without(Clause::EntryApplied);
    for (entry, word) in (0..2).flat_map(|entry| [0, 4, 5, 6, 7].map(|word| (entry, word))) {
        lenient.attack(&honest(), free(entry, word, 123_456));
    }
}

//! A segment says in public what native code says of the same receipts, accounts and entries.

use crate::samples::{self, account, entry};
use crate::scene::{Scene, key, leaf};
use crate::segment_attacks::{SMALL, full};
use cairn_circuits::plonk::{F, digest_of};
use cairn_circuits::public_inputs::{LENGTH, PublicInputs, PublicInputsValue, QueueEnd};
use cairn_circuits::{EntryInputs, SegmentInputs};
use cairn_types::state::PartialState;
use cairn_types::{Account, Bundle, BundleData, Digest, EntryKind, QueueCursor, QueueEntry, ReceiptKey, tree};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::witness::PartialWitness;
use rand::Rng;
use rand::rngs::StdRng;

/// The largest canonical word.
const LARGEST: u64 = cairn_goldilocks::MODULUS - 1;
/// Nodes that are registered before.
const NODES: [u32; 4] = [0, 1, 6, (1 << 24) - 1];

/// The statement of a bundle over trees of the small shape.
fn small_statement(data: &BundleData) -> Bundle {
    let statement = data.statement(&samples::rollup_id()).unwrap();
    Bundle { receipts_root: tree::root(SMALL.receipts_depth, &data.leaf_digests()), ..statement }
}

/// What native code says of bundles, but for state and queue.
fn native(bundles: &[(Bundle, &BundleData)]) -> PublicInputs<u64> {
    let of: Vec<_> =
        bundles.iter().map(|(_, data)| data.statement_and_totals(&samples::rollup_id()).unwrap().1).collect();
    let digests: Vec<Digest> = bundles.iter().map(|(statement, _)| statement.digest()).collect();
    let verdicts = std::array::from_fn(|index| {
        let packed = of.iter().map(|totals| {
            let counts = totals.verdicts[index];
            u64::from(counts.allowed) + (u64::from(counts.refused) << 21) + (u64::from(counts.conditional) << 42)
        });
        packed.sum()
    });
    PublicInputs {
        no_op: 0,
        root: tree::root(SMALL.bundles_depth, &digests).words(),
        bundles: bundles.len() as u64,
        receipts: of.iter().map(|totals| u64::from(totals.receipts)).sum(),
        bytes: of.iter().map(|totals| totals.bytes).sum(),
        time_min: of.iter().map(|totals| totals.time_min).min().unwrap_or(0),
        time_max: of.iter().map(|totals| totals.time_max).max().unwrap_or(0),
        verdicts,
        rollup_id: samples::rollup_id().words(),
        old_state: [0; 4],
        new_state: [0; 4],
        queue_from: QueueEnd::default(),
        queue_to: QueueEnd::default(),
    }
}

fn end(queue: QueueCursor) -> QueueEnd<u64> {
    QueueEnd { position: queue.position, digest: queue.digest.words() }
}

fn proved(inputs: &SegmentInputs) -> PublicInputsValue {
    let mut witness = PartialWitness::new();
    full().target.assign(&mut witness, inputs).unwrap();
    let proof = full().circuit.prove(witness).unwrap();
    full().circuit.verify(proof.clone()).unwrap();
    PublicInputs::from_slice(&proof.public_inputs).unwrap()
}

/// An entry of any kind for any node, registered or not.
fn any_entry(rng: &mut StdRng, state: &PartialState) -> QueueEntry {
    let node = [0, 1, 2, 6, (1 << 24) - 1][rng.gen_range(0..5)];
    let kind = match state.account(node).unwrap() {
        None => EntryKind::Register,
        Some(_) => EntryKind::ALL[rng.gen_range(0..3)],
    };
    match kind {
        EntryKind::Deactivate => entry(kind, node, [0; 5]),
        _ => entry(kind, node, std::array::from_fn(|_| rng.gen_range(0..=LARGEST))),
    }
}

#[test]
fn random_segments_say_what_native_code_says() {
    for seed in 0..40 {
        let rng = &mut samples::rng(seed);
        let mut state = samples::state(&NODES, [0, 1, 2, 6, (1 << 24) - 1]);
        let mut signed = state.clone();
        let bundles: Vec<_> = (0..rng.gen_range(0..=2))
            .map(|_| {
                let (node, receipts) = (NODES[rng.gen_range(0..4)], rng.gen_range(1..=4));
                let sequence = account(&signed, node).next_sequence;
                let mut data = samples::bundle(rng, node, sequence, receipts);
                data.signature = samples::signature(node.into(), &small_statement(&data).digest());
                signed.apply_bundle(&small_statement(&data), &data.signature).unwrap();
                data
            })
            .collect();
        let least = usize::from(bundles.is_empty());
        let entries: Vec<_> = (0..rng.gen_range(least..=2)).map(|_| any_entry(rng, &signed)).collect();

        let bundles: Vec<_> = bundles.iter().map(|data| (small_statement(data), data)).collect();
        let before = QueueCursor { position: seed, digest: Digest::from_byte_digest([seed as u8; 32]) };
        let (old_state, mut queue) = (state.root(), before);
        let inputs = SegmentInputs::apply(&samples::rollup_id(), &bundles, &entries, &mut state, &mut queue).unwrap();
        let expected = PublicInputs {
            old_state: old_state.words(),
            new_state: state.root().words(),
            queue_from: end(before),
            queue_to: end(entries.iter().fold(before, |queue, entry| queue.push(entry))),
            ..native(&bundles)
        };
        assert_eq!(
            proved(&inputs).to_array().map(|value| value.to_canonical_u64()),
            expected.to_array(),
            "seed {seed}"
        );
    }
}

#[test]
fn whatever_the_chain_holds_can_be_applied() {
    // Over nothing, over an account with a history, over a deactivated one; with keys that are no points.
    let history = Account { receipts_total: 3, bytes_total: (1 << 62) - 1, ..Account::new(ReceiptKey::ZERO) };
    for kind in EntryKind::ALL {
        for found in [None, Some(history)] {
            let mut scene = Scene::empty();
            scene.accounts.remove(&7);
            scene.accounts.extend(found.map(|account| (7, account.words())));
            let new_key = if kind == EntryKind::Deactivate { [0; 5] } else { [LARGEST; 5] };
            let scene = scene.entry(kind, 7, new_key).settle();
            let after = match kind {
                EntryKind::Register => Account::new(ReceiptKey::from_words(new_key).unwrap()),
                _ => found.unwrap_or(Account::new(ReceiptKey::ZERO)).with_key(ReceiptKey::from_words(new_key).unwrap()),
            };
            let mut tree = scene.tree();
            tree.set_account(7, after.words());
            let said = proved(&scene.inputs);
            assert_eq!(digest_of(said.new_state).words(), tree.root(), "{kind:?} over {found:?}");
        }
    }
}

#[test]
fn extreme_values_are_proved() {
    let mut scene = crate::segment_attacks::honest();
    for bundle in &mut scene.inputs.bundles {
        for leaf in &mut bundle.leaves {
            // Latest time, longest length, highest status, every verdict conditional, largest canonical words.
            *leaf = [(1 << 48) - 1, ((1 << 50) - 1) | 0x3ff << 53, LARGEST, 0, LARGEST, 0, 0, 0];
        }
    }
    scene.inputs.bundles[0].leaves[0][0] = 0;
    // The account ends just below its bound.
    scene.accounts.get_mut(&8).unwrap()[7] = (1 << 62) - 1 - 2 * ((1 << 40) - 1);
    let said = proved(&scene.settle().inputs);
    let number = F::from_canonical_u64;
    assert_eq!((said.time_min, said.time_max), (F::ZERO, number((1 << 48) - 1)));
    assert_eq!((said.receipts, said.bytes), (number(6), number(6 * ((1 << 40) - 1))));
    assert_eq!(said.verdicts, [number(6 << 42); 5]);
}

#[test]
fn a_segment_of_entries_alone_has_the_root_of_no_bundles() {
    let scene = Scene::empty().entry(EntryKind::Register, 9, key(9)).settle();
    let said = proved(&scene.inputs);
    assert_eq!(digest_of(said.root), tree::EMPTY[SMALL.bundles_depth]);
    assert_eq!((said.no_op, said.bundles, said.time_min), (F::ZERO, F::ZERO, F::ZERO));
    assert_eq!(said.queue_to.position, said.queue_from.position + F::ONE);
}

#[test]
fn a_segment_without_bundles_and_entries_is_blank_but_for_its_flag() {
    let said = proved(&SegmentInputs::default());
    let expected = std::iter::once(F::ONE).chain([F::ZERO; LENGTH - 1]);
    assert!(said.to_array().into_iter().eq(expected), "{said:?}");
    assert_ne!(digest_of(said.root), tree::EMPTY[SMALL.bundles_depth]);
}

#[test]
fn what_stands_in_an_empty_slot_moves_nothing() {
    // Whatever an empty slot says of a node, an account or an entry.
    let mut inputs = Scene::empty().bundle(7, vec![leaf(5, 0)]).settle().inputs;
    let said = proved(&inputs);
    inputs.entries.push(EntryInputs {
        occupied: false,
        registers: true,
        node_index: 8,
        key: key(9),
        ..EntryInputs::default()
    });
    assert_eq!(proved(&inputs), said);
}

//! Whether a receipt is in a settled batch: where it is, and nowhere else.

use cairn_interface::{
    self as interface, BATCH_RETENTION_SLOTS, BatchStatus, Inclusion, MAX_TRANSACTION_BYTES, SettlementError as E,
    VERIFY_INCLUSION_COMPUTE_UNITS,
};
use cairn_tests::settlement::{Failure, FilledBatch, Leaves, Machine, PROGRAM_ID, pubkey};
use cairn_types::{Digest, InclusionPath, Leaf};
use solana_sdk::instruction::InstructionError;

/// A settled batch: bundles of 5, 256 and 1 receipts.
fn settled() -> (Machine, FilledBatch) {
    let mut machine = Machine::new();
    let batch = FilledBatch::next(&machine, Leaves::of_counts([5, 256, 1]));
    machine.settle_filled(&batch);
    (machine, batch)
}

fn call(machine: &mut Machine, expected: &Inclusion, path: &InclusionPath) -> Result<u64, Failure> {
    let instruction = interface::verify_inclusion(&PROGRAM_ID, expected, path);
    let admin = machine.admin.insecure_clone();
    machine.send_with_units(&instruction, &admin)
}

/// What the program says when something is changed in a call that it would accept: receipt 3 of bundle 1.
fn changed(change: impl FnOnce(&mut Inclusion, &mut InclusionPath)) -> Result<u64, Failure> {
    let (mut machine, batch) = settled();
    let (mut expected, mut path) = (batch.inclusion(1, 3), batch.path(1, 3));
    call(&mut machine, &expected, &path).expect("accepted as it is");
    change(&mut expected, &mut path);
    call(&mut machine, &expected, &path)
}

/// One way to get each refusal of this instruction.
pub fn provoke(error: E) -> Option<Result<u64, Failure>> {
    Some(match error {
        E::NonCanonicalInclusion => {
            let (mut machine, batch) = settled();
            let mut instruction = interface::verify_inclusion(&PROGRAM_ID, &batch.inclusion(0, 0), &batch.path(0, 0));
            let leaf_at = 8 + 32 + 8 + 4;
            instruction.data[leaf_at..leaf_at + 8].fill(0xff);
            machine.send_as_admin(&instruction)
        }
        E::WrongBatchNumber => {
            let (mut machine, batch) = settled();
            let second = FilledBatch::next(&machine, Leaves::of_counts([1]));
            machine.settle_filled(&second);
            let mut instruction = interface::verify_inclusion(&PROGRAM_ID, &batch.inclusion(0, 0), &batch.path(0, 0));
            instruction.accounts[0].address = machine.batch_address(1);
            machine.send_as_admin(&instruction)
        }
        E::UnsettledBatch => {
            let mut machine = Machine::new();
            let batch = FilledBatch::next(&machine, Leaves::of_counts([1]));
            machine.submit(&batch.header).expect("accepted");
            call(&mut machine, &batch.inclusion(0, 0), &batch.path(0, 0))
        }
        E::OutsideBundle => changed(|_, path| path.leaf_index = 256),
        E::OutsideBatch => changed(|_, path| path.bundle_index = 3),
        E::NotIncluded => changed(|expected, _| expected.leaf = Leaf::from_words([0; 8]).expect("canonical")),
        _ => return None,
    })
}

#[test]
fn every_receipt_is_found_at_its_place_in_a_settled_batch() {
    let (mut machine, batch) = settled();
    for (bundle, leaf) in [(0, 0), (0, 4), (1, 0), (1, 128), (1, 255), (2, 0)] {
        let units = call(&mut machine, &batch.inclusion(bundle, leaf), &batch.path(bundle, leaf));
        let units = units.expect("included");
        assert!(units <= u64::from(VERIFY_INCLUSION_COMPUTE_UNITS), "{units} units for {bundle}, {leaf}");
    }
}

#[test]
fn the_last_place_of_a_full_batch_is_found_and_there_is_none_after_it() {
    let mut machine = Machine::new();
    let counts = std::iter::repeat_n(1, 511).chain([256]);
    let batch = FilledBatch::next(&machine, Leaves::of_counts(counts));
    machine.settle_filled(&batch);
    let (expected, path) = (batch.inclusion(511, 255), batch.path(511, 255));
    call(&mut machine, &expected, &path).expect("included");
    // The bits of these indices below the depth are those of the place itself.
    let above = InclusionPath { leaf_index: 256 + 255, ..path };
    assert_eq!(call(&mut machine, &expected, &above), Err(Failure::Refused(E::OutsideBundle)));
    let above = InclusionPath { bundle_index: 512 + 511, ..path };
    assert_eq!(call(&mut machine, &expected, &above), Err(Failure::Refused(E::OutsideBatch)));
}

#[test]
fn an_index_that_is_not_below_the_count_is_refused() {
    for (leaf_index, count) in [(256, 256), (256 + 3, 256), (3, 3), (3, 0), (3, 257), (u16::MAX, u16::MAX)] {
        let refused = changed(|_, path| (path.leaf_index, path.count) = (leaf_index, count));
        assert_eq!(refused, Err(Failure::Refused(E::OutsideBundle)), "{leaf_index} of {count}");
    }
    for bundle_index in [3, 512 + 1, u16::MAX] {
        let refused = changed(|_, path| path.bundle_index = bundle_index);
        assert_eq!(refused, Err(Failure::Refused(E::OutsideBatch)), "{bundle_index}");
    }
    let refused = changed(|expected, _| expected.node_index = 1 << 24);
    assert_eq!(refused, Err(Failure::Refused(E::OutsideBundle)));
}

#[test]
fn a_path_with_anything_changed_in_it_leads_elsewhere() {
    let changes: [fn(&mut Inclusion, &mut InclusionPath); 13] = [
        |expected, _| expected.node_index = 1,
        |expected, _| expected.leaf = Leaf::from_words([1, 4, 3, 4, 5, 6, 7, 8]).expect("canonical"),
        |_, path| path.leaf_index = 2,
        |_, path| path.leaf_path[0] = Digest::ZERO,
        |_, path| path.leaf_path[7] = Digest::ZERO,
        |_, path| path.sequence += 1,
        |_, path| path.count -= 1,
        |_, path| path.time_min += 1,
        |_, path| path.time_max += 1,
        |_, path| path.bytes += 1,
        |_, path| path.bundle_index = 0,
        |_, path| path.bundle_path[0] = Digest::ZERO,
        |_, path| path.bundle_path[8] = Digest::constant([1; 4]),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert_eq!(changed(change), Err(Failure::Refused(E::NotIncluded)), "change {at}");
    }
}

/// A bundle's digest is no leaf, and an inner node is no bundle: kinds of hashes are apart.
#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let refused = changed(|expected, path| {
        let [a, b, c, d] = path.leaf_path[0].words();
        let [e, f, g, h] = expected.leaf.digest().words();
        expected.leaf = Leaf::from_words([a, b, c, d, e, f, g, h]).expect("canonical");
        path.leaf_index >>= 1;
        path.leaf_path.rotate_left(1);
    });
    assert_eq!(refused, Err(Failure::Refused(E::NotIncluded)));
}

#[test]
fn a_batch_counts_once_it_is_settled_and_again_after_it_was_closed_and_restored() {
    let mut machine = Machine::new();
    let batch = FilledBatch::next(&machine, Leaves::of_counts([3]));
    machine.submit(&batch.header).expect("accepted");
    let (expected, path) = (batch.inclusion(0, 1), batch.path(0, 1));
    assert_eq!(call(&mut machine, &expected, &path), Err(Failure::Refused(E::UnsettledBatch)));
    machine.settle(0).expect("settled");
    call(&mut machine, &expected, &path).expect("included");

    let account = machine.batch(0);
    machine.advance(BATCH_RETENTION_SLOTS, 0);
    let sequencer = machine.sequencer.insecure_clone();
    machine.close_batch(0, &sequencer).expect("closed");
    let refused = call(&mut machine, &expected, &path);
    assert!(matches!(refused, Err(Failure::Instruction(_))), "nothing is there: {refused:?}");

    let restoration = machine.restoration(&batch.header, account.slot, account.time, &[]);
    let prover = machine.prover.insecure_clone();
    machine.send_with_units(&restoration, &prover).expect("restored");
    assert_eq!(machine.batch(0).status, BatchStatus::Restored);
    call(&mut machine, &expected, &path).expect("included");
}

/// What an abandoned generation has left behind at a number that is settled by now, or will be.
#[test]
fn an_abandoned_batch_shows_nothing() {
    let mut machine = Machine::new();
    let abandoned = [1, 2].map(|count| {
        let batch = FilledBatch::next(&machine, Leaves::of_counts([count]));
        machine.submit(&batch.header).expect("accepted");
        batch
    });
    machine.abandon().expect("abandoned");
    for batch in &abandoned {
        let refused = call(&mut machine, &batch.inclusion(0, 0), &batch.path(0, 0));
        assert_eq!(refused, Err(Failure::Refused(E::UnsettledBatch)));
    }

    let settled = FilledBatch::next(&machine, Leaves::of_counts([7]));
    machine.settle_filled(&settled);
    call(&mut machine, &settled.inclusion(0, 6), &settled.path(0, 6)).expect("included");
    let refused = call(&mut machine, &abandoned[0].inclusion(0, 0), &abandoned[0].path(0, 0));
    assert_eq!(refused, Err(Failure::Refused(E::NotIncluded)), "its account holds the settled batch");
    let refused = call(&mut machine, &abandoned[1].inclusion(0, 0), &abandoned[1].path(0, 0));
    assert_eq!(refused, Err(Failure::Refused(E::UnsettledBatch)), "its account is still there");
}

#[test]
fn another_rollups_batch_is_refused_whatever_is_expected_of_it() {
    let (mut machine, batch) = settled();
    let own = machine.rollup;
    let arguments = interface::Initialize { id: 1, ..machine.arguments() };
    machine.create(&arguments).expect("another rollup");
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 1);
    let other = FilledBatch::next(&machine, Leaves::of_counts([5, 256, 1]));
    machine.settle_filled(&other);
    call(&mut machine, &other.inclusion(1, 3), &other.path(1, 3)).expect("included in its own");

    // Its account where the first rollup's is expected.
    let expected = Inclusion { rollup: own, ..other.inclusion(1, 3) };
    let mut instruction = interface::verify_inclusion(&PROGRAM_ID, &expected, &other.path(1, 3));
    instruction.accounts[0].address = machine.batch_address(0);
    assert_eq!(machine.send_as_admin(&instruction), Err(Failure::Refused(E::WrongBatch)));
    // Its receipts in the first rollup's batch: same leaves, same node, another identity.
    assert_ne!(other.header.batch_root, batch.header.batch_root);
    assert_eq!(call(&mut machine, &expected, &other.path(1, 3)), Err(Failure::Refused(E::NotIncluded)));
}

#[test]
fn only_a_batch_account_of_the_program_is_looked_at() {
    let (mut machine, batch) = settled();
    let (expected, path) = (batch.inclusion(0, 0), batch.path(0, 0));
    let genuine = machine.batch_address(0);
    let copy = interface::Address([0x77; 32]);
    machine.plant(&copy, interface::Address([7; 32]), machine.data(&genuine));
    for forged in [copy, machine.rollup, machine.queue_address(), interface::SYSTEM_PROGRAM_ID] {
        let mut instruction = interface::verify_inclusion(&PROGRAM_ID, &expected, &path);
        instruction.accounts[0].address = forged;
        let refused = machine.send_as_admin(&instruction);
        assert!(matches!(refused, Err(Failure::Instruction(_))), "{forged}: {refused:?}");
    }
    // Closed: nothing is there.
    machine.svm.set_account(pubkey(genuine), Default::default()).expect("set");
    assert!(call(&mut machine, &expected, &path).is_err());
}

#[test]
fn a_call_that_is_cut_short_is_refused() {
    let (mut machine, batch) = settled();
    let instruction = interface::verify_inclusion(&PROGRAM_ID, &batch.inclusion(0, 0), &batch.path(0, 0));
    assert!(instruction.data.len() + 300 < MAX_TRANSACTION_BYTES);
    for length in [instruction.data.len() - 1, 8 + 32, 8] {
        let mut short = instruction.clone();
        short.data.truncate(length);
        let refused = Err(Failure::Instruction(InstructionError::InvalidInstructionData));
        assert_eq!(machine.send_as_admin(&short), refused, "{length} bytes");
    }
}

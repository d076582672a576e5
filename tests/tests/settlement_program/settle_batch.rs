//! Settling, with planted proofs: which batch, with which accounts, and what is different afterwards.

use cairn_interface::{
    self as interface, Address, BatchStatus, Initialize, KEPT_ROOTS, SETTLE_BATCH_COMPUTE_UNITS, SettlementError,
    layout,
};
use cairn_tests::settlement::{Failure, Machine, NOW, PROGRAM_ID, address, header_after};
use cairn_types::history::{NativeSha256, SettledBatch, root_of};
use cairn_types::{BatchHeader, Digest};
use solana_sdk::instruction::InstructionError;

fn refused<T>(error: SettlementError) -> Result<T, Failure> {
    Err(Failure::Refused(error))
}

/// A machine with that many batches pending.
fn pending(batches: u64) -> Machine {
    let mut machine = Machine::new();
    for _ in 0..batches {
        let header = machine.next_header();
        machine.submit(&header).expect("accepted");
    }
    machine
}

#[test]
fn a_settled_batch_moves_the_cursor_and_is_in_the_history() {
    let mut machine = pending(1);
    let batch = machine.batch(0);
    machine.advance(7, 3);
    machine.settle(0).expect("settled");

    let rollup = machine.rollup();
    assert_eq!(rollup.settled, batch.header.cursor());
    assert_eq!((rollup.settled, rollup.pending()), (rollup.tip, 0));
    assert_eq!(rollup.settled_slot, 1_007);
    let after = machine.batch(0);
    assert_eq!((after.status, after.settled_slot), (BatchStatus::Settled, 1_007));
    let unsettled = interface::Batch { status: BatchStatus::Submitted, settled_slot: 0, ..after };
    assert_eq!(unsettled, batch, "nothing else is different");

    let leaf = SettledBatch::of(&batch.header, batch.digest, 1_000, NOW).leaf::<NativeSha256>();
    let history = machine.history();
    assert_eq!((history.rollup, history.size, history.root), (machine.rollup, 1, leaf));
    assert_eq!(history.kept, [(1, leaf)]);
}

#[test]
fn the_history_is_the_tree_over_all_settled_batches_and_keeps_its_last_roots() {
    let mut machine = Machine::new();
    let mut leaves = vec![];
    let mut roots = vec![];
    for number in 0..70 {
        let header = machine.next_header();
        machine.submit(&header).expect("accepted");
        machine.advance(1, 1);
        machine.settle(number).expect("settled");
        let batch = machine.batch(number);
        leaves.push(SettledBatch::of(&header, batch.digest, batch.slot, batch.time).leaf::<NativeSha256>());
        roots.push((number + 1, root_of::<NativeSha256>(&leaves)));
        let history = machine.history();
        assert_eq!((history.size, history.root), (number + 1, roots[number as usize].1));
        assert_eq!(history.kept, roots[roots.len().saturating_sub(KEPT_ROOTS)..]);
    }
}

#[test]
fn a_new_history_is_the_empty_tree() {
    let history = Machine::new().history();
    assert_eq!((history.size, history.root, history.kept), (0, root_of::<NativeSha256>(&[]), vec![]));
}

#[test]
fn batches_settle_in_their_order_and_once() {
    let mut machine = pending(3);
    for number in [1, 2] {
        assert_eq!(machine.settle(number), refused(SettlementError::NotNextBatch), "{number} before 0");
    }
    for number in 0..3 {
        machine.settle(number).expect("in its turn");
        assert_eq!(machine.settle(number), refused(SettlementError::NotNextBatch), "{number} again");
    }
    assert_eq!(machine.rollup().settled, machine.rollup().tip);
}

#[test]
fn one_proof_settles_one_batch() {
    let mut machine = pending(2);
    let proof = machine.verified_proof(&machine.batch(0).digest);
    machine.settle_with(0, &proof).expect("settled");
    assert_eq!(machine.settle_with(1, &proof), refused(SettlementError::WrongStatement));
}

#[test]
fn as_many_may_be_pending_as_the_rollup_allows_whatever_is_settled() {
    let mut machine = Machine::without_rollup();
    machine.create(&Initialize { max_pending: 2, ..machine.arguments() }).expect("created");
    for number in 0..4 {
        let mut submit = || {
            let header = machine.next_header();
            machine.submit(&header)
        };
        if number == 0 {
            submit().expect("the first");
        }
        submit().expect("the second that waits");
        assert_eq!(submit(), refused(SettlementError::TooManyPending));
        machine.settle(number).expect("settled");
    }
}

#[test]
fn a_pause_does_not_stop_settling_nor_abandoning() {
    let mut machine = pending(2);
    let pause = interface::pause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin));
    machine.send_as_admin(&pause).expect("paused");
    machine.settle(0).expect("settled");
    machine.abandon().expect("abandoned");
}

#[test]
fn another_rollups_accounts_are_refused() {
    let mut machine = pending(1);
    let first = machine.rollup;
    let proof = machine.verified_proof(&machine.batch(0).digest);
    let honest = interface::settle_batch(&PROGRAM_ID, &first, 0, &proof);
    let arguments = Initialize { id: 1, ..machine.arguments() };
    machine.create(&arguments).expect("another rollup");
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 1);
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let proof = machine.verified_proof(&header.statement());
    let other = interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, &proof);

    let prover = machine.prover.insecure_clone();
    for (place, error) in [
        (0, SettlementError::WrongHistory),
        (1, SettlementError::WrongBatch),
        (2, SettlementError::WrongStatement),
        (3, SettlementError::WrongHistory),
    ] {
        let mut mixed = honest.clone();
        mixed.accounts[place] = other.accounts[place];
        assert_eq!(machine.send(&mixed, &prover), refused(error), "account {place}");
    }
    for rollup in [first, machine.rollup] {
        machine.rollup = rollup;
        assert_eq!(machine.rollup().settled.batches, 0);
    }
    machine.send(&honest, &prover).expect("each with its own");
    machine.send(&other, &prover).expect("each with its own");
}

#[test]
fn lookalikes_and_accounts_of_another_kind_are_refused() {
    let mut machine = pending(1);
    let proof = machine.verified_proof(&machine.batch(0).digest);
    let honest = interface::settle_batch(&PROGRAM_ID, &machine.rollup, 0, &proof);
    let prover = machine.prover.insecure_clone();
    let before = machine.data(&machine.rollup);
    for place in 0..honest.accounts.len() {
        let mut instruction = honest.clone();
        let lookalike = Address([0x55; 32]);
        let data = machine.data(&honest.accounts[place].address);
        machine.plant(&lookalike, Address([0x66; 32]), data);
        instruction.accounts[place].address = lookalike;
        let refusal = match place {
            2 => Failure::Refused(SettlementError::ForeignProofAccount),
            _ => Failure::Instruction(InstructionError::IllegalOwner),
        };
        assert_eq!(machine.send(&instruction, &prover), Err(refusal), "account {place}");
        for other in honest.accounts.iter().map(|meta| meta.address).chain([machine.queue_address()]) {
            instruction.accounts[place].address = other;
            let is_itself = other == honest.accounts[place].address;
            assert!(is_itself || machine.send(&instruction, &prover).is_err(), "{other} as account {place}");
        }
        if place != 2 {
            let mut instruction = honest.clone();
            instruction.accounts[place].is_writable = false;
            assert!(machine.send(&instruction, &prover).is_err(), "account {place} read only");
        }
        let mut short = honest.clone();
        short.accounts.truncate(place);
        assert!(machine.send(&short, &prover).is_err(), "{place} accounts");
    }
    assert_eq!(machine.data(&machine.rollup), before);
    machine.send(&honest, &prover).expect("settled");
}

#[test]
fn a_batch_that_does_not_continue_from_the_settled_one_is_refused() {
    // No instruction makes such a batch: these are the checks behind those of submit_batch.
    let cursor = layout::DISCRIMINATOR + 7 * 32;
    for (at, error) in [(cursor + 8, SettlementError::UnlinkedBatch), (cursor + 40, SettlementError::UnlinkedRoot)] {
        let mut machine = pending(2);
        machine.settle(0).expect("settled");
        let rollup = machine.rollup;
        machine.tamper(&rollup, |data| data[at] ^= 1);
        assert_eq!(machine.settle(1), refused(error));
        machine.tamper(&rollup, |data| data[at] ^= 1);
        machine.settle(1).expect("settled");
    }
}

#[test]
fn a_full_history_takes_no_batch() {
    let mut machine = pending(1);
    let history = machine.history_address();
    machine.tamper(&history, |data| data[40..48].copy_from_slice(&cairn_types::history::MAX_SIZE.to_le_bytes()));
    assert_eq!(machine.settle(0), refused(SettlementError::HistoryFull));
    assert_eq!(machine.rollup().settled.batches, 0);
}

#[test]
fn settling_stays_within_the_units_that_hosts_request() {
    let mut machine = Machine::new();
    let mut most = 0;
    for number in 0..64 {
        let header = machine.next_header();
        machine.submit(&header).expect("accepted");
        most = most.max(machine.settle(number).expect("settled"));
    }
    println!("settle_batch: {most}");
    // A tree of 2^32 batches has 26 peaks more than this one to join, at 150 units each.
    assert!(most + 26 * 150 * 2 <= u64::from(SETTLE_BATCH_COMPUTE_UNITS), "{most}");
}

#[test]
fn the_batch_after_an_abandoned_one_does_not_settle_though_it_is_proved() {
    let mut machine = pending(2);
    let [zero, one] = [0, 1].map(|number| machine.batch(number));
    let proof_of_one = machine.verified_proof(&one.digest);
    machine.abandon().expect("abandoned");
    assert_eq!(machine.settle_with(1, &proof_of_one), refused(SettlementError::NotNextBatch));
    let proof_of_zero = machine.verified_proof(&zero.digest);
    assert_eq!(machine.settle_with(0, &proof_of_zero), refused(SettlementError::AbandonedBatch));

    let fork = BatchHeader { bytes: zero.header.bytes + 1, ..zero.header };
    machine.submit(&fork).expect("another batch 0");
    assert_eq!(machine.settle_with(0, &proof_of_zero), refused(SettlementError::WrongStatement));
    machine.settle(0).expect("settled");
    assert_eq!(machine.settle_with(1, &proof_of_one), refused(SettlementError::AbandonedBatch));
    let next = header_after(&fork.cursor(), fork.rollup_id);
    machine.submit(&next).expect("in the place of the abandoned one");
    assert_eq!(machine.settle_with(1, &proof_of_one), refused(SettlementError::WrongStatement));
    machine.settle(1).expect("settled");
    assert_eq!(machine.rollup().settled, next.cursor());
}

#[test]
fn the_same_header_settles_with_the_proof_of_before_it_was_abandoned() {
    let mut machine = pending(2);
    let batches = [0, 1].map(|number| machine.batch(number));
    let proofs = batches.each_ref().map(|batch| machine.verified_proof(&batch.digest));
    machine.settle_with(0, &proofs[0]).expect("settled");
    machine.abandon().expect("the second is abandoned");
    machine.submit(&batches[1].header).expect("submitted again");
    assert_eq!(machine.batch(1).generation, 1);
    machine.settle_with(1, &proofs[1]).expect("settled");
    assert_eq!(machine.rollup().settled, batches[1].header.cursor());
    assert_eq!(
        machine.rollup().settled.header_digest,
        Digest::from_words(batches[1].digest.words()).expect("canonical")
    );
}

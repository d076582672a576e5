//! The end of batch accounts, and how they come back.

use cairn_interface::{
    self as interface, Address, BATCH_RETENTION_SLOTS, Batch, BatchStatus, HOUSEKEEPING_COMPUTE_UNITS, Initialize,
    Instruction, KEPT_ROOTS, MAX_TRANSACTION_BYTES, RESTORE_BATCH_COMPUTE_UNITS, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, pubkey, solana};
use cairn_types::history::{Hash, NativeSha256, SettledBatch, path};
use cairn_types::{BatchHeader, Digest};
use solana_sdk::instruction::InstructionError;
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;

fn refused<T>(error: SettlementError) -> Result<T, Failure> {
    Err(Failure::Refused(error))
}

/// A machine with that many settled batches, and their leaves.
fn settled(batches: u64) -> (Machine, Vec<Hash>) {
    let mut machine = Machine::new();
    let leaves = (0..batches).map(|_| settle_next(&mut machine)).collect();
    (machine, leaves)
}

/// Submits and settles one more, and gives its leaf.
fn settle_next(machine: &mut Machine) -> Hash {
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    machine.settle(header.number).expect("settled");
    let batch = machine.batch(header.number);
    machine.advance(1, 1);
    SettledBatch::of(&header, batch.digest, batch.slot, batch.time).leaf::<NativeSha256>()
}

/// Closes a settled batch after its time, and gives what it was.
fn closed(machine: &mut Machine, number: u64) -> Batch {
    let batch = machine.batch(number);
    machine.advance(BATCH_RETENTION_SLOTS, 0);
    let sequencer = machine.sequencer.insecure_clone();
    machine.close_batch(number, &sequencer).expect("closed");
    batch
}

/// The call that restores a batch, with the path to the root over these leaves.
fn restoration(machine: &Machine, batch: &Batch, leaves: &[Hash]) -> Instruction {
    let path = path::<NativeSha256>(leaves, batch.header.number as usize).expect("it is among them");
    machine.restoration(&batch.header, batch.slot, batch.time, &path)
}

fn send(machine: &mut Machine, instruction: &Instruction) -> Result<u64, Failure> {
    let prover = machine.prover.insecure_clone();
    machine.send(instruction, &prover)
}

#[test]
fn a_settled_batch_stays_for_its_time_and_then_its_payer_closes_it() {
    let (mut machine, _) = settled(1);
    let sequencer = machine.sequencer.insecure_clone();
    let settled_slot = machine.batch(0).settled_slot;
    assert_eq!(machine.close_batch(0, &sequencer), refused(SettlementError::BatchRetained));
    machine.advance(BATCH_RETENTION_SLOTS - 2, 0);
    assert_eq!(machine.close_batch(0, &sequencer), refused(SettlementError::BatchRetained), "from {settled_slot}");
    machine.advance(1, 0);
    let (rent, before) = (machine.lamports(&machine.batch_address(0)), machine.lamports(&address(&sequencer)));
    let units = machine.close_batch(0, &sequencer).expect("closed");
    assert!(units <= u64::from(HOUSEKEEPING_COMPUTE_UNITS), "{units}");
    assert!(!machine.has_batch(0));
    assert_eq!(machine.lamports(&address(&sequencer)), before + rent - 5_000, "the rent, less a signature");
}

#[test]
fn a_pending_batch_is_not_closed_and_an_abandoned_one_is_at_once() {
    let mut machine = Machine::new();
    let sequencer = machine.sequencer.insecure_clone();
    for _ in 0..2 {
        let header = machine.next_header();
        machine.submit(&header).expect("accepted");
    }
    machine.advance(10 * BATCH_RETENTION_SLOTS, 0);
    for number in 0..2 {
        assert_eq!(machine.close_batch(number, &sequencer), refused(SettlementError::BatchPending));
    }
    machine.abandon().expect("abandoned");
    machine.close_batch(1, &sequencer).expect("closed");
    let header = machine.next_header();
    machine.submit(&header).expect("in the place of the abandoned one");
    assert_eq!(machine.close_batch(0, &sequencer), refused(SettlementError::BatchPending));
    let header = machine.next_header();
    machine.submit(&header).expect("in the place of the closed one");
    machine.settle_all();
}

#[test]
fn a_batch_of_an_earlier_generation_that_settled_keeps_its_time() {
    let (mut machine, _) = settled(1);
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    machine.abandon().expect("abandoned");
    let sequencer = machine.sequencer.insecure_clone();
    assert_eq!(machine.batch(0).generation, 0);
    assert_eq!(machine.close_batch(0, &sequencer), refused(SettlementError::BatchRetained));
}

#[test]
fn nobody_but_the_recorded_payer_closes_a_batch() {
    let (mut machine, _) = settled(1);
    let (stranger, old) = (machine.funded(), machine.sequencer.insecure_clone());
    machine.advance(BATCH_RETENTION_SLOTS, 0);
    let not_payer = refused(SettlementError::NotBatchPayer);
    for key in [machine.admin.insecure_clone(), stranger.insecure_clone()] {
        assert_eq!(machine.close_batch(0, &key), not_payer);
    }
    let mut unsigned = interface::close_batch(&PROGRAM_ID, &machine.rollup, &address(&old), 0);
    unsigned.accounts[0].is_signer = false;
    let missing = Err(Failure::Instruction(InstructionError::MissingRequiredSignature));
    assert_eq!(machine.send(&unsigned, &stranger), missing);
    // The sequencer changes, who paid does not.
    let keys = [address(&stranger), Address([7; 32])];
    let admin = address(&machine.admin);
    machine
        .send_as_admin(&interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &admin, &keys[0], &keys[1]))
        .expect("changed");
    assert_eq!(machine.close_batch(0, &stranger), not_payer);
    machine.close_batch(0, &old).expect("closed");
}

#[test]
fn only_a_batch_of_the_rollup_is_closed_with_it() {
    let (mut machine, _) = settled(1);
    machine.advance(BATCH_RETENTION_SLOTS, 0);
    let first = machine.rollup;
    let other = Initialize { id: 1, ..machine.arguments() };
    machine.create(&other).expect("another rollup");
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    machine.abandon().expect("abandoned");
    let header = machine.next_header();
    machine.submit(&header).expect("pending, in generation 1");
    let sequencer = machine.sequencer.insecure_clone();
    let honest = interface::close_batch(&PROGRAM_ID, &machine.rollup, &address(&sequencer), 0);
    let mut of_the_other = honest.clone();
    of_the_other.accounts[1].address = first;
    assert_eq!(machine.send(&of_the_other, &sequencer), refused(SettlementError::WrongBatch), "of generation 0");
    assert_eq!(machine.send(&honest, &sequencer), refused(SettlementError::BatchPending));

    let (lookalike, data) = (Address([0x55; 32]), machine.data(&machine.batch_address(0)));
    machine.plant(&lookalike, Address([0x66; 32]), data);
    for other in [lookalike, machine.queue_address(), machine.history_address(), machine.batch_address(5)] {
        let mut instruction = honest.clone();
        instruction.accounts[2].address = other;
        assert_eq!(machine.send(&instruction, &sequencer), refused(SettlementError::WrongBatch), "{other}");
    }
    let mut no_rollup = honest;
    no_rollup.accounts[1].address = lookalike;
    assert_eq!(machine.send(&no_rollup, &sequencer), Err(Failure::Instruction(InstructionError::IllegalOwner)));
}

#[test]
fn a_closed_batch_comes_back_as_it_was() {
    let (mut machine, leaves) = settled(5);
    for number in 0..5 {
        let before = closed(&mut machine, number);
        let instruction = restoration(&machine, &before, &leaves);
        let units = send(&mut machine, &instruction).expect("restored");
        assert!(units <= u64::from(RESTORE_BATCH_COMPUTE_UNITS), "{units}");
        let after = machine.batch(number);
        assert_eq!((after.status, after.payer), (BatchStatus::Restored, address(&machine.prover)));
        assert_eq!((after.generation, after.attestations, after.settled_slot), (0, 0, 0));
        assert!(after.status.is_settled());
        let (status, payer, settled_slot) = (before.status, before.payer, before.settled_slot);
        assert_eq!(Batch { status, payer, settled_slot, ..after }, before);
    }
}

#[test]
fn what_is_restored_is_its_payers_to_close_at_any_time_and_to_restore_again() {
    let (mut machine, leaves) = settled(2);
    let batch = closed(&mut machine, 0);
    let restore = restoration(&machine, &batch, &leaves);
    let (prover, sequencer) = (machine.prover.insecure_clone(), machine.sequencer.insecure_clone());
    let close = interface::close_batch(&PROGRAM_ID, &machine.rollup, &address(&prover), 0);
    for _ in 0..2 {
        send(&mut machine, &restore).expect("restored");
        assert_eq!(send(&mut machine, &restore), refused(SettlementError::BatchPresent));
        assert_eq!(machine.close_batch(0, &sequencer), refused(SettlementError::NotBatchPayer));
        send(&mut machine, &close).expect("closed");
        assert!(!machine.has_batch(0));
    }
    // Both at once, and once more.
    machine.send_all(&[restore.clone(), close], &[&prover]).expect("restored and closed");
    send(&mut machine, &restore).expect("restored");
}

#[test]
fn a_path_to_any_kept_root_restores_and_to_no_other() {
    let (mut machine, mut leaves) = settled(3);
    let batch = closed(&mut machine, 1);
    while leaves.len() <= KEPT_ROOTS + 2 {
        leaves.push(settle_next(&mut machine));
    }
    let newest = leaves.len() as u32;
    let prover = address(&machine.prover);
    let restore = |leaves: &[Hash]| {
        let path = path::<NativeSha256>(leaves, 1).expect("it is among them");
        let (header, slot, time, size) = (&batch.header, batch.slot, batch.time, leaves.len() as u32);
        let arguments = interface::RestoreBatch { payer: prover, header, slot, time, size, path: &path };
        interface::restore_batch(&PROGRAM_ID, &machine.rollup, &arguments)
    };
    let close = interface::close_batch(&PROGRAM_ID, &machine.rollup, &prover, 1);
    let oldest = newest - KEPT_ROOTS as u32 + 1;
    let restorations = [oldest, oldest + 1, newest].map(|size| restore(&leaves[..size as usize]));
    let forgotten = [2, oldest - 1].map(|size| restore(&leaves[..size as usize]));
    let mut sizes = vec![];
    for size in [0, newest + 1, newest + KEPT_ROOTS as u32, u32::MAX] {
        let mut instruction = restore(&leaves);
        instruction.data[408..412].copy_from_slice(&size.to_le_bytes());
        sizes.push(instruction);
    }
    for instruction in forgotten.iter().chain(&sizes) {
        assert_eq!(send(&mut machine, instruction), refused(SettlementError::UnknownHistoryRoot));
    }
    for instruction in restorations {
        send(&mut machine, &instruction).expect("restored");
        send(&mut machine, &close).expect("closed");
    }
}

#[test]
fn nothing_is_restored_that_is_not_in_the_history() {
    let (mut machine, leaves) = settled(6);
    let batch = closed(&mut machine, 2);
    let other = closed(&mut machine, 3);
    let right = path::<NativeSha256>(&leaves, 2).expect("it is among them");
    let wrong = refused(SettlementError::NotInHistory);

    let headers = [
        BatchHeader { batch_root: Digest::constant([1, 2, 3, 4]), ..batch.header },
        BatchHeader { new_state_root: Digest::constant([1, 2, 3, 4]), ..batch.header },
        BatchHeader { bytes: batch.header.bytes + 1, ..batch.header },
        BatchHeader { receipts: batch.header.receipts + 1, ..batch.header },
        BatchHeader { data_length: batch.header.data_length + 1, ..batch.header },
        BatchHeader { rollup_id: Digest::constant([1, 2, 3, 4]), ..batch.header },
        other.header,
    ];
    for header in headers {
        let mut instruction = machine.restoration(&header, batch.slot, batch.time, &right);
        instruction.accounts[2].address = machine.batch_address(header.number);
        assert_eq!(send(&mut machine, &instruction), wrong);
    }
    let renumbered = BatchHeader { number: 3, ..batch.header };
    let instruction = machine.restoration(&renumbered, batch.slot, batch.time, &right);
    assert_eq!(send(&mut machine, &instruction), wrong);
    for (slot, time) in [(batch.slot + 1, batch.time), (batch.slot, batch.time - 1)] {
        let instruction = machine.restoration(&batch.header, slot, time, &right);
        assert_eq!(send(&mut machine, &instruction), wrong);
    }
    let mut paths = vec![vec![], right[1..].to_vec(), [&right[..], &[[0; 32]]].concat()];
    for place in 0..right.len() {
        let mut path = right.clone();
        path[place][31] ^= 1;
        paths.push(path);
    }
    for path in paths {
        let instruction = machine.restoration(&batch.header, batch.slot, batch.time, &path);
        assert_eq!(send(&mut machine, &instruction), wrong);
    }
    let mut uneven = machine.restoration(&batch.header, batch.slot, batch.time, &right);
    uneven.data.push(0);
    let length = (32 * right.len() + 1) as u32;
    uneven.data[412..416].copy_from_slice(&length.to_le_bytes());
    assert_eq!(send(&mut machine, &uneven), wrong, "not whole hashes");
    let mut noncanonical = machine.restoration(&batch.header, batch.slot, batch.time, &right);
    noncanonical.data[8..16].fill(0xff);
    assert_eq!(send(&mut machine, &noncanonical), refused(SettlementError::NonCanonicalHeader));
    assert!(!machine.has_batch(2) && !machine.has_batch(3));
}

#[test]
fn a_batch_is_restored_at_its_own_address_from_its_own_rollups_history() {
    let (mut machine, leaves) = settled(2);
    let batch = closed(&mut machine, 0);
    let honest = restoration(&machine, &batch, &leaves);
    let mut elsewhere = honest.clone();
    elsewhere.accounts[2].address = machine.batch_address(7);
    assert_eq!(send(&mut machine, &elsewhere), refused(SettlementError::WrongBatchAddress));

    let data = machine.data(&machine.history_address());
    let lookalike = Address([0x55; 32]);
    machine.plant(&lookalike, Address([0x66; 32]), data);
    for (history, refusal) in [
        (lookalike, Failure::Instruction(InstructionError::IllegalOwner)),
        (machine.rollup, Failure::Instruction(InstructionError::AccountDataTooSmall)),
    ] {
        let mut instruction = honest.clone();
        instruction.accounts[1].address = history;
        assert_eq!(send(&mut machine, &instruction), Err(refusal));
    }

    // Another rollup with as many batches: neither its history nor its addresses are any good.
    let first = machine.rollup;
    let arguments = Initialize { id: 1, ..machine.arguments() };
    machine.create(&arguments).expect("another rollup");
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &arguments.admin, 1);
    settle_next(&mut machine);
    settle_next(&mut machine);
    closed(&mut machine, 0);
    let mut other_history = honest.clone();
    other_history.accounts[1].address = machine.history_address();
    assert_eq!(send(&mut machine, &other_history), refused(SettlementError::NotInHistory));
    let mut other_place = honest.clone();
    other_place.accounts[2].address = machine.batch_address(0);
    assert_eq!(send(&mut machine, &other_place), refused(SettlementError::WrongBatchAddress));
    machine.rollup = first;
    send(&mut machine, &honest).expect("restored");
}

#[test]
fn an_account_that_is_there_is_not_written_over() {
    let (mut machine, leaves) = settled(2);
    let batch = machine.batch(0);
    let instruction = restoration(&machine, &batch, &leaves);
    assert_eq!(send(&mut machine, &instruction), refused(SettlementError::BatchPresent));
    assert_eq!(machine.batch(0), batch);
}

#[test]
fn lamports_at_the_address_do_not_stop_a_restoration() {
    let (mut machine, leaves) = settled(1);
    let batch = closed(&mut machine, 0);
    let target = pubkey(machine.batch_address(0));
    machine.svm.airdrop(&target, 1_000_000).expect("lamports");
    let instruction = restoration(&machine, &batch, &leaves);
    send(&mut machine, &instruction).expect("restored");
}

#[test]
fn a_restored_batch_is_not_settled_again() {
    let (mut machine, leaves) = settled(1);
    let batch = closed(&mut machine, 0);
    let instruction = restoration(&machine, &batch, &leaves);
    send(&mut machine, &instruction).expect("restored");
    assert_eq!(machine.settle(0), refused(SettlementError::NotNextBatch));
    assert_eq!(machine.history().size, 1);
}

#[test]
fn a_path_of_seventeen_hashes_fits_a_transaction() {
    let (machine, _) = settled(1);
    let batch = machine.batch(0);
    let size = |hashes: usize| {
        let instruction = machine.restoration(&batch.header, batch.slot, batch.time, &vec![[1; 32]; hashes]);
        let message = Message::new(&[solana(&instruction)], Some(&machine.prover.pubkey()));
        1 + 64 + message.serialize().len()
    };
    assert!(size(17) <= MAX_TRANSACTION_BYTES, "{} bytes", size(17));
    assert!(size(18) > MAX_TRANSACTION_BYTES);
}

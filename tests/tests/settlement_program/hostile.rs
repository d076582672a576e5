//! What somebody would try who means harm.

use cairn_interface::{self as interface, Address, Batch, Initialize, SettlementError};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, header_after, pubkey};
use cairn_types::BatchHeader;
use solana_sdk::instruction::InstructionError;
use solana_sdk::message::Message;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::{Transaction, TransactionError};

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

#[test]
fn a_stranger_cannot_submit_in_its_own_name() {
    let mut machine = Machine::new();
    let stranger = Keypair::new();
    machine.svm.airdrop(&stranger.pubkey(), 1_000_000_000).expect("lamports");
    let header = machine.next_header();
    let instruction = interface::submit_batch(&PROGRAM_ID, &machine.rollup, &address(&stranger), &header);
    assert_eq!(machine.send(&instruction, &stranger), refused(SettlementError::NotSequencer));
}

#[test]
fn a_stranger_cannot_name_the_sequencer_without_its_signature() {
    let mut machine = Machine::new();
    let stranger = Keypair::new();
    machine.svm.airdrop(&stranger.pubkey(), 1_000_000_000).expect("lamports");
    let mut instruction = machine.submission(&machine.next_header());
    instruction.accounts[0].is_signer = false;
    let result = machine.send(&instruction, &stranger);
    assert_eq!(result, Err(Failure::Instruction(InstructionError::MissingRequiredSignature)));
}

#[test]
fn a_batch_submitted_again_is_refused() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    assert_eq!(machine.submit(&header), refused(SettlementError::WrongNumber));
    assert_eq!(machine.rollup().tip, header.cursor());
}

#[test]
fn the_same_signed_transaction_executes_once() {
    let mut machine = Machine::new();
    let instruction = cairn_tests::settlement::solana(&machine.submission(&machine.next_header()));
    let message = Message::new(&[instruction], Some(&machine.sequencer.pubkey()));
    let transaction = Transaction::new(&[&machine.sequencer], message, machine.svm.latest_blockhash());
    machine.svm.send_transaction(transaction.clone()).expect("accepted");
    let again = machine.svm.send_transaction(transaction).expect_err("seen before");
    assert_eq!(again.err, TransactionError::AlreadyProcessed);
    assert_eq!(machine.rollup().tip.batches, 1);
}

#[test]
fn a_batch_ahead_of_its_turn_is_refused() {
    let mut machine = Machine::new();
    let first = machine.next_header();
    let second = header_after(&first.cursor(), first.rollup_id);
    assert_eq!(machine.submit(&second), refused(SettlementError::WrongNumber));
    machine.submit(&first).expect("in its turn");
    machine.submit(&second).expect("in its turn");
}

#[test]
fn a_second_history_cannot_branch_off() {
    let mut machine = Machine::new();
    let first = machine.next_header();
    let fork = BatchHeader { bytes: first.bytes + 1, ..first };
    machine.submit(&first).expect("accepted");
    let after_fork = header_after(&fork.cursor(), fork.rollup_id);
    assert_eq!(machine.submit(&after_fork), refused(SettlementError::WrongPrevious));
}

#[test]
fn a_header_for_a_rollup_on_another_cluster_is_refused() {
    let mut machine = Machine::new();
    let profile = machine.rollup().profile;
    let rollup_id = interface::rollup_id(&[0; 32], &PROGRAM_ID, &machine.rollup, profile);
    let header = BatchHeader { rollup_id, ..machine.next_header() };
    assert_eq!(machine.submit(&header), refused(SettlementError::WrongRollupId));
}

#[test]
fn lookalikes_that_another_program_owns_are_refused() {
    for place in [1, 2] {
        let mut machine = Machine::new();
        let source = machine.submission(&machine.next_header()).accounts[place].address;
        let lookalike = Address([0x55; 32]);
        let data = machine.data(&source);
        machine.plant(&lookalike, Address([0x66; 32]), data);
        let mut instruction = machine.submission(&machine.next_header());
        instruction.accounts[place].address = lookalike;
        let refusal = match place {
            1 => Failure::Instruction(InstructionError::IllegalOwner),
            _ => Failure::Refused(SettlementError::WrongQueue),
        };
        assert_eq!(machine.send_as_sequencer(&instruction), Err(refusal), "account {place}");
    }
}

#[test]
fn accounts_of_another_kind_are_refused() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    let swaps = [(1, machine.queue_address()), (2, machine.rollup)];
    for (place, other) in swaps {
        let mut instruction = machine.submission(&header);
        instruction.accounts[place].address = other;
        assert!(machine.send_as_sequencer(&instruction).is_err(), "account {place}");
    }
    // A batch's bytes in the rollup's place: the owner is right, the discriminator is not.
    machine.submit(&header).expect("accepted");
    let mut instruction = machine.submission(&machine.next_header());
    instruction.accounts[2].address = machine.batch_address(0);
    assert_eq!(machine.send_as_sequencer(&instruction), refused(SettlementError::WrongQueue));
}

#[test]
fn an_impostor_of_the_system_program_is_refused() {
    let mut machine = Machine::new();
    let mut instruction = machine.submission(&machine.next_header());
    instruction.accounts[4].address = PROGRAM_ID;
    assert!(matches!(machine.send_as_sequencer(&instruction), Err(Failure::Instruction(_))));
}

#[test]
fn a_batch_account_of_another_rollup_or_number_is_no_place_to_write() {
    let mut machine = Machine::new();
    machine.submit(&machine.next_header()).expect("accepted");
    // As if the account at the next batch's address held batch 0: right owner and kind, wrong content.
    let (zero, one) = (machine.batch_address(0), machine.batch_address(1));
    let data = machine.data(&zero);
    machine.plant(&one, PROGRAM_ID, data.clone());
    let header = machine.next_header();
    assert_eq!(machine.submit(&header), refused(SettlementError::ForeignBatchAccount));

    machine.plant(&one, PROGRAM_ID, vec![0; data.len()]);
    assert_eq!(machine.submit(&header), refused(SettlementError::ForeignBatchAccount));
    machine.plant(&one, PROGRAM_ID, data[..100].to_vec());
    assert_eq!(machine.submit(&header), refused(SettlementError::ForeignBatchAccount));
}

#[test]
fn one_rollup_does_not_move_another() {
    let mut machine = Machine::new();
    let other = Initialize { id: 1, ..machine.arguments() };
    machine.create(&other).expect("another rollup");
    let first = machine.rollup;
    let second = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
    let header = machine.next_header();
    machine.rollup = second;
    assert_eq!(machine.submit(&header), refused(SettlementError::WrongRollupId));
    machine.rollup = first;
    machine.submit(&header).expect("where it belongs");
    machine.rollup = second;
    assert_eq!(machine.rollup().tip.batches, 0);
}

#[test]
fn truncated_calls_are_refused_and_surplus_bytes_never_read() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    let whole = machine.submission(&header);
    for length in [0, 4, 8, 9, whole.data.len() - 1] {
        let mut short = whole.clone();
        short.data.truncate(length);
        assert!(machine.send_as_sequencer(&short).is_err(), "{length} bytes");
    }
    for accounts in 0..whole.accounts.len() {
        let mut short = whole.clone();
        short.accounts.truncate(accounts);
        assert!(machine.send_as_sequencer(&short).is_err(), "{accounts} accounts");
    }
    let mut long = whole;
    long.data.extend_from_slice(&[0xff; 64]);
    machine.send_as_sequencer(&long).expect("Anchor stops after the arguments");
    let batch = Batch::parse(&machine.data(&machine.batch_address(0))).expect("a batch");
    assert_eq!(batch.header, header);
}

#[test]
fn accounts_that_are_not_writable_are_refused() {
    for place in [1, 3] {
        let mut machine = Machine::new();
        let mut instruction = machine.submission(&machine.next_header());
        instruction.accounts[place].is_writable = false;
        assert!(machine.send_as_sequencer(&instruction).is_err(), "account {place}");
        assert_eq!(machine.rollup().tip.batches, 0);
    }
}

#[test]
fn the_program_does_not_run_under_another_id() {
    let mut machine = Machine::new();
    let id = Address([0x77; 32]);
    machine
        .svm
        .add_program_from_file(pubkey(id), cairn_tests::settlement::program_file(cairn_tests::settlement::PROFILE))
        .expect("the file loads anywhere");
    let instruction = interface::initialize(&id, &machine.arguments());
    assert!(matches!(machine.send_as_admin(&instruction), Err(Failure::Instruction(_))));
}

#[test]
fn a_closed_batch_account_cannot_be_brought_back_by_its_number() {
    let mut machine = Machine::new();
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    let target = pubkey(machine.batch_address(0));
    machine.svm.set_account(target, solana_sdk::account::Account::default()).expect("closed");
    assert_eq!(machine.submit(&header), refused(SettlementError::WrongNumber));
    assert!(machine.svm.get_account(&target).is_none_or(|account| Batch::parse(&account.data).is_err()));
}

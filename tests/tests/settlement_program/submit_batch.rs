use cairn_interface::{Batch, MAX_TRANSACTION_BYTES, SUBMIT_BATCH_COMPUTE_UNITS, SettlementError};
use cairn_tests::settlement::{Failure, Machine, NOW, address, pubkey, solana};
use cairn_types::BatchHeader;
use cairn_types::limits::MAX_CLOCK_SKEW_MS;
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;

#[test]
fn a_chain_of_batches_moves_the_tip_and_leaves_an_account_each() {
    let mut machine = Machine::new();
    for number in 0..5 {
        let header = machine.next_header();
        machine.submit(&header).expect("accepted");

        let rollup = machine.rollup();
        assert_eq!(rollup.tip, header.cursor());
        assert_eq!(rollup.settled.batches, 0, "no proof was verified");
        assert_eq!(rollup.pending(), number + 1);

        let batch = Batch::parse(&machine.data(&machine.batch_address(number))).expect("a batch");
        assert_eq!(batch.header, header);
        assert_eq!(batch.digest, header.statement());
        assert_eq!((batch.rollup, batch.payer), (machine.rollup, address(&machine.sequencer)));
        assert_eq!((batch.generation, batch.attestations, batch.slot, batch.time), (0, 0, 1_000, NOW));
    }
}

#[test]
fn a_transaction_with_a_batch_and_a_compute_budget_fits_the_limit() {
    let machine = Machine::new();
    let instruction = solana(&machine.submission(&machine.next_header()));
    let budget = solana_sdk::instruction::Instruction {
        program_id: solana_sdk::pubkey!("ComputeBudget111111111111111111111111111111"),
        accounts: vec![],
        data: vec![2; 5],
    };
    let price = solana_sdk::instruction::Instruction { data: vec![3; 9], ..budget.clone() };
    let message = Message::new(&[budget, price, instruction], Some(&machine.sequencer.pubkey()));
    let transaction = Transaction::new(&[&machine.sequencer], message, machine.svm.latest_blockhash());
    // A signature each takes 64 bytes, and their number one.
    let size = 1 + 64 * transaction.signatures.len() + transaction.message.serialize().len();
    assert!(size <= MAX_TRANSACTION_BYTES, "{size} bytes");
}

#[test]
fn lamports_sent_to_the_next_batchs_address_do_not_stop_it() {
    for lamports in [1, 1_000_000, 10_000_000_000] {
        let mut machine = Machine::new();
        let target = pubkey(machine.batch_address(0));
        let account = solana_sdk::account::Account { lamports, ..Default::default() };
        machine.svm.set_account(target, account).expect("set");
        let header = machine.next_header();
        machine.submit(&header).expect("accepted all the same");
        assert_eq!(Batch::parse(&machine.data(&machine.batch_address(0))).expect("a batch").header, header);
        let rent = machine.svm.minimum_balance_for_rent_exemption(cairn_interface::BATCH.size);
        assert!(machine.svm.get_account(&target).expect("there").lamports >= rent);
    }
}

#[test]
fn times_up_to_ten_minutes_ahead_are_accepted_and_a_millisecond_more_is_not() {
    let mut machine = Machine::new();
    let latest = u64::try_from(NOW).expect("after the epoch") * 1_000 + MAX_CLOCK_SKEW_MS;
    let late = BatchHeader { time_max: latest + 1, ..machine.next_header() };
    assert_eq!(machine.submit(&late), Err(Failure::Refused(SettlementError::FutureTime)));
    let header = BatchHeader { time_max: latest, ..machine.next_header() };
    machine.submit(&header).expect("accepted");
}

#[test]
fn as_many_batches_as_allowed_may_wait_and_no_more() {
    let mut machine = Machine::new();
    for _ in 0..32 {
        let header = machine.next_header();
        machine.submit(&header).expect("within the limit");
    }
    let header = machine.next_header();
    assert_eq!(machine.submit(&header), Err(Failure::Refused(SettlementError::TooManyPending)));
}

#[test]
fn an_abandoned_batch_is_overwritten_by_one_of_the_next_generation() {
    let mut machine = Machine::new();
    let abandoned = machine.next_header();
    machine.submit(&abandoned).expect("accepted");

    machine.abandon().expect("abandoned");
    assert_eq!((machine.rollup().generation, machine.rollup().tip.batches), (1, 0));

    let header = BatchHeader { bytes: 99, ..abandoned };
    machine.submit(&header).expect("the account is used again");
    let batch = Batch::parse(&machine.data(&machine.batch_address(0))).expect("a batch");
    assert_eq!((batch.generation, batch.header.bytes), (1, 99));
}

#[test]
fn a_submission_stays_within_the_units_that_hosts_request() {
    let mut machine = Machine::new();
    for _ in 0..32 {
        let header = machine.next_header();
        let units = machine.submit(&header).expect("accepted");
        // Every further bump costs some 400 units: room for 25 more happens to be too little once in 2^25 batches.
        assert!(units + 10_000 <= u64::from(SUBMIT_BATCH_COMPUTE_UNITS), "{units} units");
    }
}

//! Abandoning what is pending: by whom, when, and what is left.

use cairn_interface::{
    self as interface, ABANDON_AFTER_SLOTS, Address, Batch, HOUSEKEEPING_COMPUTE_UNITS, Initialize, OVERDUE_GRACE,
    SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address};
use cairn_types::BatchHeader;

fn refused<T>(error: SettlementError) -> Result<T, Failure> {
    Err(Failure::Refused(error))
}

fn submit(machine: &mut Machine) -> BatchHeader {
    let header = machine.next_header();
    machine.submit(&header).expect("accepted");
    header
}

#[test]
fn the_sequencer_takes_the_tip_back_at_any_time() {
    let mut machine = Machine::new();
    assert_eq!(machine.abandon(), refused(SettlementError::NothingToAbandon));
    let first = submit(&mut machine);
    submit(&mut machine);
    submit(&mut machine);
    machine.settle(0).expect("settled");
    let before = machine.rollup();
    let units = machine.abandon().expect("abandoned");
    assert!(units <= u64::from(HOUSEKEEPING_COMPUTE_UNITS), "{units}");
    let after = machine.rollup();
    assert_eq!((after.tip, after.settled, after.generation), (first.cursor(), first.cursor(), 1));
    let rest = interface::Rollup { tip: before.tip, generation: 0, ..after };
    assert_eq!(rest, before, "nothing else is different");
    assert_eq!(machine.abandon(), refused(SettlementError::NothingToAbandon));
    assert_eq!((machine.batch(1).generation, machine.batch(2).generation), (0, 0), "they know nothing of it");
    submit(&mut machine);
    machine.settle(1).expect("another in its place");
}

#[test]
fn anyone_abandons_what_has_waited_and_nobody_else_before() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    submit(&mut machine);
    machine.advance(ABANDON_AFTER_SLOTS - 1, 0);
    let early = refused(SettlementError::TooEarlyToAbandon);
    for key in [machine.admin.insecure_clone(), stranger.insecure_clone()] {
        assert_eq!(machine.send(&machine.abandonment(&key), &key), early);
    }
    machine.advance(1, 0);
    assert_eq!(machine.rollup().abandonable_from(machine.batch(0).slot), 1_000 + ABANDON_AFTER_SLOTS);
    machine.send(&machine.abandonment(&stranger), &stranger).expect("it has waited");
    assert_eq!((machine.rollup().generation, machine.rollup().tip.batches), (1, 0));
}

#[test]
fn a_batch_waits_from_when_its_turn_has_come() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    submit(&mut machine);
    submit(&mut machine);
    machine.advance(ABANDON_AFTER_SLOTS, 0);
    machine.settle(0).expect("settled");
    let early = refused(SettlementError::TooEarlyToAbandon);
    assert_eq!(machine.send(&machine.abandonment(&stranger), &stranger), early, "the second is next since now");
    machine.advance(ABANDON_AFTER_SLOTS - 1, 0);
    assert_eq!(machine.send(&machine.abandonment(&stranger), &stranger), early);
    machine.advance(1, 0);
    machine.send(&machine.abandonment(&stranger), &stranger).expect("it has waited");

    submit(&mut machine);
    assert_eq!(machine.send(&machine.abandonment(&stranger), &stranger), early, "a batch submitted since then");
}

#[test]
fn no_other_account_makes_a_batch_older() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    submit(&mut machine);
    machine.settle(0).expect("settled");
    let other = Initialize { id: 1, ..machine.arguments() };
    machine.create(&other).expect("another rollup");
    let first = machine.rollup;
    machine.rollup = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
    submit(&mut machine);
    submit(&mut machine);
    let foreign = machine.batch_address(1);
    machine.rollup = first;
    machine.advance(ABANDON_AFTER_SLOTS, 0);
    submit(&mut machine);
    submit(&mut machine);

    let lookalike = Address([0x55; 32]);
    let old = machine.data(&foreign);
    machine.plant(&lookalike, Address([0x66; 32]), old);
    for (other, error) in [
        (foreign, SettlementError::WrongBatch),
        (lookalike, SettlementError::WrongBatch),
        (machine.batch_address(9), SettlementError::WrongBatch),
        (machine.queue_address(), SettlementError::WrongBatch),
        (machine.batch_address(0), SettlementError::NotNextBatch),
        (machine.batch_address(2), SettlementError::NotNextBatch),
        (machine.batch_address(1), SettlementError::TooEarlyToAbandon),
    ] {
        let mut instruction = machine.abandonment(&stranger);
        instruction.accounts[2].address = other;
        assert_eq!(machine.send(&instruction, &stranger), refused(error), "{other}");
    }
    assert_eq!(machine.rollup().generation, 0);
}

#[test]
fn the_sequencer_has_to_sign() {
    let mut machine = Machine::new();
    let stranger = machine.funded();
    submit(&mut machine);
    let mut instruction = machine.abandonment(&machine.sequencer.insecure_clone());
    instruction.accounts[0].is_signer = false;
    assert!(machine.send(&instruction, &stranger).is_err());
    instruction.accounts[0] =
        interface::AccountMeta { address: address(&stranger), is_signer: true, is_writable: false };
    assert_eq!(machine.send(&instruction, &stranger), refused(SettlementError::TooEarlyToAbandon));
    let other = Initialize { id: 1, sequencer: address(&stranger), ..machine.arguments() };
    machine.create(&other).expect("another rollup");
    assert_eq!(machine.send(&instruction, &stranger), refused(SettlementError::TooEarlyToAbandon), "of another rollup");
}

#[test]
fn an_abandoned_batch_finds_its_entries_again() {
    let mut machine = Machine::new();
    machine.register_nodes(128);
    machine.take(128).expect("submitted");
    let header = machine.batch(0).header;
    let authority = solana_sdk::signature::Keypair::new();
    let key = cairn_tests::settlement::receipt_key(999);
    assert_eq!(machine.register(&authority, &key), refused(SettlementError::QueueFull), "taken, and not consumed");
    machine.abandon().expect("abandoned");
    machine.submit(&header).expect("the entries are there");
    machine.settle(0).expect("settled");
    machine.register(&authority, &key).expect("consumed");
}

#[test]
fn what_is_overdue_is_counted_from_the_settled_batch_again() {
    let mut machine = Machine::new();
    machine.register_nodes(1);
    machine.advance(interface::DEFAULT_QUEUE_DEADLINE + 1, 0);
    for _ in 0..3 {
        submit(&mut machine);
    }
    machine.settle(0).expect("settled");
    let counts = |machine: &Machine| (machine.rollup().overdue_batches, machine.rollup().settled_overdue_batches);
    assert_eq!(counts(&machine), (3, 1));
    machine.abandon().expect("abandoned");
    assert_eq!(counts(&machine), (1, 1));
    submit(&mut machine);
    assert_eq!((counts(&machine), machine.batch(1).overdue_batches), ((2, 1), 2));
    machine.consume(1).expect("nothing is overdue any more");
    assert_eq!(counts(&machine), (0, 0));
    submit(&mut machine);
    machine.abandon().expect("abandoned");
    assert_eq!(counts(&machine), (0, 0));
}

#[test]
fn abandoning_does_not_win_a_sequencer_time() {
    let mut machine = Machine::new();
    machine.register_nodes(1);
    machine.advance(interface::DEFAULT_QUEUE_DEADLINE + 1, 0);
    for _ in 0..OVERDUE_GRACE {
        submit(&mut machine);
        machine.settle_all();
    }
    let header = machine.next_header();
    assert_eq!(machine.submit(&header), refused(SettlementError::QueueOverdue));
    machine.take(1).expect("nothing is left");
    machine.abandon().expect("abandoned");
    assert_eq!(machine.submit(&header), refused(SettlementError::QueueOverdue));
}

/// Batches that left nothing overdue when they were submitted cannot be changed: they do not count when they are submitted
/// again, and would count for more than the grace has room for.
#[test]
fn batches_from_before_an_entry_was_overdue_are_submitted_again_without_limit() {
    let mut machine = Machine::without_rollup();
    machine.create(&Initialize { max_pending: 2 * OVERDUE_GRACE, ..machine.arguments() }).expect("created");
    machine.register_nodes(1);
    let headers = (0..=OVERDUE_GRACE).map(|_| submit(&mut machine)).collect::<Vec<_>>();
    machine.advance(interface::DEFAULT_QUEUE_DEADLINE + 1, 0);
    machine.abandon().expect("abandoned");
    for header in &headers {
        machine.submit(header).expect("as before");
        assert_eq!(machine.rollup().overdue_batches, 0);
    }
    machine.abandon().expect("abandoned");
    let other = BatchHeader { bytes: headers[0].bytes + 1, ..headers[0] };
    machine.submit(&other).expect("within the grace");
    assert_eq!(machine.rollup().overdue_batches, 1, "another header counts");
    machine.abandon().expect("abandoned");
    machine.submit(&other).expect("within the grace");
    assert_eq!(machine.rollup().overdue_batches, 1, "and counts when it is submitted again");
}

#[test]
fn a_batch_that_was_abandoned_is_overwritten_by_the_next_of_its_number() {
    let mut machine = Machine::new();
    let header = submit(&mut machine);
    machine.abandon().expect("abandoned");
    machine.advance(5, 5);
    let other = BatchHeader { bytes: header.bytes + 1, ..header };
    machine.submit(&other).expect("accepted");
    let batch = Batch::parse(&machine.data(&machine.batch_address(0))).expect("a batch");
    assert_eq!((batch.header, batch.generation, batch.slot), (other, 1, 1_005));
}

//! No entry waits for longer than the deadline, where the batches that were sealed before it are used up.

use cairn_interface::SettlementError::QueueOverdue;
use cairn_interface::{
    self as interface, DEFAULT_QUEUE_DEADLINE, Initialize, MIN_QUEUE_DEADLINE, OVERDUE_GRACE, Registry, SettlementError,
};
use cairn_tests::settlement::{Failure, Machine, PROGRAM_ID, address, receipt_key};

/// A machine with three entries, ten slots between each and the next, and none since the first.
fn machine_with_entries() -> Machine {
    let mut machine = Machine::without_rollup();
    machine.create(&Initialize { max_pending: 1_000, ..machine.arguments() }).expect("created");
    for _ in 0..3 {
        machine.register_nodes(1);
        machine.advance(10, 4);
    }
    machine
}

/// Moves the clock to this many slots after the entry at `position` was added.
fn age(machine: &mut Machine, position: usize, slots: u64) {
    let slot = machine.svm.get_sysvar::<solana_sdk::clock::Clock>().slot;
    let target = machine.queue().ring[position - 1].slot + slots;
    machine.advance(target - slot, 0);
}

fn submit_without_entries(machine: &mut Machine) -> Result<u64, Failure> {
    let header = machine.next_header();
    machine.submit(&header)
}

/// As [`submit_without_entries`], with no more overdue batches to spare.
fn submit_out_of_grace(machine: &mut Machine) -> Result<u64, Failure> {
    machine.set_overdue_batches(OVERDUE_GRACE);
    submit_without_entries(machine)
}

#[test]
fn sixty_four_batches_may_leave_an_overdue_entry_and_the_next_may_not() {
    let mut machine = machine_with_entries();
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE);
    submit_without_entries(&mut machine).expect("in time");
    assert_eq!(machine.rollup().overdue_batches, 0);
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE + 1);
    assert_eq!(OVERDUE_GRACE, 64);
    for batch in 1..=OVERDUE_GRACE {
        submit_without_entries(&mut machine).unwrap_or_else(|error| panic!("overdue batch {batch}: {error:?}"));
        assert_eq!(machine.rollup().overdue_batches, batch);
    }
    for _ in 0..2 {
        assert_eq!(submit_without_entries(&mut machine), Err(Failure::Refused(QueueOverdue)));
        assert_eq!((machine.rollup().overdue_batches, machine.rollup().tip.batches), (OVERDUE_GRACE, 65));
    }
    machine.consume(1).expect("nothing overdue is left");
    assert_eq!((machine.rollup().overdue_batches, machine.rollup().tip.batches), (0, 66));
    age(&mut machine, 3, DEFAULT_QUEUE_DEADLINE + 1);
    for batch in 1..=OVERDUE_GRACE {
        submit_without_entries(&mut machine).unwrap_or_else(|error| panic!("again, batch {batch}: {error:?}"));
    }
    assert_eq!(submit_without_entries(&mut machine), Err(Failure::Refused(QueueOverdue)));
}

#[test]
fn consuming_some_overdue_entries_and_leaving_others_counts_as_well() {
    let mut machine = machine_with_entries();
    age(&mut machine, 3, DEFAULT_QUEUE_DEADLINE + 1);
    machine.set_overdue_batches(OVERDUE_GRACE - 2);
    machine.consume(1).expect("the second is left");
    assert_eq!(machine.rollup().overdue_batches, OVERDUE_GRACE - 1);
    machine.consume(2).expect("the third is left, for the last time");
    assert_eq!(machine.rollup().overdue_batches, OVERDUE_GRACE);
    assert_eq!(submit_without_entries(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(3).expect("nothing is left");
    assert_eq!(machine.rollup().overdue_batches, 0);
}

#[test]
fn a_batch_of_an_empty_queue_or_one_in_time_resets_the_count() {
    let mut machine = machine_with_entries();
    machine.set_overdue_batches(OVERDUE_GRACE);
    submit_without_entries(&mut machine).expect("the entries are young");
    assert_eq!(machine.rollup().overdue_batches, 0);
    machine.set_overdue_batches(OVERDUE_GRACE);
    machine.consume(3).expect("everything");
    assert_eq!(machine.rollup().overdue_batches, 0);
    machine.set_overdue_batches(OVERDUE_GRACE);
    submit_without_entries(&mut machine).expect("an empty queue");
    assert_eq!(machine.rollup().overdue_batches, 0);
}

#[test]
fn a_count_beyond_the_grace_refuses_and_never_wraps() {
    let mut machine = machine_with_entries();
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE + 1);
    for count in [OVERDUE_GRACE + 1, u32::MAX] {
        machine.set_overdue_batches(count);
        assert_eq!(submit_without_entries(&mut machine), Err(Failure::Refused(QueueOverdue)));
        assert_eq!(machine.rollup().overdue_batches, count);
    }
}

#[test]
fn a_refused_batch_moves_the_count_neither_up_nor_to_zero() {
    let mut machine = machine_with_entries();
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE + 1);
    machine.set_overdue_batches(5);
    let (good, before) = (machine.next_header(), machine.rollup());
    let mut future = good;
    future.time_max += 1_000_000_000;
    assert_eq!(machine.submit(&future), Err(Failure::Refused(SettlementError::FutureTime)), "would count up");
    future.queue_to = machine.queue().cursor_at(3).expect("an entry");
    assert_eq!(machine.submit(&future), Err(Failure::Refused(SettlementError::FutureTime)), "would reset");
    assert_eq!(machine.rollup(), before);
    machine.submit(&good).expect("accepted");
    assert_eq!(machine.rollup().overdue_batches, 6);
}

#[test]
fn an_entry_may_wait_until_the_deadline_and_not_a_slot_longer() {
    let mut machine = machine_with_entries();
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE);
    submit_without_entries(&mut machine).expect("in time");
    age(&mut machine, 1, DEFAULT_QUEUE_DEADLINE + 1);
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(1).expect("the first is consumed, the second may wait");
}

#[test]
fn what_counts_is_the_oldest_entry_that_the_batch_leaves() {
    let mut machine = machine_with_entries();
    age(&mut machine, 2, DEFAULT_QUEUE_DEADLINE + 1);
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    assert_eq!(machine.consume(1), Err(Failure::Refused(QueueOverdue)));
    machine.consume(2).expect("the third may wait for nine slots more");
    age(&mut machine, 3, DEFAULT_QUEUE_DEADLINE + 1);
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(3).expect("nothing is left");
    machine.advance(10 * DEFAULT_QUEUE_DEADLINE, 0);
    submit_without_entries(&mut machine).expect("an empty queue is never overdue");
}

#[test]
fn rotations_and_deactivations_are_under_the_deadline_too() {
    let mut machine = Machine::new();
    let authority = machine.register_nodes(1).remove(0);
    machine.consume(1).expect("consumed");
    machine.rotate(&authority, &receipt_key(7)).expect("rotated");
    machine.advance(DEFAULT_QUEUE_DEADLINE + 1, 0);
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(2).expect("consumed");
    machine.deactivate(&authority).expect("deactivated");
    machine.advance(DEFAULT_QUEUE_DEADLINE + 1, 0);
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(3).expect("consumed");
}

#[test]
fn a_shorter_deadline_holds_for_entries_that_wait_already() {
    let mut machine = machine_with_entries();
    age(&mut machine, 1, MIN_QUEUE_DEADLINE + 1);
    submit_without_entries(&mut machine).expect("far from the old deadline");
    let terms = Registry { queue_deadline: MIN_QUEUE_DEADLINE, ..Registry::OPEN };
    let instruction = interface::set_registry(&PROGRAM_ID, &machine.rollup, &address(&machine.admin), &terms);
    machine.send_as_admin(&instruction).expect("changed");
    assert_eq!(submit_out_of_grace(&mut machine), Err(Failure::Refused(QueueOverdue)));
    machine.consume(1).expect("consumed");
}

#[test]
fn a_clock_behind_an_entrys_slot_is_no_reason_to_refuse() {
    let mut machine = Machine::new();
    machine.advance(5, 0);
    machine.register_nodes(1);
    let mut clock = machine.svm.get_sysvar::<solana_sdk::clock::Clock>();
    clock.slot -= 5;
    machine.svm.set_sysvar(&clock);
    submit_without_entries(&mut machine).expect("the age is zero, not 2^64 less five");
}

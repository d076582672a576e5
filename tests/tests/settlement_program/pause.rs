//! A pause stops batches and registrations, nothing else, and ends by itself.

use cairn_interface::{self as interface, Address, Instruction, OVERDUE_GRACE, PAUSE_SECONDS, SettlementError};
use cairn_tests::settlement::{Failure, Machine, NOW, PROGRAM_ID, address, receipt_key};
use solana_sdk::signature::Keypair;

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

fn pause(machine: &Machine) -> Instruction {
    interface::pause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin))
}

fn unpause(machine: &Machine) -> Instruction {
    interface::unpause(&PROGRAM_ID, &machine.rollup, &address(&machine.admin))
}

fn submit(machine: &mut Machine) -> Result<u64, Failure> {
    let header = machine.next_header();
    machine.submit(&header)
}

#[test]
fn a_pause_stops_batches_and_registrations_and_nothing_else() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(2);
    machine.deactivate(&authorities[0]).expect("deactivated");
    machine.consume(3).expect("consumed");
    machine.send_as_admin(&pause(&machine)).expect("paused");
    assert!(machine.rollup().is_paused(NOW));
    assert_eq!(submit(&mut machine), refused(SettlementError::Paused));
    assert_eq!(machine.register(&Keypair::new(), &receipt_key(5)), refused(SettlementError::Paused));

    machine.rotate(&authorities[1], &receipt_key(6)).expect("rotations go on");
    machine.deactivate(&authorities[1]).expect("deactivations go on");
    machine.refund(&authorities[0]).expect("refunds go on");
    let (sequencer, key) = (address(&machine.sequencer), Address([5; 32]));
    let admin = address(&machine.admin);
    let instruction = interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &admin, &sequencer, &key);
    machine.send_as_admin(&instruction).expect("the sequencer can be replaced");

    machine.send_as_admin(&unpause(&machine)).expect("unpaused");
    machine.consume(5).expect("batches go on");
    machine.register(&Keypair::new(), &receipt_key(5)).expect("registrations go on");
}

#[test]
fn a_pause_ends_after_seven_days_of_the_clock_whatever_the_slots() {
    let mut machine = Machine::new();
    machine.send_as_admin(&pause(&machine)).expect("paused");
    machine.advance(10_000_000, PAUSE_SECONDS - 1);
    assert_eq!(submit(&mut machine), refused(SettlementError::Paused));
    machine.advance(0, 1);
    assert!(!machine.rollup().is_paused(NOW + PAUSE_SECONDS));
    submit(&mut machine).expect("the pause is over");
    machine.register(&Keypair::new(), &receipt_key(0)).expect("for registrations too");
    assert_eq!(machine.send_as_admin(&unpause(&machine)), refused(SettlementError::NotPaused));
    assert_eq!(PAUSE_SECONDS, 604_800);
}

#[test]
fn a_pause_is_not_made_longer_while_it_lasts() {
    let mut machine = Machine::new();
    machine.send_as_admin(&pause(&machine)).expect("paused");
    machine.advance(0, PAUSE_SECONDS - 1);
    assert_eq!(machine.send_as_admin(&pause(&machine)), refused(SettlementError::AlreadyPaused));
    machine.advance(0, 1);
    machine.send_as_admin(&pause(&machine)).expect("another pause, after the first");
    assert_eq!(machine.rollup().paused_until, NOW + 2 * PAUSE_SECONDS);
}

#[test]
fn only_the_admin_pauses_and_unpauses() {
    let mut machine = Machine::new();
    let sequencer = address(&machine.sequencer);
    let stop = interface::pause(&PROGRAM_ID, &machine.rollup, &sequencer);
    let go_on = interface::unpause(&PROGRAM_ID, &machine.rollup, &sequencer);
    assert_eq!(machine.send_as_sequencer(&stop), refused(SettlementError::NotAdmin));
    machine.send_as_admin(&pause(&machine)).expect("paused");
    assert_eq!(machine.send_as_sequencer(&go_on), refused(SettlementError::NotAdmin));
    assert_eq!(submit(&mut machine), refused(SettlementError::Paused));
}

#[test]
fn after_the_longest_pause_one_batch_still_catches_up_with_the_queue() {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(128);
    machine.send_as_admin(&pause(&machine)).expect("paused");
    for authority in &authorities {
        machine.rotate(authority, &receipt_key(77)).expect("rotated");
    }
    machine.advance(2_000_000, PAUSE_SECONDS);
    machine.set_overdue_batches(OVERDUE_GRACE);
    assert_eq!(submit(&mut machine), refused(SettlementError::QueueOverdue));
    machine.consume(256).expect("everything at once");
}

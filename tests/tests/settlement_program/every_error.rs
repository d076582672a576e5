//! One way, at least, to get each refusal; and a check that none was forgotten.

use cairn_interface::{self as interface, Address, BATCH, Initialize, PROGRAM_ID, ROLLUP, SettlementError};
use cairn_tests::settlement::{Failure, Machine, address, queue_cursor, queue_digest};
use cairn_types::{BatchHeader, Digest, QueueCursor};

/// Provokes one refusal. Returns what the program said.
fn provoke(error: SettlementError) -> Result<u64, Failure> {
    use SettlementError as E;
    match error {
        E::InvalidKey => initialize(|arguments| arguments.sequencer = Address::default()),
        E::InvalidMaxPending => initialize(|arguments| arguments.max_pending = 0),
        E::UnknownProfile => {
            let mut machine = Machine::without_rollup();
            let mut instruction = interface::initialize(&PROGRAM_ID, &machine.arguments());
            let profile_at = instruction.data.len() - 5;
            instruction.data[profile_at] = 3;
            machine.send_as_admin(&instruction)
        }
        E::NotAdmin => {
            let mut machine = Machine::new();
            let key = address(&machine.sequencer);
            let instruction = interface::set_sequencer(&PROGRAM_ID, &machine.rollup, &key, &key, &key);
            machine.send_as_sequencer(&instruction)
        }
        E::NotSequencer => {
            let mut machine = Machine::new();
            let admin = address(&machine.admin);
            let instruction = interface::submit_batch(&PROGRAM_ID, &machine.rollup, &admin, &machine.next_header());
            machine.send_as_admin(&instruction)
        }
        E::Paused => {
            let mut machine = Machine::new();
            let rollup = machine.rollup;
            machine.tamper(&rollup, |data| data[ROLLUP.size - 7] = 1);
            assert!(machine.rollup().paused);
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::WrongQueue => {
            let mut machine = Machine::new();
            let other = Initialize { id: 1, ..machine.arguments() };
            machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &other)).expect("another rollup");
            let other = interface::rollup_address(&PROGRAM_ID, &other.admin, 1);
            let mut instruction = machine.submission(&machine.next_header());
            instruction.accounts[2].address = interface::queue_address(&PROGRAM_ID, &other);
            machine.send_as_sequencer(&instruction)
        }
        E::NonCanonicalHeader => submit(|header| header.data_length = u64::MAX),
        E::WrongRollupId => submit(|header| header.rollup_id = Digest::from_byte_digest([1; 32])),
        E::WrongNumber => submit(|header| header.number = 1),
        E::WrongPrevious => submit(|header| header.previous = Digest::constant([0, 0, 0, 1])),
        E::WrongOldRoot => submit(|header| header.old_state_root = Digest::ZERO),
        E::WrongQueueStart => submit(|header| {
            header.queue_from.digest = queue_digest(0);
            header.queue_to = header.queue_from;
        }),
        E::UnknownQueueEnd => submit(|header| header.queue_to = queue_cursor(1)),
        E::WrongQueueEnd => {
            let mut machine = Machine::new();
            machine.extend_queue(1);
            let queue_to = QueueCursor { position: 1, digest: queue_digest(2) };
            let header = BatchHeader { queue_to, ..machine.next_header() };
            machine.submit(&header)
        }
        E::FutureTime => submit(|header| header.time_max = (1 << 48) - 1),
        E::TooManyPending => {
            let mut machine = Machine::without_rollup();
            let arguments = Initialize { max_pending: 1, ..machine.arguments() };
            machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments)).expect("created");
            let header = machine.next_header();
            machine.submit(&header).expect("the one that may wait");
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::WrongBatchAddress => {
            let mut machine = Machine::new();
            let mut instruction = machine.submission(&machine.next_header());
            instruction.accounts[3].address = machine.batch_address(1);
            machine.send_as_sequencer(&instruction)
        }
        E::ForeignBatchAccount => {
            let mut machine = Machine::new();
            let target = machine.batch_address(0);
            machine.plant(&target, Address([7; 32]), vec![0; BATCH.size]);
            let header = machine.next_header();
            machine.submit(&header)
        }
        E::BatchExists => {
            let mut machine = Machine::new();
            let genesis = machine.data(&machine.rollup);
            let header = machine.next_header();
            machine.submit(&header).expect("accepted");
            // The tip goes back, and the generation does not go up.
            let rollup = machine.rollup;
            machine.tamper(&rollup, |data| data.copy_from_slice(&genesis));
            machine.submit(&header)
        }
    }
}

fn initialize(change: impl FnOnce(&mut Initialize)) -> Result<u64, Failure> {
    let mut machine = Machine::without_rollup();
    let mut arguments = machine.arguments();
    change(&mut arguments);
    machine.send_as_admin(&interface::initialize(&PROGRAM_ID, &arguments))
}

fn submit(change: impl FnOnce(&mut BatchHeader)) -> Result<u64, Failure> {
    let mut machine = Machine::new();
    let mut header = machine.next_header();
    change(&mut header);
    // The batch account is named by the tip's number, so that nothing but the header is wrong.
    let mut instruction = machine.submission(&header);
    instruction.accounts[3].address = machine.batch_address(0);
    machine.send_as_sequencer(&instruction)
}

#[test]
fn every_refusal_happens_for_its_reason() {
    for error in SettlementError::ALL {
        assert_eq!(provoke(*error), Err(Failure::Refused(*error)), "{}", error.name());
    }
}

#[test]
fn a_zero_acknowledgement_key_is_no_key_either() {
    let result = initialize(|arguments| arguments.acknowledgement_key = Address::default());
    assert_eq!(result, Err(Failure::Refused(SettlementError::InvalidKey)));
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let mut machine = Machine::new();
    let before = machine.data(&machine.rollup);
    let header = BatchHeader { number: 1, ..machine.next_header() };
    machine.submit(&header).expect_err("a gap");
    assert_eq!(machine.data(&machine.rollup), before);
    assert!(machine.svm.get_account(&cairn_tests::settlement::pubkey(machine.batch_address(1))).is_none());
}

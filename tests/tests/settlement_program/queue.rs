//! The queue's chain and its ring, and where batches may begin and end in it.

use cairn_interface::{QUEUE_RING, RingError, SettlementError, layout};
use cairn_tests::settlement::{Failure, Machine, receipt_key};
use cairn_types::limits::MAX_BATCH_QUEUE_ENTRIES;
use cairn_types::{BatchHeader, Digest, QueueCursor, ReceiptKey, VerdictCounts};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use solana_sdk::signature::Keypair;

const RING: u64 = QUEUE_RING as u64;

fn refused(error: SettlementError) -> Result<u64, Failure> {
    Err(Failure::Refused(error))
}

/// Submits a batch that ends in the queue where `end` is.
fn end_at(machine: &mut Machine, end: QueueCursor) -> Result<u64, Failure> {
    let header = BatchHeader { queue_to: end, ..machine.next_header() };
    machine.submit(&header)
}

#[test]
fn digests_chained_on_chain_are_the_native_ones() {
    use cairn_goldilocks::MODULUS;
    let word = || prop_oneof![1 => prop::sample::select(vec![0, 1, 1 << 32, MODULUS - 1]), 3 => 0..MODULUS];
    let words = [word(), word(), word(), word(), word()];
    let mut runner = TestRunner::deterministic();
    let mut key = || loop {
        let words = words.new_tree(&mut runner).expect("words").current();
        let key = ReceiptKey::from_words(words).expect("canonical");
        if !key.is_zero() {
            return key;
        }
    };
    let mut machine = Machine::new();
    let mut cursor = machine.rollup().tip.queue;
    for _ in 0..32 {
        let authority = Keypair::new();
        machine.register(&authority, &key()).expect("registered");
        machine.rotate(&authority, &key()).expect("rotated");
        machine.deactivate(&authority).expect("deactivated");
        let queue = machine.queue();
        let entries = queue.entries_from(&cursor, queue.end.position).expect("each digest follows from the one before");
        assert_eq!(entries.len(), 3);
        cursor = queue.end;
        machine.consume(cursor.position).expect("room for more");
    }
}

#[test]
fn a_batch_may_consume_queue_entries_up_to_the_queues_end() {
    let mut machine = Machine::new();
    machine.register_nodes(3);
    let queue = machine.queue();
    machine.consume(2).expect("two of three entries");
    assert_eq!(machine.rollup().tip.queue, queue.cursor_at(2).expect("it is in the ring"));
    machine.consume(3).expect("the third");
    assert_eq!(machine.rollup().tip.queue, queue.end);
}

#[test]
fn queue_entries_alone_make_a_batch() {
    let mut machine = Machine::new();
    machine.register_nodes(1);
    let header = BatchHeader {
        queue_to: machine.queue().end,
        bundles: 0,
        receipts: 0,
        bytes: 0,
        time_min: 0,
        time_max: 0,
        verdicts: [VerdictCounts::default(); 5],
        ..machine.next_header()
    };
    machine.submit(&header).expect("accepted");
}

#[test]
fn a_batch_begins_where_the_tip_is_and_nowhere_beside_it() {
    let mut machine = Machine::new();
    machine.register_nodes(5);
    machine.consume(2).expect("consumed");
    let queue = machine.queue();
    let at = |position| queue.cursor_at(position).expect("it is in the ring");
    let wrong_digest = QueueCursor { digest: at(3).digest, ..at(2) };
    let wrong_position = QueueCursor { position: 3, ..at(2) };
    for queue_from in [at(1), at(3), wrong_digest, wrong_position] {
        let header = BatchHeader { queue_from, queue_to: at(4), ..machine.next_header() };
        assert_eq!(machine.submit(&header), refused(SettlementError::WrongQueueStart), "{queue_from:?}");
    }
    let header = BatchHeader { queue_from: at(2), queue_to: at(4), ..machine.next_header() };
    machine.submit(&header).expect("from the tip");
}

#[test]
fn a_batch_ends_at_a_position_with_its_digest() {
    let mut machine = Machine::new();
    machine.register_nodes(4);
    let queue = machine.queue();
    let at = |position| queue.cursor_at(position).expect("it is in the ring");
    for (position, digest) in [(2, 1), (2, 3), (4, 3), (1, 4), (3, 4)] {
        let end = QueueCursor { position, digest: at(digest).digest };
        assert_eq!(end_at(&mut machine, end), refused(SettlementError::WrongQueueEnd), "{digest} at {position}");
    }
    let past = QueueCursor { position: 5, digest: queue.end.digest };
    assert_eq!(end_at(&mut machine, past), refused(SettlementError::UnknownQueueEnd));
    let far = QueueCursor { position: MAX_BATCH_QUEUE_ENTRIES, digest: queue.end.digest };
    assert_eq!(end_at(&mut machine, far), refused(SettlementError::UnknownQueueEnd));
    let farther = QueueCursor { position: MAX_BATCH_QUEUE_ENTRIES + 1, digest: queue.end.digest };
    assert_eq!(end_at(&mut machine, farther), refused(SettlementError::NonCanonicalHeader));
    let zero = QueueCursor { position: 4, digest: Digest::ZERO };
    assert_eq!(end_at(&mut machine, zero), refused(SettlementError::WrongQueueEnd));
    end_at(&mut machine, at(4)).expect("the queue's end");
}

#[test]
fn an_entry_that_nobody_registered_cannot_be_consumed() {
    let mut machine = Machine::new();
    machine.register_nodes(1);
    let queue = machine.queue();
    let mut invented = queue.ring[0].entry;
    invented.key = receipt_key(66);
    let end = machine.rollup().tip.queue.push(&invented);
    assert_eq!(end_at(&mut machine, end), refused(SettlementError::WrongQueueEnd));
    let end = queue.end.push(&invented);
    assert_eq!(end_at(&mut machine, end), refused(SettlementError::UnknownQueueEnd));
}

#[test]
fn a_queue_that_went_around_its_ring_is_still_followed() {
    let mut machine = Machine::new();
    let mut followed = machine.rollup().tip.queue;
    for round in 1..=7 {
        let authorities = machine.register_nodes(50);
        for authority in &authorities {
            machine.rotate(authority, &receipt_key(1_000 + round)).expect("rotated");
        }
        let queue = machine.queue();
        assert_eq!(queue.end.position, 100 * round);
        assert_eq!(queue.ring.len() as u64, RING.min(100 * round));
        assert_eq!(queue.entries_from(&followed, queue.end.position).map(<[_]>::len), Ok(100));
        followed = queue.end;
        // Ends that wrap within the ring, and do not end with a round.
        machine.consume(100 * round - 37).expect("the most of them");
        machine.consume(100 * round).expect("the rest");
    }
    let queue = machine.queue();
    assert_eq!(queue.ring[0].cursor.position, 700 - RING + 1);
    assert_eq!(queue.entries(0, 1), Err(RingError::Gone { wanted: 1, oldest: 445 }));
    assert_eq!(machine.rollup().tip.queue, queue.end);
}

#[test]
fn registrations_stop_at_half_the_ring_and_go_on_as_entries_are_consumed() {
    let mut machine = Machine::new();
    machine.register_nodes(128);
    let next = Keypair::new();
    assert_eq!(machine.register(&next, &receipt_key(0)), refused(SettlementError::QueueFull));
    machine.consume(1).expect("one place");
    machine.register(&next, &receipt_key(0)).expect("in the place that is free");
    assert_eq!(machine.register(&Keypair::new(), &receipt_key(0)), refused(SettlementError::QueueFull));
}

/// 128 registrations and 128 rotations: as much as ever waits.
fn full() -> (Machine, Vec<Keypair>) {
    let mut machine = Machine::new();
    let authorities = machine.register_nodes(128);
    for (number, authority) in (0..).zip(&authorities) {
        machine.rotate(authority, &receipt_key(500 + number)).expect("there is another half");
    }
    (machine, authorities)
}

#[test]
fn nothing_is_appended_to_a_full_ring_and_nothing_is_overwritten_before_it_is_consumed() {
    let (mut machine, authorities) = full();
    let before = machine.data(&machine.queue_address());
    assert_eq!(machine.deactivate(&authorities[0]), refused(SettlementError::QueueFull));
    assert_eq!(machine.register(&Keypair::new(), &receipt_key(0)), refused(SettlementError::QueueFull));
    assert_eq!(machine.data(&machine.queue_address()), before);

    machine.consume(1).expect("one place");
    machine.deactivate(&authorities[0]).expect("in the place that is free");
    assert_eq!(machine.deactivate(&authorities[1]), refused(SettlementError::QueueFull));
    let queue = machine.queue();
    assert_eq!((queue.ring[0].cursor.position, queue.end.position), (2, 257));
}

#[test]
fn a_full_ring_is_consumed_by_one_batch_or_left_by_a_batch_that_consumes_nothing() {
    let (mut machine, authorities) = full();
    let genesis = machine.rollup().tip.queue;
    let header = machine.next_header();
    assert_eq!(header.queue_to, genesis);
    machine.submit(&header).expect("nothing consumed");
    machine.consume(RING).expect("everything consumed");
    for authority in &authorities {
        machine.deactivate(authority).expect("there is room");
    }
    assert_eq!(machine.queue().end.position, RING + 128);
}

#[test]
fn a_tip_that_the_ring_has_forgotten_is_still_a_place_to_stay() {
    let (mut machine, _) = full();
    machine.consume(RING).expect("everything");
    let others = machine.register_nodes(128);
    for (number, authority) in (0..).zip(&others) {
        machine.rotate(authority, &receipt_key(900 + number)).expect("the other half");
    }
    let queue = machine.queue();
    assert_eq!((queue.end.position, queue.cursor_at(RING)), (512, None), "the tip's digest is in no place of the ring");
    let header = machine.next_header();
    machine.submit(&header).expect("nothing consumed");
    machine.consume(512).expect("everything consumed");
}

#[test]
fn a_digest_that_the_ring_has_lost_is_no_end_for_a_batch() {
    let mut machine = Machine::new();
    let genesis = machine.data(&machine.rollup);
    let mut old = vec![machine.rollup().tip.queue];
    for _ in 0..3 {
        machine.register_nodes(100);
        let queue = machine.queue();
        old.extend(queue.entries(old.len() as u64 - 1, queue.end.position).expect("new").iter().map(|e| e.cursor));
        machine.consume(queue.end.position).expect("consumed");
    }
    // What abandoning does to the tip.
    let rollup = machine.rollup;
    machine.tamper(&rollup, |data| {
        data.copy_from_slice(&genesis);
        data[8 + 7 * 32 + 2 * layout::CURSOR + 8] = 1;
    });
    // Of 300 entries the ring holds those from 45.
    for position in [1, 43, 44] {
        assert_eq!(end_at(&mut machine, old[position]), refused(SettlementError::UnknownQueueEnd), "{position}");
    }
    assert_eq!(machine.register(&Keypair::new(), &receipt_key(0)), refused(SettlementError::QueueFull));
    end_at(&mut machine, old[45]).expect("the oldest that is left");
}

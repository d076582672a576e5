use super::*;
use crate::{Address, Profile, QUEUE_RING};
use alloc::vec;
use alloc::vec::Vec;
use cairn_types::{BatchHeader, Cursor, Digest, VerdictCounts};

const MODULUS: u64 = 0xffff_ffff_0000_0001;

fn put(data: &mut [u8], at: usize, word: u64) {
    data[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

fn empty(kind: AccountKind) -> Vec<u8> {
    let mut data = vec![0; kind.size];
    data[..8].copy_from_slice(&kind.discriminator);
    data
}

fn rollup() -> Vec<u8> {
    let mut data = empty(ROLLUP);
    data[ROLLUP.size - 8] = Profile::Dev.code();
    data
}

fn header() -> BatchHeader {
    let rollup_id = Digest::from_byte_digest([3; 32]);
    let cursor = Cursor::genesis(&rollup_id);
    BatchHeader {
        rollup_id,
        number: 5,
        previous: Digest::constant([1, 2, 3, 4]),
        batch_root: Digest::constant([5, 6, 7, 8]),
        old_state_root: cursor.state_root,
        new_state_root: cursor.state_root,
        queue_from: cursor.queue,
        queue_to: cursor.queue,
        bundles: 1,
        receipts: 1,
        bytes: 1,
        time_min: 1,
        time_max: 1,
        verdicts: [VerdictCounts::default(); 5],
        tiers: [0; 5],
        data_digest: Digest::from_byte_digest([4; 32]),
        data_length: 1,
    }
}

fn batch() -> Vec<u8> {
    let mut data = empty(BATCH);
    put(&mut data, 72, 5);
    let at = BATCH.size - 384;
    data[at..].copy_from_slice(&header().to_bytes());
    data
}

#[test]
fn accounts_of_another_length_or_kind_are_refused() {
    for (kind, data) in [(ROLLUP, rollup()), (QUEUE, empty(QUEUE)), (BATCH, batch())] {
        let parse = |data: &[u8]| match kind.name {
            "Rollup" => Rollup::parse(data).map(|_| ()),
            "Queue" => Queue::parse(data).map(|_| ()),
            _ => Batch::parse(data).map(|_| ()),
        };
        assert_eq!(parse(&data), Ok(()));
        for length in [0, 7, 8, data.len() - 1] {
            let error = AccountError::Length { account: kind.name, expected: kind.size, actual: length };
            assert_eq!(parse(&data[..length]), Err(error));
        }
        let mut long = data.clone();
        long.push(0);
        assert!(matches!(parse(&long), Err(AccountError::Length { .. })));
        for at in 0..8 {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_eq!(parse(&other), Err(AccountError::Discriminator { account: kind.name }));
        }
    }
}

#[test]
fn every_digest_of_a_rollup_must_be_canonical() {
    let cursor = 8 + 6 * 32;
    let digests = [
        (8 + 4 * 32, "rollup_id"),
        (cursor + 8, "settled"),
        (cursor + 40, "settled"),
        (cursor + 80, "settled"),
        (cursor + layout::CURSOR + 8, "tip"),
        (cursor + layout::CURSOR + 40, "tip"),
        (cursor + layout::CURSOR + 80, "tip"),
    ];
    for (at, name) in digests {
        for word in 0..4 {
            let mut data = rollup();
            put(&mut data, at + 8 * word, MODULUS);
            let Err(AccountError::Field { field, .. }) = Rollup::parse(&data) else { panic!("{name} accepted") };
            assert_eq!(field, name);
        }
    }
}

#[test]
fn unknown_profiles_flags_and_reserved_bytes_are_refused() {
    let cases = [
        (ROLLUP.size - 8, 0, "profile"),
        (ROLLUP.size - 8, 3, "profile"),
        (ROLLUP.size - 7, 2, "paused"),
        (ROLLUP.size - 9, 1, "reserved"),
        (ROLLUP.size - 8 - layout::ROLLUP_RESERVED, 1, "reserved"),
    ];
    for (at, value, name) in cases {
        let mut data = rollup();
        data[at] = value;
        let Err(AccountError::Field { field, .. }) = Rollup::parse(&data) else { panic!("{name} accepted") };
        assert_eq!(field, name);
    }
}

#[test]
fn a_queue_shows_its_last_digests_oldest_first() {
    let mut data = empty(QUEUE);
    let digest = |position: u64| Digest::constant([position, 0, 0, 1]);
    for position in 45..=300 {
        let place = (position % QUEUE_RING as u64) as usize;
        data[80 + 32 * place..112 + 32 * place].copy_from_slice(&digest(position).to_bytes());
        let slot = 80 + 32 * QUEUE_RING + layout::RING_SLOT * place;
        data[slot..slot + 6].copy_from_slice(&(position << 40 | 7).to_le_bytes()[..6]);
    }
    put(&mut data, 40, 300);
    data[48..80].copy_from_slice(&digest(300).to_bytes());
    let queue = Queue::parse(&data).expect("a queue");
    assert_eq!(queue.rollup, Address::default());
    assert_eq!((queue.end.position, queue.end.digest), (300, digest(300)));
    assert_eq!(queue.known.len(), QUEUE_RING);
    for (position, entry) in (45..).zip(&queue.known) {
        assert_eq!((entry.cursor.position, entry.cursor.digest), (position, digest(position)));
        assert_eq!(entry.slot, (position << 40 | 7) & ((1 << 48) - 1));
    }

    data[48] ^= 1;
    assert!(matches!(Queue::parse(&data), Err(AccountError::Field { field: "digest", .. })));
    put(&mut data, 40, u64::MAX);
    assert!(Queue::parse(&data).is_err(), "and no overflow at the longest queue");
}

#[test]
fn a_batch_must_hold_a_valid_header_of_its_own_number() {
    assert_eq!(Batch::parse(&batch()).expect("a batch").header, header());
    let mut other = batch();
    put(&mut other, 72, 6);
    assert!(matches!(Batch::parse(&other), Err(AccountError::Field { field: "number", .. })));
    for word in 0..48 {
        let mut other = batch();
        put(&mut other, BATCH.size - 384 + 8 * word, u64::MAX);
        assert!(matches!(Batch::parse(&other), Err(AccountError::Field { field: "header", .. })), "word {word}");
    }
}

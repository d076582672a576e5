use super::*;
use crate::{MAX_BLOB_LOCATION_BYTES, Profile, QUEUE_RING};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use cairn_types::history::PEAKS;
use cairn_types::{BatchHeader, Cursor, Digest, EntryKind, QueueCursor, QueueEntry, ReceiptKey, VerdictCounts};

const MODULUS: u64 = 0xffff_ffff_0000_0001;

fn put(data: &mut [u8], at: usize, word: u64) {
    data[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

fn empty(kind: AccountKind) -> Vec<u8> {
    let mut data = vec![0; kind.size];
    data[..8].copy_from_slice(&kind.discriminator);
    data
}

/// Where a rollup's profile is, and where its text about blobs starts.
const PROFILE_AT: usize = ROLLUP.size - layout::ROLLUP_TAIL;
const LOCATION_AT: usize = PROFILE_AT + 8;

fn rollup() -> Vec<u8> {
    let mut data = empty(ROLLUP);
    data[PROFILE_AT] = Profile::Dev.code();
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

const KEY: ReceiptKey = match ReceiptKey::from_words([1, 2, 3, 4, MODULUS - 1]) {
    Ok(key) => key,
    Err(_) => unreachable!(),
};
/// Where a node's fields are.
const KEY_AT: usize = 8 + 3 * 32;
const INDEX_AT: usize = KEY_AT + 40 + 3 * 8;
const KIND_AT: usize = INDEX_AT + 4;

fn node() -> Vec<u8> {
    let mut data = empty(NODE);
    data[KEY_AT..KEY_AT + 40].copy_from_slice(&KEY.to_bytes());
    put(&mut data, KEY_AT + 40, 77);
    put(&mut data, KEY_AT + 48, 88);
    put(&mut data, KEY_AT + 56, 99);
    data[INDEX_AT] = 5;
    data[KIND_AT] = 2;
    data
}

#[test]
fn accounts_of_another_length_or_kind_are_refused() {
    let proof = proof_account(Profile::Dev);
    let all = [
        (ROLLUP, rollup()),
        (QUEUE, empty(QUEUE)),
        (NODE, node()),
        (BATCH, batch()),
        (HISTORY, empty(HISTORY)),
        (proof, empty(proof)),
    ];
    for (kind, data) in all {
        let parse = |data: &[u8]| match kind.name {
            "Rollup" => Rollup::parse(data).map(|_| ()),
            "Queue" => Queue::parse(data).map(|_| ()),
            "Node" => Node::parse(data).map(|_| ()),
            "History" => History::parse(data).map(|_| ()),
            "Proof" => Proof::parse(Profile::Dev, data).map(|_| ()),
            _ => Batch::parse(data).map(|_| ()),
        };
        assert_eq!(parse(&data), Ok(()));
        let (account, expected) = (kind.name, kind.size);
        for actual in [0, 7] {
            assert_eq!(parse(&data[..actual]), Err(AccountError::Length { account, expected, actual }));
        }
        let mut long = data.clone();
        long.push(0);
        for other in [&data[..8], &data[..kind.size - 1], &long] {
            let actual = other.len();
            assert_eq!(parse(other), Err(AccountError::Version { account, expected, actual }));
            let mut foreign = other.to_vec();
            foreign[7] ^= 1;
            assert_eq!(parse(&foreign), Err(AccountError::Length { account, expected, actual }));
        }
        for at in 0..8 {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_eq!(parse(&other), Err(AccountError::Discriminator { account: kind.name }));
        }
    }
}

#[test]
fn a_rollup_of_an_earlier_version_is_called_so() {
    let earlier = &rollup()[..584];
    let message = Rollup::parse(earlier).expect_err("without a place for the location of blobs").to_string();
    assert!(
        message.contains("is 584 bytes long, and 784 in this version: it was made by another version"),
        "{message}"
    );
}

#[test]
fn every_digest_of_a_rollup_must_be_canonical() {
    let cursor = 8 + 7 * 32;
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
fn unknown_profiles_and_reserved_bytes_are_refused() {
    let cases = [
        (PROFILE_AT, 0, "profile"),
        (PROFILE_AT, 3, "profile"),
        (PROFILE_AT - 1, 1, "reserved"),
        (PROFILE_AT - layout::ROLLUP_RESERVED, 1, "reserved"),
        (PROFILE_AT + 4, 1, "padding"),
        (PROFILE_AT + 7, 1, "padding"),
    ];
    for (at, value, name) in cases {
        let mut data = rollup();
        data[at] = value;
        let Err(AccountError::Field { field, .. }) = Rollup::parse(&data) else { panic!("{name} accepted") };
        assert_eq!(field, name);
    }
}

/// Where a queue's ring starts, and a place in it.
const RING_AT: usize = 8 + 80;
fn place(position: u64) -> usize {
    RING_AT + layout::RING_ENTRY * (position % QUEUE_RING as u64) as usize
}

fn entry(position: u64) -> QueueEntry {
    let kind = EntryKind::ALL[position as usize % 3];
    let key = if kind == EntryKind::Deactivate { ReceiptKey::ZERO } else { KEY };
    QueueEntry::new(kind, position as u32, key).expect("an entry")
}

/// A queue as the program would leave it after `length` entries, and the cursors at all its positions.
fn queue(length: u64) -> (Vec<u8>, Vec<QueueCursor>) {
    let mut data = empty(QUEUE);
    let mut cursors = vec![Cursor::genesis(&Digest::ZERO).queue];
    for position in 1..=length {
        let entry = entry(position);
        let cursor = cursors[position as usize - 1].push(&entry);
        let at = place(position);
        data[at..at + 32].copy_from_slice(&cursor.digest.to_bytes());
        put(&mut data, at + 32, 1_000 + position);
        put(&mut data, at + 40, entry.kind.code() | u64::from(entry.node_index) << 32);
        data[at + 48..at + 88].copy_from_slice(&entry.key.to_bytes());
        cursors.push(cursor);
    }
    put(&mut data, 40, length);
    data[48..80].copy_from_slice(&cursors[length as usize].digest.to_bytes());
    put(&mut data, 80, length);
    (data, cursors)
}

#[test]
fn a_queue_shows_its_last_entries_oldest_first() {
    for length in [0, 1, 255, 256, 257, 300, 600] {
        let (data, cursors) = queue(length);
        let queue = Queue::parse(&data).expect("a queue");
        assert_eq!((queue.end, queue.nodes), (cursors[length as usize], length as u32));
        let oldest = length.saturating_sub(255).max(1);
        assert_eq!(queue.ring.len() as u64, length + 1 - oldest);
        for (position, found) in (oldest..).zip(&queue.ring) {
            let cursor = cursors[position as usize];
            assert_eq!(*found, RingEntry { cursor, slot: 1_000 + position, entry: entry(position) });
            assert_eq!(queue.cursor_at(position), Some(cursor));
        }
        assert_eq!(queue.cursor_at(length), Some(queue.end), "the genesis too, while it is the end");
        assert_eq!(queue.cursor_at(length + 1), None);
        assert_eq!(queue.cursor_at(oldest - 1), (length == 0).then_some(queue.end));
    }
}

#[test]
fn ranges_of_entries_are_those_after_the_first_position_up_to_the_last() {
    let (data, cursors) = queue(300);
    let queue = Queue::parse(&data).expect("a queue");
    let positions = |from, to| {
        let entries = queue.entries(from, to)?.iter().map(|entry| entry.cursor.position).collect::<Vec<_>>();
        assert_eq!(queue.entries_from(&cursors[from as usize], to).map(<[_]>::len), Ok(entries.len()));
        Ok(entries)
    };
    assert_eq!(positions(44, 46), Ok(vec![45, 46]));
    assert_eq!(positions(299, 300), Ok(vec![300]));
    assert_eq!(positions(44, 300).map(|all| all.len()), Ok(256));
    assert_eq!(positions(300, 300), Ok(vec![]));
    assert_eq!(positions(7, 7), Ok(vec![]), "nothing to read is nothing to miss");
    assert_eq!(positions(43, 46), Err(RingError::Gone { wanted: 44, oldest: 45 }));
    assert_eq!(positions(300, 301), Err(RingError::Range { from: 300, to: 301, length: 300 }));
    assert_eq!(positions(60, 59), Err(RingError::Range { from: 60, to: 59, length: 300 }));
}

#[test]
fn entries_that_do_not_chain_are_not_followed() {
    let (data, cursors) = queue(300);
    for (at, position) in [(0, 100), (44, 100), (48, 100)] {
        let mut other = data.clone();
        other[place(position) + at] ^= 1;
        let queue = Queue::parse(&other).expect("each word is well formed");
        assert_eq!(queue.entries_from(&cursors[90], 99).map(<[_]>::len), Ok(9));
        assert_eq!(queue.entries_from(&cursors[90], 110), Err(RingError::Broken(position)), "byte {at}");
    }
    let queue = Queue::parse(&data).expect("a queue");
    let elsewhere = QueueCursor { position: 90, ..cursors[91] };
    assert_eq!(queue.entries_from(&elsewhere, 110), Err(RingError::Broken(91)));
}

#[test]
fn a_queue_with_impossible_entries_is_refused() {
    let (data, _) = queue(20);
    let reasons = [
        (place(7) + 40, 0, "ring kind"),
        (place(7) + 40, 4, "ring kind"),
        (place(7) + 41, 1, "ring kind"),
        (place(7) + 47, 1, "ring"),
        (place(8) + 48, 1, "ring"),
        (place(21), 1, "ring"),
        (place(0), 1, "ring"),
        (48, data[48] ^ 1, "digest"),
        (80 + 4, 1, "nodes"),
    ];
    assert_eq!(entry(8).kind, EntryKind::Deactivate);
    for (at, value, name) in reasons {
        let mut other = data.clone();
        other[at] = value;
        let Err(AccountError::Field { field, .. }) = Queue::parse(&other) else { panic!("{name} at {at} accepted") };
        assert_eq!(field, name, "at {at}");
    }
    for (at, name) in [(48, "digest"), (place(7), "ring digest"), (place(7) + 48, "ring key")] {
        let mut other = data.clone();
        put(&mut other, at, MODULUS);
        let Err(AccountError::Field { field, .. }) = Queue::parse(&other) else { panic!("{name} accepted") };
        assert_eq!(field, name);
    }
    let mut longest = data;
    put(&mut longest, 40, u64::MAX);
    assert!(Queue::parse(&longest).is_err(), "and no overflow at the longest queue");
}

#[test]
fn a_node_shows_its_fields() {
    let node = Node::parse(&node()).expect("a node");
    assert_eq!((node.receipt_key, node.index, node.last_kind), (KEY, 5, EntryKind::Rotate));
    assert_eq!((node.registered_slot, node.bond, node.last_position), (77, 88, 99));
    assert!(node.is_active());
}

#[test]
fn a_nodes_key_is_zero_exactly_when_it_is_deactivated() {
    let mut data = node();
    data[KIND_AT] = 3;
    assert!(Node::parse(&data).is_err());
    data[KEY_AT..KEY_AT + 40].fill(0);
    assert!(!Node::parse(&data).expect("deactivated").is_active());
    data[KIND_AT] = 2;
    assert!(Node::parse(&data).is_err());
}

#[test]
fn a_node_with_impossible_fields_is_refused() {
    let cases =
        [(INDEX_AT + 3, 1, "index"), (KIND_AT, 0, "last_kind"), (KIND_AT, 4, "last_kind"), (KIND_AT + 3, 1, "padding")];
    for (at, value, name) in cases {
        let mut data = node();
        data[at] = value;
        let Err(AccountError::Field { field, .. }) = Node::parse(&data) else { panic!("{name} accepted") };
        assert_eq!(field, name);
    }
    for word in 0..5 {
        let mut data = node();
        put(&mut data, KEY_AT + 8 * word, MODULUS);
        assert!(matches!(Node::parse(&data), Err(AccountError::Field { field: "receipt_key", .. })));
    }
}

#[test]
fn a_pause_is_over_when_the_clock_says_so() {
    let mut data = rollup();
    put(&mut data, PROFILE_AT - layout::ROLLUP_RESERVED - 24, 1_000);
    let rollup = Rollup::parse(&data).expect("a rollup");
    assert!(rollup.is_paused(999));
    assert!(!rollup.is_paused(1_000));
    assert_eq!(rollup.overdue_batches, 0);
}

#[test]
fn the_count_of_overdue_batches_lies_where_a_rollup_of_before_it_has_zeros() {
    let at = PROFILE_AT - 9 * 8;
    let mut data = rollup();
    assert_eq!(Rollup::parse(&data).expect("a rollup").overdue_batches, 0);
    data[at..at + 4].copy_from_slice(&0x0403_0201_u32.to_le_bytes());
    put(&mut data, at + 8, 77);
    data[at + 4] = 5;
    let rollup = Rollup::parse(&data).expect("a rollup");
    assert_eq!(rollup.overdue_batches, 0x0403_0201);
    assert_eq!((rollup.settled_overdue_batches, rollup.settled_slot), (5, 77));
    assert_eq!(ROLLUP.size, 784);
}

#[test]
fn a_rollup_shows_where_its_blobs_are() {
    assert_eq!(Rollup::parse(&rollup()).expect("a rollup").blob_location, "");
    for text in ["x", "https://blobs.example.org/cairn", &"~".repeat(MAX_BLOB_LOCATION_BYTES)] {
        let mut data = rollup();
        data[PROFILE_AT + 3] = text.len() as u8;
        data[LOCATION_AT..LOCATION_AT + text.len()].copy_from_slice(text.as_bytes());
        assert_eq!(Rollup::parse(&data).expect("a rollup").blob_location, text);

        let refused = |change: &dyn Fn(&mut [u8])| {
            let mut other = data.clone();
            change(&mut other);
            matches!(Rollup::parse(&other), Err(AccountError::Field { field: "blob_location", .. }))
        };
        assert!(refused(&|data| data[PROFILE_AT + 3] -= 1), "a byte past the length");
        assert!(refused(&|data| data[PROFILE_AT + 3] += 1), "a zero within it, or past the place");
        assert!(refused(&|data| data[PROFILE_AT + 3] = u8::MAX));
        for byte in [0, b' ', 0x7f, 0xc3, 0xff] {
            assert!(refused(&|data| data[LOCATION_AT] = byte), "{byte}");
        }
        let end = LOCATION_AT + text.len();
        assert!(end == ROLLUP.size || refused(&|data| data[ROLLUP.size - 1] = b'x'), "a byte at the end of the place");
    }
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

#[test]
fn a_batch_has_one_of_the_known_states() {
    let at = BATCH.size - 384 - 32 - 16;
    for (code, status) in (0..).zip(BatchStatus::ALL) {
        let mut data = batch();
        data[at] = code;
        data[at + 4] = 9;
        put(&mut data, at + 8, 1_234);
        let batch = Batch::parse(&data).expect("a batch");
        assert_eq!((batch.status, batch.overdue_batches, batch.settled_slot), (status, 9, 1_234));
        assert_eq!(batch.status.is_settled(), status != BatchStatus::Submitted);
    }
    let mut data = batch();
    data[at] = BatchStatus::ALL.len() as u8;
    assert!(matches!(Batch::parse(&data), Err(AccountError::Field { field: "status", .. })));
}

/// A history of `size` batches whose root at each size is full of that size, as a byte.
fn history(size: u64) -> Vec<u8> {
    let mut data = empty(HISTORY);
    put(&mut data, 40, size);
    data[48..80].fill(size as u8);
    data[80..112].fill(0xa0);
    for size in size.saturating_sub(KEPT_ROOTS as u64 - 1).max(1)..=size {
        let at = 80 + PEAKS * 32 + (size as usize % KEPT_ROOTS) * layout::KEPT_ROOT;
        put(&mut data, at, size);
        data[at + 8..at + 40].fill(size as u8);
    }
    data
}

#[test]
fn a_history_shows_its_last_roots_oldest_first() {
    for size in [0, 1, 63, 64, 65, 200] {
        let history = History::parse(&history(size)).expect("a history");
        assert_eq!((history.size, history.root, history.peaks[0]), (size, [size as u8; 32], [0xa0; 32]));
        let oldest = size.saturating_sub(63).max(1);
        assert_eq!(history.kept.len() as u64, size + 1 - oldest);
        for (expected, (kept, root)) in (oldest..).zip(&history.kept) {
            assert_eq!((*kept, *root), (expected, [expected as u8; 32]));
            assert_eq!(history.root_at(expected), Some(*root));
        }
        assert_eq!(history.root_at(oldest - 1), None);
        assert_eq!(history.root_at(size + 1), None);
    }
}

#[test]
fn a_history_with_roots_out_of_place_is_refused() {
    let kept = 80 + PEAKS * 32;
    let cases = [
        (200, kept, 1, "kept size"),
        (200, 48, 1, "root"),
        (200, 44, 1, "size"),
        (3, kept, 1, "kept"),
        (3, kept + 8, 1, "kept"),
        (3, kept + 3 * layout::KEPT_ROOT + 8, 1, "root"),
    ];
    for (size, at, value, name) in cases {
        let mut data = history(size);
        data[at] = value;
        let Err(AccountError::Field { field, .. }) = History::parse(&data) else { panic!("{name} at {at} accepted") };
        assert_eq!(field, name, "at {at}");
    }
}

#[test]
fn a_proof_account_shows_its_parts() {
    for profile in Profile::ALL {
        let kind = proof_account(profile);
        let mut data = empty(kind);
        data[8..40].fill(1);
        data[40..72].fill(2);
        data[72] = 3;
        data[104..136].fill(4);
        data[136 + crate::PROGRESS_BYTES - 1] = 5;
        data[136 + crate::PROGRESS_BYTES] = 6;
        let proof = Proof::parse(profile, &data).expect("a proof");
        assert_eq!((proof.authority.0, proof.payer.0, proof.circuit_id), ([1; 32], [2; 32], [4; 32]));
        assert_eq!(proof.statement, Digest::constant([3, 0, 0, 0]));
        assert_eq!((proof.progress.len(), proof.proof.len()), (crate::PROGRESS_BYTES, crate::proof_bytes(profile)));
        assert_eq!(proof.proof[0], 6);
        assert_eq!(proof.progress.last(), Some(&5));
        let owners = Some(ProofOwners { authority: proof.authority, payer: proof.payer });
        for length in [136, 137, data.len() - 8, data.len()] {
            assert_eq!(ProofOwners::parse(&data[..length]), owners, "{length} bytes");
        }
        assert_eq!(ProofOwners::parse(&data[..135]), None);
        assert_eq!(ProofOwners::parse(&data[1..]), None);
        assert_eq!(ProofOwners::parse(&[]), None);
        put(&mut data, 72, MODULUS);
        assert!(matches!(Proof::parse(profile, &data), Err(AccountError::Field { field: "statement", .. })));
    }
}

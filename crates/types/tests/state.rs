//! Accounts, signatures and the queue: what the native twin of clauses 3 to 6 takes and refuses.

mod rollup;

use cairn_types::limits::{MAX_COUNTER, queue_room};
use cairn_types::state::{MemoryState, PartialState, StateError, StateRead};
use cairn_types::tree::fold;
use cairn_types::{
    Account, AccountError, Bundle, Digest, EMPTY_STATE_ROOT, EntryKind, QueueEntry, ReceiptKey, ReceiptSignature,
    SealError, SignatureError,
};
use rollup::{Rollup, bundle, public, register, rollup_id, secret, sign};

fn unauthorised(outcome: Result<cairn_types::Batch, SealError>) -> StateError {
    match outcome {
        Err(SealError::Unauthorised { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Result<cairn_types::Batch, SealError>) -> AccountError {
    match unauthorised(outcome) {
        StateError::Account { source, .. } => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn totals_of_an_account_are_those_of_its_bundles() {
    let mut rollup = Rollup::with_nodes(3);
    let (a, b) = (secret(0), secret(2));
    rollup.seal(vec![bundle(&a, 0, 0, 0..3), bundle(&b, 2, 0, 0..256), bundle(&a, 0, 1, 3..5)], vec![]).unwrap();
    let account = |index| rollup.state.account(index).unwrap().unwrap();
    let sum = |range: std::ops::Range<u64>| range.map(|n| 100 + n).sum::<u64>();
    assert_eq!(account(0), Account { next_sequence: 2, receipts_total: 5, bytes_total: sum(0..5), ..account(0) });
    assert_eq!(account(1), Account::new(public(&secret(1))));
    assert_eq!((account(2).receipts_total, account(2).bytes_total), (256, sum(0..256)));
}

#[test]
fn paths_lead_to_the_root_before_and_after() {
    let mut rollup = Rollup::with_nodes(5);
    let before = rollup.cursor.state_root;
    for index in [0, 4, 77, 0xff_ffff] {
        let part = rollup.state.open([index, 3]);
        assert_eq!(part.root(), before);
        let leaf = part.account(index).unwrap().map_or(Digest::ZERO, |account| account.digest());
        assert_eq!(fold(leaf, u64::from(index), &part.path(index).unwrap()), Some(before));
        part.verify(&before).unwrap();
    }
    let batch = rollup.seal(vec![bundle(&secret(4), 4, 0, 0..9)], vec![]).unwrap();
    assert_eq!(batch.header.old_state_root, before);
    assert_eq!(rollup.state.open([1]).root(), batch.header.new_state_root);
    assert_ne!(before, batch.header.new_state_root);
}

#[test]
fn an_empty_tree_has_the_constant_root() {
    assert_eq!(MemoryState::default().open([]).root(), EMPTY_STATE_ROOT);
    assert_eq!(MemoryState::default().open([5]).root(), EMPTY_STATE_ROOT);
}

#[test]
fn a_tampered_witness_is_not_verified() {
    let rollup = Rollup::with_nodes(4);
    let root = rollup.cursor.state_root;
    let bytes = borsh::to_vec(&rollup.state.open([1, 2])).unwrap();
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(part) = borsh::from_slice::<PartialState>(&changed) {
            assert!(part.verify(&root).is_err(), "byte {at}");
            refused += 1;
        }
    }
    assert!(refused > 100, "only {refused} changes were read at all");
    let whole: PartialState = borsh::from_slice(&bytes).unwrap();
    whole.verify(&root).unwrap();
}

#[test]
fn nobody_signs_for_a_node_but_its_key() {
    let rollup = Rollup::with_nodes(2);
    let mismatch = AccountError::Signature(SignatureError::Mismatch);
    // Another node's key.
    assert_eq!(refused(rollup.attempt(vec![bundle(&secret(1), 0, 0, 0..2)], vec![])), mismatch);
    // A signature over another bundle.
    let mut moved = bundle(&secret(0), 0, 0, 0..2);
    moved.signature = bundle(&secret(0), 0, 0, 0..3).signature;
    assert_eq!(refused(rollup.attempt(vec![moved], vec![])), mismatch);
    // A bundle moved to another node with its signature.
    let mut moved = bundle(&secret(0), 0, 0, 0..2);
    moved.node_index = 1;
    assert_eq!(refused(rollup.attempt(vec![moved], vec![])), mismatch);
    // Bytes that are no signature.
    let mut broken = bundle(&secret(0), 0, 0, 0..2);
    broken.signature = ReceiptSignature::from_bytes([0xff; 80]);
    let malformed = AccountError::Signature(SignatureError::Malformed);
    assert_eq!(refused(rollup.attempt(vec![broken], vec![])), malformed);
    assert_eq!(
        unauthorised(rollup.attempt(vec![bundle(&secret(0), 9, 0, 0..2)], vec![])),
        StateError::NotRegistered(9)
    );
}

#[test]
fn a_bundle_signed_for_another_rollup_is_refused() {
    let rollup = Rollup::with_nodes(1);
    let mut foreign = bundle(&secret(0), 0, 0, 0..2);
    let elsewhere = foreign.statement(&Digest::from_byte_digest([8; 32])).unwrap().digest();
    foreign.signature = ReceiptSignature::from_bytes(secret(0).sign(&elsewhere.words()).to_bytes());
    assert_eq!(refused(rollup.attempt(vec![foreign], vec![])), AccountError::Signature(SignatureError::Mismatch));
}

#[test]
fn sequences_neither_skip_nor_repeat() {
    let mut rollup = Rollup::with_nodes(1);
    let key = secret(0);
    let skipped = rollup.attempt(vec![bundle(&key, 0, 1, 0..2)], vec![]);
    assert_eq!(refused(skipped), AccountError::Sequence { expected: 0, given: 1 });
    let twice = rollup.attempt(vec![bundle(&key, 0, 0, 0..2), bundle(&key, 0, 0, 2..4)], vec![]);
    assert_eq!(refused(twice), AccountError::Sequence { expected: 1, given: 0 });
    rollup.seal(vec![bundle(&key, 0, 0, 0..2)], vec![]).unwrap();
    let again = rollup.attempt(vec![bundle(&key, 0, 0, 0..2)], vec![]);
    assert_eq!(refused(again), AccountError::Sequence { expected: 1, given: 0 });
}

#[test]
fn bytes_of_an_account_stay_below_two_to_the_62() {
    let statement = |bytes| Bundle {
        rollup_id: rollup_id(),
        node_index: 0,
        sequence: 0,
        receipts_root: Digest::ZERO,
        count: 1,
        time_min: 0,
        time_max: 0,
        bytes,
    };
    let account = Account { bytes_total: MAX_COUNTER - 10, ..Account::new(public(&secret(0))) };
    assert_eq!(account.counting(&statement(9)).unwrap().bytes_total, MAX_COUNTER - 1);
    assert_eq!(account.counting(&statement(10)), Err(AccountError::Bytes));
}

#[test]
fn a_key_registered_in_a_batch_signs_only_in_the_next() {
    let mut rollup = Rollup::new();
    let (key, entry) = (secret(0), register(0, &secret(0)));
    let early = rollup.attempt(vec![bundle(&key, 0, 0, 0..1)], vec![entry]);
    assert_eq!(unauthorised(early), StateError::NotRegistered(0));
    rollup.seal(vec![], vec![entry]).unwrap();
    rollup.seal(vec![bundle(&key, 0, 0, 0..1)], vec![]).unwrap();
}

#[test]
fn a_rotated_key_signs_after_its_batch_and_the_old_one_no_more() {
    let mut rollup = Rollup::with_nodes(1);
    let (old, new) = (secret(0), secret(9));
    let rotation = QueueEntry::new(EntryKind::Rotate, 0, public(&new)).unwrap();
    let mismatch = AccountError::Signature(SignatureError::Mismatch);
    let early = rollup.attempt(vec![bundle(&new, 0, 0, 0..1)], vec![rotation]);
    assert_eq!(refused(early), mismatch);
    rollup.seal(vec![bundle(&old, 0, 0, 0..1)], vec![rotation]).unwrap();
    assert_eq!(refused(rollup.attempt(vec![bundle(&old, 0, 1, 1..2)], vec![])), mismatch);
    rollup.seal(vec![bundle(&new, 0, 1, 1..2)], vec![]).unwrap();
    let account = rollup.state.account(0).unwrap().unwrap();
    assert_eq!((account.next_sequence, account.receipts_total), (2, 2));
}

#[test]
fn a_deactivated_node_signs_nothing_and_keeps_its_totals() {
    let mut rollup = Rollup::with_nodes(1);
    let end = QueueEntry::new(EntryKind::Deactivate, 0, ReceiptKey::ZERO).unwrap();
    rollup.seal(vec![bundle(&secret(0), 0, 0, 0..4)], vec![end]).unwrap();
    let after = rollup.attempt(vec![bundle(&secret(0), 0, 1, 4..5)], vec![]);
    assert_eq!(refused(after), AccountError::Signature(SignatureError::Deactivated));
    assert_eq!(rollup.state.account(0).unwrap().unwrap().receipts_total, 4);
}

#[test]
fn a_key_that_is_no_point_is_registered_and_signs_nothing() {
    let mut rollup = Rollup::new();
    // Some small word is not the encoding of a point; whichever it is, consuming it is total.
    let key = (1..100)
        .map(|word| [word, 0, 0, 0, 1])
        .find(|words| cairn_schnorr::PublicKey::decode(*words).is_err())
        .map(|words| ReceiptKey::from_words(words).unwrap())
        .unwrap();
    rollup.seal(vec![], vec![QueueEntry::new(EntryKind::Register, 0, key).unwrap()]).unwrap();
    let attempt = rollup.attempt(vec![bundle(&secret(0), 0, 0, 0..1)], vec![]);
    assert_eq!(refused(attempt), AccountError::Signature(SignatureError::Key));
}

#[test]
fn no_entry_stops_a_batch() {
    let mut rollup = Rollup::new();
    let rotate = QueueEntry::new(EntryKind::Rotate, 3, public(&secret(3))).unwrap();
    let deactivate = QueueEntry::new(EntryKind::Deactivate, 4, ReceiptKey::ZERO).unwrap();
    rollup.seal(vec![], vec![rotate, deactivate]).unwrap();
    assert_eq!(rollup.state.account(3).unwrap(), Some(Account::new(public(&secret(3)))));
    assert_eq!(rollup.state.account(4).unwrap(), Some(Account::new(ReceiptKey::ZERO)));
}

#[test]
fn a_header_binds_the_entries_and_their_order() {
    let mut entries: Vec<_> = (0..4).map(|n| register(n.into(), &secret(n))).collect();
    let rollup = Rollup::new();
    let header = rollup.attempt(vec![], entries.clone()).unwrap().header;
    assert_eq!((header.bundles, header.receipts, header.time_max), (0, 0, 0));
    assert_eq!(header.queue_to.position, 4);
    entries.swap(1, 2);
    let swapped = rollup.attempt(vec![], entries.clone()).unwrap().header;
    assert_eq!(swapped.new_state_root, header.new_state_root);
    assert_ne!(swapped.queue_to.digest, header.queue_to.digest);
}

#[test]
fn entries_have_room_in_the_segments_that_bundles_leave() {
    assert_eq!((queue_room(0), queue_room(1), queue_room(288)), (256, 256, 256));
    assert_eq!((queue_room(289), queue_room(512), queue_room(481), queue_room(480)), (224, 32, 32, 64));
    let entries = (0..=256).map(|index| register(index, &secret(0))).collect();
    assert_eq!(Rollup::new().attempt(vec![], entries), Err(SealError::Entries { entries: 257, bundles: 0 }));
}

#[test]
fn nothing_at_all_is_no_batch() {
    assert!(matches!(Rollup::new().attempt(vec![], vec![]), Err(SealError::Header(_))));
}

#[test]
fn a_state_of_another_root_seals_nothing() {
    let rollup = Rollup::with_nodes(1);
    let mut stale = MemoryState::default().open([0]);
    let outcome =
        cairn_types::Batch::seal(&rollup.cursor, rollup_id(), vec![], vec![register(1, &secret(1))], &mut stale);
    assert!(matches!(outcome, Err(SealError::State { .. })));
}

#[test]
fn signing_anew_is_what_makes_a_changed_bundle_good() {
    let rollup = Rollup::with_nodes(1);
    let mut changed = bundle(&secret(0), 0, 0, 0..2);
    changed.records.pop();
    assert!(rollup.attempt(vec![changed.clone()], vec![]).is_err());
    sign(&secret(0), &mut changed);
    rollup.attempt(vec![changed], vec![]).unwrap();
}

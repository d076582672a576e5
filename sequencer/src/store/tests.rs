//! What the store keeps, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cairn_chain::Keypair;
use cairn_proto::Submission as Wire;
use cairn_types::limits::ACCOUNTS_DEPTH;
use cairn_types::state::{PartialState, StateRead};
use cairn_types::{Account, Digest, EMPTY_STATE_ROOT, EntryKind, ReceiptKey, tree};

use super::*;
use crate::Stage;
use crate::samples::{NODE, NOW_MS, receipt_key, request, rollup};
use crate::seal::rebuild::{RebuildError, rebuild};
use crate::seal::sealer::SealerError;
use crate::test_log::TestLog;

fn open(folder: &Path) -> Store {
    Store::open(folder, &Identity { rollup_id: rollup(), circuit_digest: [0; 32] }).unwrap()
}

fn bundle(log_index: u64, node_index: u32, sequence: u64) -> NewBundle {
    let data = Wire::try_from(request(node_index, sequence, 2)).unwrap().bundle;
    let digest = data.statement(&rollup()).unwrap().digest();
    let key = receipt_key(node_index);
    let placed = Placed { log_index, digest, key, settle_by_slot: 100 + log_index, acknowledged: [6; 64] };
    let next_sequence = sequence + 1;
    let head = Account { key, next_sequence, receipts_total: 2 * next_sequence, bytes_total: 0 };
    NewBundle { placed, bundle: StoredBundle { digest, arrived_ms: NOW_MS, data }, head }
}

#[test]
fn log_heads_and_promises_survive_closing() {
    let folder = tempfile::tempdir().unwrap();
    let bundles = [bundle(0, NODE, 0), bundle(1, NODE + 1, 0), bundle(2, NODE, 1)];
    let store = open(folder.path());
    assert_eq!((store.log_end().unwrap(), store.head(NODE).unwrap()), (0, None));
    store.append(&bundles, &[]).unwrap();
    store.flush().unwrap();
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.log_end().unwrap(), 3);
    let heads = [NODE, NODE + 1, NODE + 2].map(|node| store.head(node).unwrap());
    assert_eq!(heads, [Some(bundles[2].head), Some(bundles[1].head), None]);
    assert_eq!(store.placed(NODE, 1).unwrap(), Some(bundles[2].placed));
    assert_eq!(store.placed(NODE, 2).unwrap(), None);
    let expected: Vec<_> = bundles[1..].iter().map(|new| new.bundle.clone()).collect();
    assert_eq!(store.bundles(1..3).unwrap(), expected);
}

#[test]
fn a_missing_bundle_or_entry_is_named_and_not_skipped() {
    let log = TestLog::new(&[NODE]);
    let store = &log.store;
    store.append(&[bundle(0, NODE, 0), bundle(2, NODE, 1)], &[]).unwrap();
    assert!(matches!(store.bundles(0..3), Err(StoreError::Damaged { family: "bundles", .. })));
    assert!(matches!(store.bundles(2..4), Err(StoreError::Damaged { family: "bundles", .. })));
    assert_eq!(store.queued(1..2).unwrap().len(), 1);
    assert!(matches!(store.queued(1..3), Err(StoreError::Damaged { family: "queue", .. })));
}

#[test]
fn the_first_evidence_of_a_conflict_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (first, second) = (bundle(0, NODE, 0).bundle, StoredBundle { arrived_ms: 1, ..bundle(0, NODE, 0).bundle });
    store.append(&[], &[first.clone(), second.clone()]).unwrap();
    assert_eq!(store.conflict(NODE, 0).unwrap(), Some(first.clone()));
    store.append(&[], &[second]).unwrap();
    assert_eq!(store.conflict(NODE, 0).unwrap(), Some(first));
    assert_eq!(store.log_end().unwrap(), 0);
}

#[test]
fn stages_intents_and_submissions_are_kept_and_rewound() {
    let log = TestLog::new(&[NODE]);
    let store = &log.store;
    store.append(&[bundle(0, NODE, 0), bundle(1, NODE, 1)], &[]).unwrap();
    for log_index in 0..2 {
        log.seal(log_index, log_index + 1).unwrap();
    }
    let sealed = store.last_batch().unwrap().unwrap();
    assert_eq!((sealed.header.number, sealed.first, sealed.end), (2, 1, 2));
    assert_eq!(sealed.settle_by_slot, Some(101));
    assert_eq!(store.batch(1).unwrap().unwrap().header_digest, sealed.header.previous);
    assert_eq!(store.batch(3).unwrap(), None);
    let number_of = |log_index| store.batch_of_bundle(log_index).unwrap().map(|batch| batch.header.number);
    assert_eq!([number_of(0), number_of(1), number_of(2)], [Some(1), Some(2), None]);

    let proof = StoredProof { statement: sealed.header_digest, bytes: vec![1, 2], prove_ms: 3 };
    let intent = Intent {
        digest: sealed.header_digest,
        signature: [4; 64],
        transaction: vec![5],
        last_valid_block_height: 6,
        attempt: 0,
        created_ms: 7,
    };
    let purpose = Purpose::SubmitBatch(2);
    let submission = Submission {
        header_digest: sealed.header_digest,
        signature: Some([4; 64]),
        slot: Some(7),
        compute_units: Some(8),
        fee: Some(9),
    };
    store.published(2).unwrap();
    store.keep_proof(2, &proof).unwrap();
    assert_eq!(store.passed(Stage::Proved).unwrap(), 0, "a proof that is kept is not published yet");
    store.proved(2).unwrap();
    store.intend(purpose, &intent).unwrap();
    assert_eq!(store.intent(purpose).unwrap(), Some(intent.clone()));
    assert!(store.witness(2).unwrap().is_some());
    assert_eq!(store.times(2).unwrap().finalized, None);
    store.submitted(2, &submission, 10, Some(8)).unwrap();
    let times = store.times(2).unwrap();
    assert_eq!((times.sealed, times.signed, times.confirmed), (Some(sealed.sealed_ms), Some(7), Some(8)));
    assert!(times.published <= times.proved && times.proved <= times.finalized && times.published.is_some());
    assert_eq!(store.times(1).unwrap().published, None, "a batch has its own times only");
    assert_eq!(store.intent(purpose).unwrap(), None, "an intent is over when the chain has the batch");
    assert_eq!(store.witness(2).unwrap(), None, "and nobody has to prove it any more");
    assert!(matches!(rebuild(store, &rollup(), 2), Err(RebuildError::Witness(2))));
    assert_eq!(store.proof(2).unwrap(), Some(proof));
    assert_eq!(store.submission(2).unwrap(), Some(submission));
    assert_eq!(Stage::ALL.map(|stage| store.passed(stage).unwrap()), [3, 3, 3, 3, 3, 0]);
    let settlement = Settlement { upload_transactions: 81, lamports_fees: 415_000, ..Settlement::default() };
    store.settled(2, &settlement, 12).unwrap();
    assert_eq!((store.settlement(2).unwrap(), store.settlement(1).unwrap()), (Some(settlement), None));
    assert_eq!((store.settled_slot().unwrap(), store.submitted_slot().unwrap()), (12, 10));
    assert!(store.times(2).unwrap().settled >= times.finalized);
    assert_eq!(Stage::ALL.map(|stage| store.passed(stage).unwrap()), [3; 6]);

    store.intend(Purpose::SubmitBatch(3), &intent).unwrap();
    assert_eq!(store.submitted_slot().unwrap(), 10);
    store.rewind(2, 11).unwrap();
    assert_eq!(store.submitted_slot().unwrap(), 11);
    assert_eq!(store.outbox().unwrap().len(), 1, "what may still execute stays");
    assert_eq!(store.submission(2).unwrap(), None);
    assert_eq!(Stage::ALL.map(|stage| store.passed(stage).unwrap()), [3, 3, 3, 2, 2, 3]);
}

#[test]
fn the_key_of_the_account_for_proofs_survives_until_another_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for key in [1, 2].map(|seed| Keypair::from_seed([seed; 32])) {
        let store = open(folder.path());
        store.name_proof_account(&key).unwrap();
        drop(store);
        let kept = open(folder.path()).proof_account().unwrap().unwrap();
        assert_eq!(kept.to_bytes(), key.to_bytes());
    }
}

#[test]
fn sealing_the_same_cut_again_gives_the_same_batch() {
    let headers = [(), ()].map(|()| {
        let log = TestLog::new(&[NODE, NODE + 1]);
        log.store.append(&[bundle(0, NODE, 0), bundle(1, NODE + 1, 0)], &[]).unwrap();
        log.enqueue(EntryKind::Rotate, NODE, receipt_key(9));
        log.seal(0, 2).unwrap();
        let rebuilt = rebuild(&log.store, &rollup(), 1).unwrap();
        (rebuilt.sealed.header_digest, rebuilt.batch.blob(&rebuilt.cursor))
    });
    assert_eq!(headers[0], headers[1]);
}

/// The whole tree, as the store has it.
fn root(store: &Store) -> Digest {
    let Ok(state) = PartialState::open(store, 0..40) else { panic!() };
    state.verify(&state.root()).unwrap();
    state.root()
}

#[test]
fn the_tree_moves_with_every_seal_and_what_undoes_it_is_kept() {
    let log = TestLog::empty();
    let store = &log.store;
    assert_eq!(root(store), EMPTY_STATE_ROOT);
    log.enqueue(EntryKind::Register, NODE, receipt_key(NODE));
    log.enqueue(EntryKind::Register, 31, receipt_key(31));
    log.seal(0, 0).unwrap();
    store.append(&[bundle(0, NODE, 0), bundle(1, NODE, 1), bundle(2, 31, 0)], &[]).unwrap();
    log.seal(0, 2).unwrap();
    log.enqueue(EntryKind::Deactivate, NODE, ReceiptKey::ZERO);
    log.seal(2, 3).unwrap();

    let headers: Vec<_> = (0..3).map(|number| store.batch(number).unwrap().unwrap().header).collect();
    assert_eq!(root(store), headers[2].new_state_root);
    let account = store.account(NODE).unwrap().unwrap();
    assert_eq!((account.key, account.next_sequence, account.receipts_total), (ReceiptKey::ZERO, 2, 4));
    for (number, header) in headers.iter().enumerate() {
        let before = store.witness(number as u64).unwrap().unwrap();
        before.verify(&header.old_state_root).unwrap();
        // Every account that the batch changed is kept as it was.
        for AccountBefore { node_index, account } in store.accounts_before(number as u64).unwrap().unwrap() {
            assert_eq!(before.account(node_index).unwrap(), account);
        }
    }
    let changed = |number| {
        let accounts = store.accounts_before(number).unwrap().unwrap();
        accounts.into_iter().map(|before| before.node_index).collect::<BTreeSet<_>>()
    };
    assert_eq!([changed(0), changed(1), changed(2)], [[NODE, 31].into(), [NODE].into(), [NODE, 31].into()]);
}

/// Root of the tree over `accounts`, by the book.
fn root_of(accounts: &BTreeMap<u32, Account>) -> Digest {
    let mut level: BTreeMap<u32, Digest> = accounts.iter().map(|(index, account)| (*index, account.digest())).collect();
    for empty in &tree::EMPTY[..ACCOUNTS_DEPTH] {
        let positions: BTreeSet<_> = level.keys().map(|position| position >> 1).collect();
        let child = |position| level.get(&position).unwrap_or(empty);
        level = positions.into_iter().map(|at| (at, tree::node(child(2 * at), child(2 * at + 1)))).collect();
    }
    level.get(&0).copied().unwrap_or(EMPTY_STATE_ROOT)
}

#[test]
fn undoing_batches_last_first_takes_the_tree_back() {
    let log = TestLog::new(&[NODE, 31]);
    let store = &log.store;
    store.append(&[bundle(0, NODE, 0), bundle(1, 31, 0), bundle(2, NODE, 1)], &[]).unwrap();
    log.seal(0, 2).unwrap();
    log.enqueue(EntryKind::Rotate, NODE, receipt_key(50));
    log.enqueue(EntryKind::Register, 4, receipt_key(4));
    log.seal(2, 3).unwrap();
    let mut accounts: BTreeMap<_, _> =
        (0..40).filter_map(|index| Some((index, store.account(index).unwrap()?))).collect();
    assert_eq!(accounts.len(), 3);
    for number in (0..3).rev() {
        let header = store.batch(number).unwrap().unwrap().header;
        assert_eq!(root_of(&accounts), header.new_state_root, "after batch {number}");
        for AccountBefore { node_index, account } in store.accounts_before(number).unwrap().unwrap() {
            match account {
                Some(account) => accounts.insert(node_index, account),
                None => accounts.remove(&node_index),
            };
        }
        assert_eq!(root_of(&accounts), header.old_state_root, "before batch {number}");
    }
    assert!(accounts.is_empty());
}

#[test]
fn keys_lead_to_the_nodes_that_have_them_now() {
    let log = TestLog::new(&[NODE, 3]);
    let (old, new) = (receipt_key(NODE), receipt_key(100));
    assert_eq!(log.store.node_of_key(&old).unwrap(), Some(NODE));
    log.enqueue(EntryKind::Rotate, NODE, new);
    log.enqueue(EntryKind::Rotate, 3, new);
    assert_eq!(log.store.node_of_key(&new).unwrap(), None, "in no batch yet");
    log.seal(0, 0).unwrap();
    assert_eq!(log.store.node_of_key(&old).unwrap(), None);
    assert_eq!(log.store.node_of_key(&new).unwrap(), Some(3), "the lowest index");
    log.enqueue(EntryKind::Deactivate, 3, ReceiptKey::ZERO);
    log.seal(0, 0).unwrap();
    assert_eq!(log.store.node_of_key(&new).unwrap(), Some(NODE));
    assert_eq!(log.store.node_of_key(&ReceiptKey::ZERO).unwrap(), None);
}

#[test]
fn a_rotation_is_sealed_only_with_the_last_bundle_of_the_old_key() {
    let log = TestLog::new(&[NODE, 3]);
    let (old, new) = (receipt_key(NODE), receipt_key(100));
    log.store.append(&[bundle(0, NODE, 0), bundle(1, NODE, 1)], &[]).unwrap();
    log.enqueue(EntryKind::Rotate, NODE, new);
    log.enqueue(EntryKind::Register, 4, receipt_key(4));
    let first = log.seal(0, 1).unwrap();
    assert_eq!(first.header.queue_from, first.header.queue_to, "it waits, and what follows it does too");
    assert_eq!(log.store.head(NODE).unwrap().unwrap().key, old);
    let second = log.seal(1, 2).unwrap();
    assert_eq!(second.header.queue_to.position, second.header.queue_from.position + 2);
    assert_eq!(log.store.head(NODE).unwrap().unwrap().key, new);
    assert_eq!(log.store.head(4).unwrap(), Some(Account::new(receipt_key(4))));
    rebuild(&log.store, &rollup(), second.header.number).unwrap();
}

#[test]
fn a_batch_of_nothing_is_not_sealed() {
    let log = TestLog::new(&[NODE]);
    assert!(matches!(log.seal(0, 0), Err(SealerError::Nothing(0))));
}

#[test]
fn a_bundle_that_is_not_the_acknowledged_one_is_never_sealed() {
    let log = TestLog::new(&[NODE]);
    let mut changed = bundle(0, NODE, 0);
    changed.bundle.digest = Digest::from_byte_digest([8; 32]);
    log.store.append(&[changed], &[]).unwrap();
    let error = log.seal(0, 1).unwrap_err();
    assert!(matches!(error, SealerError::Changed { log_index: 0, .. }), "{error}");
    assert_eq!(log.store.passed(Stage::Sealed).unwrap(), 1);
}

#[test]
fn a_log_that_breaks_a_clause_is_never_sealed() {
    let unordered = |bundle: &mut NewBundle| bundle.bundle.data.records.swap(0, 1);
    let forged = |bundle: &mut NewBundle| {
        bundle.bundle.data.signature = Wire::try_from(request(NODE, 9, 1)).unwrap().bundle.signature;
    };
    let moved = |bundle: &mut NewBundle| bundle.bundle.data.node_index += 1;
    let skipped = |new: &mut NewBundle| new.bundle = bundle(0, NODE, 1).bundle;
    let breaks: [fn(&mut NewBundle); 4] = [unordered, forged, moved, skipped];
    for break_it in breaks {
        let log = TestLog::new(&[NODE]);
        let mut broken = bundle(0, NODE, 0);
        break_it(&mut broken);
        log.store.append(&[broken], &[]).unwrap();
        let error = log.seal(0, 1).unwrap_err();
        assert!(matches!(error, SealerError::Clause { first: 0, last: 0, .. }), "{error}");
        assert_eq!(log.store.passed(Stage::Sealed).unwrap(), 1);
    }
}

#[test]
fn a_changed_bundle_under_a_sealed_batch_is_found_when_it_is_rebuilt() {
    let log = TestLog::new(&[NODE, 3]);
    log.store.append(&[bundle(0, NODE, 0)], &[]).unwrap();
    log.seal(0, 1).unwrap();
    log.store.append(&[bundle(0, 3, 0)], &[]).unwrap();
    let error = rebuild(&log.store, &rollup(), 1).unwrap_err();
    assert!(matches!(error, RebuildError::Seal { number: 1, .. }), "{error}");
}

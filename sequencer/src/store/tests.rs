//! What the store keeps, and in which order.

use cairn_proto::Submission as Wire;
use cairn_types::Digest;

use super::*;
use crate::Stage;
use crate::samples::{NODE, NOW_MS, request, rollup};

fn open(folder: &Path) -> Store {
    Store::open(folder, &Identity { rollup_id: rollup(), circuit_digest: [0; 32] }).unwrap()
}

fn bundle(log_index: u64, node_index: u32, sequence: u64) -> NewBundle {
    let data = Wire::try_from(request(node_index, sequence, 2)).unwrap().bundle;
    let digest = data.statement(&rollup()).unwrap().digest();
    NewBundle { log_index, bundle: StoredBundle { digest, arrived_ms: NOW_MS, data } }
}

#[test]
fn log_and_sequences_survive_closing() {
    let folder = tempfile::tempdir().unwrap();
    let bundles = [bundle(0, NODE, 0), bundle(1, NODE + 1, 0), bundle(2, NODE, 1)];
    let store = open(folder.path());
    assert_eq!((store.log_end().unwrap(), store.next_sequence(NODE).unwrap()), (0, 0));
    store.append(&bundles, &[]).unwrap();
    store.flush().unwrap();
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.log_end().unwrap(), 3);
    let next = [0, NODE - 1, NODE, NODE + 1, NODE + 2, u32::MAX].map(|node| store.next_sequence(node).unwrap());
    assert_eq!(next, [0, 0, 2, 1, 0, 0]);
    let placed = Placed { log_index: 2, digest: bundles[2].bundle.digest };
    assert_eq!(store.placed(NODE, 1).unwrap(), Some(placed));
    assert_eq!(store.placed(NODE, 2).unwrap(), None);
    let expected: Vec<_> = bundles[1..].iter().map(|new| new.bundle.clone()).collect();
    assert_eq!(store.bundles(1..3).unwrap(), expected);
}

#[test]
fn a_missing_bundle_is_named_and_not_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.append(&[bundle(0, NODE, 0), bundle(2, NODE, 1)], &[]).unwrap();
    assert!(matches!(store.bundles(0..3), Err(StoreError::Damaged { family: "bundles", .. })));
    assert!(matches!(store.bundles(2..4), Err(StoreError::Damaged { family: "bundles", .. })));
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
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.append(&[bundle(0, NODE, 0), bundle(1, NODE, 1)], &[]).unwrap();
    for log_index in 0..2 {
        crate::seal::sealer::seal(&store, &rollup(), log_index, log_index + 1).unwrap();
    }
    let sealed = store.last_batch().unwrap().unwrap();
    assert_eq!((sealed.header.number, sealed.first, sealed.end), (1, 1, 2));
    assert_eq!(store.batch(0).unwrap().unwrap().header_digest, sealed.header.previous);
    assert_eq!(store.batch(2).unwrap(), None);

    let proof = StoredProof { statement: sealed.header_digest, bytes: vec![1, 2], prove_ms: 3 };
    let intent = Intent {
        header_digest: sealed.header_digest,
        signature: [4; 64],
        transaction: vec![5],
        last_valid_block_height: 6,
    };
    let submission = Submission {
        header_digest: sealed.header_digest,
        signature: Some([4; 64]),
        slot: Some(7),
        compute_units: Some(8),
    };
    store.published(1).unwrap();
    store.keep_proof(1, &proof).unwrap();
    assert_eq!(store.passed(Stage::Proved).unwrap(), 0, "a proof that is kept is not published yet");
    store.proved(1).unwrap();
    store.intend(1, &intent).unwrap();
    assert_eq!(store.intent(1).unwrap(), Some(intent));
    store.submitted(1, &submission).unwrap();
    assert_eq!(store.intent(1).unwrap(), None, "an intent is over when the chain has the batch");
    assert_eq!(store.proof(1).unwrap(), Some(proof));
    assert_eq!(store.submission(1).unwrap(), Some(submission));
    assert_eq!(Stage::ALL.map(|stage| store.passed(stage).unwrap()), [2; 4]);

    store.rewind(1).unwrap();
    assert_eq!(store.submission(1).unwrap(), None);
    assert_eq!(Stage::ALL.map(|stage| store.passed(stage).unwrap()), [2, 2, 2, 1]);
}

#[test]
fn sealing_the_same_cut_again_gives_the_same_batch() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let headers = folders.each_ref().map(|folder| {
        let store = open(folder.path());
        store.append(&[bundle(0, NODE, 0), bundle(1, NODE + 1, 0)], &[]).unwrap();
        crate::seal::sealer::seal(&store, &rollup(), 0, 2).unwrap();
        let rebuilt = crate::seal::rebuild::rebuild(&store, &rollup(), 0).unwrap();
        (rebuilt.sealed.header_digest, rebuilt.batch.blob(&rebuilt.cursor))
    });
    assert_eq!(headers[0], headers[1]);
}

#[test]
fn a_bundle_that_is_not_the_acknowledged_one_is_never_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut changed = bundle(0, NODE, 0);
    changed.bundle.digest = Digest::from_byte_digest([8; 32]);
    store.append(&[changed], &[]).unwrap();
    let error = crate::seal::sealer::seal(&store, &rollup(), 0, 1).unwrap_err();
    assert!(matches!(error, crate::seal::sealer::SealerError::Changed { log_index: 0, .. }), "{error}");
    assert_eq!(store.passed(Stage::Sealed).unwrap(), 0);
}

#[test]
fn a_log_that_breaks_a_clause_is_never_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut unordered = bundle(0, NODE, 0);
    unordered.bundle.data.records.swap(0, 1);
    store.append(&[unordered], &[]).unwrap();
    let error = crate::seal::sealer::seal(&store, &rollup(), 0, 1).unwrap_err();
    assert!(matches!(error, crate::seal::sealer::SealerError::Clause { first: 0, last: 0, .. }), "{error}");
    assert_eq!(store.passed(Stage::Sealed).unwrap(), 0);
}

#[test]
fn a_changed_bundle_under_a_sealed_batch_is_found_when_it_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.append(&[bundle(0, NODE, 0)], &[]).unwrap();
    crate::seal::sealer::seal(&store, &rollup(), 0, 1).unwrap();
    store.append(&[bundle(0, NODE, 5)], &[]).unwrap();
    let error = crate::seal::rebuild::rebuild(&store, &rollup(), 0).unwrap_err();
    assert!(matches!(error, crate::seal::rebuild::RebuildError::Header { number: 0, .. }), "{error}");
}

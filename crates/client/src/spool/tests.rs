//! What a spool keeps, and what it refuses.

use super::*;
use crate::bundling::Room;
use crate::samples::{ROLLUP, receipt};
use cairn_types::limits::MAX_BUNDLE_BYTES;
use cairn_types::{Digest, Receipt};
use proptest::prelude::*;

const WIDE: Room = Room { receipts: 256, bytes: MAX_BUNDLE_BYTES };

fn identity(key: &NodeKey) -> Identity {
    Identity {
        rollup_id: ROLLUP,
        genesis_hash: [1; 32],
        program_id: [2; 32],
        rollup_address: [3; 32],
        profile: 1,
        acknowledgement_key: [4; 32],
        node_index: 7,
        key: key.public(),
    }
}

fn bound() -> (tempfile::TempDir, Spool, NodeKey) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool")).unwrap();
    let key = NodeKey::generate().unwrap();
    spool.bind(&identity(&key), &key, false).unwrap();
    (folder, spool, key)
}

fn receipts(times: impl IntoIterator<Item = u64>) -> Vec<Receipt> {
    times.into_iter().zip(0..).map(|(time, n)| receipt(n, time)).collect()
}

fn shape(spool: &Spool) -> Vec<(u64, u16)> {
    let mut shape = Vec::new();
    let heard = spool.list(&Filter::default(), false, |record, _| {
        shape.push((record.sequence, record.receipts));
        true
    });
    heard.unwrap();
    shape
}

#[test]
fn bundles_are_full_in_order_provable_and_signed() {
    let (_folder, spool, key) = bound();
    spool.enqueue(&receipts((0..600).map(|n| (n * 7919) % 1000)), false, &[]).unwrap();
    assert_eq!(spool.sign(&key, 40, WIDE, false).unwrap(), 2);
    assert_eq!(spool.waiting().unwrap().receipts, 88);
    assert_eq!(spool.sign(&key, 42, WIDE, true).unwrap(), 1);
    assert_eq!(shape(&spool), [(40, 256), (41, 256), (42, 88)]);
    let statements: Vec<_> = (40..43)
        .map(|sequence| {
            let bundle = spool.bundle(sequence).unwrap();
            let statement = bundle.statement(&ROLLUP).unwrap();
            assert_eq!(key.public().verify(&statement.digest(), &bundle.signature), Ok(()));
            statement
        })
        .collect();
    assert!(statements.windows(2).all(|pair| pair[0].time_max <= pair[1].time_min));
    assert_eq!(spool.waiting().unwrap(), Waiting::default());
}

#[test]
fn a_bundle_is_closed_before_its_bytes_overflow() {
    let (_folder, spool, key) = bound();
    let all = receipts(1..6);
    let each = all[0].encode().unwrap().len();
    spool.enqueue(&all, false, &[]).unwrap();
    let narrow = Room { receipts: 256, bytes: each - 1 };
    let error = spool.sign(&key, 0, narrow, true).unwrap_err();
    assert!(matches!(error, SpoolError::Bundling(crate::BundlingError::TooLarge { .. })), "{error}");
    spool.sign(&key, 0, Room { receipts: 256, bytes: 2 * each + 1 }, true).unwrap();
    assert_eq!(shape(&spool), [(0, 2), (1, 2), (2, 1)]);
}

#[test]
fn no_receipts_make_no_bundle() {
    let (_folder, spool, key) = bound();
    assert_eq!(spool.sign(&key, 0, WIDE, true).unwrap(), 0);
    assert_eq!(spool.next_sequence().unwrap(), None);
}

#[test]
fn a_sequence_is_signed_for_once_and_in_order() {
    let (_folder, spool, key) = bound();
    spool.enqueue(&receipts(0..4), false, &[]).unwrap();
    spool.sign(&key, 5, WIDE, true).unwrap();
    let signed = spool.bundle(5).unwrap();
    spool.enqueue(&receipts(100..105), true, &[]).unwrap();
    for sequence in [4, 5, 7] {
        let error = spool.sign(&key, sequence, WIDE, true).unwrap_err();
        assert!(matches!(error, SpoolError::Order { expected: 6, .. }), "{error}");
    }
    assert_eq!(spool.bundle(5).unwrap(), signed);
    assert_eq!(spool.waiting().unwrap().receipts, 5, "what was not signed waits on");
    let other = NodeKey::generate().unwrap();
    assert!(matches!(spool.sign(&other, 6, WIDE, true), Err(SpoolError::Key { .. })));
    spool.sign(&key, 6, WIDE, true).unwrap();
}

#[test]
fn a_spool_is_for_one_rollup_one_node_and_its_receipts() {
    let (_folder, spool, key) = bound();
    let identity = identity(&key);
    let rollup_id = Digest::constant([9, 9, 9, 9]);
    let cases = [(Identity { rollup_id, ..identity }, "rollup"), (Identity { node_index: 8, ..identity }, "node")];
    for (other, what) in cases {
        let error = spool.bind(&other, &key, false).unwrap_err();
        assert!(matches!(error, SpoolError::Other { what: found, .. } if found == what), "{error}");
    }
    let moved = Identity { acknowledgement_key: [5; 32], ..identity };
    assert!(matches!(spool.bind(&moved, &key, false), Err(SpoolError::AcknowledgementKey { .. })));
    spool.bind(&moved, &key, true).unwrap();
    let strangers = [Receipt { rollup_id, ..receipt(0, 0) }, Receipt { node_index: 8, ..receipt(0, 0) }];
    for stranger in strangers {
        assert!(matches!(spool.enqueue(&[stranger], false, &[]), Err(SpoolError::Other { .. })));
    }
    assert_eq!(spool.waiting().unwrap().receipts, 0);
}

#[test]
fn everything_survives_reopening() {
    let (_folder, spool, key) = bound();
    spool.enqueue(&receipts(0..5), false, &[]).unwrap();
    spool.sign(&key, 3, Room { receipts: 2, ..WIDE }, false).unwrap();
    let path = spool.path().to_owned();
    let bundle = spool.bundle(4).unwrap();
    drop(spool);
    let spool = Spool::open(&path).unwrap();
    assert_eq!(spool.identity().unwrap(), Some(identity(&key)));
    assert_eq!(spool.pending().unwrap(), [3, 4]);
    assert_eq!(spool.bundle(4).unwrap(), bundle);
    assert_eq!(spool.waiting().unwrap().receipts, 1);
    let again = spool.enqueue(&receipts(0..6), false, &[]).unwrap();
    assert_eq!(again, Enqueued { receipts: 1, known: 5 });
}

#[test]
fn a_file_that_is_no_spool_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    assert!(matches!(Spool::open_existing(&path), Err(SpoolError::Missing { .. })));
    assert!(!path.exists());
    std::fs::write(&path, b"WARC/1.0\r\n").unwrap();
    assert!(matches!(Spool::open(&path), Err(SpoolError::Store { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"WARC/1.0\r\n");
    // A database of another program, or of another version of this one.
    let path = folder.path().join("other");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table::META).unwrap().insert("format", &b"cairn journal 1"[..]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Spool::open(&path).unwrap_err();
    assert!(matches!(error, SpoolError::Other { .. } | SpoolError::Damaged { .. }), "{error}");
}

#[test]
fn a_bundle_that_is_not_what_was_signed_is_not_sent() {
    let (_folder, spool, key) = bound();
    spool.enqueue(&receipts(0..3), false, &[]).unwrap();
    spool.sign(&key, 0, WIDE, true).unwrap();
    let mut bundle = spool.bundle(0).unwrap();
    bundle.records.pop();
    spool
        .write(|transaction| {
            transaction.open_table(table::BUNDLES)?.insert(0, borsh_bytes(&bundle).as_slice())?;
            Ok(())
        })
        .unwrap();
    assert!(matches!(spool.bundle(0), Err(SpoolError::Damaged { .. })));
}

#[test]
fn lists_are_filtered_by_url_domain_bundle_and_stage() {
    let (_folder, spool, key) = bound();
    let elsewhere = |receipt: Receipt| Receipt { domain: "example.net".to_owned(), ..receipt };
    let all: Vec<_> =
        receipts(0..9).into_iter().zip(0..).map(|(r, n)| if n % 3 == 0 { elsewhere(r) } else { r }).collect();
    spool.enqueue(&all, false, &[]).unwrap();
    spool.sign(&key, 0, Room { receipts: 4, ..WIDE }, true).unwrap();
    let found = |filter: &Filter| {
        let mut found = Vec::new();
        spool
            .list(filter, true, |record, lines| {
                found.push((record.sequence, lines.len()));
                true
            })
            .unwrap();
        found
    };
    assert_eq!(found(&Filter::default()), [(0, 4), (1, 4), (2, 1)]);
    let domain = Some("Example.NET".to_owned());
    assert_eq!(found(&Filter { domain, ..Filter::default() }), [(0, 2), (1, 1)]);
    assert_eq!(found(&Filter { url: Some("00000008".to_owned()), ..Filter::default() }), [(2, 1)]);
    assert_eq!(found(&Filter { sequences: 1..=1, ..Filter::default() }), [(1, 4)]);
    assert_eq!(found(&Filter { from: Stage::Acknowledged, ..Filter::default() }), []);
    assert_eq!(spool.sums().unwrap().from(Stage::Signed), (3, 9));
}

#[test]
fn a_promise_is_kept_by_a_settled_batch_and_by_nothing_less() {
    let (_folder, spool, key) = bound();
    spool.enqueue(&receipts([1]), false, &[]).unwrap();
    spool.sign(&key, 0, WIDE, true).unwrap();
    let mut record = spool.record(0).unwrap();
    assert!(!record.is_overdue(Stage::Signed, u64::MAX), "nothing was promised yet");
    let promise = Promise { log_index: 0, settle_by_slot: 90, signature: [0; 64], key: [4; 32], received_ms: 0 };
    record.promise = Some(promise);
    for stage in Stage::ALL {
        assert!(!record.is_overdue(stage, 90));
        assert_eq!(record.is_overdue(stage, 91), stage != Stage::Settled, "{stage:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_comes_in_whatever_order_leaves_once(
        batches in prop::collection::vec(prop::collection::vec((0_u64..40, 0_u64..50), 0..20), 1..6),
        size in 1_usize..8,
    ) {
        let (_folder, spool, key) = bound();
        let mut expected = std::collections::BTreeSet::new();
        for batch in batches {
            let batch: Vec<_> = batch.into_iter().map(|(n, time)| receipt(n, time)).collect();
            expected.extend(batch.iter().map(|receipt| receipt.encode().unwrap()));
            spool.enqueue(&batch, false, &[]).unwrap();
            let next = spool.next_sequence().unwrap().unwrap_or(0);
            spool.sign(&key, next, Room { receipts: size, ..WIDE }, false).unwrap();
        }
        let next = spool.next_sequence().unwrap().unwrap_or(0);
        spool.sign(&key, next, Room { receipts: size, ..WIDE }, true).unwrap();
        let mut left = Vec::new();
        for sequence in spool.pending().unwrap() {
            let bundle = spool.bundle(sequence).unwrap();
            prop_assert!(bundle.records.len() <= size);
            left.extend(bundle.records.into_iter().map(|record| record.receipt));
        }
        prop_assert_eq!(left.len(), expected.len());
        prop_assert_eq!(left.into_iter().collect::<std::collections::BTreeSet<_>>(), expected);
    }
}

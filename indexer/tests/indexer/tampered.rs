//! Batches that a lying sequencer changed, under a header on chain that has the digest of the changed data.

use super::refuse::nothing_is_served;
use crate::support::{Bench, NODE, get, problem, receipt_key, record, signed, signing_key};
use cairn_indexer::ProblemKind;
use cairn_types::{BatchHeader, Blob};

/// Submits a batch that a lying sequencer changed, digest and all, and returns why it is refused. The batch has a bundle
/// of nodes 1 and 2 each, rotates node 0 and registers node 3.
async fn tampered(change: impl FnOnce(&Bench, &mut Blob), head: impl FnOnce(&mut BatchHeader)) -> String {
    let mut bench = Bench::new().await;
    bench.settle(vec![vec![record(&bench.receipt(1))]]).await;
    let receipt = bench.receipt(2);
    bench.rotate(0, signing_key(50)).await;
    bench.register(signing_key(51)).await;
    let mut of_node_2 = bench.receipt(3);
    of_node_2.node_index = 2;
    let bundles = vec![bench.bundle(NODE, 0, vec![record(&receipt)]), bench.bundle(2, 0, vec![record(&of_node_2)])];
    let entries = bench.entries().await;
    assert_eq!(entries.len(), 2);
    let batch = bench.ledger.seal(bundles, entries);
    let (mut header, data) = bench.ledger.tamper(&batch, |blob| change(&bench, blob));
    head(&mut header);
    bench.put(&header, &data).await;
    bench.client.submit_batch(&bench.sequencer, &header).await.unwrap();
    let indexer = bench.start().await;
    let found = problem(&indexer).await;
    assert_eq!((found.kind, found.batch), (ProblemKind::Refused, Some(2)), "{}", found.reason);
    assert_eq!(found.header_digest, Some(header.statement()));
    nothing_is_served(&indexer, &found.reason, &receipt).await;
    let key = receipt_key(&signing_key(51));
    assert_eq!(get(&indexer, &format!("/v1/keys/{key}")).await.json()["uses"].as_array().unwrap().len(), 0);
    assert_eq!(get(&indexer, "/v1/nodes/3").await.status, 404);
    indexer.stop().await.unwrap();
    found.reason
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let change = |_: &Bench, blob: &mut Blob| blob.bundles[0].signature = blob.bundles[1].signature;
    let reason = tampered(change, |_| ()).await;
    assert!(reason.starts_with("clause 3: ") && reason.contains("bundle 0: node 1"), "{reason}");
}

#[tokio::test]
async fn swapped_bundles_are_refused() {
    let reason = tampered(|_, blob| blob.bundles.swap(0, 1), |_| ()).await;
    assert!(reason.starts_with("clause 2: ") && reason.contains("batch_root"), "{reason}");
}

#[tokio::test]
async fn a_missing_entry_is_refused() {
    let reason = tampered(|_, blob| drop(blob.entries.drain(..1)), |_| ()).await;
    assert!(reason.starts_with("clause 5: the blob has 1 queue entries, its header says 2"), "{reason}");
}

#[tokio::test]
async fn entries_in_another_order_are_refused() {
    let reason = tampered(|_, blob| blob.entries.reverse(), |_| ()).await;
    assert!(reason.starts_with("clause 5: ") && reason.contains("queue_to"), "{reason}");
}

#[tokio::test]
async fn a_bundle_by_a_key_that_was_rotated_away_is_refused() {
    // Node 0's new key counts from the next batch on.
    let change = |bench: &Bench, blob: &mut Blob| {
        let mut receipt = bench.receipt(2);
        receipt.node_index = 0;
        blob.bundles[0] = signed(bench.rollup_id, &signing_key(50), 0, 0, vec![record(&receipt)]);
    };
    let reason = tampered(change, |_| ()).await;
    assert!(reason.starts_with("clause 3: ") && reason.contains("bundle 0: node 0"), "{reason}");
}

#[tokio::test]
async fn a_stale_sequence_is_refused() {
    let change = |bench: &Bench, blob: &mut Blob| {
        blob.bundles[0] = signed(bench.rollup_id, &bench.keys[NODE as usize], NODE, 0, vec![record(&bench.receipt(2))]);
    };
    let reason = tampered(change, |_| ()).await;
    assert!(reason.starts_with("clause 4: ") && reason.contains("sequence 0 is not the node's next, 1"), "{reason}");
}

#[tokio::test]
async fn a_wrong_new_state_root_is_refused() {
    let reason = tampered(|_, _| (), |header| header.new_state_root = header.old_state_root).await;
    assert!(reason.starts_with("clause 6: ") && reason.contains("new state root"), "{reason}");
}

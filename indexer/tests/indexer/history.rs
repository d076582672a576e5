//! Chains that have less than the index, or others in the place of what is indexed, and an index that is made again.

use crate::support::{Bench, LyingChain, NODE, digest, get, indexed, problem, receipt_key, record, signing_key};
use cairn_chain::{Account, DEV_PROGRAM_ID, EmbeddedChain, Options, RollupClient};
use cairn_indexer::{Blobs, ProblemKind};
use cairn_interface::Profile;
use object_store::memory::InMemory;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_chain_that_shows_less_than_was_indexed_is_waited_for() {
    let mut bench = Bench::new().await;
    bench.settle(vec![vec![record(&bench.receipt(1))]]).await;
    let indexer = bench.start().await;
    indexed(&indexer, 2).await;
    indexer.stop().await.unwrap();
    // The tip's batch count in the Rollup account: after seven keys and the first cursor.
    let lie: fn(&mut Account) = |account| account.data[8 + 7 * 32 + 112] = 1;
    let lying = LyingChain { honest: bench.chain.clone(), about: bench.client.address(), lie };
    let indexer = bench.start_on(Arc::new(lying)).await;
    let found = problem(&indexer).await;
    assert_eq!(found.kind, ProblemKind::Diverged, "{}", found.reason);
    assert!(found.reason.contains("shows no other batch in their place"), "{}", found.reason);
    assert_eq!(get(&indexer, "/v1/batches/1").await.status, 200, "nothing was taken back for it");
    indexer.stop().await.unwrap();
    let indexer = bench.start().await;
    assert!(indexed(&indexer, 2).await.is_current());
    indexer.stop().await.unwrap();
}

/// Copies the folder of a chain that nothing writes.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn batches_that_the_chain_replaced_are_taken_back_and_the_others_served() {
    let mut bench = Bench::new().await;
    let shared = bench.receipt(1);
    bench.settle(vec![vec![record(&shared)]]).await;
    // From here on there are two chains with one history, as before and after batches were abandoned.
    let folder = bench.dir.path().join("chain");
    let other = bench.dir.path().join("other");
    copy(&folder, &other);
    let (ledger, key) = (bench.ledger.clone(), bench.keys[0].clone());
    let first: Vec<_> = (10..13).map(|seed| bench.receipt(seed)).collect();
    bench.rotate(0, signing_key(60)).await;
    for receipt in &first {
        let bundle = bench.bundle(NODE, 0, vec![record(&shared), record(receipt)]);
        bench.settle_all(vec![bundle]).await;
    }
    let indexer = bench.start().await;
    let status = indexed(&indexer, 5).await;
    assert_eq!((status.receipts, status.nodes, status.queue_position), (7, 3, 4));
    indexer.stop().await.unwrap();

    // The other chain has one batch in the place of three: the index is ahead of it and on another history.
    bench.chain = Arc::new(EmbeddedChain::open(&other, Options::of(Profile::Dev)).unwrap());
    bench.client = RollupClient::new(bench.chain.clone(), DEV_PROGRAM_ID, bench.client.address());
    (bench.ledger, bench.keys[0]) = (ledger, key);
    let second = bench.receipt(20);
    bench.settle(vec![vec![record(&second)]]).await;
    let indexer = bench.start().await;
    let mut status = indexer.status();
    let current = status.wait_for(|status| status.is_current() && status.batches_indexed == 3);
    let current = tokio::time::timeout(Duration::from_secs(20), current).await.unwrap().unwrap().clone();
    assert_eq!(current.header_digest, Some(bench.ledger.cursor.header_digest));
    assert_eq!((current.receipts, current.bundles, current.nodes, current.queue_position), (2, 2, 3, 3));
    assert_eq!(current.batches_replaced, 3);
    let listed = get(&indexer, "/v1/replaced").await.json();
    let numbers: Vec<_> = listed["batches"].as_array().unwrap().iter().map(|found| found["number"].clone()).collect();
    assert_eq!(numbers, ["2", "3", "4"]);
    let by = bench.client.batch(2).await.unwrap().unwrap().digest.to_hex();
    assert_eq!(listed["batches"][0]["replaced"]["by"], by);
    assert_eq!(listed["batches"][0]["replaced"]["reason"], "abandoned");
    assert_eq!(listed["batches"][0]["replaced"]["was_final"], true);
    for (receipt, found) in first.iter().zip(listed["batches"].as_array().unwrap()) {
        let shown = get(&indexer, &format!("/v1/receipts/{}", digest(receipt))).await.json();
        assert_eq!(shown["positions"].as_array().unwrap().len(), 0);
        assert_eq!(shown["replaced"][0]["header_digest"], found["header_digest"]);
        assert_eq!(shown["replaced"][0]["batch"], found["number"]);
        let proof = get(&indexer, &format!("/v1/receipts/{}/proof", digest(receipt))).await;
        assert_eq!(proof.status, 404);
        assert!(proof.json()["message"].as_str().unwrap().contains("was replaced"), "{}", proof.json());
        let path = format!(
            "/v1/batches/{}?replaced={}",
            found["number"].as_str().unwrap(),
            found["header_digest"].as_str().unwrap()
        );
        let kept = get(&indexer, &path).await.json();
        assert_eq!((&kept["header_digest"], &kept["replaced"]), (&found["header_digest"], &found["replaced"]));
        let entries = if found["number"] == "2" { 1 } else { 0 };
        assert_eq!(kept["entries"].as_array().unwrap().len(), entries, "the rotation was in the first of them");
        let (path, query) = path.split_once('?').unwrap();
        let bundle = get(&indexer, &format!("{path}/bundles/0?{query}")).await.json();
        assert_eq!(bundle["records"][1]["receipt_digest"], digest(receipt).to_hex());
    }
    for receipt in [&shared, &second] {
        assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", digest(receipt))).await.status, 200);
    }
    let places = get(&indexer, &format!("/v1/receipts/{}", digest(&shared))).await.json();
    assert_eq!(places["positions"].as_array().unwrap().len(), 1);
    let key = receipt_key(&signing_key(60));
    assert_eq!(get(&indexer, &format!("/v1/keys/{key}")).await.json()["uses"].as_array().unwrap().len(), 0);
    // And on from there.
    bench.settle(vec![vec![record(&first[0])]]).await;
    assert!(indexed(&indexer, 4).await.is_current());
    assert_eq!(get(&indexer, "/v1/nodes/1").await.json()["next_sequence"], "3");
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_rebuilt_index_is_the_same_and_an_empty_object_store_keeps_it_waiting() {
    let mut bench = Bench::new().await;
    let receipt = bench.receipt(1);
    bench.settle(vec![vec![record(&receipt)]]).await;
    let indexer = bench.start().await;
    let before = indexed(&indexer, 2).await;
    indexer.stop().await.unwrap();
    let mut config = bench.config();
    config.rebuild = true;
    let start = |config, objects| bench.start_with(config, bench.chain.clone(), Blobs::only(objects));
    let indexer = start(config.clone(), bench.objects.clone()).await;
    let after = indexed(&indexer, 2).await;
    assert_eq!((after.receipts, after.state_root), (before.receipts, before.state_root));
    assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", digest(&receipt))).await.status, 200);
    indexer.stop().await.unwrap();
    // It really reads everything again.
    let indexer = start(config, Arc::new(InMemory::new())).await;
    let found = problem(&indexer).await;
    assert_eq!((found.kind, found.batch), (ProblemKind::Missing, Some(0)));
    assert_eq!(get(&indexer, "/v1/batches/0").await.status, 404);
    indexer.stop().await.unwrap();
}

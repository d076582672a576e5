//! What the chain has verified says so, and is served on when the accounts on chain are closed.

use crate::support::staged::{Branch, Staged, own};
use crate::support::{Bench, get, indexed, problem, until};
use cairn_indexer::{Blobs, Indexer, ProblemKind};
use cairn_proto::v1;
use cairn_proto::v1::indexer_client::IndexerClient;
use std::sync::Arc;
use std::time::Duration;

async fn start(bench: &Bench, chain: &Arc<Staged>) -> Indexer {
    bench.start_with(bench.config(), chain.clone(), Blobs::only(bench.objects.clone())).await
}

async fn settled_batches(indexer: &Indexer, batches: u64) -> Vec<bool> {
    let mut settled = Vec::new();
    for number in 0..batches {
        let batch = get(indexer, &format!("/v1/batches/{number}")).await.json();
        assert_eq!(batch["commitment"], "finalized", "of a header, not of its proof");
        settled.push(batch["settled"].as_bool().unwrap());
    }
    settled
}

#[tokio::test]
async fn batches_and_proofs_say_whether_the_chain_has_verified_them() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut branch = Branch::new(&bench).await;
    for seed in 10..13 {
        branch.grow(&bench, seed).await;
    }
    chain.show(&branch.headers, &branch.headers);
    let indexer = start(&bench, &chain).await;
    indexed(&indexer, 4).await;
    assert_eq!(settled_batches(&indexer, 4).await, [false; 4]);

    // Only the finalized account counts: what is confirmed could be rolled back.
    chain.change(|_, confirmed| confirmed.settled = 4);
    let reads = chain.reads();
    while chain.reads() < reads + 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(settled_batches(&indexer, 4).await, [false; 4]);

    chain.change(|finalized, _| finalized.settled = 3);
    until(&indexer, |status| status.batches_settled == 3).await;
    while settled_batches(&indexer, 4).await != [true, true, true, false] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut client = IndexerClient::connect(format!("http://{}", indexer.grpc_address())).await.unwrap();
    for (number, seed, settled) in [(1, 10, true), (3, 12, false)] {
        let batch = v1::GetBatchRequest { number, ..Default::default() };
        assert_eq!(client.get_batch(batch).await.unwrap().into_inner().settled, settled);
        let digest = own(bench.rollup_id, seed);
        let receipt_digest = digest.to_bytes().to_vec();
        let proof = v1::GetProofRequest { receipt_digest, ..Default::default() };
        assert_eq!(client.get_proof(proof).await.unwrap().into_inner().settled, settled);
        let account = v1::GetAccountRequest { node_index: 1, batch: Some(number), ..Default::default() };
        assert_eq!(client.get_account_proof(account).await.unwrap().into_inner().settled, settled);
        for path in [format!("/v1/receipts/{digest}/proof"), format!("/v1/nodes/1/proof?batch={number}")] {
            let head = get(&indexer, &path).await.head;
            assert!(head.contains(&format!("cairn-settled: {settled}")), "{path}: {head}");
        }
    }
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn an_index_goes_on_without_the_accounts_of_settled_batches_and_a_new_one_says_what_it_lacks() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut first = Branch::new(&bench).await;
    for seed in 10..13 {
        first.grow(&bench, seed).await;
    }
    chain.show(&first.headers, &first.headers);
    chain.change(|finalized, confirmed| (finalized.settled, confirmed.settled) = (3, 3));
    let indexer = start(&bench, &chain).await;
    indexed(&indexer, 4).await;
    while settled_batches(&indexer, 4).await != [true, true, true, false] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The accounts of all that is settled are closed, and the batch after them is abandoned and replaced.
    let mut second = first.cut(3);
    second.grow(&bench, 40).await;
    second.grow(&bench, 41).await;
    chain.change(|finalized, confirmed| {
        for world in [finalized, confirmed] {
            (world.headers, world.generation, world.closed) = (second.headers.clone(), 1, 3);
        }
    });
    let digest = Some(second.ledger.cursor.header_digest);
    let status = until(&indexer, |status| status.header_digest == digest && status.problem.is_none()).await;
    assert_eq!((status.batches_indexed, status.batches_replaced), (5, 1));
    for seed in [10, 40] {
        let path = format!("/v1/receipts/{}/proof", own(bench.rollup_id, seed));
        assert_eq!(get(&indexer, &path).await.status, 200);
    }
    indexer.stop().await.unwrap();

    let mut config = bench.config();
    config.store = bench.dir.path().join("late");
    let late = bench.start_with(config, chain.clone(), Blobs::only(bench.objects.clone())).await;
    let found = problem(&late).await;
    assert_eq!((found.kind, found.batch), (ProblemKind::Missing, Some(0)));
    assert!(found.reason.contains("closed after it was settled"), "{}", found.reason);
    // Restored by somebody, they are read like any others.
    chain.change(|finalized, confirmed| (finalized.closed, confirmed.closed) = (0, 0));
    assert_eq!(indexed(&late, 5).await.header_digest, digest);
    late.stop().await.unwrap();
}

//! What does not follow from the chain is refused, named, tried again, and never served.

use crate::support::{Bench, LyingChain, digest, get, indexed, problem, receipt, record};
use cairn_chain::{Account, Keypair};
use cairn_indexer::{Blobs, Indexer, ProblemKind, StartError};
use cairn_types::{Digest, Receipt};
use object_store::memory::InMemory;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Puts `data` in the place of batch 2's, and returns why it is refused; then the right data, which is taken.
async fn refusal_of(stored: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let mut bench = Bench::new().await;
    bench.settle(vec![vec![record(&bench.receipt(1))]]).await;
    let receipt = bench.receipt(2);
    let batch = bench.seal(vec![vec![record(&receipt)]]);
    let data = batch.blob(&bench.ledger.cursor);
    bench.put_raw(&batch.header, stored(&data)).await;
    bench.submit(&batch).await;
    let indexer = bench.start().await;

    let found = problem(&indexer).await;
    assert_eq!((found.kind, found.batch), (ProblemKind::Refused, Some(2)), "{}", found.reason);
    assert_eq!(found.header_digest, Some(batch.header.statement()));
    let status = get(&indexer, "/v1/status").await.json();
    assert_eq!(status["problem"]["kind"], "refused");
    assert_eq!(status["problem"]["batch"], "2");
    assert_eq!(status["problem"]["reason"], found.reason);
    assert_eq!((&status["batches_on_chain"], &status["batches_indexed"]), (&"3".into(), &"2".into()));
    nothing_is_served(&indexer, &found.reason, &receipt).await;

    // It keeps trying: the right data ends the refusal.
    bench.put_raw(&batch.header, zstd::bulk::compress(&data, 3).unwrap()).await;
    indexed(&indexer, 3).await;
    assert_eq!(get(&indexer, "/v1/batches/2").await.status, 200);
    assert!(get(&indexer, "/v1/status").await.json()["problem"].is_null());
    indexer.stop().await.unwrap();
    found.reason
}

/// Nothing of batch 2, which has `receipt` by node 1 in it, in any way; what was indexed before is served.
pub async fn nothing_is_served(indexer: &Indexer, reason: &str, receipt: &Receipt) {
    for path in ["/v1/batches/2", "/v1/batches/2/entries", "/v1/batches/2/bundles/0", "/v1/nodes/1?batch=2"] {
        let reply = get(indexer, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["message"].as_str().unwrap().contains(reason), "{path}: {}", reply.json());
    }
    assert_eq!(get(indexer, &format!("/v1/receipts/{}", digest(receipt))).await.status, 404);
    assert_eq!(get(indexer, "/v1/nodes/1").await.json()["next_sequence"], "1");
    assert_eq!(get(indexer, "/v1/nodes/1/bundles").await.json()["bundles"].as_array().unwrap().len(), 1);
    for number in [0, 1] {
        assert_eq!(get(indexer, &format!("/v1/batches/{number}")).await.status, 200);
    }
}

fn compress(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 3).unwrap()
}

#[tokio::test]
async fn one_changed_byte_of_the_blob_is_refused() {
    let reason = refusal_of(|data| {
        let mut changed = data.to_vec();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        compress(&changed)
    })
    .await;
    println!("refused: {reason}");
    assert!(reason.contains("blob digest is ") && reason.contains(", its header says "), "{reason}");
}

#[tokio::test]
async fn a_truncated_blob_is_refused() {
    let reason = refusal_of(|data| compress(&data[..data.len() - 1])).await;
    assert!(reason.contains("blob is ") && reason.contains("bytes, its header says "), "{reason}");
}

#[tokio::test]
async fn a_truncated_stored_object_is_refused() {
    let reason = refusal_of(|data| {
        let stored = compress(data);
        stored[..stored.len() - 3].to_vec()
    })
    .await;
    assert!(reason.contains("does not decompress"), "{reason}");
}

#[tokio::test]
async fn an_object_that_is_not_zstd_is_refused() {
    let reason = refusal_of(<[u8]>::to_vec).await;
    assert!(reason.contains("does not decompress"), "{reason}");
}

#[tokio::test]
async fn a_bomb_is_cut_at_the_length_that_the_header_says() {
    let reason = refusal_of(|_| zstd::bulk::compress(&vec![0; 32 << 20], 19).unwrap()).await;
    assert!(reason.contains("inflates past the") && reason.contains("reading stopped there"), "{reason}");
}

#[tokio::test]
async fn an_object_larger_than_its_data_could_need_is_not_read() {
    let reason = refusal_of(|_| vec![0; 1 << 20]).await;
    assert!(reason.contains("the stored blob has 1048576 bytes"), "{reason}");
}

#[tokio::test]
async fn missing_data_is_waited_for() {
    let mut bench = Bench::new().await;
    let batch = bench.seal(vec![vec![record(&bench.receipt(1))]]);
    let data = batch.blob(&bench.ledger.cursor);
    bench.submit(&batch).await;
    let indexer = bench.start().await;
    let found = problem(&indexer).await;
    assert_eq!((found.kind, found.batch), (ProblemKind::Missing, Some(1)));
    assert!(
        found.reason.contains(&format!("blobs/{}.zst is not in the object store", batch.header.data_digest)),
        "{}",
        found.reason
    );
    let mut status = indexer.status();
    status.wait_for(|status| status.problem.as_ref().is_some_and(|problem| problem.attempts > 2)).await.unwrap();
    bench.put(&batch.header, &data).await;
    let status = indexed(&indexer, 2).await;
    assert!(status.is_current());
    indexer.stop().await.unwrap();
}

/// Where a `Batch` account keeps its digest, and where its header's words.
const DIGEST_AT: usize = 8 + 2 * 32 + 7 * 8;
const HEADER_AT: usize = DIGEST_AT + 32;

async fn lie(lie: fn(&mut Account)) -> (ProblemKind, String) {
    let mut bench = Bench::new().await;
    bench.settle(vec![vec![record(&bench.receipt(1))]]).await;
    let about = bench.client.batch_address(1);
    let indexer = bench.start_on(Arc::new(LyingChain { honest: bench.chain.clone(), about, lie })).await;
    let found = problem(&indexer).await;
    assert_eq!(get(&indexer, "/v1/batches/1").await.status, 404);
    indexer.stop().await.unwrap();
    println!("refused: {}", found.reason);
    (found.kind, found.reason)
}

#[tokio::test]
async fn a_header_with_one_changed_byte_is_refused() {
    let (kind, reason) = lie(|account| account.data[HEADER_AT + 9 * 8] ^= 1).await;
    assert_eq!(kind, ProblemKind::Refused);
    assert!(
        reason.starts_with("header digest on chain is ") && reason.contains("recomputed from the header's words"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_header_digest_with_one_changed_byte_is_refused() {
    let (kind, reason) = lie(|account| account.data[DIGEST_AT] ^= 1).await;
    assert_eq!(kind, ProblemKind::Refused);
    assert!(reason.starts_with("header digest on chain is "), "{reason}");
}

#[tokio::test]
async fn a_batch_account_of_another_program_is_not_believed() {
    let (kind, reason) = lie(|account| account.owner = Keypair::generate().address()).await;
    assert_eq!(kind, ProblemKind::Chain);
    assert!(reason.contains("not to the settlement program"), "{reason}");
}

#[tokio::test]
async fn a_header_word_out_of_bounds_is_not_believed() {
    let (kind, reason) = lie(|account| account.data[HEADER_AT + 7] = 0xff).await;
    assert_eq!(kind, ProblemKind::Chain);
    assert!(reason.contains("header"), "{reason}");
}

#[tokio::test]
async fn a_receipt_whose_bytes_do_not_give_its_leaf_is_kept_counted_and_never_served_as_valid() {
    let mut bench = Bench::new().await;
    let (good, proved, shown) = (bench.receipt(1), bench.receipt(2), bench.receipt(3));
    let mut swapped = record(&proved);
    swapped.receipt = record(&shown).receipt;
    let mut garbage = record(&bench.receipt(4));
    garbage.receipt = vec![1, 2, 3];
    let mut foreign = receipt(Digest::from_byte_digest([9; 32]), 5);
    foreign.fetch_time += 10;
    bench.settle(vec![vec![record(&good), swapped, garbage, record(&foreign)]]).await;
    let indexer = bench.start().await;
    let status = indexed(&indexer, 2).await;
    assert_eq!((status.receipts, status.leaf_mismatches, status.problem), (4, 3, None));
    assert_eq!(get(&indexer, "/v1/batches/1").await.json()["leaf_mismatches"], 3);

    for (shown, decodes) in
        [(digest(&shown), true), (cairn_types::Receipt::digest_of(&[1, 2, 3]), false), (digest(&foreign), true)]
    {
        let found = get(&indexer, &format!("/v1/receipts/{shown}")).await.json();
        assert_eq!(found["positions"][0]["leaf_mismatch"], true);
        assert_eq!(found["receipt"].is_null(), !decodes);
        for path in
            [format!("/v1/receipts/{shown}/proof"), format!("/v1/receipts/{shown}/proof?batch=1&bundle=0&receipt=1")]
        {
            let refused = get(&indexer, &path).await;
            assert!(matches!(refused.status, 404 | 409), "{path}: {}", refused.status);
        }
        assert_eq!(get(&indexer, &format!("/v1/receipts/{shown}/proof")).await.json()["error"], "leaf_mismatch");
    }
    // The receipt that was proved is nowhere: nobody has its bytes.
    assert_eq!(get(&indexer, &format!("/v1/receipts/{}", digest(&proved))).await.status, 404);
    // Content look-ups lead to valid places only: all four share these digests.
    let found = get(&indexer, &format!("/v1/content/sha256:{}", "02".repeat(32))).await.json();
    assert_eq!(found["positions"].as_array().unwrap().len(), 1);
    assert_eq!(found["positions"][0]["receipt_digest"], digest(&good).to_hex());
    assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", digest(&good))).await.status, 200);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn an_index_of_another_rollup_or_a_missing_rollup_does_not_start() {
    let bench = Bench::new().await;
    let other = Bench::new().await;
    bench.start().await.stop().await.unwrap();
    let objects = Blobs::only(Arc::new(InMemory::new()));
    let mut config = other.config();
    config.store = bench.store();
    let start = |config, bench: &Bench| {
        Indexer::start(config, bench.chain.clone(), objects.clone(), None, CancellationToken::new())
    };
    let error = start(config, &other).await.err().unwrap();
    assert!(matches!(error, StartError::Open(_)), "{error}");
    assert!(error.to_string().contains("give another folder"), "{error}");
    let mut config = bench.config();
    config.rollup = Keypair::generate().address();
    let error = start(config, &bench).await.err().unwrap().to_string();
    assert!(error.contains("there is no rollup at"), "{error}");
}

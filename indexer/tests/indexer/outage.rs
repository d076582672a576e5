//! Chains that do not answer, lag, or were away for long; and subscriptions.

use crate::support::staged::{Branch, Staged, own};
use crate::support::{Bench, get, until};
use cairn_indexer::{Blobs, Indexer, ProblemKind};
use std::sync::Arc;
use std::time::Duration;

async fn start(bench: &Bench, chain: &Arc<Staged>) -> Indexer {
    bench.start_with(bench.config(), chain.clone(), Blobs::only(bench.objects.clone())).await
}

#[tokio::test]
async fn an_outage_with_a_long_gap_and_a_restart_in_between_loses_nothing() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut branch = Branch::new(&bench).await;
    branch.grow(&bench, 10).await;
    chain.show(&branch.headers, &branch.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.batches_indexed == 2).await;
    chain.fail(true);
    let status = until(&indexer, |status| status.problem.is_some()).await;
    assert_eq!(status.problem.unwrap().kind, ProblemKind::Chain);
    assert_eq!(get(&indexer, "/v1/batches/1").await.status, 200, "what is indexed is served meanwhile");
    // Far more batches than one look takes in, the last few confirmed only.
    for seed in 11..56 {
        branch.grow(&bench, seed).await;
    }
    chain.show(&branch.headers[..42], &branch.headers);
    indexer.stop().await.unwrap();
    chain.fail(false);
    let indexer = start(&bench, &chain).await;
    chain.fail(true);
    until(&indexer, |status| status.problem.is_some()).await;
    chain.fail(false);
    let status = until(&indexer, |status| status.batches_indexed == 42 && status.confirmed.batches_indexed == 47).await;
    assert_eq!((status.receipts, status.confirmed.receipts), (2 * 41, 2 * 46));
    for seed in [10, 11, 30, 50] {
        assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", own(bench.rollup_id, seed))).await.status, 200);
    }
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_for_an_older_slot_takes_nothing_back() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let zero = Branch::new(&bench).await;
    let (mut new, mut stale) = (zero.clone(), zero.clone());
    new.grow(&bench, 10).await;
    new.grow(&bench, 11).await;
    stale.grow(&bench, 20).await;
    chain.show(&new.headers[..2], &new.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.confirmed.batches_indexed == 3).await;
    // A server that lags, and is on a fork that lost besides.
    chain.change(|finalized, confirmed| {
        (finalized.headers, finalized.slot) = (zero.headers.clone(), 900);
        (confirmed.headers, confirmed.slot) = (stale.headers.clone(), 900);
    });
    let reads = chain.reads();
    while chain.reads() < reads + 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = indexer.status().borrow().clone();
    let reached = (status.batches_indexed, status.confirmed.batches_indexed, status.batches_replaced);
    assert_eq!((reached, status.problem), ((2, 3, 0), None));
    chain.change(|finalized, confirmed| {
        (finalized.headers, finalized.slot) = (new.headers.clone(), 2_000);
        (confirmed.headers, confirmed.slot) = (new.headers.clone(), 2_000);
    });
    until(&indexer, |status| status.batches_indexed == 3).await;
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn one_answer_for_a_slot_that_never_was_does_not_blind_the_indexer() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut branch = Branch::new(&bench).await;
    chain.change(|finalized, confirmed| (finalized.slot, confirmed.slot) = (u64::MAX, u64::MAX));
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.slot == u64::MAX && status.confirmed.slot == u64::MAX).await;
    branch.grow(&bench, 10).await;
    chain.change(|finalized, confirmed| {
        (finalized.headers, finalized.slot) = (branch.headers.clone(), 2_000);
        (confirmed.headers, confirmed.slot) = (branch.headers.clone(), 2_000);
    });
    let status = until(&indexer, |status| status.batches_indexed == 2 && status.confirmed.slot == 2_000).await;
    assert_eq!(status.slot, 2_000);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_subscription_wakes_an_indexer_that_would_not_look_for_an_hour() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut branch = Branch::new(&bench).await;
    let mut config = bench.config();
    (config.poll, config.retry) = (Duration::from_secs(3_600), Duration::from_secs(3_600));
    let indexer = bench.start_with(config, chain.clone(), Blobs::only(bench.objects.clone())).await;
    until(&indexer, |status| status.batches_indexed == 1).await;
    for seed in 10..13 {
        branch.grow(&bench, seed).await;
        chain.show(&branch.headers, &branch.headers);
        let wanted = branch.headers.len() as u64;
        // A watch may miss a change that comes between two looks: who sends it says it again.
        let woken = until(&indexer, |status| status.batches_indexed == wanted);
        tokio::pin!(woken);
        loop {
            chain.wake();
            tokio::select! {
                _ = &mut woken => break,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_flood_of_wakes_does_not_become_a_flood_of_questions() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.batches_indexed == 1).await;
    let (before, wakes) = (chain.reads(), 20_000);
    for at in 0..wakes {
        chain.wake();
        if at % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let asked = chain.reads() - before;
    assert!(asked < wakes / 10, "{asked} reads for {wakes} wakes");
    chain.fail(true);
    until(&indexer, |status| status.problem.is_some()).await;
    chain.fail(false);
    until(&indexer, |status| status.problem.is_none()).await;
    indexer.stop().await.unwrap();
}

//! Any sequence of confirming, finalizing, forking, abandoning, outages and restarts leaves the index that a fresh one builds.

use crate::support::staged::{Branch, Staged, own};
use crate::support::{Bench, NODES, get, receipt_key, until};
use cairn_indexer::{Blobs, Indexer};
use cairn_types::Digest;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Step {
    Grow(u64),
    Finalize(usize),
    Fork { back: usize, grow: u64 },
    Retreat(usize),
    Abandon { back: usize, grow: u64 },
    Outage,
    Restart,
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..4).prop_map(Step::Grow),
        3 => (1_usize..4).prop_map(Step::Finalize),
        2 => (1_usize..4, 1_u64..4).prop_map(|(back, grow)| Step::Fork { back, grow }),
        1 => (1_usize..3).prop_map(Step::Retreat),
        1 => (1_usize..4, 1_u64..3).prop_map(|(back, grow)| Step::Abandon { back, grow }),
        1 => Just(Step::Outage),
        1 => Just(Step::Restart),
        4 => Just(Step::Pause),
    ]
}

/// What the chain does, beside what it shows.
struct Story {
    finalized: Branch,
    confirmed: Branch,
    generation: u64,
    seeds: Vec<u64>,
}

impl Story {
    /// Whether what is confirmed continues what is final.
    fn is_ahead(&self) -> bool {
        self.confirmed.headers.starts_with(&self.finalized.headers)
    }

    async fn grow(&mut self, bench: &Bench, batches: u64) {
        for _ in 0..batches {
            let seed = 10 + self.seeds.len() as u64;
            self.confirmed.grow(bench, seed).await;
            self.seeds.push(seed);
        }
    }

    async fn tell(&mut self, bench: &Bench, step: &Step) {
        let (last, end) = (self.finalized.headers.len(), self.confirmed.headers.len());
        match *step {
            Step::Grow(grow) => self.grow(bench, grow).await,
            Step::Finalize(count) if self.is_ahead() => self.finalized = self.confirmed.cut(end.min(last + count)),
            Step::Finalize(_) => self.finalized = self.confirmed.clone(),
            Step::Fork { back, grow } if self.is_ahead() => {
                self.confirmed = self.confirmed.cut(last.max(end.saturating_sub(back)));
                self.grow(bench, grow).await;
            }
            Step::Retreat(back) if self.is_ahead() => {
                self.confirmed = self.confirmed.cut(last.max(end.saturating_sub(back)));
            }
            Step::Abandon { back, grow } if self.is_ahead() => {
                self.confirmed = self.finalized.cut(last.saturating_sub(back).max(1));
                self.generation += 1;
                self.grow(bench, grow).await;
            }
            _ => {}
        }
    }

    fn show(&self, chain: &Staged) {
        let settled_generation = if self.is_ahead() { self.generation } else { self.generation - 1 };
        chain.change(|finalized, confirmed| {
            (finalized.headers, finalized.generation) = (self.finalized.headers.clone(), settled_generation);
            (confirmed.headers, confirmed.generation) = (self.confirmed.headers.clone(), self.generation);
        });
    }
}

async fn start(bench: &Bench, chain: &Arc<Staged>, folder: &Path) -> Indexer {
    let mut config = bench.config();
    config.store = folder.to_owned();
    config.poll = Duration::from_millis(10);
    bench.start_with(config, chain.clone(), Blobs::only(bench.objects.clone())).await
}

/// Waits until the index has what the chain has.
async fn settle(indexer: &Indexer, story: &Story) {
    let digest = |branch: &Branch| Some(branch.ledger.cursor.header_digest);
    let wanted: [Option<Digest>; 2] = [digest(&story.finalized), digest(&story.confirmed)];
    until(indexer, |status| {
        [status.header_digest, status.confirmed.header_digest] == wanted && status.problem.is_none()
    })
    .await;
}

/// Everything that is served of the history at a commitment.
async fn answers(indexer: &Indexer, bench: &Bench, story: &Story, commitment: &str) -> Vec<String> {
    let mut paths = vec!["/v1/nodes".to_owned(), format!("/v1/content/sha1:{}", "03".repeat(20))];
    for number in 0..=story.confirmed.headers.len() {
        let more = ["", "/entries", "/bundles/0"].map(|part| format!("/v1/batches/{number}{part}"));
        paths.extend(more);
        paths.push(format!("/v1/nodes/1/proof?batch={number}"));
    }
    for node in 0..NODES {
        paths.extend(["", "/bundles", "/proof"].map(|part| format!("/v1/nodes/{node}{part}")));
        paths.push(format!("/v1/keys/{}", receipt_key(&bench.keys[node as usize])));
    }
    for seed in std::iter::once(1).chain(story.seeds.iter().copied()) {
        let id = own(bench.rollup_id, seed);
        paths.extend(["", "/proof"].map(|part| format!("/v1/receipts/{id}{part}")));
    }
    let mut answers = Vec::new();
    for path in paths {
        let join = if path.contains('?') { '&' } else { '?' };
        let reply = get(indexer, &format!("{path}{join}commitment={commitment}")).await;
        let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body) else {
            answers.push(format!("{path}: {}", hex::encode(&reply.body)));
            continue;
        };
        // A receipt that stands nowhere any more is known to the one that saw it, and to no other.
        let nowhere =
            path.contains("/receipts/") && (reply.status == 404 || value["positions"] == Value::Array(vec![]));
        value["replaced"] = Value::Null;
        answers.push(if nowhere { format!("{path}: nowhere") } else { format!("{path}: {} {value}", reply.status) });
    }
    answers
}

async fn run(bench: &Bench, steps: &[Step]) -> Result<(), TestCaseError> {
    let chain = Staged::new(bench).await;
    let zero = Branch::new(bench).await;
    let mut story = Story { finalized: zero.clone(), confirmed: zero, generation: 0, seeds: Vec::new() };
    let folder = tempfile::tempdir().unwrap();
    let mut indexer = start(bench, &chain, folder.path()).await;
    for step in steps {
        story.tell(bench, step).await;
        story.show(&chain);
        match step {
            Step::Restart => {
                indexer.stop().await.unwrap();
                indexer = start(bench, &chain, folder.path()).await;
            }
            Step::Outage => {
                chain.fail(true);
                tokio::time::sleep(Duration::from_millis(15)).await;
                chain.fail(false);
            }
            Step::Pause => tokio::time::sleep(Duration::from_millis(40)).await,
            _ => {}
        }
    }
    if !story.is_ahead() {
        story.tell(bench, &Step::Finalize(1)).await;
    }
    story.show(&chain);
    settle(&indexer, &story).await;
    let fresh = tempfile::tempdir().unwrap();
    let other = start(bench, &chain, fresh.path()).await;
    settle(&other, &story).await;
    for commitment in ["finalized", "confirmed"] {
        let found = answers(&indexer, bench, &story, commitment).await;
        let wanted = answers(&other, bench, &story, commitment).await;
        for (found, wanted) in found.iter().zip(&wanted) {
            prop_assert_eq!(found, wanted, "{}", commitment);
        }
    }
    // What was taken back is kept: every batch that was ever indexed is in the history or beside it.
    let status = indexer.status().borrow().clone();
    let kept = get(&indexer, "/v1/replaced?commitment=confirmed").await.json();
    prop_assert_eq!(kept["batches"].as_array().unwrap().len() as u64, status.batches_replaced.min(100));
    indexer.stop().await.unwrap();
    other.stop().await.unwrap();
    Ok(())
}

#[test]
fn any_sequence_ends_with_the_index_that_a_fresh_one_builds() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::new());
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(16);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let result = TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..20), |steps| runtime.block_on(run(&bench, &steps)));
    if let Err(error) = result {
        panic!("{error}");
    }
}

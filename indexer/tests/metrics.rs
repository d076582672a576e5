//! Metrics, in a process of their own: a process has one recorder, and nothing else may be in the way.

mod support;

use cairn_indexer::{Blobs, metrics};
use std::time::Duration;
use support::{Bench, get, indexed, record};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn metrics_are_those_of_the_table() {
    let handle = metrics::install().unwrap();
    let mut bench = Bench::new().await;
    bench.settle(vec![vec![record(&bench.receipt(1))]]).await;
    let blobs = Blobs::only(bench.objects.clone());
    let token = CancellationToken::new();
    let indexer =
        cairn_indexer::Indexer::start(bench.config(), bench.chain.clone(), blobs, Some(handle), token.clone())
            .await
            .unwrap();
    indexed(&indexer, 2).await;
    get(&indexer, "/v1/status").await;
    get(&indexer, "/v1/nowhere").await;
    let text = String::from_utf8(get(&indexer, "/metrics").await.body).unwrap();
    let families: std::collections::BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| name.starts_with("cairn_indexer_"))
        .collect();
    let table: std::collections::BTreeSet<_> = metrics::METRICS.iter().map(|metric| metric.name).collect();
    assert!(families.is_subset(&table), "{:?}", families.difference(&table));
    let quiet: Vec<_> = table.difference(&families).copied().collect();
    let nothing_in_the_way = [
        "cairn_indexer_obstacle_attempts",
        "cairn_indexer_replaced_batches",
        "cairn_indexer_stale_attempts",
        "cairn_indexer_woken_attempts",
    ];
    let quiet: Vec<_> = quiet.into_iter().filter(|name| *name != "cairn_indexer_woken_attempts").collect();
    assert_eq!(quiet, nothing_in_the_way[..3]);
    assert!(text.contains("route=\"/v1/status\""), "{text}");
    // Cancelling the caller's token stops everything.
    token.cancel();
    tokio::time::timeout(Duration::from_secs(15), indexer.stopped()).await.unwrap().unwrap();
}

//! Every metric of the indexer: one table, and one function per thing that is measured.

use crate::status::{ProblemKind, Status};
use crate::store::Reason;
use ::metrics::{counter, gauge, histogram};
use cairn_telemetry::{Kind, Metric, Unit, metric};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

const ON_CHAIN: &str = "cairn_indexer_chain_batches";
const SETTLED: &str = "cairn_indexer_settled_batches";
const INDEXED: &str = "cairn_indexer_indexed_batches";
const CONFIRMED_ON_CHAIN: &str = "cairn_indexer_chain_confirmed_batches";
const CONFIRMED_INDEXED: &str = "cairn_indexer_indexed_confirmed_batches";
const LAG: &str = "cairn_indexer_lag_batches";
const RECEIPTS: &str = "cairn_indexer_indexed_receipts";
const MISMATCHES: &str = "cairn_indexer_mismatched_receipts";
const TAKEN_BACK: &str = "cairn_indexer_replaced_batches";
const STALE: &str = "cairn_indexer_stale_attempts";
const WOKEN: &str = "cairn_indexer_woken_attempts";
const FETCH: &str = "cairn_indexer_fetch_seconds";
const DATA: &str = "cairn_indexer_fetched_data_bytes";
const VERIFY: &str = "cairn_indexer_verify_seconds";
const STORE: &str = "cairn_indexer_store_write_seconds";
const OBSTACLES: &str = "cairn_indexer_obstacle_attempts";
const BLOCKED: &str = "cairn_indexer_blocked_state";
const REQUEST: &str = "cairn_indexer_request_seconds";

/// The table.
pub const METRICS: [Metric; 18] = [
    metric(ON_CHAIN, Kind::Gauge, Unit::Count, "Batches that the chain has, final"),
    metric(SETTLED, Kind::Gauge, Unit::Count, "Batches of them whose proof the chain has verified"),
    metric(INDEXED, Kind::Gauge, Unit::Count, "Final batches verified and stored"),
    metric(CONFIRMED_ON_CHAIN, Kind::Gauge, Unit::Count, "Batches that the chain has, confirmed"),
    metric(CONFIRMED_INDEXED, Kind::Gauge, Unit::Count, "Confirmed batches verified and stored"),
    metric(LAG, Kind::Gauge, Unit::Count, "Final batches on chain that are not indexed yet"),
    metric(RECEIPTS, Kind::Counter, Unit::Count, "Receipts in indexed batches since the start"),
    metric(MISMATCHES, Kind::Counter, Unit::Count, "Receipts since the start whose bytes do not give their leaf"),
    metric(TAKEN_BACK, Kind::Counter, Unit::Count, "Batches that the chain has others in the place of, by reason"),
    metric(STALE, Kind::Counter, Unit::Count, "Answers of the chain older than one before, which were passed over"),
    metric(WOKEN, Kind::Counter, Unit::Count, "Looks at the chain that a subscription asked for"),
    metric(FETCH, Kind::Histogram, Unit::Seconds, "Time to fetch and inflate a batch's data"),
    metric(DATA, Kind::Histogram, Unit::Bytes, "Size of a batch's data, uncompressed"),
    metric(VERIFY, Kind::Histogram, Unit::Seconds, "Time to recompute a batch"),
    metric(STORE, Kind::Histogram, Unit::Seconds, "Time of one synchronous write"),
    metric(OBSTACLES, Kind::Counter, Unit::Count, "Attempts that something kept from going on, by kind"),
    metric(BLOCKED, Kind::Gauge, Unit::Count, "1 while something keeps the indexer from going on, by kind"),
    metric(REQUEST, Kind::Histogram, Unit::Seconds, "Time to answer a request, by interface, route and outcome"),
];

/// Upper bounds of the buckets of every histogram of seconds.
const SECONDS: [f64; 12] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];

/// Installs a Prometheus recorder for this process; what it returns renders `/metrics`.
///
/// # Errors
/// When the process has one already: use that one's handle.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()
}

/// Gives the installed recorder the units and texts of the table.
pub fn describe() {
    cairn_telemetry::describe(&METRICS);
}

pub(crate) fn status(status: &Status) {
    gauge!(ON_CHAIN).set(status.batches_on_chain as f64);
    gauge!(SETTLED).set(status.batches_settled as f64);
    gauge!(INDEXED).set(status.batches_indexed as f64);
    gauge!(LAG).set(status.batches_on_chain.saturating_sub(status.batches_indexed) as f64);
    gauge!(CONFIRMED_ON_CHAIN).set(status.confirmed.batches_on_chain as f64);
    gauge!(CONFIRMED_INDEXED).set(status.confirmed.batches_indexed as f64);
}

pub(crate) fn fetched(data_bytes: usize, took: Duration) {
    histogram!(FETCH).record(took);
    histogram!(DATA).record(data_bytes as f64);
}

pub(crate) fn verified(receipts: u32, took: Duration) {
    tracing::debug!(receipts, ?took, "batch recomputed");
    histogram!(VERIFY).record(took);
}

pub(crate) fn stored(took: Duration) {
    histogram!(STORE).record(took);
}

pub(crate) fn indexed(receipts: u32, mismatches: u64) {
    counter!(RECEIPTS).increment(u64::from(receipts));
    counter!(MISMATCHES).increment(mismatches);
}

pub(crate) fn replaced(reason: Reason) {
    counter!(TAKEN_BACK, "reason" => reason.name()).increment(1);
}

pub(crate) fn stale() {
    counter!(STALE).increment(1);
}

pub(crate) fn woken() {
    counter!(WOKEN).increment(1);
}

pub(crate) fn problem(found: Option<ProblemKind>) {
    for kind in ProblemKind::ALL {
        gauge!(BLOCKED, "kind" => kind.name()).set(if found == Some(kind) { 1.0 } else { 0.0 });
    }
    if let Some(kind) = found {
        counter!(OBSTACLES, "kind" => kind.name()).increment(1);
    }
}

pub(crate) fn request(interface: &'static str, route: &str, outcome: &'static str, took: Duration) {
    histogram!(REQUEST, "interface" => interface, "route" => route.to_owned(), "outcome" => outcome).record(took);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_say_component_thing_and_unit() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for Metric { name, unit, .. } in METRICS {
            assert!(name.starts_with("cairn_indexer_"), "{name}");
            let units: &[&str] = match unit {
                Unit::Seconds => &["_seconds"],
                Unit::Bytes => &["_bytes"],
                _ => &["_batches", "_receipts", "_attempts", "_state"],
            };
            assert!(units.iter().any(|unit| name.ends_with(unit)), "{name}");
        }
    }
}

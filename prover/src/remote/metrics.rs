//! Every metric of remote proving: one table, and one function per thing that is measured.

use cairn_circuits::Layer;
use cairn_telemetry::{Kind, Metric, Unit, metric};
use metrics::{counter, gauge, histogram};
use std::time::Duration;

const ENDED: &str = "cairn_prover_ended_jobs";
const JOB: &str = "cairn_prover_job_seconds";
const EXPIRED: &str = "cairn_prover_expired_leases";
const READY: &str = "cairn_prover_ready_jobs";
const LEASED: &str = "cairn_prover_leased_jobs";
const STRANDED: &str = "cairn_prover_stranded_jobs";
const WORKERS: &str = "cairn_prover_connected_workers";
const SENT: &str = "cairn_prover_sent_job_bytes";
const RECEIVED: &str = "cairn_prover_received_proof_bytes";
const REFUSED: &str = "cairn_prover_refused_calls";
const MADE: &str = "cairn_prover_worker_ended_jobs";
const MAKING: &str = "cairn_prover_worker_job_seconds";
const CONNECTED: &str = "cairn_prover_worker_sessions";

/// The table. Metrics with `worker` in their names are those of a worker, the others those of the coordinator.
pub const METRICS: [Metric; 13] = [
    metric(
        ENDED,
        Kind::Counter,
        Unit::Count,
        "Jobs that ended, by kind, by whom (local, remote) and outcome (used, late, wrong, failed)",
    ),
    metric(JOB, Kind::Histogram, Unit::Seconds, "Time from a job's lease to its proof, by kind and by whom"),
    metric(EXPIRED, Kind::Counter, Unit::Count, "Leases that ended because nothing was heard of the worker, by kind"),
    metric(READY, Kind::Gauge, Unit::Count, "Jobs that nobody has taken yet"),
    metric(LEASED, Kind::Gauge, Unit::Count, "Jobs that are being made"),
    metric(
        STRANDED,
        Kind::Gauge,
        Unit::Count,
        "Jobs to be made while no worker is connected and this process does not prove",
    ),
    metric(WORKERS, Kind::Gauge, Unit::Count, "Workers that are connected"),
    metric(SENT, Kind::Histogram, Unit::Bytes, "Size of a job's inputs as they are sent, by kind"),
    metric(RECEIVED, Kind::Histogram, Unit::Bytes, "Size of a proof as it is received, by kind"),
    metric(REFUSED, Kind::Counter, Unit::Count, "Calls of workers that were refused, by reason"),
    metric(
        MADE,
        Kind::Counter,
        Unit::Count,
        "Jobs that this worker ended, by kind and outcome (used, late, wrong, failed, unwanted)",
    ),
    metric(MAKING, Kind::Histogram, Unit::Seconds, "Time that this worker took for a proof, by kind"),
    metric(CONNECTED, Kind::Counter, Unit::Count, "Sessions that this worker has begun"),
];

/// Gives the installed recorder the units and texts of the table.
pub fn describe() {
    cairn_telemetry::describe(&METRICS);
}

/// A layer's kind of job; levels of aggregation are not told apart.
const fn kind(layer: Layer) -> &'static str {
    match layer {
        Layer::Segment => "segment",
        Layer::Aggregation(_) => "aggregation",
        Layer::Batch => "batch",
        Layer::Final => "final",
    }
}

pub(super) fn ended(layer: Layer, by: &'static str, outcome: &'static str, took: Duration) {
    counter!(ENDED, "kind" => kind(layer), "by" => by, "outcome" => outcome).increment(1);
    if outcome == "used" {
        histogram!(JOB, "kind" => kind(layer), "by" => by).record(took);
    }
}

pub(super) fn expired(layer: Layer) {
    counter!(EXPIRED, "kind" => kind(layer)).increment(1);
}

pub(super) fn board(ready: usize, leased: usize, workers: usize, stranded: bool) {
    gauge!(READY).set(ready as f64);
    gauge!(LEASED).set(leased as f64);
    gauge!(WORKERS).set(workers as f64);
    gauge!(STRANDED).set(if stranded { ready as f64 } else { 0.0 });
}

pub(super) fn sent(layer: Layer, bytes: usize) {
    histogram!(SENT, "kind" => kind(layer)).record(bytes as f64);
}

pub(super) fn received(layer: Layer, bytes: usize) {
    histogram!(RECEIVED, "kind" => kind(layer)).record(bytes as f64);
}

pub(super) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(super) fn made(layer: Layer, outcome: &'static str) {
    counter!(MADE, "kind" => kind(layer), "outcome" => outcome).increment(1);
}

pub(super) fn making(layer: Layer, took: Duration) {
    histogram!(MAKING, "kind" => kind(layer)).record(took);
}

pub(super) fn connected() {
    counter!(CONNECTED).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::collections::BTreeSet;

    const UNITS: [&str; 7] = ["jobs", "seconds", "leases", "workers", "bytes", "calls", "sessions"];

    #[test]
    fn every_name_is_component_thing_unit_and_unique() {
        let mut names = BTreeSet::new();
        for metric in METRICS {
            let thing = metric.name.strip_prefix("cairn_prover_").expect(metric.name);
            let (thing, unit) = thing.rsplit_once('_').expect(metric.name);
            assert!(UNITS.contains(&unit), "{}: unit {unit}", metric.name);
            assert!(!thing.is_empty() && thing.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", metric.name);
            assert!(!metric.help.is_empty() && names.insert(metric.name), "{}", metric.name);
        }
    }

    #[test]
    fn what_is_recorded_is_exactly_what_the_table_lists() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            ended(Layer::Segment, "remote", "used", Duration::from_secs(1));
            expired(Layer::Batch);
            board(1, 2, 3, true);
            sent(Layer::Aggregation(1), 10);
            received(Layer::Segment, 10);
            refused("token");
            made(Layer::Segment, "used");
            making(Layer::Segment, Duration::from_secs(1));
            connected();
        });
        let text = handle.render();
        let recorded: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        let listed: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(recorded, listed);
        assert!(text.contains(r#"cairn_prover_ended_jobs{kind="segment",by="remote",outcome="used"} 1"#), "{text}");
    }
}

//! Every metric of a node: one table, and one function per thing that is measured.

use crate::submit::Followed;
use crate::watch::Outcome;
use cairn_telemetry::{Kind, Metric, Unit, metric};
use metrics::{counter, gauge};

const READ_FILES: &str = "cairn_node_read_files";
const READ_BYTES: &str = "cairn_node_read_bytes";
const UNREADABLE: &str = "cairn_node_unreadable_files";
const TAKEN: &str = "cairn_node_taken_receipts";
const SKIPPED: &str = "cairn_node_skipped_records";
const WAITING: &str = "cairn_node_waiting_receipts";
const PENDING: &str = "cairn_node_pending_bundles";
const EVIDENCE: &str = "cairn_node_evidence_answers";
const ACKNOWLEDGED: &str = "cairn_node_acknowledged_bundles";
const ACKNOWLEDGED_RECEIPTS: &str = "cairn_node_acknowledged_receipts";
const RETRIED: &str = "cairn_node_retried_attempts";
const SETTLED: &str = "cairn_node_settled_bundles";
const OVERDUE: &str = "cairn_node_overdue_bundles";
const SLOT: &str = "cairn_node_finalized_slot_number";

/// The table.
pub const METRICS: [Metric; 14] = [
    metric(READ_FILES, Kind::Counter, Unit::Count, "Files of which something was read"),
    metric(READ_BYTES, Kind::Counter, Unit::Bytes, "Bytes of WARC files read"),
    metric(UNREADABLE, Kind::Counter, Unit::Count, "Attempts to read a file that failed"),
    metric(TAKEN, Kind::Counter, Unit::Count, "Receipts made and taken into the spool"),
    metric(SKIPPED, Kind::Counter, Unit::Count, "Records without a receipt that are of no ordinary kind"),
    metric(WAITING, Kind::Gauge, Unit::Count, "Receipts in no bundle yet"),
    metric(PENDING, Kind::Gauge, Unit::Count, "Signed bundles to be sent"),
    metric(EVIDENCE, Kind::Gauge, Unit::Count, "Answers of the sequencer that show a fault"),
    metric(ACKNOWLEDGED, Kind::Counter, Unit::Count, "Bundles acknowledged"),
    metric(ACKNOWLEDGED_RECEIPTS, Kind::Counter, Unit::Count, "Receipts in bundles acknowledged"),
    metric(RETRIED, Kind::Counter, Unit::Count, "Calls to the sequencer that were made again"),
    metric(SETTLED, Kind::Counter, Unit::Count, "Bundles seen settled"),
    metric(OVERDUE, Kind::Gauge, Unit::Count, "Bundles whose promised slot has passed"),
    metric(SLOT, Kind::Gauge, Unit::Count, "The newest finalized slot that the sequencer has seen"),
];

/// Gives the installed recorder the units and texts of the table.
pub fn describe() {
    cairn_telemetry::describe(&METRICS);
}

pub(super) fn read(outcome: &Outcome) {
    counter!(READ_FILES).increment(outcome.files);
    counter!(READ_BYTES).increment(outcome.bytes);
    counter!(UNREADABLE).increment(outcome.unreadable.len() as u64);
    counter!(TAKEN).increment(outcome.enqueued.receipts);
    let skipped = outcome.report.skipped.iter().filter(|skipped| !skipped.reason.is_ordinary()).count();
    counter!(SKIPPED).increment(skipped as u64);
}

pub(super) fn in_spool(waiting: u64, pending: u64, evidence: u64) {
    gauge!(WAITING).set(waiting as f64);
    gauge!(PENDING).set(pending as f64);
    gauge!(EVIDENCE).set(evidence as f64);
}

pub(super) fn acknowledged(receipts: u64) {
    counter!(ACKNOWLEDGED).increment(1);
    counter!(ACKNOWLEDGED_RECEIPTS).increment(receipts);
}

pub(super) fn retried() {
    counter!(RETRIED).increment(1);
}

pub(super) fn followed(followed: &Followed) {
    counter!(SETTLED).increment(followed.settled);
    gauge!(OVERDUE).set(followed.overdue as f64);
    gauge!(SLOT).set(followed.slot as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::collections::BTreeSet;

    const UNITS: [&str; 8] = ["files", "bytes", "receipts", "records", "bundles", "answers", "attempts", "number"];

    #[test]
    fn every_name_is_component_thing_unit_and_unique() {
        let mut names = BTreeSet::new();
        for metric in METRICS {
            let thing = metric.name.strip_prefix("cairn_node_").expect(metric.name);
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
            read(&Outcome::default());
            in_spool(1, 2, 3);
            acknowledged(4);
            retried();
            followed(&Followed::default());
        });
        let text = handle.render();
        let recorded: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .collect();
        let listed: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(recorded, listed);
    }
}

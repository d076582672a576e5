//! Every metric of the sequencer: one table, and one function per thing that is measured.

use std::time::Duration;

use cairn_telemetry::{Kind, Metric, Unit, metric};
use metrics::{counter, gauge, histogram};

use crate::Stage;
use crate::store::{Change, Settlement};

const ACKNOWLEDGED: &str = "cairn_sequencer_acknowledged_bundles";
const ACKNOWLEDGED_RECEIPTS: &str = "cairn_sequencer_acknowledged_receipts";
const DUPLICATE: &str = "cairn_sequencer_duplicate_bundles";
const REFUSED: &str = "cairn_sequencer_refused_bundles";
const IN_FLIGHT: &str = "cairn_sequencer_in_flight_bundles";
const GROUP: &str = "cairn_sequencer_commit_group_bundles";
const CHECK: &str = "cairn_sequencer_check_seconds";
const STORE_WRITE: &str = "cairn_sequencer_store_write_seconds";
const UNSEALED: &str = "cairn_sequencer_unsealed_bundles";
const PASSED: &str = "cairn_sequencer_stage_passed_batches";
const LAG: &str = "cairn_sequencer_stage_lag_batches";
const STAGE: &str = "cairn_sequencer_stage_work_seconds";
const RETRIED: &str = "cairn_sequencer_stage_retried_attempts";
const SEALING_HELD: &str = "cairn_sequencer_sealing_held_batches";
const SEALED_RECEIPTS: &str = "cairn_sequencer_sealed_receipts";
const DATA: &str = "cairn_sequencer_published_data_bytes";
const BLOB: &str = "cairn_sequencer_published_blob_bytes";
const PROOF: &str = "cairn_sequencer_proof_size_bytes";
const WITNESS: &str = "cairn_sequencer_witness_bytes";
const SEALED_ENTRIES: &str = "cairn_sequencer_sealed_entries";
const QUEUE_SEEN: &str = "cairn_sequencer_queue_seen_entries";
const QUEUE_WAITING: &str = "cairn_sequencer_queue_waiting_entries";
const LIMITED: &str = "cairn_sequencer_limited_calls";
const PROMISED: &str = "cairn_sequencer_promised_slots";
const LATE: &str = "cairn_sequencer_late_batches";
const CHAIN_SLOT: &str = "cairn_sequencer_chain_slots";
const COMPUTE: &str = "cairn_sequencer_submit_compute_units";
const FEE: &str = "cairn_sequencer_submit_fee_lamports";
const IN_AIR: &str = "cairn_sequencer_in_air_transactions";
const SENT: &str = "cairn_sequencer_sent_transactions";
const RESIGNED: &str = "cairn_sequencer_resigned_transactions";
const DROPPED: &str = "cairn_sequencer_dropped_batches";
const PROOF_ACCOUNT: &str = "cairn_sequencer_proof_account_lamports";
const UPLOADED: &str = "cairn_sequencer_settle_upload_transactions";
const VERIFIED: &str = "cairn_sequencer_settle_verify_transactions";
const VERIFY_COMPUTE: &str = "cairn_sequencer_settle_verify_compute_units";
const SETTLE_FEE: &str = "cairn_sequencer_settle_fee_lamports";
const REJECTED: &str = "cairn_sequencer_settle_rejected_attempts";

/// The table.
pub const METRICS: [Metric; 38] = [
    metric(ACKNOWLEDGED, Kind::Counter, Unit::Count, "Bundles that joined the log"),
    metric(ACKNOWLEDGED_RECEIPTS, Kind::Counter, Unit::Count, "Receipts in bundles that joined the log"),
    metric(DUPLICATE, Kind::Counter, Unit::Count, "Bundles that were submitted again"),
    metric(REFUSED, Kind::Counter, Unit::Count, "Bundles refused, by reason"),
    metric(IN_FLIGHT, Kind::Gauge, Unit::Count, "Bundles that await their acknowledgement"),
    metric(GROUP, Kind::Histogram, Unit::Count, "Bundles that shared one synchronous write"),
    metric(CHECK, Kind::Histogram, Unit::Seconds, "Time to check one bundle"),
    metric(STORE_WRITE, Kind::Histogram, Unit::Seconds, "Time of one synchronous write, by change"),
    metric(UNSEALED, Kind::Gauge, Unit::Count, "Acknowledged bundles in no batch yet"),
    metric(PASSED, Kind::Gauge, Unit::Count, "Batches that have passed a stage, by stage"),
    metric(LAG, Kind::Gauge, Unit::Count, "Sealed batches that a stage has still to do, by stage"),
    metric(STAGE, Kind::Histogram, Unit::Seconds, "Time that a stage worked on one batch, by stage"),
    metric(RETRIED, Kind::Counter, Unit::Count, "Failed attempts that a stage repeats, by stage"),
    metric(
        SEALING_HELD,
        Kind::Gauge,
        Unit::Count,
        "1 while a batch is due and waits for sealed ones to be submitted, else 0",
    ),
    metric(SEALED_RECEIPTS, Kind::Histogram, Unit::Count, "Receipts in a sealed batch"),
    metric(DATA, Kind::Histogram, Unit::Bytes, "Size of a batch's data, uncompressed"),
    metric(BLOB, Kind::Histogram, Unit::Bytes, "Size of a batch's data as it is stored"),
    metric(PROOF, Kind::Histogram, Unit::Bytes, "Size of a batch's proof"),
    metric(WITNESS, Kind::Histogram, Unit::Bytes, "Size of the part of the account tree that a batch touches"),
    metric(SEALED_ENTRIES, Kind::Histogram, Unit::Count, "Registration queue entries in a sealed batch"),
    metric(QUEUE_SEEN, Kind::Gauge, Unit::Count, "Registration queue entries seen final on chain"),
    metric(QUEUE_WAITING, Kind::Gauge, Unit::Count, "Registration queue entries seen and in no batch yet"),
    metric(LIMITED, Kind::Counter, Unit::Count, "Calls refused or held up for their rate, by whose"),
    metric(PROMISED, Kind::Histogram, Unit::Count, "Slots from an acknowledgement to the one that it promises"),
    metric(
        LATE,
        Kind::Counter,
        Unit::Count,
        "Batches that came on chain after a slot that was promised for one of their bundles",
    ),
    metric(CHAIN_SLOT, Kind::Gauge, Unit::Count, "Newest finalized slot seen"),
    metric(COMPUTE, Kind::Histogram, Unit::Count, "Compute units of a submitted header"),
    metric(FEE, Kind::Histogram, Unit::Count, "Fee of a submitted header, in lamports"),
    metric(
        IN_AIR,
        Kind::Gauge,
        Unit::Count,
        "Transactions in the outbox: written down, and what they are for not final",
    ),
    metric(SENT, Kind::Counter, Unit::Count, "Times that a transaction's bytes were sent"),
    metric(
        RESIGNED,
        Kind::Counter,
        Unit::Count,
        "Transactions signed because one for the same batch expired or failed",
    ),
    metric(DROPPED, Kind::Counter, Unit::Count, "Confirmed batches that the chain dropped with their block"),
    metric(PROOF_ACCOUNT, Kind::Gauge, Unit::Count, "Lamports in the account that proofs are uploaded to"),
    metric(UPLOADED, Kind::Histogram, Unit::Count, "Transactions to bring a batch's proof to the chain"),
    metric(VERIFIED, Kind::Histogram, Unit::Count, "Transactions to verify and settle a batch"),
    metric(VERIFY_COMPUTE, Kind::Histogram, Unit::Count, "Compute units of these"),
    metric(SETTLE_FEE, Kind::Histogram, Unit::Count, "Fees of all transactions to settle a batch, in lamports"),
    metric(REJECTED, Kind::Counter, Unit::Count, "Steps that the program refused on a proof that was there whole"),
];

/// Gives the installed recorder the units and texts of the table.
pub fn describe() {
    cairn_telemetry::describe(&METRICS);
}

pub(crate) fn acknowledged(receipts: usize) {
    counter!(ACKNOWLEDGED).increment(1);
    counter!(ACKNOWLEDGED_RECEIPTS).increment(receipts as u64);
}

pub(crate) fn duplicate() {
    counter!(DUPLICATE).increment(1);
}

pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn in_flight(bundles: usize) {
    gauge!(IN_FLIGHT).set(bundles as f64);
}

pub(crate) fn commit_group(bundles: usize) {
    histogram!(GROUP).record(bundles as f64);
}

pub(crate) fn checked(took: Duration) {
    histogram!(CHECK).record(took);
}

pub(crate) fn store_write(change: Change, took: Duration) {
    histogram!(STORE_WRITE, "change" => change.name()).record(took);
}

pub(crate) fn unsealed(bundles: u64) {
    gauge!(UNSEALED).set(bundles as f64);
}

pub(crate) fn stage_passed(stage: Stage, batches: u64, sealed: u64) {
    gauge!(PASSED, "stage" => stage.name()).set(batches as f64);
    gauge!(LAG, "stage" => stage.name()).set(sealed.saturating_sub(batches) as f64);
}

pub(crate) fn stage_worked(stage: Stage, took: Duration) {
    histogram!(STAGE, "stage" => stage.name()).record(took);
}

pub(crate) fn stage_retried(stage: Stage) {
    counter!(RETRIED, "stage" => stage.name()).increment(1);
}

pub(crate) fn sealing_held(held: bool) {
    gauge!(SEALING_HELD).set(if held { 1.0 } else { 0.0 });
}

pub(crate) fn sealed(receipts: u32) {
    histogram!(SEALED_RECEIPTS).record(f64::from(receipts));
}

pub(crate) fn published(data_bytes: u64, blob_bytes: usize) {
    histogram!(DATA).record(data_bytes as f64);
    histogram!(BLOB).record(blob_bytes as f64);
}

pub(crate) fn proof(bytes: usize) {
    histogram!(PROOF).record(bytes as f64);
}

pub(crate) fn witness(bytes: usize) {
    histogram!(WITNESS).record(bytes as f64);
}

pub(crate) fn sealed_entries(entries: u32) {
    histogram!(SEALED_ENTRIES).record(f64::from(entries));
}

pub(crate) fn queue(seen: u64, consumed: u64) {
    gauge!(QUEUE_SEEN).set(seen as f64);
    gauge!(QUEUE_WAITING).set(seen.saturating_sub(consumed) as f64);
}

pub(crate) fn limited(of: &'static str) {
    counter!(LIMITED, "of" => of).increment(1);
}

pub(crate) fn promised(slots: u64) {
    histogram!(PROMISED).record(slots as f64);
}

pub(crate) fn late() {
    counter!(LATE).increment(1);
}

pub(crate) fn chain_slot(slot: u64) {
    gauge!(CHAIN_SLOT).set(slot as f64);
}

pub(crate) fn on_chain(compute_units: Option<u64>, fee: Option<u64>) {
    if let Some(units) = compute_units {
        histogram!(COMPUTE).record(units as f64);
    }
    if let Some(fee) = fee {
        histogram!(FEE).record(fee as f64);
    }
}

pub(crate) fn in_air(transactions: usize) {
    gauge!(IN_AIR).set(transactions as f64);
}

pub(crate) fn sent() {
    counter!(SENT).increment(1);
}

pub(crate) fn resigned() {
    counter!(RESIGNED).increment(1);
}

pub(crate) fn dropped(batches: u64) {
    counter!(DROPPED).increment(batches);
}

pub(crate) fn proof_account(lamports: u64) {
    gauge!(PROOF_ACCOUNT).set(lamports as f64);
}

pub(crate) fn settled(settlement: &Settlement) {
    histogram!(UPLOADED).record(settlement.upload_transactions as f64);
    histogram!(VERIFIED).record(settlement.verify_transactions as f64);
    histogram!(VERIFY_COMPUTE).record(settlement.verify_compute_units as f64);
    histogram!(SETTLE_FEE).record(settlement.lamports_fees as f64);
}

pub(crate) fn step_rejected() {
    counter!(REJECTED).increment(1);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    const UNITS: [&str; 12] = [
        "bundles",
        "receipts",
        "batches",
        "seconds",
        "bytes",
        "attempts",
        "units",
        "entries",
        "calls",
        "slots",
        "lamports",
        "transactions",
    ];

    #[test]
    fn every_name_is_component_thing_unit_and_unique() {
        let mut names = BTreeSet::new();
        for metric in METRICS {
            let thing = metric.name.strip_prefix("cairn_sequencer_").expect(metric.name);
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
            acknowledged(3);
            duplicate();
            refused("gap");
            in_flight(1);
            commit_group(2);
            checked(Duration::from_millis(1));
            store_write(Change::Append, Duration::from_millis(1));
            unsealed(4);
            stage_passed(Stage::Proved, 1, 2);
            stage_worked(Stage::Proved, Duration::from_secs(1));
            stage_retried(Stage::Submitted);
            sealing_held(true);
            sealed(5);
            published(10, 5);
            proof(100);
            witness(100);
            sealed_entries(2);
            queue(3, 1);
            limited("peer");
            promised(2_250);
            late();
            chain_slot(9);
            on_chain(Some(7), Some(5_000));
            in_air(3);
            sent();
            resigned();
            dropped(1);
            proof_account(700_000_000);
            settled(&Settlement::default());
            step_rejected();
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

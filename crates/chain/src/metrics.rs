//! Every metric of the connection to a chain: one table, and one function per thing that is measured.

use cairn_telemetry::{Kind, Metric, Unit, metric};
use metrics::{counter, gauge, histogram};
use std::time::Duration;

const REQUESTS: &str = "cairn_chain_server_requests";
const REQUEST: &str = "cairn_chain_request_seconds";
const RESTING: &str = "cairn_chain_resting_servers";
const SLOT: &str = "cairn_chain_seen_slots";
const SLOT_AGE: &str = "cairn_chain_slot_age_seconds";
const FAILED_OVER: &str = "cairn_chain_failed_over_calls";
const UNANSWERED: &str = "cairn_chain_unanswered_calls";
const SUBSCRIBED: &str = "cairn_chain_subscribed_accounts";
const NOTIFIED: &str = "cairn_chain_account_notifications";

/// The table.
pub const METRICS: [Metric; 9] = [
    metric(REQUESTS, Kind::Counter, Unit::Count, "Requests to RPC servers, by server and outcome"),
    metric(REQUEST, Kind::Histogram, Unit::Seconds, "Time that an RPC server took to answer, by server"),
    metric(
        RESTING,
        Kind::Gauge,
        Unit::Count,
        "1 while an RPC server is passed over because it failed, else 0, by server",
    ),
    metric(SLOT, Kind::Gauge, Unit::Count, "Newest slot of the chain seen, by commitment"),
    metric(
        SLOT_AGE,
        Kind::Gauge,
        Unit::Seconds,
        "How long an RPC server has been at the slot that it last said, by server",
    ),
    metric(FAILED_OVER, Kind::Counter, Unit::Count, "Times that another RPC server than before answered, by server"),
    metric(UNANSWERED, Kind::Counter, Unit::Count, "Questions that no RPC server answered in time, by method"),
    metric(SUBSCRIBED, Kind::Gauge, Unit::Count, "Accounts whose changes a websocket notifies of, by server"),
    metric(NOTIFIED, Kind::Counter, Unit::Count, "Notifications of account changes, by server"),
];

/// Gives the installed recorder the units and texts of the table.
pub fn describe() {
    cairn_telemetry::describe(&METRICS);
}

pub(crate) fn request(server: &str, outcome: &'static str, took: Duration) {
    counter!(REQUESTS, "server" => server.to_owned(), "outcome" => outcome).increment(1);
    histogram!(REQUEST, "server" => server.to_owned()).record(took);
}

pub(crate) fn resting(server: &str, resting: bool) {
    gauge!(RESTING, "server" => server.to_owned()).set(if resting { 1.0 } else { 0.0 });
}

pub(crate) fn slot(server: &str, commitment: &'static str, slot: u64, age: Duration) {
    gauge!(SLOT, "commitment" => commitment).set(slot as f64);
    gauge!(SLOT_AGE, "server" => server.to_owned()).set(age);
}

pub(crate) fn failed_over(server: &str) {
    counter!(FAILED_OVER, "server" => server.to_owned()).increment(1);
}

pub(crate) fn unanswered(method: &'static str) {
    counter!(UNANSWERED, "method" => method).increment(1);
}

pub(crate) fn subscribed(server: &str, accounts: usize) {
    gauge!(SUBSCRIBED, "server" => server.to_owned()).set(accounts as f64);
}

pub(crate) fn notified(server: &str) {
    counter!(NOTIFIED, "server" => server.to_owned()).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use std::collections::BTreeSet;

    const UNITS: [&str; 7] = ["requests", "seconds", "servers", "slots", "calls", "accounts", "notifications"];

    #[test]
    fn every_name_is_component_thing_unit_and_unique() {
        let mut names = BTreeSet::new();
        for metric in METRICS {
            let thing = metric.name.strip_prefix("cairn_chain_").expect(metric.name);
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
            request("http://h", "answered", Duration::from_millis(1));
            resting("http://h", true);
            slot("http://h", "finalized", 7, Duration::from_secs(1));
            failed_over("http://h");
            unanswered("getEpochInfo");
            subscribed("http://h", 2);
            notified("http://h");
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

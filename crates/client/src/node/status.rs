//! How a node does, in numbers.

use super::metrics;
use crate::spool::{Spool, SpoolError, Stage};
use tokio::sync::watch::Sender;

/// How a node does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Files read by this run.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Receipts taken into the spool by this run.
    pub receipts: u64,
    /// Files that could not be read when they were last tried.
    pub unreadable: u64,
    /// Receipts in no bundle yet.
    pub waiting: u64,
    /// Signed bundles to be sent.
    pub pending: u64,
    /// Acknowledged bundles, of all runs.
    pub acknowledged: u64,
    /// Receipts in these.
    pub acknowledged_receipts: u64,
    /// Settled bundles, of all runs.
    pub settled: u64,
    /// Bundles on their way whose promised slot has passed.
    pub overdue: u64,
    /// Answers of the sequencer that show a fault, of all runs.
    pub evidence: u64,
    /// What keeps the node from going on; `None` while nothing does.
    pub problem: Option<String>,
}

/// What the spool says when a node starts.
pub(super) fn load(spool: &Spool, status: &Sender<Status>) -> Result<(), SpoolError> {
    let sums = spool.sums()?;
    let (acknowledged, acknowledged_receipts) = sums.from(Stage::Acknowledged);
    let settled = sums.from(Stage::Settled).0;
    status.send_modify(|status| {
        *status = Status { acknowledged, acknowledged_receipts, settled, ..Status::default() };
    });
    refresh(spool, status)
}

/// What is in the spool now.
pub(super) fn refresh(spool: &Spool, status: &Sender<Status>) -> Result<(), SpoolError> {
    let waiting = spool.waiting()?.receipts;
    let pending = spool.first_pending()?.0;
    let evidence = spool.evidence()?.len() as u64;
    metrics::in_spool(waiting, pending, evidence);
    status.send_if_modified(|status| {
        let before = (status.waiting, status.pending, status.evidence);
        (status.waiting, status.pending, status.evidence) = (waiting, pending, evidence);
        before != (waiting, pending, evidence)
    });
    Ok(())
}

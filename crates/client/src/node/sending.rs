//! The part of a node that talks to the sequencer.

use super::{NodeError, Shared, Status, metrics, status};
use crate::clock::now_ms;
use crate::submit::{Node, Progress, SubmitError};
use std::time::Duration;
use tokio::sync::watch::Sender;
use tokio::time::Instant;

/// A bundle that is due is not waited for any shorter than this.
const LEAST_WAIT: Duration = Duration::from_millis(50);

/// Puts what happens into the status.
struct Hearing<'a>(&'a Sender<Status>);

impl Progress for Hearing<'_> {
    fn expect(&self, _: u64, _: u64) {}

    fn acknowledged(&self, receipts: u64) {
        metrics::acknowledged(receipts);
        self.0.send_modify(|status| {
            status.acknowledged += 1;
            status.acknowledged_receipts += receipts;
            status.problem = None;
        });
    }

    fn waiting(&self, reason: &str, delay: Duration) {
        metrics::retried();
        tracing::info!(reason, ?delay, "trying again");
        self.0.send_modify(|status| status.problem = Some(reason.to_owned()));
    }
}

pub(super) async fn run(shared: &Shared, mut node: Node) -> Result<(), NodeError> {
    let hearing = Hearing(&shared.status);
    if greet(shared, &mut node, &hearing).await?.is_none() {
        return Ok(());
    }
    shared.bound.cancel();
    let mut followed = Instant::now();
    loop {
        // Asked before the spool is looked at: what is read in between waits for the next round.
        let last = shared.options.once && shared.all_read.is_cancelled();
        let is_due = due(shared, &node)?.is_some_and(|due| due.is_zero());
        node.bundle(last || is_due).await?;
        let report = node.send(&hearing).await?;
        if report.bundles > 0 {
            shared.status.send_modify(|status| status.problem = None);
        }
        status::refresh(node.spool(), &shared.status)?;
        if shared.stop.is_cancelled() || last {
            follow(shared, &node).await?;
            return Ok(());
        }
        if followed.elapsed() >= shared.options.refresh {
            follow(shared, &node).await?;
            followed = Instant::now();
        }
        let until_refresh = shared.options.refresh.saturating_sub(followed.elapsed());
        let wait = due(shared, &node)?.map_or(until_refresh, |due| due.min(until_refresh)).max(LEAST_WAIT);
        tokio::select! {
            () = shared.enqueued.notified() => {}
            () = shared.all_read.cancelled(), if shared.options.once => {}
            () = tokio::time::sleep(wait) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// `None` when the node was told to stop before the sequencer answered.
async fn greet(shared: &Shared, node: &mut Node, hearing: &Hearing<'_>) -> Result<Option<()>, NodeError> {
    match node.greet(hearing).await {
        Ok(_) => {
            shared.status.send_modify(|status| status.problem = None);
            Ok(Some(()))
        }
        Err(SubmitError::Unreachable { .. }) if shared.stop.is_cancelled() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// In how long the receipts that wait are due to leave; `None` when there are none.
fn due(shared: &Shared, node: &Node) -> Result<Option<Duration>, NodeError> {
    let since = node.spool().waiting()?.since_ms;
    Ok(since.map(|since| {
        let waited = Duration::from_millis(now_ms().saturating_sub(since));
        shared.options.bundle_age.saturating_sub(waited)
    }))
}

/// Asks what became of bundles. A sequencer that does not answer now will later.
async fn follow(shared: &Shared, node: &Node) -> Result<(), NodeError> {
    let followed = match node.follow().await {
        Ok(followed) => followed,
        Err(SubmitError::Unreachable { message, .. }) => {
            shared.status.send_modify(|status| status.problem = Some(message));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(sequence) = followed.lost {
        let problem = format!("the sequencer has lost bundle {sequence}, which it acknowledged: see --resubmit");
        tracing::error!(sequence, "the sequencer does not know a bundle that it acknowledged");
        shared.status.send_modify(|status| status.problem = Some(problem));
    }
    metrics::followed(&followed);
    shared.status.send_modify(|status| {
        status.settled += followed.settled;
        status.overdue = followed.overdue;
    });
    Ok(status::refresh(node.spool(), &shared.status)?)
}

//! The part of a node that reads files.

use super::{NodeError, Shared, metrics, status};
use crate::spool::Spool;
use crate::warc::Options;
use crate::watch::{Candidate, Events, Finder, LookError, Outcome, read};
use std::sync::Arc;
use std::time::Duration;

/// Files, and bytes of them, that are read and written down as one.
const GROUP_FILES: usize = 64;
const GROUP_BYTES: u64 = 1 << 30;
/// Events come in swarms: a look waits for the swarm to pass.
const SWARM: Duration = Duration::from_millis(100);
/// Least time between two looks for files that are about to settle.
const LEAST_WAIT: Duration = Duration::from_millis(200);

pub(super) async fn run(shared: &Arc<Shared>, spool: &Arc<Spool>) -> Result<(), NodeError> {
    let options = &shared.options;
    // Before the first look, so that nothing happens unheard between the two.
    let events = match Events::of(&options.watch) {
        Ok(events) => Some(events),
        Err(error) => {
            tracing::warn!(%error, folder = %options.watch.display(), "the system does not tell about this folder");
            None
        }
    };
    tokio::select! {
        () = shared.bound.cancelled() => {}
        () = shared.stop.cancelled() => return Ok(()),
    }
    let identity = spool.bound()?;
    let reading = Options { rollup_id: identity.rollup_id, node_index: identity.node_index, job: options.job.clone() };
    let settle = if options.once { Duration::ZERO } else { options.settle };
    let mut finder = Finder::new(&options.watch, settle);
    loop {
        for path in events.iter().flat_map(Events::renamed) {
            finder.renamed(path);
        }
        let (candidates, unsettled, returned) = {
            let spool = Arc::clone(spool);
            let look = move || {
                let found = finder.look(&spool);
                found.map(|(candidates, unsettled)| (candidates, unsettled, finder))
            };
            tokio::task::spawn_blocking(look).await??
        };
        finder = returned;
        let mut unreadable = 0;
        let mut paths = candidates.into_iter().peekable();
        while paths.peek().is_some() && !shared.stop.is_cancelled() {
            let outcome = group(shared, spool, &mut paths, &reading).await?;
            unreadable += outcome.unreadable.len() as u64;
        }
        shared.status.send_if_modified(|status| std::mem::replace(&mut status.unreadable, unreadable) != unreadable);
        if options.once {
            shared.all_read.cancel();
            return Ok(());
        }
        let wait = if unsettled { (options.settle / 4).max(LEAST_WAIT).min(options.rescan) } else { options.rescan };
        let heard = async {
            match &events {
                Some(events) => events.happened().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = heard => tokio::time::sleep(SWARM).await,
            () = tokio::time::sleep(wait) => {}
            () = shared.stop.cancelled() => {}
        }
        if shared.stop.is_cancelled() {
            return Ok(());
        }
    }
}

/// Reads the next few files.
async fn group(
    shared: &Arc<Shared>,
    spool: &Arc<Spool>,
    paths: &mut std::iter::Peekable<std::vec::IntoIter<Candidate>>,
    reading: &Options,
) -> Result<Outcome, NodeError> {
    let mut group = Vec::new();
    let mut bytes = 0;
    while let Some(candidate) =
        paths.next_if(|next| group.is_empty() || (group.len() < GROUP_FILES && bytes + next.size <= GROUP_BYTES))
    {
        bytes += candidate.size;
        group.push(candidate);
    }
    let (task_spool, reading) = (Arc::clone(spool), reading.clone());
    let outcome = tokio::task::spawn_blocking(move || read(&task_spool, group, &reading, &())).await?;
    let outcome = outcome.map_err(LookError::from)?;
    for unreadable in &outcome.unreadable {
        tracing::warn!(path = %unreadable.path.display(), error = %unreadable.error, "cannot read a file: trying again later");
    }
    for skipped in outcome.report.skipped.iter().filter(|skipped| !skipped.reason.is_ordinary()) {
        let detail = skipped.detail.as_deref().unwrap_or_default();
        let (file, offset, reason) = (&skipped.file, skipped.offset, skipped.reason.name());
        tracing::warn!(%file, offset, reason, detail, "a record without a receipt");
    }
    metrics::read(&outcome);
    shared.status.send_if_modified(|status| {
        status.files += outcome.files;
        status.bytes += outcome.bytes;
        status.receipts += outcome.enqueued.receipts;
        outcome.files > 0
    });
    status::refresh(spool, &shared.status)?;
    if outcome.enqueued.receipts > 0 {
        shared.enqueued.notify_one();
    }
    Ok(outcome)
}

//! A running node: reads what its crawler finishes, signs, sends and follows, until it is told to stop.
//!
//! Two parts run side by side and meet in the spool. One looks through a folder and takes receipts in, also while the
//! sequencer is away. The other makes bundles when there is enough for one, or it has waited long enough, sends them,
//! and asks from time to time what became of them.

pub mod metrics;
mod reading;
mod sending;
mod status;

pub use status::Status;

use crate::spool::SpoolError;
use crate::submit::{Node, SubmitError};
use crate::watch::LookError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What a node does.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder in which a crawler writes.
    pub watch: PathBuf,
    /// Read and submit what is there, and end.
    pub once: bool,
    /// A file that nobody has written to for so long counts as finished.
    pub settle: Duration,
    /// The folder is looked through so often, whatever the system tells about it.
    pub rescan: Duration,
    /// Receipts wait so long for others to fill their bundle.
    pub bundle_age: Duration,
    /// The sequencer is asked so often how far bundles have come.
    pub refresh: Duration,
    /// Name of the crawl job, which goes into the receipts.
    pub job: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            watch: PathBuf::new(),
            once: false,
            settle: Duration::from_secs(10),
            rescan: Duration::from_secs(30),
            bundle_age: Duration::from_secs(30),
            refresh: Duration::from_secs(15),
            job: None,
        }
    }
}

/// Why a node stopped by itself. What is in its spool stays there, and the next run goes on from it.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Submitting.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The folder.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A task was lost.
    #[error("a background task failed")]
    Task(#[from] tokio::task::JoinError),
}

/// What both parts have in common.
struct Shared {
    options: Options,
    status: tokio::sync::watch::Sender<Status>,
    /// There is something new in the spool.
    enqueued: Notify,
    /// The spool knows its node.
    bound: CancellationToken,
    /// Everything that was there is in the spool.
    all_read: CancellationToken,
    stop: CancellationToken,
}

/// Runs a node until `stop`, or with [`Options::once`] until everything is acknowledged. How it does is in `status`.
///
/// # Errors
/// When the folder cannot be read, the spool fails, or the sequencer refuses for good or answers falsely.
pub async fn run(
    node: Node,
    options: Options,
    status: tokio::sync::watch::Sender<Status>,
    stop: CancellationToken,
) -> Result<(), NodeError> {
    // Either part that ends ends the other.
    let ending = stop.child_token();
    let spool = Arc::clone(node.spool());
    status::load(&spool, &status)?;
    let shared = Arc::new(Shared {
        options,
        status,
        enqueued: Notify::new(),
        bound: CancellationToken::new(),
        all_read: CancellationToken::new(),
        stop: ending.clone(),
    });
    if spool.identity()?.is_some() {
        shared.bound.cancel();
    }
    let reading = tokio::spawn({
        let (shared, ending) = (Arc::clone(&shared), ending.clone());
        async move {
            let outcome = reading::run(&shared, &spool).await;
            if outcome.is_err() {
                ending.cancel();
            }
            outcome
        }
    });
    let sending = tokio::spawn({
        let shared = Arc::clone(&shared);
        async move {
            let outcome = sending::run(&shared, node.until(ending.clone())).await;
            ending.cancel();
            outcome
        }
    });
    let (read, sent) = tokio::join!(reading, sending);
    // Why one of them failed, not that the other was told to stop.
    sent?.and(read?)
}

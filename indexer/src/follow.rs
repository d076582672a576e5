//! Follows the rollup: one batch after the other, each verified before it is stored, none skipped.
//!
//! The chain is read twice in each look: what is final, and what is confirmed. Confirmed batches are indexed as they come; how
//! many of them are final is kept beside them. A subscription says when to look; the pause between two looks bounds how long
//! it may be silent.

mod history;
mod take;

pub(crate) use take::counted;

use crate::blobs::Source;
use crate::metrics;
use crate::status::{Counted, Problem, ProblemKind, Status};
use crate::store::{Reach, Store, StoreError};
use crate::verify::{ChainBatch, Refusal};
use crate::{Commitment, follow::history::History};
use cairn_chain::{AccountWatch, RollupClient, RollupError, Snapshot};
use cairn_types::{Cursor, Digest};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Batch accounts read from the chain at once.
const READ_AHEAD: u64 = 16;
/// So many answers in a row for older slots are no server that lags: the one for the newer slot was wrong.
const OLDER: u32 = 60;
/// The least time between two looks that a subscription asks for, whatever it sends.
const WAKE_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Follower {
    pub client: RollupClient,
    pub rollup_id: Digest,
    pub store: Arc<Store>,
    pub source: Source,
    pub status: watch::Sender<Status>,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Longest time between two tries of what failed.
    pub retry: Duration,
    /// Longest time that one blob may take to arrive from one mirror.
    pub patience: Duration,
    /// The newest slots that the chain answered for, finalized and confirmed: what is older is no news.
    pub seen: [Seen; 2],
}

/// The newest slot of an answer, and how many older ones came since.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    slot: u64,
    older: u32,
}

/// What keeps the follower from the next batch.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("{0}")]
    Chain(#[from] RollupError),
    #[error("{0}")]
    Diverged(String),
    #[error("{reason}")]
    Refused { batch: u64, digest: Digest, reason: String },
    #[error("{reason}")]
    Missing { batch: u64, digest: Option<Digest>, reason: String },
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("a background task stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("the indexer stops")]
    Stopping,
}

/// Where the index is before a look.
#[derive(Debug, Clone, Copy)]
struct Here {
    cursor: Cursor,
    reach: Reach,
}

impl Follower {
    pub async fn run(mut self, token: CancellationToken) {
        let chain = self.client.chain().clone();
        let mut changes = chain.watch(&[self.client.address()], cairn_chain::Commitment::Confirmed);
        let mut wait = Duration::ZERO;
        let mut failed = false;
        loop {
            // What failed is tried again in its own time: a chatty subscription does not shorten it.
            tokio::select! {
                () = token.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = woken(&mut changes), if !failed => {}
            }
            let found = self.step(&token).await;
            failed = found.is_err();
            wait = match found {
                Err(Obstacle::Stopping) => return,
                Ok(more) => {
                    self.clear();
                    if more { Duration::ZERO } else { self.poll }
                }
                Err(obstacle) => {
                    self.report(&obstacle);
                    (wait * 2).clamp(self.poll, self.retry)
                }
            };
        }
    }

    /// Looks at the chain and takes in what is new. `true` when there is more to do at once.
    async fn step(&mut self, token: &CancellationToken) -> Result<bool, Obstacle> {
        let here = self.here().await?;
        let Some(finalized) = self.look(Commitment::Finalized, here.cursor.batches, token).await? else {
            return Ok(false);
        };
        let Some(confirmed) = self.look(Commitment::Confirmed, here.cursor.batches, token).await? else {
            return Ok(false);
        };
        // Who may say where the data is has said so for good.
        self.source.hear(&finalized.rollup.blob_location);
        self.status.send_if_modified(|status| {
            let before = status.clone();
            status.look(Commitment::Finalized, finalized.slot, finalized.rollup.tip.batches);
            status.look(Commitment::Confirmed, confirmed.slot, confirmed.rollup.tip.batches);
            status.batches_settled = finalized.rollup.settled.batches;
            *status != before
        });
        let reach = match self.reconcile(&here, &finalized, &confirmed, token).await? {
            History::Same(reach) => reach,
            // Something was taken back: from the new end on it is read again.
            History::Changed => return Ok(true),
        };
        let reached = self.forward(&here, reach, &finalized, &confirmed, token).await?;
        let ahead = finalized.rollup.tip.batches.max(if reached.stopped { 0 } else { confirmed.rollup.tip.batches });
        Ok(reached.taken && reached.batches < ahead)
    }

    /// Reads the rollup and the batches past the index; `None` when the answer is older than one before.
    async fn look(
        &mut self,
        commitment: Commitment,
        from: u64,
        token: &CancellationToken,
    ) -> Result<Option<Snapshot>, Obstacle> {
        let numbers = from..from.saturating_add(READ_AHEAD);
        let snapshot = self.client.snapshot_at(numbers, commitment.on_chain());
        // Waiting for others ends at once when the indexer stops; what runs here is finished.
        let snapshot = token.run_until_cancelled(snapshot).await.ok_or(Obstacle::Stopping)??;
        let seen = &mut self.seen[usize::from(commitment == Commitment::Confirmed)];
        if snapshot.slot < seen.slot && seen.older < OLDER {
            tracing::debug!(%commitment, slot = snapshot.slot, seen = seen.slot, "the chain answered for an older slot");
            metrics::stale();
            seen.older += 1;
            return Ok(None);
        }
        *seen = Seen { slot: snapshot.slot, older: 0 };
        Ok(Some(snapshot))
    }

    /// Takes in batches past the index: final ones, then those that are confirmed and follow them.
    async fn forward(
        &self,
        here: &Here,
        mut reach: Reach,
        finalized: &Snapshot,
        confirmed: &Snapshot,
        token: &CancellationToken,
    ) -> Result<Forward, Obstacle> {
        let mut cursor = here.cursor;
        let mut forward = Forward { batches: cursor.batches, taken: false, stopped: false };
        for at in 0..READ_AHEAD as usize {
            let number = cursor.batches;
            let is_final = number < finalized.rollup.tip.batches;
            let from = if is_final { finalized } else { confirmed };
            if number >= from.rollup.tip.batches {
                break;
            }
            let Some(batch) = from.batches.get(at).and_then(Option::as_ref) else {
                let reason = match number < from.rollup.settled.batches {
                    true => format!(
                        "the account of batch {number} was closed after it was settled: whoever has the batch can restore it on \
                         chain, and an index that has it already needs no account"
                    ),
                    false => format!("the chain has no account for batch {number}, though its tip is past it"),
                };
                return Err(Obstacle::Missing { batch: number, digest: None, reason });
            };
            // What is confirmed may stand on batches that are to replace some that are final here: they go when that is
            // final too.
            let sound = batch.header.statement() == batch.digest;
            if !is_final && sound && batch.header.previous != cursor.header_digest {
                forward.stopped = true;
                break;
            }
            let found = ChainBatch { number, header: batch.header, header_digest: batch.digest, slot: batch.slot };
            reach.confirmed = number.saturating_add(1);
            if is_final {
                reach.finalized = reach.confirmed;
            }
            cursor = self.take(found, cursor, reach, token).await?;
            (forward.batches, forward.taken) = (cursor.batches, true);
        }
        Ok(forward)
    }

    async fn here(&self) -> Result<Here, Obstacle> {
        let (store, rollup_id) = (self.store.clone(), self.rollup_id);
        let read = move || -> Result<_, StoreError> {
            let whole = store.whole()?;
            Ok(Here { cursor: whole.cursor(&rollup_id)?, reach: whole.reach()? })
        };
        Ok(tokio::task::spawn_blocking(read).await??)
    }

    /// Shows what the store holds by now.
    fn counted(&self, counted: &Counted) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            status.count(counted);
            *status != before
        });
        metrics::status(&self.status.borrow());
    }

    fn clear(&self) {
        metrics::problem(None);
        metrics::status(&self.status.borrow());
        self.status.send_if_modified(|status| status.problem.take().is_some());
    }

    fn report(&self, obstacle: &Obstacle) {
        let (kind, batch, header_digest) = match obstacle {
            Obstacle::Refused { batch, digest, .. } => (ProblemKind::Refused, Some(*batch), Some(*digest)),
            Obstacle::Missing { batch, digest, .. } => (ProblemKind::Missing, Some(*batch), *digest),
            Obstacle::Diverged(_) => (ProblemKind::Diverged, None, None),
            Obstacle::Chain(_) => (ProblemKind::Chain, None, None),
            Obstacle::Store(_) | Obstacle::Task(_) | Obstacle::Stopping => (ProblemKind::Store, None, None),
        };
        let reason = obstacle.to_string();
        metrics::problem(Some(kind));
        self.status.send_modify(|status| {
            let before = status.problem.take().filter(|before| (before.kind, before.batch) == (kind, batch));
            let (attempts, since_ms) =
                before.map_or_else(|| (0, now_ms()), |before| (before.attempts, before.since_ms));
            if attempts == 0 {
                tracing::warn!(kind = kind.name(), batch, %reason, "cannot go on, trying again");
            }
            status.problem =
                Some(Problem { kind, batch, header_digest, reason, attempts: attempts.saturating_add(1), since_ms });
        });
    }
}

/// How far a look took the index.
struct Forward {
    batches: u64,
    taken: bool,
    /// What is confirmed does not follow what is indexed.
    stopped: bool,
}

/// Waits for the subscription, and then a moment more: what comes in bursts is one change.
async fn woken(changes: &mut AccountWatch) {
    changes.changed().await;
    metrics::woken();
    tokio::time::sleep(WAKE_PAUSE).await;
}

fn refused(batch: u64, digest: Digest, source: &Refusal) -> Obstacle {
    Obstacle::Refused { batch, digest, reason: source.to_string() }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

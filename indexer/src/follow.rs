//! Follows the rollup: one batch after the other, each verified before it is stored, none skipped.

mod history;

use crate::VerifiedBatch;
use crate::blobs::{self, FetchError};
use crate::metrics;
use crate::status::{Problem, ProblemKind, Status};
use crate::store::{Store, StoreError};
use crate::verify::{ChainBatch, Refusal, check_batch, check_header, open_blob};
use cairn_chain::{RollupClient, RollupError};
use cairn_types::{Cursor, Digest};
use object_store::ObjectStore;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Batch accounts read from the chain at once.
const READ_AHEAD: u64 = 16;

pub(crate) struct Follower {
    pub client: RollupClient,
    pub rollup_id: Digest,
    pub store: Arc<Store>,
    pub objects: Arc<dyn ObjectStore>,
    pub status: watch::Sender<Status>,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Longest time between two tries of what failed.
    pub retry: Duration,
    /// Longest time that one blob may take to arrive.
    pub patience: Duration,
}

/// What keeps the follower from the next batch.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("{0}")]
    Chain(#[from] RollupError),
    #[error("{0}")]
    Diverged(String),
    #[error("{source}")]
    Refused { batch: u64, digest: Digest, source: Box<Refusal> },
    #[error("{reason}")]
    Missing { batch: u64, digest: Option<Digest>, reason: String },
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("a background task stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("the indexer stops")]
    Stopping,
}

impl Follower {
    pub async fn run(self, token: CancellationToken) {
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = match self.step(&token).await {
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
    async fn step(&self, token: &CancellationToken) -> Result<bool, Obstacle> {
        let cursor = self.cursor().await?;
        let snapshot = self.client.snapshot(cursor.batches..cursor.batches.saturating_add(READ_AHEAD));
        // Waiting for others ends at once when the indexer stops; what runs here is finished.
        let snapshot = token.run_until_cancelled(snapshot).await.ok_or(Obstacle::Stopping)??;
        let (tip, settled) = (snapshot.rollup.tip, snapshot.rollup.settled);
        metrics::chain(tip.batches, cursor.batches);
        self.status.send_if_modified(|status| {
            let before = (status.slot, status.batches_on_chain, status.batches_settled);
            (status.slot, status.batches_on_chain, status.batches_settled) =
                (snapshot.slot, tip.batches, settled.batches);
            before != (snapshot.slot, tip.batches, settled.batches)
        });
        let next = snapshot.batches.first().and_then(Option::as_ref).filter(|_| cursor.batches < tip.batches);
        if self.is_beside(&cursor, &tip, next).await? && self.take_back(&cursor, &tip, token).await? {
            return Ok(true);
        }
        let mut cursor = cursor;
        for batch in snapshot.batches {
            if cursor.batches >= tip.batches {
                break;
            }
            let number = cursor.batches;
            let Some(batch) = batch else {
                let reason = format!("the chain has no account for batch {number}, though its tip is past it");
                return Err(Obstacle::Missing { batch: number, digest: None, reason });
            };
            let found = ChainBatch { number, header: batch.header, header_digest: batch.digest, slot: batch.slot };
            cursor = self.take(found, cursor, token).await?;
        }
        Ok(cursor.batches < tip.batches)
    }

    /// Verifies one batch and stores it.
    async fn take(&self, found: ChainBatch, cursor: Cursor, token: &CancellationToken) -> Result<Cursor, Obstacle> {
        let (batch, digest) = (found.number, found.header_digest);
        let started = Instant::now();
        let refused = move |source| Obstacle::Refused { batch, digest, source: Box::new(source) };
        check_header(&found, &self.rollup_id, &cursor).map_err(refused)?;
        let data = blobs::fetch(&self.objects, &found.header, self.patience);
        let data = token.run_until_cancelled(data).await.ok_or(Obstacle::Stopping)?;
        let data = data.map_err(|error| match error {
            FetchError::Missing(reason) => Obstacle::Missing { batch, digest: Some(digest), reason },
            FetchError::Refused(source) => refused(source),
        })?;
        metrics::fetched(data.len(), started.elapsed());
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let blob = open_blob(&found, &data).map_err(refused)?;
            drop(data);
            let state = store.open_state(&cursor, blob.touched())?;
            let verified = check_batch(&found, &cursor, blob, state).map_err(refused)?;
            metrics::verified(verified.batch.header.receipts, started.elapsed());
            log_mismatches(&verified);
            let started = Instant::now();
            store.store(&verified)?;
            metrics::stored(started.elapsed());
            Ok::<_, Obstacle>((verified, store.totals(&found.header.rollup_id)?))
        });
        let (verified, totals) = stored.await??;
        let header = verified.batch.header;
        let mismatches = verified.leaf_mismatches();
        metrics::indexed(header.receipts, mismatches);
        tracing::info!(batch, header_digest = %digest, receipts = header.receipts, mismatches, "batch indexed");
        self.status.send_modify(|status| {
            status.count(&totals);
            status.problem = None;
        });
        Ok(header.cursor())
    }

    async fn cursor(&self) -> Result<Cursor, Obstacle> {
        let (store, rollup_id) = (self.store.clone(), self.rollup_id);
        Ok(tokio::task::spawn_blocking(move || store.cursor(&rollup_id)).await??)
    }

    fn clear(&self) {
        metrics::problem(None);
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

fn log_mismatches(verified: &VerifiedBatch) {
    let batch = verified.batch.header.number;
    for (bundle, receipts) in verified.receipts.iter().enumerate() {
        let mismatches = receipts.iter().enumerate().filter_map(|(at, found)| Some((at, found.as_ref().err()?)));
        for (receipt, mismatch) in mismatches {
            tracing::warn!(batch, bundle, receipt, %mismatch, "leaf mismatch");
        }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

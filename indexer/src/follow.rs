//! Follows the rollup: one batch after the other, each verified before it is stored, none skipped.

use crate::blobs::{self, FetchError};
use crate::metrics;
use crate::status::{Problem, ProblemKind, Status};
use crate::store::{Store, StoreError};
use crate::verify::{ChainBatch, Refusal, check_data, check_header};
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
    Refused { batch: u64, digest: Digest, source: Refusal },
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
        diverged(&cursor, &tip)?;
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
        let refused = move |source| Obstacle::Refused { batch, digest, source };
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
            let verified = check_data(&found, &cursor, &data).map_err(refused)?;
            metrics::verified(verified.batch.header.receipts, started.elapsed());
            for (bundle, receipts) in verified.receipts.iter().enumerate() {
                for (receipt, mismatch) in
                    receipts.iter().enumerate().filter_map(|(at, found)| Some((at, found.as_ref().err()?)))
                {
                    tracing::warn!(batch, bundle, receipt, %mismatch, "leaf mismatch");
                }
            }
            let started = Instant::now();
            store.store(&verified)?;
            metrics::stored(started.elapsed());
            Ok::<_, Obstacle>(verified)
        });
        let verified = stored.await??;
        let header = verified.batch.header;
        let mismatches = verified.leaf_mismatches();
        metrics::indexed(header.receipts, mismatches);
        tracing::info!(batch, header_digest = %digest, receipts = header.receipts, mismatches, "batch indexed");
        self.status.send_modify(|status| {
            status.batches_indexed = header.number.saturating_add(1);
            status.header_digest = Some(digest);
            status.bundles = status.bundles.saturating_add(u64::from(header.bundles));
            status.receipts = status.receipts.saturating_add(u64::from(header.receipts));
            status.leaf_mismatches = status.leaf_mismatches.saturating_add(mismatches);
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

/// A chain whose tip is not on the indexed history has dropped batches that were finalized here: nothing to index over.
fn diverged(cursor: &Cursor, tip: &Cursor) -> Result<(), Obstacle> {
    if tip.batches < cursor.batches {
        return Err(Obstacle::Diverged(format!(
            "{} batches are indexed and the chain has {}: it dropped some, delete the index to follow it",
            cursor.batches, tip.batches
        )));
    }
    if tip.batches == cursor.batches && tip.header_digest != cursor.header_digest {
        return Err(Obstacle::Diverged(format!(
            "the last of {} batches is {} here and {} on chain: delete the index to follow it",
            tip.batches, cursor.header_digest, tip.header_digest
        )));
    }
    Ok(())
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_behind_or_beside_the_index_is_a_divergence() {
        let genesis = Cursor::genesis(&Digest::from_byte_digest([1; 32]));
        let at = |batches, header_digest| Cursor { batches, header_digest, ..genesis };
        let (a, b) = (Digest::constant([1, 0, 0, 0]), Digest::constant([2, 0, 0, 0]));
        assert!(diverged(&at(2, a), &at(2, a)).is_ok());
        assert!(diverged(&at(2, a), &at(5, b)).is_ok(), "the batches in between will show");
        assert!(diverged(&at(2, a), &at(2, b)).is_err());
        assert!(diverged(&at(2, a), &at(1, a)).is_err());
    }
}

//! Published → proved: a proof of the batch's header, on disk and in the object store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_prover::{Progress, ProveError, Prover};
use cairn_types::limits::{SEGMENT_BUNDLES, SEGMENT_QUEUE_ENTRIES};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::error::StageError;
use super::stage_task::{Shared, Work};
use crate::blocking::blocking;
use crate::promise::{Pace, Rates};
use crate::seal::rebuild::rebuild;
use crate::status::{BatchEvent, BatchSummary, Board};
use crate::store::{Store, StoreError, StoredProof};
use crate::{Stage, metrics};

/// Proofs of an earlier run that say how long the next ones take.
const MEASURED: u64 = 16;

/// Proves batches.
pub struct ProverStage {
    /// Store, rollup, board.
    pub shared: Shared,
    /// Who proves.
    pub prover: Arc<dyn Prover>,
    /// Where proofs are published.
    pub objects: Arc<dyn ObjectStore>,
    /// How long proofs take.
    pub pace: Arc<Mutex<Pace>>,
    /// Ends a proof that is being made.
    pub stop: CancellationToken,
}

#[async_trait]
impl Work for ProverStage {
    async fn finish(&mut self, number: u64) -> Result<(), StageError> {
        let Shared { store, board, .. } = self.shared.clone();
        let log = Arc::clone(&store);
        let (sealed, kept) = blocking(move || Ok::<_, StageError>((log.batch(number)?, log.proof(number)?))).await?;
        let sealed = sealed.ok_or(crate::seal::rebuild::RebuildError::Unsealed(number))?;
        let batch = BatchSummary::of(&sealed.header, sealed.header_digest);
        // A proof that was kept before a crash is published, not made again.
        let proof = match kept.filter(|proof| proof.statement == sealed.header_digest) {
            Some(proof) => proof,
            None => self.prove(batch).await?,
        };
        let (proof_bytes, took) = (proof.bytes.len(), Duration::from_millis(proof.prove_ms));
        // The bytes that the program reads, as they are: the header's digest is their name.
        cairn_objects::put(&*self.objects, cairn_objects::proof_path(&proof.statement), proof.bytes.into()).await?;
        blocking(move || store.proved(number)).await?;
        info!(batch = number, proof_bytes, ?took, "batch proved");
        metrics::proof(proof_bytes);
        board.event(BatchEvent::Proved { batch, took, proof_bytes: proof_bytes as u64 });
        board.proved(batch, sealed.end);
        Ok(())
    }
}

impl ProverStage {
    /// Proves a batch, checks the proof, and keeps it.
    async fn prove(&self, batch: BatchSummary) -> Result<StoredProof, StageError> {
        let (number, expected) = (batch.number, batch.header_digest);
        let Shared { store, rollup_id, board } = self.shared.clone();
        let (prover, stop) = (Arc::clone(&self.prover), self.stop.clone());
        board.event(BatchEvent::Proving(batch));
        let log = Arc::clone(&store);
        let rebuilt = blocking(move || rebuild(&log, &rollup_id, number)).await?;
        let proof = blocking(move || {
            // The store is not held in here: a proof may outlive a sequencer that was told to stop.
            let started = Instant::now();
            let proof = prover.prove(&rebuilt.batch, &rebuilt.before, &Bars { board, batch, stop })?;
            prover.verify(&proof).map_err(ProveError::SelfCheck)?;
            Ok((proof, started.elapsed()))
        });
        let (proof, took) = proof.await.map_err(|source| StageError::Prove { number, source })?;
        if proof.statement != expected {
            return Err(StageError::Statement { number, found: proof.statement, expected });
        }
        self.pace.lock().measured(segments(&batch), took);
        let proof = StoredProof {
            statement: proof.statement,
            bytes: proof.bytes,
            prove_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let kept = proof.clone();
        blocking(move || store.keep_proof(number, &kept)).await?;
        Ok(proof)
    }
}

/// Segment proofs under a batch's proof: entries come in the last segment with bundles, and in further ones.
fn segments(batch: &BatchSummary) -> u64 {
    let with_bundles = u64::from(batch.bundles).div_ceil(SEGMENT_BUNDLES as u64);
    let with_entries = u64::from(batch.entries).div_ceil(SEGMENT_QUEUE_ENTRIES as u64);
    let shared = with_bundles.min(with_entries).min(1);
    with_bundles + with_entries - shared
}

/// The pace of the last proofs in the store, on top of what is expected.
///
/// # Errors
/// When the store fails.
pub fn pace_so_far(store: &Store, expected: Rates) -> Result<Pace, StoreError> {
    let mut pace = Pace::new(expected);
    let proved = store.passed(Stage::Proved)?;
    for number in proved.saturating_sub(MEASURED)..proved {
        if let (Some(sealed), Some(proof)) = (store.batch(number)?, store.proof(number)?) {
            let batch = BatchSummary::of(&sealed.header, sealed.header_digest);
            pace.measured(segments(&batch), Duration::from_millis(proof.prove_ms));
        }
    }
    Ok(pace)
}

/// Shows the prover's progress on the board.
struct Bars {
    board: Board,
    batch: BatchSummary,
    stop: CancellationToken,
}

impl Progress for Bars {
    fn step(&self, stage: cairn_prover::Stage, done: usize, total: usize) {
        let (done, total) = (done as u64, total as u64);
        self.board.event(BatchEvent::ProvingProgress { batch: self.batch, part: stage, done, total });
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use cairn_types::Digest;

    use super::*;

    #[test]
    fn segments_hold_bundles_and_then_entries() {
        let count = |bundles, entries| {
            segments(&BatchSummary { number: 0, header_digest: Digest::ZERO, bundles, receipts: 0, entries })
        };
        let (bundles, entries) = (SEGMENT_BUNDLES as u32, SEGMENT_QUEUE_ENTRIES as u32);
        assert_eq!([count(1, 0), count(bundles, 0), count(bundles + 1, 0), count(4 * bundles, 0)], [1, 1, 2, 4]);
        assert_eq!([count(0, 1), count(0, entries), count(0, entries + 1), count(0, 8 * entries)], [1, 1, 2, 8]);
        assert_eq!([count(bundles, entries), count(bundles + 1, entries), count(bundles, entries + 1)], [1, 2, 2]);
    }
}

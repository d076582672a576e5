//! Published → proved: a proof of the batch's header, on disk and in the object store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_prover::{Progress, ProveError, Prover};
use object_store::ObjectStore;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::error::StageError;
use super::stage_task::{Shared, Work};
use crate::blocking::blocking;
use crate::seal::rebuild::rebuild;
use crate::status::{BatchEvent, BatchSummary, Board};
use crate::store::StoredProof;
use crate::{Stage, metrics, objects};

/// Proves batches.
pub struct ProverStage {
    /// Store, rollup, board.
    pub shared: Shared,
    /// Who proves.
    pub prover: Arc<dyn Prover>,
    /// Where proofs are published.
    pub objects: Arc<dyn ObjectStore>,
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
        objects::put(&*self.objects, objects::proof_path(&proof.statement), proof.bytes.into()).await?;
        blocking(move || store.proved(number)).await?;
        info!(batch = number, proof_bytes, ?took, "batch proved");
        metrics::proof(proof_bytes);
        board.event(BatchEvent::Proved { batch, took, proof_bytes: proof_bytes as u64 });
        board.passed(Stage::Proved, number + 1, Some(batch));
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
            let proof = prover.prove(&rebuilt.batch, &Bars { board, batch, stop })?;
            prover.verify(&proof).map_err(ProveError::SelfCheck)?;
            Ok((proof, started.elapsed()))
        });
        let (proof, took) = proof.await.map_err(|source| StageError::Prove { number, source })?;
        if proof.statement != expected {
            return Err(StageError::Statement { number, found: proof.statement, expected });
        }
        let proof = StoredProof {
            statement: proof.statement,
            bytes: borsh::to_vec(&proof).expect("borsh into a vector cannot fail"),
            prove_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let kept = proof.clone();
        blocking(move || store.keep_proof(number, &kept)).await?;
        Ok(proof)
    }
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

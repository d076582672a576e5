//! Proved → submitted: the chain gets the batch's header.
//!
//! The transaction is written to the store before it is sent, the same bytes are sent until they cannot execute any
//! more, and what happened is read from the chain's accounts. [`reconcile`] decides each step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_chain::{
    Commitment, ErrorClass, Keypair, RollupClient, RollupError, Signature, SignedTransaction, Submitted,
};
use cairn_types::BatchHeader;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::error::StageError;
use super::reconcile::{Action, IntentView, Local, OnChain, reconcile};
use super::stage_task::{Pause, Shared};
use crate::blocking::blocking;
use crate::seal::rebuild::RebuildError;
use crate::status::{BatchEvent, BatchSummary};
use crate::store::{Intent, Store, StoreError, Submission};
use crate::{Stage, clock, metrics};

/// Submits headers.
pub struct Submitter {
    /// Store, rollup, board.
    pub shared: Shared,
    /// The rollup on its chain.
    pub rollup: RollupClient,
    /// The sequencer's key.
    pub key: Keypair,
    /// How often to look at the chain without need.
    pub poll: Duration,
    /// A prepared transaction that the chain will not execute any more: to be signed anew.
    pub spent: Option<Signature>,
    /// What the chain said about transactions of this run.
    pub outcomes: BTreeMap<u64, Submitted>,
}

/// What to do after a step.
enum Step {
    Again,
    Wait,
}

impl Submitter {
    /// Submits until told to stop. A transaction in the air stays in the store: the next start takes it up.
    ///
    /// # Errors
    /// The first error that trying again cannot help.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StageError> {
        let mut status = self.shared.board.watch();
        let mut pause = Pause::default();
        loop {
            let proved = status.borrow_and_update().stage(Stage::Proved).batches;
            let stepped = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                stepped = self.step() => stepped,
            };
            let news = async {
                match stepped {
                    Ok(Step::Again) => pause = Pause::default(),
                    Ok(Step::Wait) => {
                        pause = Pause::default();
                        let more_proved = status.wait_for(|status| status.stage(Stage::Proved).batches > proved);
                        // Time out: the chain may have moved without us.
                        let _ = tokio::time::timeout(self.poll, more_proved).await;
                    }
                    Err(error) if error.is_transient() => {
                        let number = self.shared.board.watch().borrow().stage(Stage::Submitted).batches;
                        pause.after(Stage::Submitted, number, &error, &self.shared.board).await;
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                done = news => done?,
            }
        }
    }

    /// Looks at store and chain, and does the one next thing.
    async fn step(&mut self) -> Result<Step, StageError> {
        let number = self.shared.board.watch().borrow().stage(Stage::Submitted).batches;
        let failed = |source| StageError::Chain { number, source };
        let height = self.rollup.chain().tip(Commitment::Finalized).await;
        let block_height = height.map_err(RollupError::from).map_err(failed)?.block_height;
        let rollup = self.rollup.rollup().await.map_err(failed)?;
        let chain = OnChain {
            tip: rollup.tip,
            settled: rollup.settled.batches,
            max_pending: rollup.max_pending,
            // By this machine's clock, which is near enough to the cluster's: the program decides.
            paused: rollup.is_paused(i64::try_from(clock::now_ms() / 1_000).unwrap_or(i64::MAX)),
            block_height,
        };
        let (store, spent, tip) = (Arc::clone(&self.shared.store), self.spent, rollup.tip.batches);
        let local = blocking(move || local_view(&store, tip, spent)).await?;
        let action = reconcile(&local, &chain);
        debug!(?action, "reconciled");
        match action {
            Action::Wait(_) => return Ok(Step::Wait),
            Action::Stop(divergence) => return Err(divergence.into()),
            Action::Record { from, end } => {
                for number in from..end {
                    self.record(number).await?;
                }
            }
            Action::Rewind { batches } => {
                warn!(batches, was = local.submitted, "the chain dropped batches, submitting them again");
                let store = Arc::clone(&self.shared.store);
                let last = blocking(move || {
                    store.rewind(batches)?;
                    summary_before(&store, batches)
                })
                .await?;
                self.shared.board.passed(Stage::Submitted, batches, last);
            }
            Action::Prepare { number } => {
                let address = self.key.address();
                if rollup.sequencer != address {
                    return Err(StageError::Key { on_chain: rollup.sequencer, key: address });
                }
                let header = self.header(number).await?;
                let signed = self.rollup.prepare_batch(&self.key, &header).await.map_err(failed)?;
                let intent = Intent {
                    header_digest: header.statement(),
                    signature: signed.signature.0,
                    transaction: signed.bytes,
                    last_valid_block_height: signed.last_valid_block_height,
                };
                let store = Arc::clone(&self.shared.store);
                blocking(move || store.intend(number, &intent)).await?;
            }
            Action::Send { number } => self.send(number).await?,
        }
        Ok(Step::Again)
    }

    /// Sends the bytes that the store has, and waits for their outcome.
    async fn send(&mut self, number: u64) -> Result<(), StageError> {
        let store = Arc::clone(&self.shared.store);
        let Some(intent) = blocking(move || store.intent(number)).await? else { return Ok(()) };
        let transaction = SignedTransaction {
            signature: Signature(intent.signature),
            bytes: intent.transaction,
            last_valid_block_height: intent.last_valid_block_height,
        };
        let started = Instant::now();
        match self.rollup.deliver(&transaction).await {
            Ok(submitted) => {
                metrics::stage_worked(Stage::Submitted, started.elapsed());
                self.outcomes.insert(number, submitted);
                Ok(())
            }
            Err(error) => {
                // Executed, refused or expired, these bytes have had their chance; only then may others be signed.
                if error.is_expired() || matches!(error, RollupError::Failed { .. }) || error.failure().is_some() {
                    self.spent = Some(transaction.signature);
                }
                if error.is_expired() {
                    return Ok(());
                }
                // Somebody else's transaction, or an earlier one of ours, may have got the batch there.
                let there = error.class() == ErrorClass::Rejection
                    && self.rollup.rollup().await.is_ok_and(|rollup| rollup.tip.batches > number);
                if there { Ok(()) } else { Err(StageError::Chain { number, source: error }) }
            }
        }
    }

    /// Writes down that the chain has batch `number`, with what is known about how it got there.
    async fn record(&mut self, number: u64) -> Result<(), StageError> {
        let header = self.header(number).await?;
        let store = Arc::clone(&self.shared.store);
        let intent = blocking(move || store.intent(number)).await?;
        let signature = intent.map(|intent| Signature(intent.signature));
        let outcome = match (self.outcomes.remove(&number), signature) {
            (Some(outcome), _) => Some((outcome.slot, outcome.compute_units, outcome.signature)),
            // After a restart the chain may still know; it is not needed to go on.
            (None, Some(signature)) => {
                let status = self.rollup.chain().status(&signature).await.ok().flatten();
                status
                    .filter(|status| status.outcome.is_ok())
                    .map(|status| (status.slot, status.compute_units, signature))
            }
            (None, None) => None,
        };
        let slot = match outcome {
            Some((slot, ..)) => Some(slot),
            None => self.rollup.batch(number).await.ok().flatten().map(|batch| batch.slot),
        };
        let batch = BatchSummary::of(&header, header.statement());
        let signature = outcome.map(|(.., signature)| signature);
        let compute_units = outcome.and_then(|(_, units, _)| units);
        let submission = Submission {
            header_digest: batch.header_digest,
            signature: signature.map(|signature| signature.0),
            slot,
            compute_units,
        };
        let store = Arc::clone(&self.shared.store);
        let promised = blocking(move || {
            store.submitted(number, &submission)?;
            Ok::<_, StageError>(store.batch(number)?.and_then(|sealed| sealed.settle_by_slot))
        })
        .await?;
        if let (Some(slot), Some(promised)) = (slot, promised)
            && slot > promised
        {
            warn!(batch = number, slot, promised, "a batch came on chain after a slot that was promised");
            metrics::late();
        }
        info!(batch = number, ?signature, slot, compute_units, "batch submitted");
        if let Some(units) = compute_units {
            metrics::compute_units(units);
        }
        let signature = signature.map(|signature| signature.to_string());
        self.shared.board.event(BatchEvent::Submitted { batch, signature, slot, compute_units });
        self.shared.board.passed(Stage::Submitted, number + 1, Some(batch));
        Ok(())
    }

    async fn header(&self, number: u64) -> Result<BatchHeader, StageError> {
        let store = Arc::clone(&self.shared.store);
        let sealed = blocking(move || store.batch(number)).await?;
        Ok(sealed.ok_or(RebuildError::Unsealed(number))?.header)
    }
}

/// What the store says about the chain's tip.
fn local_view(store: &Store, tip: u64, spent: Option<Signature>) -> Result<Local, StoreError> {
    let at_tip = match tip.checked_sub(1) {
        Some(last) => store.batch(last)?.map(|batch| batch.header_digest),
        None => None,
    };
    let header_digest = store.batch(tip)?.map(|batch| batch.header_digest);
    let intent = store
        .intent(tip)?
        .filter(|intent| spent != Some(Signature(intent.signature)) && Some(intent.header_digest) == header_digest);
    Ok(Local {
        sealed: store.passed(Stage::Sealed)?,
        proved: store.passed(Stage::Proved)?,
        submitted: store.passed(Stage::Submitted)?,
        at_tip,
        intent: intent.map(|intent| IntentView { last_valid_block_height: intent.last_valid_block_height }),
    })
}

/// The last of `batches` batches.
///
/// # Errors
/// When the store fails.
pub fn summary_before(store: &Store, batches: u64) -> Result<Option<BatchSummary>, StoreError> {
    let Some(last) = batches.checked_sub(1) else { return Ok(None) };
    Ok(store.batch(last)?.map(|batch| BatchSummary::of(&batch.header, batch.header_digest)))
}

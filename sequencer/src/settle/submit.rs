//! Proved → submitted: the chain gets the batch's header.
//!
//! A transaction is written to the outbox before it is sent, the same bytes are sent until they cannot execute any more,
//! and what happened is read from the chain's accounts. [`reconcile`] decides each step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_chain::{Address, ChainError, Keypair, RollupClient, Signature, SignedTransaction};
use cairn_interface::Rollup;
use tracing::{debug, info, warn};

use super::chain_task::{Follow, Step};
use super::error::StageError;
use super::look::{self, Air, Flight, Log, summary_before};
use super::reconcile::{Action, OnChain, Wait, confirmed, reconcile};
use super::stage_task::{Pause, Shared};
use crate::blocking::blocking;
use crate::seal::rebuild::RebuildError;
use crate::status::{BatchEvent, BatchSummary};
use crate::store::{Intent, Purpose, SealedBatch, Submission};
use crate::{Stage, clock, metrics};

/// Submits headers.
pub struct Submitter {
    shared: Shared,
    rollup: RollupClient,
    key: Keypair,
    poll: Duration,
    air: Air,
    /// The newest finalized slot of which the rollup was seen.
    finalized_slot: u64,
    /// When batches were first seen confirmed that are not final, in milliseconds since the Unix epoch.
    confirmed_ms: BTreeMap<u64, u64>,
    /// What is being waited for.
    waiting: Option<Wait>,
    /// Whether the chain answered when it was last looked at.
    looked: bool,
}

impl Submitter {
    /// Submits the log's headers with `key`, and looks at the chain every `poll` without need.
    #[must_use]
    pub fn new(shared: Shared, rollup: RollupClient, key: Keypair, poll: Duration) -> Self {
        Self {
            shared,
            rollup,
            key,
            poll,
            air: Air::default(),
            finalized_slot: 0,
            confirmed_ms: BTreeMap::new(),
            waiting: None,
            looked: false,
        }
    }
}

/// Transactions in the air stay in the outbox when it is told to stop: the next start takes them up.
#[async_trait]
impl Follow for Submitter {
    const STAGE: Stage = Stage::Submitted;
    const FAILING: Stage = Stage::Confirmed;
    const BEFORE: &[Stage] = &[Stage::Proved];
    const SWARM: Duration = Duration::from_millis(50);

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn rollup(&self) -> &RollupClient {
        &self.rollup
    }

    fn accounts(&self) -> Vec<Address> {
        vec![self.rollup.address()]
    }

    fn poll(&self) -> Duration {
        self.poll
    }

    fn looked(&self) -> bool {
        self.looked
    }

    async fn step(&mut self) -> Result<Step, StageError> {
        let number = self.shared.board.watch().borrow().stage(Stage::Submitted).batches;
        let failed = |source| StageError::Chain { number, source };
        self.looked = false;
        let seen = look::chain(&self.rollup).await.map_err(failed)?;
        let (store, chain) = (Arc::clone(&self.shared.store), seen.chain);
        let log = blocking(move || Log::read(&store, &chain)).await?;
        self.air.look(&self.rollup, &log.outbox).await.map_err(failed)?;
        self.looked = true;
        metrics::in_air(log.outbox.len());
        let local = log.local(&self.air, self.finalized_slot);
        let action = reconcile(&local, &chain);
        debug!(?action, "reconciled");
        if let Action::Stop(divergence) = action {
            return Err(divergence.into());
        }
        let mut moved = false;
        if action != Action::Wait(Wait::Lag) {
            self.finalized_slot = self.finalized_slot.max(chain.finalized.slot);
            if let Ok(view) = confirmed(&local, &chain) {
                let fresh = chain.confirmed.slot >= chain.finalized.slot;
                moved = self.see_confirmed(view.tip.batches, fresh).await?;
            }
        }
        self.waits(match action {
            Action::Wait(wait) => Some(wait),
            _ => None,
        });
        match action {
            Action::Stop(_) => {}
            Action::Wait(_) if moved => {}
            Action::Wait(_) => return Ok(Step::Wait { in_air: !log.outbox.is_empty() }),
            Action::Record { from, end } => {
                for number in from..end {
                    self.record(number, log.intent(number), &chain).await?;
                }
                self.air.landed(end);
                return Ok(Step::Moved);
            }
            Action::Rewind { batches } => {
                self.rewind(batches, local.submitted, chain.finalized.slot).await?;
                return Ok(Step::Moved);
            }
            Action::Prepare { number } => self.prepare(number, log.intent(number), &seen.rollup).await?,
            Action::Send { number } => {
                if let Some(intent) = log.intent(number) {
                    self.check_key(&seen.rollup)?;
                    self.send(number, intent).await?;
                }
            }
        }
        Ok(if moved { Step::Moved } else { Step::Again })
    }
}

impl Submitter {
    /// Says what is being waited for when that changes and nobody expects it.
    fn waits(&mut self, wait: Option<Wait>) {
        if self.waiting == wait {
            return;
        }
        self.waiting = wait;
        if let Some(reason) = wait.and_then(Wait::surprise) {
            warn!(reason, "waiting for the chain");
        }
    }

    /// Signs a transaction for a batch, and writes it down. `before` is the one that can execute no more.
    async fn prepare(&mut self, number: u64, before: Option<&Intent>, rollup: &Rollup) -> Result<(), StageError> {
        self.check_key(rollup)?;
        let attempt = before.map_or(0, |before| before.attempt.saturating_add(1));
        if let Some(before) = before {
            let signature = Signature(before.signature);
            if let Some((_, status)) = self.air.statuses.remove(&number).filter(|(of, _)| *of == signature)
                && let Err(failure) = status.outcome
            {
                warn!(batch = number, %signature, %failure, "a transaction failed, signing another");
                let error = StageError::refused(number, failure, before.attempt);
                if !error.is_transient() {
                    return Err(error);
                }
                // Fees are not spent in a rush.
                let mut pause = Pause::after_attempts(before.attempt);
                pause.after(Stage::Submitted, number, &error, &self.shared.board).await;
            } else {
                info!(batch = number, %signature, attempt, "a transaction expired, signing another");
            }
            metrics::resigned();
        }
        let header = self.sealed(number).await?.header;
        // Whatever expired was outbid: offer more.
        let client = self.rollup.clone().with_fees(self.rollup.fees().after(attempt));
        let signed = client.prepare_batch(&self.key, &header).await;
        let signed = signed.map_err(|source| StageError::Chain { number, source })?;
        let intent = Intent {
            digest: header.statement(),
            signature: signed.signature.0,
            transaction: signed.bytes,
            last_valid_block_height: signed.last_valid_block_height,
            attempt,
            created_ms: clock::now_ms(),
        };
        let store = Arc::clone(&self.shared.store);
        Ok(blocking(move || store.intend(Purpose::SubmitBatch(number), &intent)).await?)
    }

    /// Sends the bytes that the outbox has.
    async fn send(&mut self, number: u64, intent: &Intent) -> Result<(), StageError> {
        let signature = Signature(intent.signature);
        let transaction = SignedTransaction {
            signature,
            bytes: intent.transaction.clone(),
            last_valid_block_height: intent.last_valid_block_height,
        };
        match self.rollup.chain().send(&transaction).await {
            Ok(_) => {}
            Err(ChainError::Refused(failure)) => return Err(StageError::refused(number, failure, intent.attempt)),
            Err(error) => return Err(StageError::Chain { number, source: error.into() }),
        }
        let now = Instant::now();
        let flight = self.air.flights.entry(number).or_insert(Flight { signature, sends: 0, first: now, last: now });
        let sends = if flight.signature == signature { flight.sends.saturating_add(1) } else { 1 };
        *flight = Flight { signature, sends, first: flight.first, last: now };
        let sealed = self.sealed(number).await?;
        let batch = BatchSummary::of(&sealed.header, sealed.header_digest);
        debug!(batch = number, %signature, attempt = intent.attempt, sends, "transaction sent");
        metrics::sent();
        let (signature, attempt) = (signature.to_string(), intent.attempt);
        self.shared.board.event(BatchEvent::Sent { batch, signature, attempt, sends });
        Ok(())
    }

    /// Shows how many batches are confirmed; whether that is news. Fewer than before are believed only of a fresh answer.
    async fn see_confirmed(&mut self, batches: u64, fresh: bool) -> Result<bool, StageError> {
        let before = self.shared.board.watch().borrow().stage(Stage::Confirmed).batches;
        if batches == before || batches < before && !fresh {
            return Ok(false);
        }
        for number in before..batches {
            let sealed = self.sealed(number).await?;
            let batch = BatchSummary::of(&sealed.header, sealed.header_digest);
            let flight = self.air.flights.get(&number);
            let status = flight.and_then(|flight| self.air.status(number, &flight.signature));
            let slot = status.filter(|status| status.outcome.is_ok()).map(|status| status.slot);
            let after = flight.map(|flight| flight.first.elapsed());
            if let Some(after) = after {
                metrics::stage_worked(Stage::Confirmed, after);
            }
            self.confirmed_ms.entry(number).or_insert_with(clock::now_ms);
            info!(batch = number, slot, ?after, "batch confirmed");
            self.shared.board.event(BatchEvent::Confirmed { batch, slot, after });
            self.shared.board.passed(Stage::Confirmed, number + 1, Some(batch));
        }
        if batches < before {
            warn!(batches, was = before, "the chain dropped confirmed batches, sending them again");
            metrics::dropped(before - batches);
            self.confirmed_ms.split_off(&batches);
            for flight in self.air.flights.range_mut(batches..).map(|(_, flight)| flight) {
                // Due at once: what was sent is not waited for.
                flight.last = flight.last.checked_sub(look::REBROADCAST).unwrap_or(flight.last);
            }
            self.show(Stage::Confirmed, batches).await?;
        }
        Ok(true)
    }

    /// The chain abandoned batches.
    async fn rewind(&mut self, batches: u64, was: u64, as_of: u64) -> Result<(), StageError> {
        warn!(batches, was, "the chain dropped batches that were final, submitting them again");
        let store = Arc::clone(&self.shared.store);
        blocking(move || store.rewind(batches, as_of)).await?;
        self.confirmed_ms.split_off(&batches);
        self.show(Stage::Confirmed, batches).await?;
        self.show(Stage::Submitted, batches).await
    }

    async fn show(&self, stage: Stage, batches: u64) -> Result<(), StageError> {
        let store = Arc::clone(&self.shared.store);
        let last = blocking(move || summary_before(&store, batches)).await?;
        self.shared.board.passed(stage, batches, last);
        Ok(())
    }

    /// Writes down that the chain finally has batch `number`, with what is known about how it got there.
    async fn record(&mut self, number: u64, intent: Option<&Intent>, chain: &OnChain) -> Result<(), StageError> {
        let sealed = self.sealed(number).await?;
        let signature = intent.map(|intent| Signature(intent.signature));
        let outcome = match signature {
            // With fee and units, where the chain keeps them; they are not needed to go on.
            Some(signature) => {
                let status = self.rollup.chain().status(&signature).await.ok().flatten();
                status.filter(|status| status.outcome.is_ok())
            }
            None => None,
        };
        let slot = match &outcome {
            Some(status) => Some(status.slot),
            None => self.rollup.batch(number).await.ok().flatten().map(|batch| batch.slot),
        };
        let batch = BatchSummary::of(&sealed.header, sealed.header_digest);
        let signature = signature.filter(|_| outcome.is_some());
        let compute_units = outcome.as_ref().and_then(|status| status.compute_units);
        let fee = outcome.as_ref().and_then(|status| status.fee);
        let submission = Submission {
            header_digest: batch.header_digest,
            signature: signature.map(|signature| signature.0),
            slot,
            compute_units,
            fee,
        };
        let (store, confirmed_ms) = (Arc::clone(&self.shared.store), self.confirmed_ms.remove(&number));
        let as_of = chain.finalized.slot;
        let times = blocking(move || {
            store.submitted(number, &submission, as_of, confirmed_ms)?;
            store.times(number)
        })
        .await?;
        if let (Some(slot), Some(promised)) = (slot, sealed.settle_by_slot)
            && slot > promised
        {
            warn!(batch = number, slot, promised, "a batch came on chain after a slot that was promised");
            metrics::late();
        }
        if let Some(flight) = self.air.flights.get(&number) {
            metrics::stage_worked(Stage::Submitted, flight.first.elapsed());
        }
        info!(batch = number, ?signature, slot, compute_units, fee, "batch submitted");
        metrics::on_chain(compute_units, fee);
        let signature = signature.map(|signature| signature.to_string());
        self.shared.board.event(BatchEvent::Submitted { batch, signature, slot, compute_units, fee, times });
        self.shared.board.passed(Stage::Submitted, number + 1, Some(batch));
        Ok(())
    }

    fn check_key(&self, rollup: &Rollup) -> Result<(), StageError> {
        let (on_chain, key) = (rollup.sequencer, self.key.address());
        if on_chain == key { Ok(()) } else { Err(StageError::Key { on_chain, key }) }
    }

    async fn sealed(&self, number: u64) -> Result<SealedBatch, StageError> {
        let store = Arc::clone(&self.shared.store);
        let sealed = blocking(move || store.batch(number)).await?;
        Ok(sealed.ok_or(RebuildError::Unsealed(number))?)
    }
}

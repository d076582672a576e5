//! Submitted → settled, as a task: looks, has [`decide`] decide, and does it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_chain::{
    Address, Commitment, Keypair, ProofPlace, RollupClient, STEP_UNITS, TransactionFailure, all_queries,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info, warn};

use super::air::{Air, Job, Now, Purpose, Turn, WINDOW};
use super::chunks::Wanted;
use super::decide::{Action, Held, Wait, decide};
use super::look::{self, Log, Seen};
use super::plan;
use crate::blocking::blocking;
use crate::seal::rebuild::RebuildError;
use crate::settle::chain_task::{Follow, Step};
use crate::settle::error::StageError;
use crate::settle::refusal::{Refusals, SettlingVerdict, judge_settling};
use crate::settle::stage_task::Shared;
use crate::status::{BatchEvent, BatchSummary};
use crate::{Stage, metrics};

/// Asks that the account be closed and its rent be back; answered when it is.
pub type Reclaim = oneshot::Sender<()>;

/// What a settler is to do.
#[derive(Debug, Clone, Copy)]
pub struct SettleLimits {
    /// Whether to have proofs verified; otherwise it only writes down what others settle, and closes its own account.
    pub settles: bool,
    /// How long the account is kept without need.
    pub rest: Duration,
    /// How often to look at the chain without need.
    pub poll: Duration,
}

/// Has the chain verify proofs, and settles batches.
pub struct Settler {
    shared: Shared,
    rollup: RollupClient,
    /// Pays, and is the authority of the account.
    key: Keypair,
    limits: SettleLimits,
    asks: mpsc::Receiver<Reclaim>,
    /// The key of the account, as it is on disk.
    account: Option<Keypair>,
    air: Air,
    /// The proof of the first batch that is not settled, by number.
    wanted: Option<(u64, Arc<Wanted>)>,
    /// The newest finalized slot of which the rollup was seen.
    finalized_slot: u64,
    /// When the account was last needed.
    needed: Instant,
    /// Who waits for the rent.
    asked: Vec<Reclaim>,
    /// Lamports in the account when it was last told to close.
    closing: Option<u64>,
    /// What was last refused, how often in a row, and which slot was confirmed the first time.
    refusals: Option<(Action, u32, u64)>,
    /// What is being waited for.
    waiting: Option<Wait>,
    /// Whether the chain answered when it was last looked at.
    looked: bool,
}

impl Settler {
    /// Settles the log's batches, with transactions that `key` pays for, by the account whose key is on disk.
    #[must_use]
    pub fn new(
        shared: Shared,
        rollup: RollupClient,
        key: Keypair,
        account: Option<Keypair>,
        limits: SettleLimits,
        asks: mpsc::Receiver<Reclaim>,
    ) -> Self {
        Self {
            shared,
            rollup,
            key,
            limits,
            asks,
            account,
            air: Air::default(),
            wanted: None,
            finalized_slot: 0,
            needed: Instant::now(),
            asked: Vec::new(),
            closing: None,
            refusals: None,
            waiting: None,
            looked: false,
        }
    }
}

/// The account stays as it is when it is told to stop: the next start finds it.
#[async_trait]
impl Follow for Settler {
    const STAGE: Stage = Stage::Settled;
    const FAILING: Stage = Stage::Settled;
    const BEFORE: &[Stage] = &[Stage::Proved, Stage::Confirmed, Stage::Submitted];
    /// The account is large, and every chunk changes it.
    const SWARM: Duration = Duration::from_millis(200);

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn rollup(&self) -> &RollupClient {
        &self.rollup
    }

    fn accounts(&self) -> Vec<Address> {
        std::iter::once(self.rollup.address()).chain(self.address()).collect()
    }

    fn poll(&self) -> Duration {
        self.limits.poll
    }

    fn looked(&self) -> bool {
        self.looked
    }

    async fn step(&mut self) -> Result<Step, StageError> {
        let number = self.shared.board.watch().borrow().stage(Stage::Settled).batches;
        let failed = |source| StageError::Settle { number, source };
        self.looked = false;
        // Whatever a status says has happened is in the accounts that are read after it.
        let looked = self.air.look(&self.rollup).await.map_err(failed)?;
        let height = match self.air.is_empty() {
            true => 0,
            false => {
                self.rollup.chain().tip(Commitment::Finalized).await.map_err(|error| failed(error.into()))?.block_height
            }
        };
        let seen = look::chain(&self.rollup, self.address().as_ref()).await.map_err(failed)?;
        self.looked = true;
        let (store, finalized, confirmed) =
            (Arc::clone(&self.shared.store), seen.finalized.1.clone(), seen.confirmed.1.clone());
        let log = blocking(move || Log::read(&store, &finalized, &confirmed)).await?;
        let wanted = self.want(seen.confirmed.1.settled.batches, log.proved).await?;
        let chain = seen.chain(&log, wanted.as_deref(), &self.key.address());
        if seen.lamports() > 0 {
            self.shared.board.proof_account(seen.lamports());
        }
        if wanted.is_some() {
            self.needed = Instant::now();
        }
        let rested = self.needed.elapsed() >= self.limits.rest || !self.asked.is_empty();
        let local = log.local(self.finalized_slot, self.limits.settles, rested, self.account.is_some());
        let action = decide(&local, &chain);
        debug!(?action, held = ?chain.held, "decided");
        if action != Action::Wait(Wait::Lag) {
            self.finalized_slot = self.finalized_slot.max(chain.finalized.slot);
        }
        self.waits(action);
        if looked.done {
            self.refusals = None;
        }
        self.judge(action, looked.failures, chain.confirmed.slot)?;
        let now = Now { height, confirmed: chain.confirmed.slot, at: Instant::now() };
        match action {
            Action::Stop(contradiction) => Err(contradiction.into()),
            Action::Wait(_) => {
                if matches!(chain.held, Held::Nothing | Held::Unusable) {
                    self.closed().await.map_err(failed)?;
                }
                self.air.turns(Vec::new(), &now);
                Ok(Step::Wait { in_air: !self.air.is_empty() || self.closing.is_some() })
            }
            Action::Record { from, end } => {
                for number in from..end {
                    self.record(number, chain.finalized.slot).await?;
                }
                Ok(Step::Moved)
            }
            Action::Name => {
                self.name(&seen).await?;
                Ok(Step::Again)
            }
            // What was closed is to be finally closed before it is opened again: its rent is told of once.
            Action::Open { .. } if self.closing.is_some() => {
                self.closed().await.map_err(failed)?;
                Ok(if self.closing.is_some() { Step::Wait { in_air: true } } else { Step::Again })
            }
            action => {
                if action == Action::Close {
                    self.closing = Some(seen.lamports());
                }
                let jobs = self.jobs(action, &seen, wanted.as_deref()).await?;
                self.fly(action, jobs, &now).await
            }
        }
    }

    async fn called(&mut self) {
        match self.asks.recv().await {
            Some(ask) => self.asked.push(ask),
            None => std::future::pending().await,
        }
    }
}

impl Settler {
    fn address(&self) -> Option<Address> {
        self.account.as_ref().map(Keypair::address)
    }

    /// The proof of the first batch that is not settled, if it is to be verified here.
    async fn want(&mut self, number: u64, proved: u64) -> Result<Option<Arc<Wanted>>, StageError> {
        if !self.limits.settles || proved <= number {
            return Ok(None);
        }
        if let Some((of, wanted)) = &self.wanted
            && *of == number
        {
            return Ok(Some(Arc::clone(wanted)));
        }
        let store = Arc::clone(&self.shared.store);
        let proof = blocking(move || store.kept_proof(number)).await?;
        let wanted = Arc::new(Wanted { statement: proof.statement, bytes: proof.bytes });
        self.wanted = Some((number, Arc::clone(&wanted)));
        Ok(Some(wanted))
    }

    /// Says what is being waited for when that changes and nobody expects it.
    fn waits(&mut self, action: Action) {
        let wait = match action {
            Action::Wait(wait) => Some(wait),
            _ => None,
        };
        if self.waiting != wait
            && let Some(reason) = wait.and_then(Wait::surprise)
        {
            warn!(reason, "settling waits for the chain");
        }
        self.waiting = wait;
    }

    /// Makes a key for the account, and writes it down before it is used.
    async fn name(&mut self, seen: &Seen) -> Result<(), StageError> {
        if let Some(before) = self.address() {
            let reason = seen.complaint();
            warn!(account = %before, reason, "the account for proofs cannot be used, taking another address");
        }
        let key = Keypair::generate();
        let (store, kept) = (Arc::clone(&self.shared.store), key.clone());
        blocking(move || store.name_proof_account(&kept)).await?;
        info!(account = %key.address(), "proofs go to a new account");
        self.account = Some(key);
        // Whatever the chain refused, it refused about the old one.
        self.refusals = None;
        Ok(())
    }

    /// The transactions of an action.
    async fn jobs(&self, action: Action, seen: &Seen, wanted: Option<&Wanted>) -> Result<Vec<Job>, StageError> {
        let Some(account) = self.address() else { return Ok(Vec::new()) };
        let (me, client) = (self.key.address(), &self.rollup);
        let profile = seen.confirmed.1.profile;
        let held = match &seen.place {
            ProofPlace::Proof(held) => Some(held),
            ProofPlace::Nothing | ProofPlace::Unusable(_) => None,
        };
        let job = |number, purpose, draft| Job { number, purpose, draft, locks: 0 };
        Ok(match (action, wanted, held) {
            (Action::Open { number }, Some(wanted), _) => {
                let opened = client.open_proof(profile, account, me, &wanted.statement).await;
                let (locks, draft) = opened.map_err(|source| StageError::Settle { number, source })?;
                vec![Job { number: Some(number), purpose: Purpose::Open, draft, locks }]
            }
            (Action::Reset { number }, Some(wanted), _) => {
                vec![job(Some(number), Purpose::Reset, client.reset_proof(&account, &me, &wanted.statement))]
            }
            (Action::Upload { number }, Some(wanted), Some(held)) => {
                let missing: Vec<_> = wanted.missing(&held.bytes).collect();
                self.tell_upload(number, wanted.chunks(), missing.len() as u64).await?;
                let chunks = missing.into_iter().take(WINDOW).map(|(offset, bytes)| {
                    let draft = client.write_proof(&account, &me, offset, &bytes);
                    job(Some(number), Purpose::Chunk(offset), draft)
                });
                chunks.collect()
            }
            (Action::Verify { number, settles }, Some(wanted), Some(held)) => {
                let planned = plan::next(held.verified, all_queries(profile), &STEP_UNITS);
                let last = if planned.begins { wanted.last_word() } else { None };
                let settles = (settles && planned.settles).then_some(number);
                let draft = client.verify_steps(&account, &me, last, &planned.steps, settles, planned.units);
                vec![job(Some(number), Purpose::Verify, draft)]
            }
            (Action::Settle { number }, ..) => {
                vec![job(Some(number), Purpose::Settle, client.settle_batch(&account, number))]
            }
            (Action::Close, _, Some(held)) => {
                vec![job(None, Purpose::Close, client.close_proof(&account, &me, &held.payer))]
            }
            _ => Vec::new(),
        })
    }

    /// Signs and sends what is due of `jobs`.
    async fn fly(&mut self, action: Action, jobs: Vec<Job>, now: &Now) -> Result<Step, StageError> {
        let number = self.shared.board.watch().borrow().stage(Stage::Settled).batches;
        let failed = |source| StageError::Settle { number, source };
        let (mut to_send, mut to_sign) = (Vec::new(), Vec::new());
        for (job, turn) in self.air.turns(jobs, now) {
            match turn {
                Turn::Wait => {}
                Turn::Send => to_send.push(job.purpose),
                Turn::Sign { attempt } => to_sign.push((job, attempt)),
            }
        }
        if to_send.is_empty() && to_sign.is_empty() {
            return Ok(Step::Wait { in_air: true });
        }
        let drafts: Vec<_> = to_sign
            .iter()
            .map(|(job, attempt)| cairn_chain::Draft { expired: *attempt, ..job.draft.clone() })
            .collect();
        if !drafts.is_empty() {
            let signers: Vec<_> = self.account.iter().collect();
            let signed = self.rollup.sign_all(&self.key, &signers, &drafts).await.map_err(failed)?;
            for ((job, attempt), priced) in to_sign.into_iter().zip(signed) {
                if attempt > 0 {
                    metrics::resigned();
                }
                to_send.push(job.purpose);
                self.air.signed(job, priced, attempt);
            }
        }
        let refused = self.air.send(&self.rollup, &to_send).await.map_err(|error| failed(error.into()))?;
        self.judge(action, refused, now.confirmed)?;
        Ok(Step::Again)
    }

    /// What failures of transactions mean, now that `action` is to be done by what is so in the `confirmed` slot.
    fn judge(
        &mut self,
        action: Action,
        failures: Vec<(Purpose, TransactionFailure)>,
        confirmed: u64,
    ) -> Result<(), StageError> {
        // What something else was sent for is none of this action's.
        let mut failures =
            failures.into_iter().filter(|(purpose, failure)| action.takes(*purpose) && !failure.is_expired());
        let Some((purpose, failure)) = failures.next() else { return Ok(()) };
        let (count, since) = match self.refusals {
            Some((before, count, since)) if before == action => (count.saturating_add(1), since),
            _ => (1, confirmed),
        };
        self.refusals = Some((action, count, since));
        let refusals = Refusals { count, slots: confirmed.saturating_sub(since) };
        let number = self.shared.board.watch().borrow().stage(Stage::Settled).batches;
        warn!(batch = number, ?purpose, %failure, ?refusals, "the chain refused a transaction");
        if purpose == Purpose::Verify {
            metrics::step_rejected();
        }
        match judge_settling(purpose, &failure, refusals) {
            SettlingVerdict::Later(hint) => Err(StageError::NotSettled { number, failure, hint }),
            SettlingVerdict::Rejected => Err(StageError::Rejected { number, failure }),
            SettlingVerdict::Stop => Err(StageError::Unsettled { number, failure }),
        }
    }

    /// The account is not there at confirmed. When it is finally not there, its rent is back. What somebody sends to the address
    /// later makes another account of it, which is nobody's.
    async fn closed(&mut self) -> Result<(), cairn_chain::RollupError> {
        if self.closing.is_none() && self.asked.is_empty() {
            return Ok(());
        }
        if let Some(address) = self.address()
            && self.closing.is_some()
            && let Some(account) = self.rollup.chain().account(&address, Commitment::Finalized).await?
            && account.owner == self.rollup.program()
        {
            return Ok(());
        }
        if let Some(lamports_refunded) = self.closing.take() {
            let (spent, _) = self.air.settle_up(&self.rollup, None).await;
            let lamports_fees = spent.lamports_fees;
            info!(lamports_refunded, lamports_fees, "the account for proofs is closed");
            self.shared.board.event(BatchEvent::ProofAccountClosed { lamports_refunded, lamports_fees });
        }
        // An event comes before the status that it leads to.
        self.shared.board.proof_account(0);
        for asked in self.asked.drain(..) {
            // Who does not wait any more need not hear of it.
            let _ = asked.send(());
        }
        Ok(())
    }

    async fn tell_upload(&self, number: u64, total: u64, missing: u64) -> Result<(), StageError> {
        let batch = self.summary(number).await?;
        self.shared.board.event(BatchEvent::Uploading { batch, done: total.saturating_sub(missing), total });
        Ok(())
    }

    /// Writes down that batch `number` is settled, finally, with what this process has spent for it.
    async fn record(&mut self, number: u64, as_of: u64) -> Result<(), StageError> {
        let batch = self.summary(number).await?;
        let (settlement, took) = self.air.settle_up(&self.rollup, Some(number)).await;
        let store = Arc::clone(&self.shared.store);
        let times = blocking(move || {
            store.settled(number, &settlement, as_of)?;
            store.times(number)
        })
        .await?;
        info!(batch = number, ?settlement, ?took, "batch settled");
        metrics::settled(&settlement);
        if let Some(took) = took {
            metrics::stage_worked(Stage::Settled, took);
        }
        self.refusals = None;
        self.shared.board.event(BatchEvent::Settled { batch, settlement, times });
        self.shared.board.passed(Stage::Settled, number + 1, Some(batch));
        Ok(())
    }

    async fn summary(&self, number: u64) -> Result<BatchSummary, StageError> {
        let store = Arc::clone(&self.shared.store);
        let sealed = blocking(move || store.batch(number)).await?.ok_or(RebuildError::Unsealed(number))?;
        Ok(BatchSummary::of(&sealed.header, sealed.header_digest))
    }
}

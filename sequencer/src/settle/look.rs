//! Reading what [`super::reconcile`] decides on: the chain, and the store.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cairn_chain::{Commitment, RollupClient, RollupError, Signature, Snapshot, TransactionStatus};
use cairn_interface::Rollup;
use cairn_types::Digest;

use super::reconcile::{Local, OnChain, Outgoing, View};
use crate::status::BatchSummary;
use crate::store::{Intent, Purpose, Store, StoreError};
use crate::{Stage, clock};

/// How long to wait before the same bytes are sent again.
pub const REBROADCAST: Duration = Duration::from_secs(2);

/// What the chain says, at one time or nearly.
pub struct Seen {
    /// In the words of [`super::reconcile`].
    pub chain: OnChain,
    /// The rollup, finalized.
    pub rollup: Rollup,
}

/// Reads the chain. The height comes first: state that is read after it shows whatever executed up to it.
///
/// # Errors
/// [`RollupError`].
pub async fn chain(client: &RollupClient) -> Result<Seen, RollupError> {
    let height = client.chain().tip(Commitment::Finalized).await?;
    let finalized = client.snapshot_at(0..0, Commitment::Finalized).await?;
    let confirmed = client.snapshot_at(0..0, Commitment::Confirmed).await?;
    let chain = OnChain {
        finalized: view(&finalized),
        confirmed: view(&confirmed),
        height_slot: height.slot,
        block_height: height.block_height,
    };
    Ok(Seen { chain, rollup: finalized.rollup })
}

fn view(Snapshot { slot, rollup, .. }: &Snapshot) -> View {
    View {
        slot: *slot,
        tip: rollup.tip,
        settled: rollup.settled.batches,
        max_pending: rollup.max_pending,
        // By this machine's clock, which is near enough to the cluster's: the program decides.
        paused: rollup.is_paused(i64::try_from(clock::now_ms() / 1_000).unwrap_or(i64::MAX)),
    }
}

/// A transaction on its way, as far as this process knows.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Its name.
    pub signature: Signature,
    /// How often its bytes were sent.
    pub sends: u32,
    /// When they were first sent.
    pub first: Instant,
    /// When they were last sent.
    pub last: Instant,
}

/// Transactions on their way, by batch.
#[derive(Debug, Default)]
pub struct Air {
    /// Those that this process has sent.
    pub flights: BTreeMap<u64, Flight>,
    /// What the chain last said about those in the outbox, by batch.
    pub statuses: BTreeMap<u64, (Signature, TransactionStatus)>,
}

impl Air {
    /// The status of the transaction for `number`, if it is `signature`.
    #[must_use]
    pub fn status(&self, number: u64, signature: &Signature) -> Option<&TransactionStatus> {
        self.statuses.get(&number).filter(|(of, _)| of == signature).map(|(_, status)| status)
    }

    /// Forgets batches below `batches`.
    pub fn landed(&mut self, batches: u64) {
        self.flights = self.flights.split_off(&batches);
        self.statuses = self.statuses.split_off(&batches);
    }

    /// Asks for the statuses of everything in the outbox, in one call.
    ///
    /// # Errors
    /// [`RollupError`].
    pub async fn look(&mut self, client: &RollupClient, outbox: &[(u64, Intent)]) -> Result<(), RollupError> {
        if outbox.is_empty() {
            self.statuses.clear();
            return Ok(());
        }
        let signatures: Vec<_> = outbox.iter().map(|(_, intent)| Signature(intent.signature)).collect();
        let statuses = client.chain().statuses(&signatures).await?;
        let known = outbox.iter().zip(signatures).zip(statuses);
        self.statuses =
            known.filter_map(|(((number, _), signature), status)| Some((*number, (signature, status?)))).collect();
        Ok(())
    }

    fn outgoing(&self, number: u64, intent: &Intent, digest: Option<Digest>) -> Outgoing {
        let signature = Signature(intent.signature);
        let status = self.status(number, &signature);
        let sent = self.flights.get(&number).filter(|flight| flight.signature == signature);
        Outgoing {
            number,
            current: digest == Some(intent.digest),
            last_valid_block_height: intent.last_valid_block_height,
            failed: status.is_some_and(|status| status.commitment == Commitment::Finalized && status.outcome.is_err()),
            due: status.is_none() && sent.is_none_or(|flight| flight.last.elapsed() >= REBROADCAST),
        }
    }
}

/// What the store says.
pub struct Log {
    sealed: u64,
    proved: u64,
    submitted: u64,
    submitted_slot: u64,
    at_finalized: Option<Digest>,
    at_confirmed: Option<Digest>,
    /// The outbox, and for each batch the header digest that the log has.
    pub outbox: Vec<(u64, Intent)>,
    digests: Vec<Option<Digest>>,
}

impl Log {
    /// Reads it, as far as `chain` concerns it. Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn read(store: &Store, chain: &OnChain) -> Result<Self, StoreError> {
        let digest = |number| Ok::<_, StoreError>(store.batch(number)?.map(|batch| batch.header_digest));
        let last = |batches: u64| batches.checked_sub(1).map_or(Ok(None), digest);
        let submitted = store.passed(Stage::Submitted)?;
        let outbox = store.outbox()?.into_iter();
        let outbox: Vec<_> = outbox.map(|(Purpose::SubmitBatch(number), intent)| (number, intent)).collect();
        Ok(Self {
            sealed: store.passed(Stage::Sealed)?,
            proved: store.passed(Stage::Proved)?,
            submitted,
            submitted_slot: store.submitted_slot()?,
            at_finalized: last(chain.finalized.tip.batches)?,
            at_confirmed: last(chain.confirmed.tip.batches)?,
            digests: outbox.iter().map(|(number, _)| digest(*number)).collect::<Result<_, _>>()?,
            outbox,
        })
    }

    /// In the words of [`super::reconcile`]; finalized state of a slot before `seen` is old.
    #[must_use]
    pub fn local(&self, air: &Air, seen: u64) -> Local {
        let outbox = self.outbox.iter().zip(&self.digests);
        Local {
            sealed: self.sealed,
            proved: self.proved,
            submitted: self.submitted,
            submitted_slot: self.submitted_slot.max(seen),
            at_finalized: self.at_finalized,
            at_confirmed: self.at_confirmed,
            outbox: outbox.map(|((number, intent), digest)| air.outgoing(*number, intent, *digest)).collect(),
        }
    }

    /// The transaction in the outbox for `number`.
    #[must_use]
    pub fn intent(&self, number: u64) -> Option<&Intent> {
        self.outbox.iter().find(|(of, _)| *of == number).map(|(_, intent)| intent)
    }
}

/// The last of `batches` batches.
///
/// # Errors
/// When the store fails.
pub fn summary_before(store: &Store, batches: u64) -> Result<Option<BatchSummary>, StoreError> {
    let Some(last) = batches.checked_sub(1) else { return Ok(None) };
    Ok(store.batch(last)?.map(|batch| BatchSummary::of(&batch.header, batch.header_digest)))
}

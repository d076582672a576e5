//! Reading what [`super::decide`] decides on: the chain, and the store.

use cairn_chain::{Address, Commitment, ProofPlace, RollupClient, RollupError};
use cairn_interface::Rollup;
use cairn_types::Digest;

use super::chunks::Wanted;
use super::decide::{Held, Local, OnChain, View};
use crate::Stage;
use crate::store::{Store, StoreError};

/// What the chain says, at one time or nearly.
pub struct Seen {
    /// The finalized slot and rollup.
    pub finalized: (u64, Rollup),
    /// The confirmed ones.
    pub confirmed: (u64, Rollup),
    /// What is at the account's address, as of the confirmed slot.
    pub place: ProofPlace,
}

/// Reads the chain.
///
/// # Errors
/// [`RollupError`].
pub async fn chain(client: &RollupClient, account: Option<&Address>) -> Result<Seen, RollupError> {
    let finalized = client.snapshot_at(0..0, Commitment::Finalized).await?;
    let confirmed = client.proof_snapshot_at(account, Commitment::Confirmed).await?;
    Ok(Seen {
        finalized: (finalized.slot, finalized.rollup),
        confirmed: (confirmed.slot, confirmed.rollup),
        place: confirmed.place,
    })
}

impl Seen {
    /// In the words of [`super::decide`]: the account is compared with `wanted`, and belongs to `authority` or is of no use.
    #[must_use]
    pub fn chain(&self, log: &Log, wanted: Option<&Wanted>, authority: &Address) -> OnChain {
        let (slot, rollup) = &self.finalized;
        let finalized = View { slot: *slot, settled: rollup.settled, tip: rollup.tip.batches };
        let (slot, rollup) = &self.confirmed;
        // Headers of somebody else's fork are none that this log's proofs are of.
        let is_ours = log.at_tip == Some(rollup.tip.header_digest);
        let tip = if is_ours { rollup.tip.batches } else { rollup.settled.batches };
        let confirmed = View { slot: *slot, settled: rollup.settled, tip };
        let held = match (&self.place, wanted) {
            (ProofPlace::Nothing, _) => Held::Nothing,
            (ProofPlace::Unusable(_), _) => Held::Unusable,
            (ProofPlace::Proof(account), _) if account.authority != *authority => Held::Unusable,
            (ProofPlace::Proof(_), None) => Held::Other,
            (ProofPlace::Proof(account), Some(wanted)) => wanted.held(account),
        };
        OnChain { finalized, confirmed, held }
    }

    /// Why the account is of no use, for people.
    #[must_use]
    pub fn complaint(&self) -> String {
        match &self.place {
            ProofPlace::Unusable(reason) => reason.clone(),
            ProofPlace::Proof(account) => format!("its authority is {}", account.authority),
            ProofPlace::Nothing => "there is nothing".to_owned(),
        }
    }

    /// Lamports in the account.
    #[must_use]
    pub fn lamports(&self) -> u64 {
        match &self.place {
            ProofPlace::Proof(account) => account.lamports,
            ProofPlace::Nothing | ProofPlace::Unusable(_) => 0,
        }
    }
}

/// What the store says, as far as the chain's word concerns it.
pub struct Log {
    /// Batches that are proved.
    pub proved: u64,
    submitted: u64,
    settled: u64,
    settled_slot: u64,
    at_finalized: Option<Digest>,
    at_confirmed: Option<Digest>,
    at_tip: Option<Digest>,
}

impl Log {
    /// Reads it. Blocks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn read(store: &Store, finalized: &Rollup, confirmed: &Rollup) -> Result<Self, StoreError> {
        let last = |batches: u64| match batches.checked_sub(1) {
            Some(number) => Ok::<_, StoreError>(store.batch(number)?.map(|batch| batch.header_digest)),
            None => Ok(None),
        };
        Ok(Self {
            proved: store.passed(Stage::Proved)?,
            submitted: store.passed(Stage::Submitted)?,
            settled: store.passed(Stage::Settled)?,
            settled_slot: store.settled_slot()?,
            at_finalized: last(finalized.settled.batches)?,
            at_confirmed: last(confirmed.settled.batches)?,
            at_tip: last(confirmed.tip.batches)?,
        })
    }

    /// In the words of [`super::decide`]; finalized state of a slot before `seen` is old.
    #[must_use]
    pub fn local(&self, seen: u64, settles: bool, rested: bool, named: bool) -> Local {
        Local {
            proved: self.proved,
            submitted: self.submitted,
            settled: self.settled,
            settled_slot: self.settled_slot.max(seen),
            at_finalized: self.at_finalized,
            at_confirmed: self.at_confirmed,
            settles,
            rested,
            named,
        }
    }
}

//! Acknowledgements: what is promised for a bundle, and the signature under it.

use std::sync::Arc;
use std::time::Duration;

use cairn_chain::Keypair;
use cairn_types::{Acknowledgement as Promise, Digest};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::authorise::Authorised;
use crate::promise::{Backlog, Overloaded, Pace, PromiseLimits, settle_within};
use crate::registry::follow::ChainView;
use crate::status::LogStatus;
use crate::store::Placed;
use crate::{Stage, metrics};

/// Signs for the sequencer.
#[derive(Clone)]
pub struct Acknowledger {
    /// The rollup.
    pub rollup_id: Digest,
    /// The acknowledgement key.
    pub key: Keypair,
    /// Bounds of what is promised.
    pub limits: PromiseLimits,
    /// Bundles that a batch is sealed at.
    pub bundles_per_batch: u64,
    /// Until a bundle is in a batch, at most.
    pub seal_age: Duration,
    /// How fast proofs are made.
    pub pace: Arc<Mutex<Pace>>,
    /// How far the log has come.
    pub status: watch::Receiver<LogStatus>,
    /// Where the chain is.
    pub chain: watch::Receiver<ChainView>,
}

impl Acknowledger {
    /// The slot by which a bundle at `log_index` is on chain.
    ///
    /// # Errors
    /// When none can be promised.
    pub fn settle_by(&self, log_index: u64) -> Result<u64, Overloaded> {
        let backlog = self.backlog(log_index);
        let within = settle_within(&backlog, &self.pace.lock(), &self.limits)?;
        metrics::promised(within);
        Ok(self.chain.borrow().slot_now().saturating_add(within))
    }

    /// Signs for a bundle at `log_index`.
    #[must_use]
    pub fn sign(&self, log_index: u64, bundle: &Authorised, settle_by_slot: u64) -> Placed {
        let promise = Promise {
            rollup_id: self.rollup_id,
            log_index,
            node_index: bundle.bundle.data.node_index,
            sequence: bundle.bundle.data.sequence,
            bundle_digest: bundle.bundle.digest,
            settle_by_slot,
        };
        let acknowledged = self.key.sign(&promise.message()).0;
        Placed { log_index, digest: bundle.bundle.digest, key: bundle.key, settle_by_slot, acknowledged }
    }

    /// What is in front of a bundle at `log_index`, itself included.
    fn backlog(&self, log_index: u64) -> Backlog {
        let status = self.status.borrow();
        let sealed = status.stage(Stage::Sealed).batches;
        Backlog {
            unsealed_bundles: (log_index + 1).saturating_sub(status.bundles_sealed),
            unproved_bundles: status.bundles_sealed.saturating_sub(status.bundles_proved),
            unproved_batches: sealed.saturating_sub(status.stage(Stage::Proved).batches),
            bundles_per_batch: self.bundles_per_batch,
            seal_age: self.seal_age,
        }
    }
}

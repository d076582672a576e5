//! Signs bundles, and sends them to a sequencer until each is acknowledged.
//!
//! Nothing is signed before the sequencer has said, since this process opened the spool, which sequence comes next:
//! a spool that was restored from a copy would otherwise sign a used sequence a second time.

mod contact;
mod error;
mod observe;
mod retry;
mod send;

pub(crate) use contact::answer;
pub use contact::{Contact, Pins};
pub use error::SubmitError;
pub use observe::{Followed, Observer};
pub(crate) use retry::describe;

use crate::bundling::Room;
use crate::connect::Address;
use crate::key::NodeKey;
use crate::spool::{Spool, SpoolError};
use crate::warc;
use cairn_types::Receipt;
use cairn_types::limits::MAX_BUNDLE_RECEIPTS;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How a node bundles receipts and talks to a sequencer.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bundles sent and not yet acknowledged, at most. The sequencer's own limit holds where it is lower.
    pub window: usize,
    /// First wait after a failure that may pass; each further one is twice as long.
    pub min_delay: Duration,
    /// Longest wait.
    pub max_delay: Duration,
    /// Failures in a row, without an acknowledgement between them, after which it gives up; `None` for never.
    pub max_failures: Option<usize>,
    /// Time to connect, and to wait for an answer when one is due.
    pub timeout: Duration,
    /// Receipts in a bundle, at most. The sequencer's own limit holds where it is lower.
    pub bundle_receipts: usize,
    /// Send again what the sequencer acknowledged and has lost.
    pub resubmit: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: 16,
            min_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(10),
            max_failures: Some(10),
            timeout: Duration::from_secs(30),
            bundle_receipts: MAX_BUNDLE_RECEIPTS,
            resubmit: false,
        }
    }
}

/// Hears how far submitting has come.
pub trait Progress: Send + Sync {
    /// So many bundles, with so many receipts in them, are to be acknowledged.
    fn expect(&self, bundles: u64, receipts: u64);
    /// One more bundle, with so many receipts in it, was acknowledged.
    fn acknowledged(&self, receipts: u64);
    /// The sequencer cannot be reached or is busy; it is tried again after `delay`.
    fn waiting(&self, reason: &str, delay: Duration);
}

/// Hears nothing.
impl Progress for () {
    fn expect(&self, _: u64, _: u64) {}
    fn acknowledged(&self, _: u64) {}
    fn waiting(&self, _: &str, _: Duration) {}
}

/// What submitting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubmitReport {
    /// Receipts in bundles acknowledged by this run.
    pub receipts: u64,
    /// Bundles acknowledged by this run.
    pub bundles: u64,
    /// Of these, the ones that the sequencer had recorded before: sent by a run that was interrupted.
    pub duplicates: u64,
    /// Receipts that were not sent because the spool, or this input itself, has them already.
    pub skipped: u64,
}

/// A node: its key, its spool, and its connection to a sequencer.
#[derive(Debug)]
pub struct Node {
    observer: Observer,
    config: Config,
    key: NodeKey,
    pins: Pins,
    contact: Option<Contact>,
    stop: CancellationToken,
}

impl Node {
    /// A node that has not called the sequencer yet.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(
        address: &Address,
        key: NodeKey,
        spool: Arc<Spool>,
        pins: Pins,
        config: Config,
    ) -> Result<Self, SubmitError> {
        let observer = Observer::new(address, spool, config.timeout)?;
        Ok(Self { observer, config, key, pins, contact: None, stop: CancellationToken::new() })
    }

    /// As [`Self::new`], and asks the sequencer what to know before signing, trying again as `config` says.
    ///
    /// # Errors
    /// When the sequencer cannot be reached, serves another rollup, does not know the key, or is at odds with the spool.
    pub async fn connect(
        address: &Address,
        key: NodeKey,
        spool: Arc<Spool>,
        pins: Pins,
        config: Config,
        progress: &dyn Progress,
    ) -> Result<Self, SubmitError> {
        let mut node = Self::new(address, key, spool, pins, config)?;
        node.greet(progress).await?;
        Ok(node)
    }

    /// Lets `stop` end waits and sending early; what was sent is then still waited for.
    #[must_use]
    pub fn until(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// What the sequencer said when it was last asked; `None` before.
    #[must_use]
    pub const fn contact(&self) -> Option<&Contact> {
        self.contact.as_ref()
    }

    /// Its spool.
    #[must_use]
    pub const fn spool(&self) -> &Arc<Spool> {
        &self.observer.spool
    }

    /// Asks how far acknowledged bundles have come: [`Observer::follow`].
    ///
    /// # Errors
    /// When the sequencer does not answer, or the spool fails.
    pub async fn follow(&self) -> Result<Followed, SubmitError> {
        self.observer.follow().await
    }

    /// What this node's receipts say besides what is in the files.
    ///
    /// # Errors
    /// When the spool has never met a sequencer, or cannot be read.
    pub fn reading(&self, job: Option<String>) -> Result<warc::Options, SpoolError> {
        let identity = self.spool().bound()?;
        Ok(warc::Options { rollup_id: identity.rollup_id, node_index: identity.node_index, job })
    }

    /// Submits `receipts` that are not in the spool yet, all of them when `again`, after whatever an earlier run left
    /// there. Of receipts that are equal, one is submitted. They are on disk before the sequencer is called.
    ///
    /// # Errors
    /// When a receipt cannot be bundled, the spool fails, or the sequencer refuses or does not answer.
    pub async fn submit(
        &mut self,
        receipts: &[Receipt],
        again: bool,
        progress: &dyn Progress,
    ) -> Result<SubmitReport, SubmitError> {
        let enqueued = self.spool().enqueue(receipts, again, &[])?;
        let report = self.flush(progress).await?;
        Ok(SubmitReport { skipped: enqueued.known, ..report })
    }

    /// Submits everything that is in the spool.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn flush(&mut self, progress: &dyn Progress) -> Result<SubmitReport, SubmitError> {
        self.greet(progress).await?;
        self.bundle(true).await?;
        self.send(progress).await
    }

    /// Signs bundles of the receipts that wait: full ones, and with `all` one more of what is left. Gives how many.
    ///
    /// # Errors
    /// When the sequencer was never reached, or the spool fails.
    pub async fn bundle(&mut self, all: bool) -> Result<u64, SubmitError> {
        let Some(contact) = &self.contact else {
            return Err(SpoolError::Unbound { path: self.spool().path().to_owned() }.into());
        };
        let room = Room::of(&contact.info.limits, self.config.bundle_receipts);
        let (theirs, key) = (contact.node.account.next_sequence, self.key.clone());
        self.observer
            .on_disk(move |spool| {
                let next = spool.next_sequence()?.unwrap_or(theirs);
                spool.sign(&key, next, room, all)
            })
            .await
    }
}

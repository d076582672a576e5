//! The sealer: cuts batches off the log and makes them durable.

use std::sync::Arc;
use std::time::Duration;

use cairn_types::{Batch, Digest, SealError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, info_span};

use super::policy::{Decision, SealLimits, Unsealed};
use super::rebuild::{RebuildError, cursor_before};
use crate::blocking::blocking;
use crate::intake::writer::Appended;
use crate::status::{BatchSummary, Board};
use crate::store::{SealedBatch, Store, StoreError};
use crate::{Stage, clock, metrics};

/// Why the log cannot be sealed. Acknowledged bundles stay where they are.
#[derive(Debug, thiserror::Error)]
pub enum SealerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The batch before cannot be read.
    #[error(transparent)]
    Before(#[from] RebuildError),
    /// The bundles break a clause that intake let pass: a defect of this program.
    #[error(
        "bundles {first} to {last} of the log do not make a batch; intake and sealing disagree, report this with the store"
    )]
    Clause {
        /// Log index of the first bundle.
        first: u64,
        /// Log index of the last bundle.
        last: u64,
        /// The clause.
        #[source]
        source: SealError,
    },
    /// A bundle has another digest than the one that was acknowledged.
    #[error(
        "bundle {log_index} is {found}, but {acknowledged} was acknowledged; the store is damaged, restore its folder from a backup"
    )]
    Changed {
        /// Log index of the bundle.
        log_index: u64,
        /// Digest of what the log has.
        found: Digest,
        /// Digest that was acknowledged.
        acknowledged: Digest,
    },
}

/// "Seal everything acknowledged so far": answered with the number of sealed batches.
pub type Ask = oneshot::Sender<u64>;

/// What the sealer works with.
pub struct Sealer {
    /// The log.
    pub store: Arc<Store>,
    /// The rollup.
    pub rollup_id: Digest,
    /// When to seal.
    pub limits: SealLimits,
    /// Bundles that are in no batch.
    pub unsealed: Unsealed,
    /// News from the writer.
    pub appended: mpsc::UnboundedReceiver<Appended>,
    /// Those who want a seal now.
    pub asks: mpsc::Receiver<Ask>,
    /// Where seals are announced.
    pub board: Board,
}

/// The bundles that are in no batch, read from the store.
///
/// # Errors
/// When the store fails.
pub fn unsealed(store: &Store) -> Result<Unsealed, StoreError> {
    let first = store.last_batch()?.map_or(0, |batch| batch.end);
    let mut unsealed = Unsealed::new(first);
    for log_index in first..store.log_end()? {
        for bundle in store.bundles(log_index..log_index + 1)? {
            unsealed.push(Appended::of(log_index, &bundle));
        }
    }
    Ok(unsealed)
}

impl Sealer {
    /// Seals until told to stop. An unfinished seal is forgotten: the next start makes it again.
    ///
    /// # Errors
    /// When the store fails or the log breaks a clause.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), SealerError> {
        let mut waiting: Vec<(u64, Ask)> = Vec::new();
        loop {
            while let Ok(appended) = self.appended.try_recv() {
                self.unsealed.push(appended);
            }
            let asked = waiting.iter().map(|(end, _)| *end).max().unwrap_or(0);
            let wait = match self.unsealed.decide(&self.limits, asked, clock::now_ms()) {
                Decision::Seal { end, .. } if !stop.is_cancelled() => {
                    self.seal(end).await?;
                    continue;
                }
                Decision::WaitUntil { at_ms } => Duration::from_millis(at_ms.saturating_sub(clock::now_ms()).max(1)),
                Decision::Seal { .. } | Decision::Empty => Duration::MAX,
            };
            let batches = self.board.watch().borrow().stage(Stage::Sealed).batches;
            for (_, ask) in waiting.extract_if(.., |(end, _)| *end <= self.unsealed.first()) {
                // Whoever asked may have gone.
                let _ = ask.send(batches);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(ask) = self.asks.recv() => {
                    // The writer announces a bundle before it acknowledges it: all that the asker knows of is here.
                    while let Ok(appended) = self.appended.try_recv() {
                        self.unsealed.push(appended);
                    }
                    waiting.push((self.unsealed.end(), ask));
                }
                Some(appended) = self.appended.recv() => self.unsealed.push(appended),
                () = sleep(wait) => {}
            }
        }
    }

    async fn seal(&mut self, end: u64) -> Result<(), SealerError> {
        let first = self.unsealed.first();
        let (store, rollup_id) = (Arc::clone(&self.store), self.rollup_id);
        let span = info_span!("seal", first, end);
        let sealed = blocking(move || span.in_scope(|| seal(&store, &rollup_id, first, end))).await?;
        self.unsealed.sealed(end);
        metrics::sealed(sealed.header.receipts);
        let summary = BatchSummary::of(&sealed.header, sealed.header_digest);
        info!(batch = summary.number, bundles = summary.bundles, receipts = summary.receipts, digest = %summary.header_digest, "batch sealed");
        self.board.sealed(summary, end);
        Ok(())
    }
}

/// Seals the bundles `first..end` of the log: runs the native twin of every clause over all of them, compares each
/// with what was acknowledged, and only then makes the seal durable. Blocks.
///
/// # Errors
/// When the store fails or the bundles break a clause; then nothing is sealed.
pub fn seal(store: &Store, rollup_id: &Digest, first: u64, end: u64) -> Result<SealedBatch, SealerError> {
    let started = std::time::Instant::now();
    let cursor = cursor_before(store, rollup_id, store.passed(Stage::Sealed)?)?;
    let stored = store.bundles(first..end)?;
    let acknowledged: Vec<_> = stored.iter().map(|bundle| bundle.digest).collect();
    let bundles = stored.into_iter().map(|bundle| bundle.data).collect();
    let batch = Batch::seal(&cursor, *rollup_id, bundles).map_err(|source| SealerError::Clause {
        first,
        last: end.saturating_sub(1),
        source,
    })?;
    for ((log_index, acknowledged), statement) in (first..).zip(acknowledged).zip(&batch.statements) {
        let found = statement.digest();
        if found != acknowledged {
            return Err(SealerError::Changed { log_index, found, acknowledged });
        }
    }
    let sealed = SealedBatch {
        header_digest: batch.header.statement(),
        header: batch.header,
        first,
        end,
        sealed_ms: clock::now_ms(),
    };
    store.seal(&sealed)?;
    metrics::stage_worked(Stage::Sealed, started.elapsed());
    Ok(sealed)
}

async fn sleep(duration: Duration) {
    if duration == Duration::MAX {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(duration).await;
}

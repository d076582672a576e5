//! The sealer: cuts batches off the log and makes them durable.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cairn_types::limits::queue_room;
use cairn_types::state::{PartialState, StateRead, touched};
use cairn_types::{Batch, BundleData, Digest, QueueEntry, SealError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, info_span, warn};

use super::policy::{Decision, Demand, MAX_UNSUBMITTED, SealLimits, Unsealed, may_seal};
use super::rebuild::{RebuildError, cursor_before};
use crate::blocking::blocking;
use crate::intake::writer::Appended;
use crate::registry::pending::{Registrations, consumable};
use crate::status::{BatchSummary, Board, LogStatus};
use crate::store::{SealedBatch, Store, StoreError, StoredBundle};
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
    /// Waiting entries were read that cannot be consumed: a defect of this program.
    #[error(
        "a batch was to be sealed for queue entries at log index {0}, and none can be consumed; report this with the store"
    )]
    Nothing(u64),
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

/// "Seal everything acknowledged and every queue entry seen so far": answered with the number of sealed batches.
pub type Ask = oneshot::Sender<u64>;

/// Someone who asked, and what for.
struct Waiting {
    end: u64,
    position: u64,
    ask: Ask,
}

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
    /// Queue entries that are in no batch.
    pub registrations: Registrations,
    /// Told of new queue entries.
    pub news: Arc<Notify>,
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
        let mut waiting: Vec<Waiting> = Vec::new();
        let (mut status, mut held) = (self.board.watch(), false);
        loop {
            // Entries first: whatever was acknowledged before one of them is announced by then.
            let (demand, entries, consumed) = self.demand(&waiting);
            while let Ok(appended) = self.appended.try_recv() {
                self.unsealed.push(appended);
            }
            let room = has_room(&status.borrow_and_update());
            let decision = self.unsealed.decide(&self.limits, &demand, clock::now_ms());
            self.tell_held(&mut held, !room && matches!(decision, Decision::Seal { .. }));
            let wait = match decision {
                Decision::Seal { end, .. } if room && !stop.is_cancelled() => {
                    self.seal(end, entries).await?;
                    continue;
                }
                Decision::WaitUntil { at_ms } => Duration::from_millis(at_ms.saturating_sub(clock::now_ms()).max(1)),
                Decision::Seal { .. } | Decision::Empty => Duration::MAX,
            };
            let (batches, first) = (self.board.watch().borrow().stage(Stage::Sealed).batches, self.unsealed.first());
            for answered in waiting.extract_if(.., |asked| asked.end <= first && asked.position <= consumed) {
                // Whoever asked may have gone.
                let _ = answered.ask.send(batches);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(ask) = self.asks.recv() => {
                    // The writer announces a bundle before it acknowledges it: all that the asker knows of is here.
                    while let Ok(appended) = self.appended.try_recv() {
                        self.unsealed.push(appended);
                    }
                    let position = self.registrations.read().end().position;
                    waiting.push(Waiting { end: self.unsealed.end(), position, ask });
                }
                Some(appended) = self.appended.recv() => self.unsealed.push(appended),
                () = self.news.notified() => {}
                () = until_room(&mut status), if held => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Says so when sealing begins or ceases to wait for submissions.
    fn tell_held(&self, held: &mut bool, now: bool) {
        if *held == now {
            return;
        }
        *held = now;
        metrics::sealing_held(now);
        let unsealed = self.unsealed.end() - self.unsealed.first();
        if now {
            warn!(
                unsubmitted = MAX_UNSUBMITTED,
                unsealed, "sealing waits: too many sealed batches are not on chain yet"
            );
        } else {
            info!(unsealed, "sealing goes on");
        }
    }

    /// What wants a batch, the queue entries that wait, and the position up to which entries are in batches.
    fn demand(&self, waiting: &[Waiting]) -> (Demand, Vec<QueueEntry>, u64) {
        let pending = self.registrations.read();
        let consumed = pending.end().position - pending.len() as u64;
        let demand = Demand {
            bundles: waiting.iter().map(|asked| asked.end).max().unwrap_or(0),
            entries: waiting.iter().any(|asked| asked.position > consumed),
            oldest_entry_ms: pending.oldest_ms(),
        };
        (demand, pending.entries().map(|queued| queued.entry).collect(), consumed)
    }

    async fn seal(&mut self, end: u64, waiting: Vec<QueueEntry>) -> Result<(), SealerError> {
        let first = self.unsealed.first();
        let (store, rollup_id) = (Arc::clone(&self.store), self.rollup_id);
        let span = info_span!("seal", first, end);
        let sealed = blocking(move || span.in_scope(|| seal(&store, &rollup_id, first, end, &waiting))).await?;
        let consumed = sealed.header.queue_to.position;
        // Until here the nodes of these entries were held off; now their new keys are in the log.
        self.registrations.write().consumed(consumed);
        self.unsealed.sealed(end);
        let summary = BatchSummary::of(&sealed.header, sealed.header_digest);
        metrics::sealed(summary.receipts);
        metrics::sealed_entries(summary.entries);
        info!(batch = summary.number, bundles = summary.bundles, receipts = summary.receipts, entries = summary.entries, digest = %summary.header_digest, "batch sealed");
        self.board.sealed(summary, end, consumed);
        Ok(())
    }
}

/// Seals the bundles `first..end` of the log, and those of the `waiting` queue entries that may be consumed with them: runs
/// the native twin of every clause over all of it, compares each bundle with what was acknowledged, and only then makes
/// the seal durable. Blocks.
///
/// # Errors
/// When the store fails or the bundles break a clause; then nothing is sealed.
pub fn seal(
    store: &Store,
    rollup_id: &Digest,
    first: u64,
    end: u64,
    waiting: &[QueueEntry],
) -> Result<SealedBatch, SealerError> {
    let started = std::time::Instant::now();
    let cursor = cursor_before(store, rollup_id, store.passed(Stage::Sealed)?)?;
    let stored = store.bundles(first..end)?;
    let acknowledged: Vec<_> = stored.iter().map(|bundle| bundle.digest).collect();
    let settle_by_slot = earliest_promise(store, &stored)?;
    let bundles: Vec<_> = stored.into_iter().map(|bundle| bundle.data).collect();
    let count = consumable(waiting, queue_room(bundles.len()), |node| drained(store, &bundles, node))?;
    let entries = waiting[..count].to_vec();
    if bundles.is_empty() && entries.is_empty() {
        return Err(SealerError::Nothing(first));
    }
    let before = PartialState::open(store, touched(&bundles, &entries))?;
    let registered: BTreeSet<_> = entries.iter().map(|entry| entry.node_index).collect();
    let mut after = before.clone();
    let batch = Batch::seal(&cursor, *rollup_id, bundles, entries, &mut after)
        .map_err(|source| SealerError::Clause { first, last: end.saturating_sub(1), source })?;
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
        settle_by_slot,
    };
    store.seal(&sealed, &before, &after, &registered)?;
    metrics::stage_worked(Stage::Sealed, started.elapsed());
    Ok(sealed)
}

/// The first slot that was promised for one of `bundles`.
fn earliest_promise(store: &Store, bundles: &[StoredBundle]) -> Result<Option<u64>, StoreError> {
    let mut earliest = None;
    for bundle in bundles {
        if let Some(placed) = store.placed(bundle.data.node_index, bundle.data.sequence)? {
            earliest = Some(earliest.unwrap_or(placed.settle_by_slot).min(placed.settle_by_slot));
        }
    }
    Ok(earliest)
}

/// Whether the batches before, and `bundles`, hold every acknowledged bundle of a node.
///
/// Nothing of the node is acknowledged while an entry of it waits, so the answer cannot change before the seal.
fn drained(store: &Store, bundles: &[BundleData], node_index: u32) -> Result<bool, StoreError> {
    let sealed = store.account(node_index)?.map_or(0, |account| account.next_sequence);
    let here = bundles.iter().filter(|bundle| bundle.node_index == node_index).count() as u64;
    Ok(store.head(node_index)?.map_or(0, |head| head.next_sequence) == sealed + here)
}

/// Whether so many batches are on chain that another may be sealed.
fn has_room(status: &LogStatus) -> bool {
    may_seal(status.stage(Stage::Sealed).batches, status.stage(Stage::Submitted).batches)
}

/// Returns once there is room for a batch.
async fn until_room(status: &mut watch::Receiver<LogStatus>) {
    // The sealer holds the board: the status has an end only with it.
    let _ = status.wait_for(has_room).await;
}

async fn sleep(duration: Duration) {
    if duration == Duration::MAX {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(duration).await;
}

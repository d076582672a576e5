//! Follows the chain: slot, settled batches, and final entries of the registration queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_chain::{Address, ErrorClass, FinalizedQueue, RollupClient, RollupError, SLOT_MILLISECONDS};
use cairn_interface::{Queue, RingError};
use cairn_types::QueueCursor;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::pending::Registrations;
use crate::blocking::blocking;
use crate::settle::stage_task::chain_of;
use crate::status::Board;
use crate::store::{Queued, Store, StoreError};
use crate::{clock, metrics};

/// Longest pause after a chain that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the chain was last seen to say, finally.
#[derive(Debug, Clone, Copy)]
pub struct ChainView {
    /// The newest slot.
    pub slot: u64,
    /// When it was seen.
    pub seen: Instant,
    /// Batches whose proof the program has verified.
    pub settled: u64,
}

/// Why the queue cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain failed or has something else.
    #[error("cannot follow the registration queue: {0}")]
    Chain(#[from] RollupError),
    /// The chain's queue does not continue this store's.
    #[error(
        "the registration queue on chain does not continue this log's at position {}: {source}; the store is of another chain or too old, restore the newest one", ours.position
    )]
    Queue {
        /// Where this log is.
        ours: QueueCursor,
        /// What the ring says.
        #[source]
        source: RingError,
    },
    /// Final entries changed.
    #[error(
        "the registration queue ends at position {position} with digest {theirs}, this log has {ours} there; the store is of another chain, restore the right one"
    )]
    Differs {
        /// Where.
        position: u64,
        /// Digest here.
        ours: cairn_types::Digest,
        /// Digest on chain.
        theirs: cairn_types::Digest,
    },
    /// Acknowledgements would be signed with a key that the rollup does not list.
    #[error(
        "the rollup's acknowledgement key is {on_chain} now, this one is {key}; use its key, or have the admin set this one with set_sequencer"
    )]
    AcknowledgementKey {
        /// The rollup's.
        on_chain: Address,
        /// Ours.
        key: Address,
    },
}

impl FollowError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Chain(error) if error.class() == ErrorClass::Transient)
    }
}

impl ChainView {
    /// The slot that the chain has about now: the last one seen, and the time since.
    #[must_use]
    pub fn slot_now(&self) -> u64 {
        let since = u64::try_from(self.seen.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.slot.saturating_add(since / SLOT_MILLISECONDS)
    }
}

/// Looks at the chain, again and again.
pub struct Follower {
    /// Where entries are kept.
    pub store: Arc<Store>,
    /// The rollup on its chain.
    pub rollup: RollupClient,
    /// The key under acknowledgements.
    pub acknowledgement_key: Address,
    /// Entries in no batch.
    pub registrations: Registrations,
    /// What the chain says, for whoever watches.
    pub view: watch::Sender<ChainView>,
    /// Told of new entries: the sealer.
    pub news: Arc<Notify>,
    /// Where what was seen is shown.
    pub board: Board,
    /// How often to look.
    pub poll: Duration,
}

impl Follower {
    /// Follows until told to stop.
    ///
    /// # Errors
    /// The first error that looking again cannot help.
    pub async fn run(self, stop: CancellationToken) -> Result<(), FollowError> {
        let mut pause = self.poll;
        loop {
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                looked = self.look() => looked,
            };
            pause = match looked {
                Ok(()) => self.poll,
                Err(error) if error.is_transient() => {
                    warn!(error = chain_of(&error), ?pause, "the chain does not answer, looking again");
                    (pause * 2).clamp(self.poll, LONGEST_PAUSE.max(self.poll))
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look: everything final by now is kept when this returns.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn look(&self) -> Result<(), FollowError> {
        let FinalizedQueue { slot, rollup, queue } = self.rollup.finalized_queue().await?;
        if rollup.acknowledgement_key != self.acknowledgement_key {
            let (on_chain, key) = (rollup.acknowledgement_key, self.acknowledgement_key);
            return Err(FollowError::AcknowledgementKey { on_chain, key });
        }
        self.view.send_replace(ChainView { slot, seen: Instant::now(), settled: rollup.settled.batches });
        metrics::chain_slot(slot);
        let (store, registrations) = (Arc::clone(&self.store), Arc::clone(&self.registrations));
        let (added, seen) = blocking(move || {
            // Held while the entries are written: see `Pending`.
            let mut pending = registrations.write();
            let entries = following(&pending.end(), &queue, clock::now_ms())?;
            store.enqueue(&entries)?;
            for queued in &entries {
                pending.push(*queued);
            }
            Ok::<_, FollowError>((entries, pending.end().position))
        })
        .await?;
        for Queued { cursor, entry, slot, .. } in &added {
            info!(position = cursor.position, node = entry.node_index, kind = entry.kind.name(), slot, "queue entry");
        }
        if !added.is_empty() {
            self.board.queued(seen);
            self.news.notify_one();
        }
        Ok(())
    }
}

/// The entries of `queue` after `ours`, checked to chain from it. None when the chain's answer is older than what we have.
///
/// # Errors
/// When the queue does not continue from `ours`.
pub fn following(ours: &QueueCursor, queue: &Queue, seen_ms: u64) -> Result<Vec<Queued>, FollowError> {
    if let Some(theirs) = queue.cursor_at(ours.position)
        && theirs != *ours
    {
        return Err(FollowError::Differs { position: ours.position, ours: ours.digest, theirs: theirs.digest });
    }
    if queue.end.position <= ours.position {
        return Ok(Vec::new());
    }
    let entries = queue
        .entries_from(ours, queue.end.position)
        .map_err(|source| FollowError::Queue { ours: *ours, source })?
        .iter()
        .map(|ring| Queued { cursor: ring.cursor, entry: ring.entry, slot: ring.slot, seen_ms })
        .collect();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use cairn_interface::RingEntry;
    use cairn_types::{Digest, EntryKind, QueueEntry, ReceiptKey, queue_genesis};

    use super::*;

    fn start() -> QueueCursor {
        QueueCursor { position: 0, digest: queue_genesis(&Digest::ZERO) }
    }

    fn queue(length: u32, ring: usize) -> Queue {
        let key = ReceiptKey::from_words([1; 5]).unwrap();
        let mut entries = Vec::new();
        let mut end = start();
        for node_index in 0..length {
            let entry = QueueEntry::new(EntryKind::Register, node_index, key).unwrap();
            end = end.push(&entry);
            entries.push(RingEntry { cursor: end, slot: u64::from(node_index), entry });
        }
        entries.drain(..entries.len().saturating_sub(ring));
        Queue { rollup: Address::default(), end, nodes: length, ring: entries }
    }

    #[test]
    fn entries_after_ours_are_taken_in_order_and_once() {
        let queue = queue(10, 256);
        let first = following(&start(), &queue, 7).unwrap();
        assert_eq!(first.len(), 10);
        assert_eq!(first.iter().map(|queued| queued.cursor.position).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        let rest = following(&first[3].cursor, &queue, 7).unwrap();
        assert_eq!(rest, first[4..]);
        assert_eq!(following(&queue.end, &queue, 7).unwrap(), []);
    }

    #[test]
    fn an_older_answer_of_the_chain_is_nothing_new() {
        let ours = queue(10, 256).end;
        assert_eq!(following(&ours, &queue(8, 256), 7).unwrap(), []);
    }

    #[test]
    fn a_queue_that_does_not_continue_ours_stops() {
        let queue = queue(10, 256);
        let ours = QueueCursor { digest: Digest::ZERO, ..queue.ring[4].cursor };
        assert!(matches!(following(&ours, &queue, 7), Err(FollowError::Differs { position: 5, .. })));
        let mut forged = queue.clone();
        forged.ring[6].entry.node_index = 99;
        let error = following(&queue.ring[4].cursor, &forged, 7).unwrap_err();
        assert!(matches!(error, FollowError::Queue { source: RingError::Broken(7), .. }), "{error}");
    }

    #[test]
    fn entries_that_the_ring_has_lost_are_not_skipped() {
        let queue = queue(20, 8);
        let error = following(&start(), &queue, 7).unwrap_err();
        assert!(matches!(error, FollowError::Queue { source: RingError::Gone { wanted: 1, .. }, .. }), "{error}");
    }
}

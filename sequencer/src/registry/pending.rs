//! Entries of the registration queue that are in no sealed batch.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_types::{EntryKind, QueueCursor, QueueEntry};
use parking_lot::RwLock;

use crate::store::{Queued, Store, StoreError};

/// The entries that wait, in order.
///
/// Held for reading while bundles are judged and written, and for writing while an entry joins: so an entry is seen
/// either before a bundle of its node joins the log, which then refuses it, or after, and then the bundle counts as
/// acknowledged before it.
#[derive(Debug)]
pub struct Pending {
    entries: VecDeque<Queued>,
    end: QueueCursor,
}

/// [`Pending`], between those who judge bundles, follow the chain, and seal.
pub type Registrations = Arc<RwLock<Pending>>;

impl Pending {
    /// What the store has of the queue beyond its last sealed batch.
    ///
    /// # Errors
    /// When the store fails.
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        let end = store.queue_end()?;
        let consumed = store.last_batch()?.map_or(0, |batch| batch.header.queue_to.position);
        Ok(Self { entries: store.queued(consumed + 1..end.position + 1)?.into(), end })
    }

    /// Where the queue continues.
    #[must_use]
    pub fn end(&self) -> QueueCursor {
        self.end
    }

    /// Adds an entry that the store has. One that does not follow the last changes nothing.
    pub fn push(&mut self, queued: Queued) {
        if queued.cursor.position == self.end.position + 1 {
            self.end = queued.cursor;
            self.entries.push_back(queued);
        }
    }

    /// The entries up to and with `position` are in sealed batches.
    pub fn consumed(&mut self, position: u64) {
        while self.entries.front().is_some_and(|queued| queued.cursor.position <= position) {
            self.entries.pop_front();
        }
    }

    /// The last waiting entry of a node.
    #[must_use]
    pub fn of(&self, node_index: u32) -> Option<&QueueEntry> {
        self.entries.iter().rev().map(|queued| &queued.entry).find(|entry| entry.node_index == node_index)
    }

    /// The waiting entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Queued> {
        self.entries.iter()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When the oldest was seen, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn oldest_ms(&self) -> Option<u64> {
        self.entries.front().map(|queued| queued.seen_ms)
    }
}

/// How many of `entries` a batch consumes that has room for `room`: the longest prefix in which every rotation and
/// deactivation is of a node that is drained, which is to say that the batch and those before it hold all of the node's
/// acknowledged bundles. What follows an entry that has to wait waits as well: the queue has one order.
///
/// # Errors
/// When `drained` fails.
pub fn consumable<'a, E>(
    entries: impl IntoIterator<Item = &'a QueueEntry>,
    room: usize,
    mut drained: impl FnMut(u32) -> Result<bool, E>,
) -> Result<usize, E> {
    let mut count = 0;
    for entry in entries.into_iter().take(room) {
        // An index is registered once, so no bundle of it can be waiting.
        if entry.kind != EntryKind::Register && !drained(entry.node_index)? {
            break;
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use cairn_types::{Digest, ReceiptKey, queue_genesis};
    use proptest::prelude::*;

    use super::*;

    fn entry(kind: EntryKind, node_index: u32) -> QueueEntry {
        let key = if kind == EntryKind::Deactivate { [0; 5] } else { [1, 2, 3, 4, 5] };
        QueueEntry::new(kind, node_index, ReceiptKey::from_words(key).unwrap()).unwrap()
    }

    fn pending(entries: &[QueueEntry]) -> Pending {
        let start = QueueCursor { position: 0, digest: queue_genesis(&Digest::ZERO) };
        let mut pending = Pending { entries: VecDeque::new(), end: start };
        for entry in entries {
            let cursor = pending.end().push(entry);
            pending.push(Queued { cursor, entry: *entry, slot: 1, seen_ms: cursor.position * 10 });
        }
        pending
    }

    #[test]
    fn a_node_is_judged_by_its_last_waiting_entry_until_that_is_consumed() {
        let entries = [entry(EntryKind::Register, 1), entry(EntryKind::Rotate, 2), entry(EntryKind::Deactivate, 1)];
        let mut pending = pending(&entries);
        assert_eq!((pending.of(1), pending.of(2), pending.of(3)), (Some(&entries[2]), Some(&entries[1]), None));
        assert_eq!((pending.len(), pending.oldest_ms()), (3, Some(10)));
        pending.consumed(2);
        assert_eq!((pending.of(1), pending.of(2)), (Some(&entries[2]), None));
        assert_eq!((pending.len(), pending.oldest_ms(), pending.end().position), (1, Some(30), 3));
        pending.consumed(3);
        assert!(pending.is_empty() && pending.of(1).is_none());
    }

    #[test]
    fn an_entry_seen_twice_or_too_early_changes_nothing() {
        let mut pending = pending(&[entry(EntryKind::Register, 1)]);
        let queued = *pending.entries().next().unwrap();
        let end = pending.end();
        pending.push(queued);
        let later = QueueCursor { position: 5, ..end };
        pending.push(Queued { cursor: later, ..queued });
        assert_eq!((pending.len(), pending.end()), (1, end));
    }

    #[test]
    fn a_rotation_waits_for_its_nodes_bundles_and_holds_up_what_follows() {
        let entries = [
            entry(EntryKind::Register, 1),
            entry(EntryKind::Rotate, 2),
            entry(EntryKind::Rotate, 3),
            entry(EntryKind::Register, 4),
        ];
        let count = |room, busy: u32| {
            consumable(&entries, room, |node| Ok::<_, Infallible>(node != busy)).unwrap_or_else(|never| match never {})
        };
        assert_eq!(count(256, 9), 4);
        assert_eq!(count(256, 3), 2);
        assert_eq!(count(256, 2), 1);
        assert_eq!(count(256, 1), 4, "a registration waits for nobody");
        assert_eq!((count(3, 9), count(0, 9)), (3, 0));
    }

    proptest! {
        #[test]
        fn what_is_consumed_is_a_prefix_of_drained_nodes_that_fits_and_cannot_be_longer(
            kinds in prop::collection::vec((0_usize..3, 0_u32..6), 0..40), room in 0_usize..40, busy in 0_u32..64,
        ) {
            let entries: Vec<_> = kinds.into_iter().map(|(kind, node)| entry(EntryKind::ALL[kind], node)).collect();
            let drained = |node: u32| busy >> node & 1 == 0;
            let Ok(count) = consumable(&entries, room, |node| Ok::<_, Infallible>(drained(node)));
            let may = |entry: &QueueEntry| entry.kind == EntryKind::Register || drained(entry.node_index);
            prop_assert!(count <= room && entries[..count].iter().all(may));
            prop_assert!(count == room || entries.get(count).is_none_or(|next| !may(next)));
        }
    }
}

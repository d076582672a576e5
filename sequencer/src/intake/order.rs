//! Order: which place in the log a bundle gets, decided on values alone.

use std::collections::HashMap;

use cairn_types::{Account, AccountError};

use super::authorise::{Authorised, LogView, Unauthorised, signing_key};
use crate::store::Placed;

/// What becomes of an authorised bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It is the node's next: it may join the log, and then this is the node's account.
    Next {
        /// The index that it gets.
        log_index: u64,
        /// The account with it.
        head: Account,
    },
    /// It is in the log already.
    Duplicate(Placed),
    /// Another bundle has its sequence.
    Conflict(Placed),
    /// Bundles of the node before it are missing.
    Gap {
        /// The next sequence of the node.
        expected: u64,
    },
    /// The node's total would leave its range.
    Total,
    /// What was true when its signature was checked is no more.
    Unauthorised(Unauthorised),
}

/// Places bundles that will share one write: the log on disk, and on top of it those placed since.
#[derive(Debug)]
pub struct Group {
    next_index: u64,
    heads: HashMap<u32, Option<Account>>,
    added: HashMap<(u32, u64), Placed>,
}

impl Group {
    /// Nothing placed yet; the log on disk has `log_end` bundles.
    #[must_use]
    pub fn new(log_end: u64) -> Self {
        Self { next_index: log_end, heads: HashMap::new(), added: HashMap::new() }
    }

    /// The log's length with what was placed.
    #[must_use]
    pub fn log_end(&self) -> u64 {
        self.next_index
    }

    /// Finds a bundle's place. It is not taken yet: see [`Self::take`].
    ///
    /// The signature is not verified again, but the key that verified it must still be the node's.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn place<L: LogView>(&mut self, log: &L, bundle: &Authorised) -> Result<Placement, L::Error> {
        let data = &bundle.bundle.data;
        let (node_index, sequence) = (data.node_index, data.sequence);
        let head = match self.heads.get(&node_index) {
            Some(head) => *head,
            None => *self.heads.entry(node_index).or_insert(log.head(node_index)?),
        };
        let expected = head.map_or(0, |head| head.next_sequence);
        if sequence < expected {
            let known = match self.added.get(&(node_index, sequence)) {
                Some(added) => Some(*added),
                None => log.placed(node_index, sequence)?,
            };
            return Ok(match known {
                Some(placed) if placed.digest == bundle.bundle.digest => Placement::Duplicate(placed),
                Some(placed) => Placement::Conflict(placed),
                // The log has every sequence below its next one; a hole would be damage, and nothing may fill it.
                None => Placement::Gap { expected },
            });
        }
        let key = match signing_key(log, node_index, head) {
            Ok(key) => key,
            Err(refusal) => return Ok(Placement::Unauthorised(refusal)),
        };
        if key != bundle.key {
            let source = cairn_types::SignatureError::Mismatch;
            return Ok(Placement::Unauthorised(Unauthorised::Signature { node_index, source }));
        }
        let Some(head) = head else { return Ok(Placement::Unauthorised(Unauthorised::Unregistered(node_index))) };
        Ok(match head.counting(&bundle.bundle.statement) {
            Ok(head) => Placement::Next { log_index: self.next_index, head },
            Err(AccountError::Sequence { expected, .. }) => Placement::Gap { expected },
            Err(AccountError::Bytes) => Placement::Total,
            Err(AccountError::Signature(source)) => {
                Placement::Unauthorised(Unauthorised::Signature { node_index, source })
            }
        })
    }

    /// Takes the place that [`Self::place`] found last.
    pub fn take(&mut self, node_index: u32, sequence: u64, placed: Placed, head: Account) {
        self.next_index += 1;
        self.heads.insert(node_index, Some(head));
        self.added.insert((node_index, sequence), placed);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use cairn_types::limits::MAX_COUNTER;
    use cairn_types::{EntryKind, QueueEntry, ReceiptKey};
    use proptest::prelude::*;

    use super::*;
    use crate::intake::check::check;
    use crate::samples::{NOW_MS, receipt_key, request, rollup};

    /// The log as one list: what order means, without any cleverness. Every node is registered.
    #[derive(Debug, Default)]
    struct Model {
        log: Vec<(u32, u64, Placed)>,
        pending: Option<QueueEntry>,
        bytes_total: u64,
        key: Option<ReceiptKey>,
    }

    impl Model {
        fn find(&self, node_index: u32, sequence: u64) -> Option<Placed> {
            self.log.iter().find(|entry| (entry.0, entry.1) == (node_index, sequence)).map(|entry| entry.2)
        }

        fn next(&self, node_index: u32) -> u64 {
            self.log.iter().filter(|entry| entry.0 == node_index).count() as u64
        }
    }

    impl LogView for Model {
        type Error = Infallible;

        fn head(&self, node_index: u32) -> Result<Option<Account>, Infallible> {
            let key = self.key.unwrap_or_else(|| receipt_key(node_index));
            let next_sequence = self.next(node_index);
            Ok(Some(Account { key, next_sequence, receipts_total: 0, bytes_total: self.bytes_total }))
        }

        fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, Infallible> {
            Ok(self.find(node_index, sequence))
        }

        fn pending(&self, _: u32) -> Option<QueueEntry> {
            self.pending
        }
    }

    fn bundle(node_index: u32, sequence: u64, receipts: u64) -> Authorised {
        let bundle = check(request(node_index, sequence, receipts), &rollup(), NOW_MS * 2).unwrap();
        Authorised { bundle, key: receipt_key(node_index) }
    }

    fn placed(log_index: u64, bundle: &Authorised) -> Placed {
        let digest = bundle.bundle.digest;
        Placed { log_index, digest, key: bundle.key, settle_by_slot: log_index, acknowledged: [3; 64] }
    }

    /// Places a bundle and takes the place, as the writer does.
    fn write(group: &mut Group, log: &Model, bundle: &Authorised) -> Placement {
        let Ok(placement) = group.place(log, bundle);
        if let Placement::Next { log_index, head } = placement {
            let data = &bundle.bundle.data;
            group.take(data.node_index, data.sequence, placed(log_index, bundle), head);
        }
        placement
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn groups_of_any_size_place_bundles_as_one_list_would(
            offers in prop::collection::vec((0u32..3, 0u64..4, 1u64..3, any::<bool>()), 0..40),
        ) {
            let bundles: HashMap<_, _> = offers
                .iter()
                .map(|&(node, sequence, receipts, _)| ((node, sequence, receipts), bundle(node, sequence, receipts)))
                .collect();
            let (mut on_disk, mut model) = (Model::default(), Model::default());
            let mut group = Group::new(0);
            for (node_index, sequence, receipts, commit) in offers {
                let bundle = &bundles[&(node_index, sequence, receipts)];
                let expected = model.next(node_index);
                let result = write(&mut group, &on_disk, bundle);
                match model.find(node_index, sequence) {
                    Some(known) if known.digest == bundle.bundle.digest => {
                        prop_assert_eq!(result, Placement::Duplicate(known));
                    }
                    Some(known) => prop_assert_eq!(result, Placement::Conflict(known)),
                    None if sequence == expected => {
                        let log_index = model.log.len() as u64;
                        let Placement::Next { log_index: index, head } = result else { panic!("{result:?}") };
                        prop_assert_eq!((index, head.next_sequence), (log_index, sequence + 1));
                        model.log.push((node_index, sequence, placed(log_index, bundle)));
                    }
                    None => prop_assert_eq!(result, Placement::Gap { expected }),
                }
                if commit {
                    on_disk.log.clone_from(&model.log);
                    group = Group::new(on_disk.log.len() as u64);
                }
            }
            prop_assert_eq!(group.log_end(), model.log.len() as u64);
        }
    }

    #[test]
    fn a_bundle_twice_in_one_group_is_a_duplicate_of_itself() {
        let (log, mut group) = (Model::default(), Group::new(0));
        let first = bundle(7, 0, 1);
        assert!(matches!(write(&mut group, &log, &first), Placement::Next { log_index: 0, .. }));
        let known = placed(0, &first);
        assert_eq!(write(&mut group, &log, &first), Placement::Duplicate(known));
        assert_eq!(write(&mut group, &log, &bundle(7, 0, 2)), Placement::Conflict(known));
        assert_eq!(write(&mut group, &log, &bundle(7, 2, 2)), Placement::Gap { expected: 1 });
    }

    #[test]
    fn a_place_that_is_not_taken_is_there_for_the_same_bundle_and_a_gap_for_the_next() {
        let (log, mut group) = (Model::default(), Group::new(4));
        for _ in 0..2 {
            let Ok(placement) = group.place(&log, &bundle(7, 0, 1));
            assert!(matches!(placement, Placement::Next { log_index: 4, .. }));
        }
        assert_eq!(write(&mut group, &log, &bundle(7, 1, 1)), Placement::Gap { expected: 0 });
        assert_eq!(group.log_end(), 4);
    }

    #[test]
    fn a_key_that_changed_or_is_about_to_after_the_signature_was_checked_refuses_the_bundle() {
        let rotate = QueueEntry::new(EntryKind::Rotate, 7, receipt_key(8)).unwrap();
        let rotating = Model { pending: Some(rotate), ..Model::default() };
        let rotated = Model { key: Some(receipt_key(8)), ..Model::default() };
        for log in [rotating, rotated] {
            let placement = write(&mut Group::new(0), &log, &bundle(7, 0, 1));
            assert!(matches!(placement, Placement::Unauthorised(_)), "{placement:?}");
        }
    }

    #[test]
    fn a_total_that_would_leave_its_range_is_refused() {
        let bytes = bundle(7, 0, 2).bundle.statement.bytes;
        let fits = Model { bytes_total: MAX_COUNTER - 1 - bytes, ..Model::default() };
        assert!(matches!(write(&mut Group::new(0), &fits, &bundle(7, 0, 2)), Placement::Next { .. }));
        let full = Model { bytes_total: MAX_COUNTER - bytes, ..Model::default() };
        assert_eq!(write(&mut Group::new(0), &full, &bundle(7, 0, 2)), Placement::Total);
    }
}

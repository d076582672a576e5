//! Order: which place in the log a bundle gets, decided on values alone.

use std::collections::HashMap;

use cairn_types::Digest;

use crate::store::Placed;

/// The log as far as order needs it.
pub trait LogView {
    /// What reading it can fail with.
    type Error;

    /// The sequence that the next bundle of the node must have.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn next_sequence(&self, node_index: u32) -> Result<u64, Self::Error>;

    /// Where a sequence of the node is.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, Self::Error>;
}

/// What becomes of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It joins the log at this index.
    Appended(u64),
    /// It is in the log already.
    Duplicate(Placed),
    /// Another bundle has its sequence.
    Conflict(Placed),
    /// Bundles of the node before it are missing.
    Gap {
        /// The next sequence of the node.
        expected: u64,
    },
}

/// Places bundles that will share one write: the log on disk, and on top of it those placed since.
#[derive(Debug)]
pub struct Group {
    next_index: u64,
    added: HashMap<u32, Vec<Placed>>,
    base: HashMap<u32, u64>,
}

impl Group {
    /// Nothing placed yet; the log on disk has `log_end` bundles.
    #[must_use]
    pub fn new(log_end: u64) -> Self {
        Self { next_index: log_end, added: HashMap::new(), base: HashMap::new() }
    }

    /// The log's length with what was placed.
    #[must_use]
    pub fn log_end(&self) -> u64 {
        self.next_index
    }

    /// Places a bundle.
    ///
    /// # Errors
    /// When the log cannot be read; then nothing was placed.
    pub fn place<L: LogView>(
        &mut self,
        log: &L,
        node_index: u32,
        sequence: u64,
        digest: Digest,
    ) -> Result<Placement, L::Error> {
        let base = match self.base.get(&node_index) {
            Some(base) => *base,
            None => {
                let base = log.next_sequence(node_index)?;
                self.base.insert(node_index, base);
                base
            }
        };
        let added = self.added.entry(node_index).or_default();
        let expected = base + added.len() as u64;
        if sequence > expected {
            return Ok(Placement::Gap { expected });
        }
        if sequence == expected {
            let log_index = self.next_index;
            self.next_index += 1;
            added.push(Placed { log_index, digest });
            return Ok(Placement::Appended(log_index));
        }
        let known = match sequence.checked_sub(base) {
            Some(offset) => usize::try_from(offset).ok().and_then(|offset| added.get(offset)).copied(),
            None => log.placed(node_index, sequence)?,
        };
        Ok(match known {
            Some(placed) if placed.digest == digest => Placement::Duplicate(placed),
            Some(placed) => Placement::Conflict(placed),
            // The log has every sequence below its next one; a hole would be damage, and nothing may fill it.
            None => Placement::Gap { expected },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// The log as one list: what order means, without any cleverness.
    #[derive(Debug, Default)]
    struct Model(Vec<(u32, u64, Digest)>);

    impl Model {
        fn find(&self, node_index: u32, sequence: u64) -> Option<Placed> {
            let at = self.0.iter().position(|entry| (entry.0, entry.1) == (node_index, sequence))?;
            Some(Placed { log_index: at as u64, digest: self.0[at].2 })
        }

        fn place(&mut self, node_index: u32, sequence: u64, digest: Digest) -> Placement {
            let expected = self.0.iter().filter(|entry| entry.0 == node_index).count() as u64;
            match self.find(node_index, sequence) {
                Some(placed) if placed.digest == digest => Placement::Duplicate(placed),
                Some(placed) => Placement::Conflict(placed),
                None if sequence == expected => {
                    self.0.push((node_index, sequence, digest));
                    Placement::Appended(self.0.len() as u64 - 1)
                }
                None => Placement::Gap { expected },
            }
        }
    }

    impl LogView for Model {
        type Error = Infallible;

        fn next_sequence(&self, node_index: u32) -> Result<u64, Infallible> {
            Ok(self.0.iter().filter(|entry| entry.0 == node_index).count() as u64)
        }

        fn placed(&self, node_index: u32, sequence: u64) -> Result<Option<Placed>, Infallible> {
            Ok(self.find(node_index, sequence))
        }
    }

    fn digest(content: u8) -> Digest {
        Digest::from_byte_digest([content; 32])
    }

    proptest! {
        #[test]
        fn groups_of_any_size_place_bundles_as_one_list_would(
            offers in prop::collection::vec((0u32..3, 0u64..6, 0u8..2, any::<bool>()), 0..80),
        ) {
            let (mut on_disk, mut model) = (Model::default(), Model::default());
            let mut group = Group::new(0);
            for (node_index, sequence, content, commit) in offers {
                let expected = model.place(node_index, sequence, digest(content));
                let placed = group.place(&on_disk, node_index, sequence, digest(content)).unwrap();
                prop_assert_eq!(placed, expected);
                if commit {
                    on_disk.0.clone_from(&model.0);
                    group = Group::new(on_disk.0.len() as u64);
                }
            }
            prop_assert_eq!(group.log_end(), model.0.len() as u64);
        }
    }

    #[test]
    fn a_bundle_twice_in_one_group_is_a_duplicate_of_itself() {
        let log = Model::default();
        let mut group = Group::new(0);
        assert_eq!(group.place(&log, 7, 0, digest(1)).unwrap(), Placement::Appended(0));
        let first = Placed { log_index: 0, digest: digest(1) };
        assert_eq!(group.place(&log, 7, 0, digest(1)).unwrap(), Placement::Duplicate(first));
        assert_eq!(group.place(&log, 7, 0, digest(2)).unwrap(), Placement::Conflict(first));
        assert_eq!(group.place(&log, 7, 2, digest(2)).unwrap(), Placement::Gap { expected: 1 });
    }
}

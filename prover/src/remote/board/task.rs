//! The places of a batch's proof tree, in the order in which they are done.

use cairn_circuits::{LEVELS, Layer};

/// Height of the batch proof above the segments.
pub const HEADER: usize = LEVELS + 1;
/// Height of the last proof.
pub const TOP: usize = HEADER + 1;

/// A proof to be made. The least is done first: older batches before newer ones, and within a batch what is nearer to its
/// top, so that a batch is finished before the next one is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    /// Number of its batch.
    pub number: u64,
    /// The batch on the board.
    pub batch: u64,
    below_top: usize,
    /// Place among the proofs of its height.
    pub index: usize,
}

impl Task {
    /// A place of a batch.
    #[must_use]
    pub const fn new(number: u64, batch: u64, height: usize, index: usize) -> Self {
        Self { number, batch, below_top: TOP - height, index }
    }

    /// 0 for segments, 1 to [`LEVELS`] for aggregations, [`HEADER`] for the batch, [`TOP`] for the last.
    #[must_use]
    pub const fn height(&self) -> usize {
        TOP - self.below_top
    }

    /// Which circuit proves it.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        match self.height() {
            0 => Layer::Segment,
            HEADER => Layer::Batch,
            TOP => Layer::Final,
            level => Layer::Aggregation(level),
        }
    }

    /// The proof that is made from this one; none above the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        // From the last level on there is one proof at each height.
        let index = self.index / 2;
        self.below_top.checked_sub(1).map(|below_top| Self { below_top, index, ..*self })
    }

    /// The proofs that this one is made from, in a batch of `segments`: none for a segment, one or two otherwise.
    pub fn children(&self, segments: usize) -> impl Iterator<Item = Self> + use<> {
        let task = *self;
        let range = match self.height() {
            0 => 0..0,
            HEADER | TOP => 0..1,
            height => 2 * self.index..(2 * self.index + 2).min(width(segments, height - 1)),
        };
        range.map(move |index| Self { below_top: task.below_top + 1, index, ..task })
    }
}

/// Proofs at a height above `segments` segments.
#[must_use]
pub fn width(segments: usize, height: usize) -> usize {
    segments.div_ceil(1 << height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proof_but_the_last_is_a_child_of_its_parent() {
        for segments in 1..=cairn_circuits::MAX_SEGMENTS {
            for height in 0..=TOP {
                for index in 0..width(segments, height) {
                    let task = Task::new(3, 4, height, index);
                    assert_eq!(task.height(), height);
                    match task.parent() {
                        Some(parent) => assert!(parent.children(segments).any(|child| child == task)),
                        None => assert_eq!(height, TOP),
                    }
                    assert!(task.children(segments).all(|child| child.parent() == Some(task)));
                    assert_eq!(task.children(segments).next().is_none(), height == 0);
                }
            }
        }
    }

    #[test]
    fn older_batches_come_first_and_then_what_is_nearer_to_the_top() {
        let mut tasks =
            [Task::new(1, 9, TOP, 0), Task::new(0, 8, 0, 1), Task::new(0, 8, 0, 0), Task::new(0, 8, HEADER, 0)];
        tasks.sort_unstable();
        assert_eq!(
            tasks,
            [Task::new(0, 8, HEADER, 0), Task::new(0, 8, 0, 0), Task::new(0, 8, 0, 1), Task::new(1, 9, TOP, 0)]
        );
    }
}

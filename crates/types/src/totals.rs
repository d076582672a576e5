//! Sums that a batch's header states and its proof shows (clause 7).

use crate::header::VerdictCounts;
use crate::leaf::LeafParts;
use crate::{Bundle, Verdict};

/// Counts, bytes, times and verdict counts over any number of receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Receipts.
    pub receipts: u32,
    /// Sum of content lengths.
    pub bytes: u64,
    /// Earliest fetch time; zero when there are no receipts.
    pub time_min: u64,
    /// Latest fetch time; zero when there are no receipts.
    pub time_max: u64,
    /// Counts for each of [`crate::VERDICT_NAMES`].
    pub verdicts: [VerdictCounts; 5],
}

impl Totals {
    /// Counts one receipt. The caller keeps the number of receipts within [`crate::limits::MAX_BATCH_RECEIPTS`],
    /// below which no sum can overflow.
    pub fn add(&mut self, leaf: &LeafParts) {
        self.time_min = if self.receipts == 0 { leaf.time } else { self.time_min.min(leaf.time) };
        self.time_max = self.time_max.max(leaf.time);
        self.receipts += 1;
        self.bytes += leaf.content_length;
        for (counts, verdict) in self.verdicts.iter_mut().zip(leaf.verdicts.to_array()) {
            match verdict {
                Verdict::Unknown => {}
                Verdict::Allowed => counts.allowed += 1,
                Verdict::Refused => counts.refused += 1,
                Verdict::Conditional => counts.conditional += 1,
            }
        }
    }

    /// Whether a bundle's own statement gives these sums.
    #[must_use]
    pub fn agree_with(&self, bundle: &Bundle) -> bool {
        (self.receipts, self.bytes, self.time_min, self.time_max)
            == (u32::from(bundle.count), bundle.bytes, bundle.time_min, bundle.time_max)
    }
}

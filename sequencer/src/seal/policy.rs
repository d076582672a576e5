//! When a batch is full or old enough, decided on values alone.

use std::collections::VecDeque;
use std::time::Duration;

use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BATCH_RECEIPTS, MAX_DATA_LENGTH};

use crate::intake::writer::Appended;

/// Room for framing in a batch's data, per bundle.
const BUNDLE_FRAMING: u64 = 1 << 12;

/// When a batch is sealed: as soon as one of these is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealLimits {
    /// Bundles in a batch.
    pub bundles: u32,
    /// Receipts in a batch.
    pub receipts: u32,
    /// Bytes of a batch's data.
    pub data_bytes: u64,
    /// Age of the oldest bundle that is in no batch.
    pub age: Duration,
}

impl SealLimits {
    /// The limits of the protocol, which no configuration may exceed; and the age after which buyers should see data.
    pub const PROTOCOL: Self = Self {
        bundles: MAX_BATCH_BUNDLES as u32,
        receipts: MAX_BATCH_RECEIPTS as u32,
        data_bytes: MAX_DATA_LENGTH,
        age: Duration::from_secs(600),
    };
}

/// Acknowledged bundles that are in no batch, in order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed {
    first: u64,
    bundles: VecDeque<Appended>,
}

/// Why a batch is sealed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing more fits.
    Full,
    /// The oldest bundle has waited long enough.
    Age,
    /// Someone asked.
    Asked,
}

/// What to do with the unsealed bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Seal the log from the first unsealed bundle to before this index.
    Seal {
        /// Log index after the last bundle of the batch.
        end: u64,
        /// Why now.
        reason: Reason,
    },
    /// Nothing before this time, unless bundles arrive.
    WaitUntil {
        /// Milliseconds since the Unix epoch.
        at_ms: u64,
    },
    /// There is nothing to seal.
    Empty,
}

impl Unsealed {
    /// Nothing yet; the log continues at `first`.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self { first, bundles: VecDeque::new() }
    }

    /// Log index of the first unsealed bundle.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Log index after the last bundle.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.bundles.len() as u64
    }

    /// Adds the next bundle of the log. One that is known already changes nothing.
    pub fn push(&mut self, bundle: Appended) {
        if bundle.log_index == self.end() {
            self.bundles.push_back(bundle);
        }
    }

    /// The bundles below `end` are in a batch now.
    pub fn sealed(&mut self, end: u64) {
        while self.first < end && self.bundles.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Decides at time `now_ms`. Bundles below `asked` are to be sealed even if there are few.
    ///
    /// The same bundles give the same cut, whenever they arrived: a full batch is the longest prefix within `limits`.
    #[must_use]
    pub fn decide(&self, limits: &SealLimits, asked: u64, now_ms: u64) -> Decision {
        let Some(oldest) = self.bundles.front() else { return Decision::Empty };
        let fitting = self.fitting(limits);
        let end = self.first + fitting.bundles;
        if fitting.full {
            return Decision::Seal { end, reason: Reason::Full };
        }
        if asked > self.first {
            return Decision::Seal { end, reason: Reason::Asked };
        }
        let age = u64::try_from(limits.age.as_millis()).unwrap_or(u64::MAX);
        let at_ms = oldest.arrived_ms.saturating_add(age);
        if now_ms >= at_ms { Decision::Seal { end, reason: Reason::Age } } else { Decision::WaitUntil { at_ms } }
    }

    /// The longest prefix within `limits`, at least one bundle, and whether nothing more fits after it.
    fn fitting(&self, limits: &SealLimits) -> Fitting {
        let mut left = Budget::new(limits);
        let mut bundles = 0;
        for bundle in &self.bundles {
            match left.without(bundle) {
                Some(rest) => left = rest,
                None if bundles == 0 => return Fitting { bundles: 1, full: true },
                None => return Fitting { bundles, full: true },
            }
            bundles += 1;
        }
        Fitting { bundles, full: left.bundles == 0 || left.receipts == 0 || left.data_bytes == 0 }
    }
}

struct Fitting {
    bundles: u64,
    full: bool,
}

/// What is left of the limits.
#[derive(Clone, Copy)]
struct Budget {
    bundles: u32,
    receipts: u32,
    data_bytes: u64,
}

impl Budget {
    fn new(limits: &SealLimits) -> Self {
        Self { bundles: limits.bundles, receipts: limits.receipts, data_bytes: limits.data_bytes }
    }

    fn without(self, bundle: &Appended) -> Option<Self> {
        Some(Self {
            bundles: self.bundles.checked_sub(1)?,
            receipts: self.receipts.checked_sub(bundle.receipts)?,
            data_bytes: self.data_bytes.checked_sub(bundle.data_bytes + BUNDLE_FRAMING)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> SealLimits {
        SealLimits { bundles: 4, receipts: 100, data_bytes: 1 << 20, age: Duration::from_secs(10) }
    }

    fn unsealed(receipts: &[u32]) -> Unsealed {
        let mut unsealed = Unsealed::new(7);
        for (offset, receipts) in receipts.iter().enumerate() {
            unsealed.push(bundle(7 + offset as u64, *receipts));
        }
        unsealed
    }

    fn bundle(log_index: u64, receipts: u32) -> Appended {
        Appended { log_index, receipts, data_bytes: u64::from(receipts) * 100, arrived_ms: 1_000 + log_index }
    }

    #[test]
    fn an_empty_log_has_nothing_to_seal_even_when_asked() {
        assert_eq!(Unsealed::new(7).decide(&limits(), 7, u64::MAX), Decision::Empty);
    }

    #[test]
    fn a_young_batch_waits_for_the_age_of_its_oldest_bundle() {
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), 0, 2_000), Decision::WaitUntil { at_ms: 11_007 });
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), 0, 11_006), Decision::WaitUntil { at_ms: 11_007 });
    }

    #[test]
    fn an_old_batch_is_sealed_with_everything_there_is() {
        let sealed = Decision::Seal { end: 9, reason: Reason::Age };
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), 0, 11_007), sealed);
    }

    #[test]
    fn a_batch_is_sealed_by_bundles_receipts_or_bytes() {
        let full = |end| Decision::Seal { end, reason: Reason::Full };
        assert_eq!(unsealed(&[1; 6]).decide(&limits(), 0, 0), full(11), "bundles");
        assert_eq!(unsealed(&[60, 40]).decide(&limits(), 0, 0), full(9), "receipts, exactly");
        assert_eq!(unsealed(&[60, 41]).decide(&limits(), 0, 0), full(8), "receipts, one too many");
        let few_bytes = SealLimits { data_bytes: 10_000, ..limits() };
        assert_eq!(unsealed(&[10, 10, 10]).decide(&few_bytes, 0, 0), full(8), "bytes");
    }

    #[test]
    fn a_bundle_over_a_small_limit_makes_a_batch_of_its_own() {
        let small = SealLimits { receipts: 5, ..limits() };
        assert_eq!(unsealed(&[60, 1]).decide(&small, 0, 0), Decision::Seal { end: 8, reason: Reason::Full });
    }

    #[test]
    fn what_is_asked_for_is_sealed_at_once_and_later_bundles_are_not() {
        let mut unsealed = unsealed(&[1, 1]);
        assert_eq!(unsealed.decide(&limits(), 9, 0), Decision::Seal { end: 9, reason: Reason::Asked });
        unsealed.sealed(9);
        unsealed.push(bundle(9, 1));
        assert!(matches!(unsealed.decide(&limits(), 9, 0), Decision::WaitUntil { .. }));
    }

    #[test]
    fn a_bundle_announced_twice_counts_once() {
        let mut unsealed = unsealed(&[1]);
        unsealed.push(bundle(7, 1));
        unsealed.push(bundle(9, 1));
        assert_eq!((unsealed.first(), unsealed.end()), (7, 8));
    }

    proptest! {
        #[test]
        fn batches_cover_the_log_without_gap_and_within_limits(receipts in prop::collection::vec(1u32..60, 1..60)) {
            let mut unsealed = unsealed(&receipts);
            let (mut covered, end) = (7, unsealed.end());
            while let Decision::Seal { end, .. } = unsealed.decide(&limits(), end, 0) {
                prop_assert_eq!(unsealed.first(), covered);
                prop_assert!(end > covered && end - covered <= 4);
                let sum: u32 = (covered..end).map(|index| receipts[index as usize - 7]).sum();
                prop_assert!(sum <= 100);
                unsealed.sealed(end);
                covered = end;
            }
            prop_assert_eq!(covered, end);
        }
    }
}

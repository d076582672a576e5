//! When a batch is full or old enough, decided on values alone.

use std::collections::VecDeque;
use std::time::Duration;

use cairn_interface::OVERDUE_GRACE;
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
    /// Age of the oldest registration queue entry that is in no batch. Far below the rollup's `queue_deadline`: a node
    /// waits for it.
    pub entry_age: Duration,
}

impl SealLimits {
    /// The limits of the protocol, which no configuration may exceed; and the age after which buyers should see data.
    pub const PROTOCOL: Self = Self {
        bundles: MAX_BATCH_BUNDLES as u32,
        receipts: MAX_BATCH_RECEIPTS as u32,
        data_bytes: MAX_DATA_LENGTH,
        age: Duration::from_secs(600),
        entry_age: Duration::from_secs(2),
    };
}

/// Batches that may be sealed and not submitted. A sealed batch can be given no further queue entry, and the program takes
/// [`OVERDUE_GRACE`] batches that leave an overdue one: these are half, the other half is for the batches that catch up.
pub const MAX_UNSUBMITTED: u64 = OVERDUE_GRACE as u64 / 2;

/// Whether another batch may be sealed when `sealed` batches are and `submitted` of them are on chain. Nothing overrides
/// this, whoever asks for a seal: more sealed batches than the program will take halt the rollup for good.
#[must_use]
pub const fn may_seal(sealed: u64, submitted: u64) -> bool {
    sealed.saturating_sub(submitted) < MAX_UNSUBMITTED
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
    /// The oldest queue entry has waited long enough.
    Entry,
    /// Someone asked.
    Asked,
}

/// What else may want a batch, whatever the bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Bundles below this index are to be sealed even if there are few.
    pub bundles: u64,
    /// So are the queue entries that wait.
    pub entries: bool,
    /// When the oldest waiting queue entry was seen, in milliseconds since the Unix epoch.
    pub oldest_entry_ms: Option<u64>,
}

/// What to do with the unsealed bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Seal the log from the first unsealed bundle to before this index, with the queue entries that may be consumed. There
    /// may be no bundle, but then there is an entry.
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

    /// Decides at time `now_ms`.
    ///
    /// The same bundles give the same cut, whenever they arrived: a full batch is the longest prefix within `limits`.
    #[must_use]
    pub fn decide(&self, limits: &SealLimits, demand: &Demand, now_ms: u64) -> Decision {
        let due = |since: u64, age: Duration| since.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let bundle_ms = self.bundles.front().map(|oldest| due(oldest.arrived_ms, limits.age));
        let entry_ms = demand.oldest_entry_ms.map(|seen_ms| due(seen_ms, limits.entry_age));
        let Some(at_ms) = bundle_ms.into_iter().chain(entry_ms).min() else { return Decision::Empty };
        let fitting = self.fitting(limits);
        let end = self.first + fitting.bundles;
        let reason = if fitting.full {
            Reason::Full
        } else if demand.bundles > self.first && fitting.bundles > 0 || demand.entries && entry_ms.is_some() {
            Reason::Asked
        } else if entry_ms.is_some_and(|due_ms| now_ms >= due_ms) {
            Reason::Entry
        } else if now_ms >= at_ms {
            Reason::Age
        } else {
            return Decision::WaitUntil { at_ms };
        };
        Decision::Seal { end, reason }
    }

    /// The longest prefix within `limits`, at least one bundle if there is one, and whether nothing more fits after it.
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
        let full = bundles > 0 && (left.bundles == 0 || left.receipts == 0 || left.data_bytes == 0);
        Fitting { bundles, full }
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
        let (age, entry_age) = (Duration::from_secs(10), Duration::from_secs(2));
        SealLimits { bundles: 4, receipts: 100, data_bytes: 1 << 20, age, entry_age }
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

    const NONE: Demand = Demand { bundles: 0, entries: false, oldest_entry_ms: None };

    fn asked(bundles: u64) -> Demand {
        Demand { bundles, entries: true, ..NONE }
    }

    fn entry(seen_ms: u64) -> Demand {
        Demand { oldest_entry_ms: Some(seen_ms), ..NONE }
    }

    #[test]
    fn half_the_grace_may_be_sealed_and_not_submitted() {
        assert_eq!(2 * MAX_UNSUBMITTED, u64::from(OVERDUE_GRACE));
        for submitted in [0, 1, 1_000, u64::MAX - MAX_UNSUBMITTED] {
            assert!(may_seal(submitted, submitted));
            assert!(may_seal(submitted + MAX_UNSUBMITTED - 1, submitted));
            assert!(!may_seal(submitted + MAX_UNSUBMITTED, submitted));
        }
        assert!(!may_seal(u64::MAX, 0));
        assert!(may_seal(3, 4), "the chain may be ahead of what this store knows to be sealed");
    }

    #[test]
    fn an_empty_log_has_nothing_to_seal_even_when_asked() {
        assert_eq!(Unsealed::new(7).decide(&limits(), &asked(7), u64::MAX), Decision::Empty);
    }

    #[test]
    fn an_entry_alone_makes_a_batch_when_it_is_old_or_asked_for() {
        let sealed = |reason| Decision::Seal { end: 7, reason };
        let unsealed = Unsealed::new(7);
        assert_eq!(unsealed.decide(&limits(), &entry(1_000), 2_999), Decision::WaitUntil { at_ms: 3_000 });
        assert_eq!(unsealed.decide(&limits(), &entry(1_000), 3_000), sealed(Reason::Entry));
        assert_eq!(unsealed.decide(&limits(), &Demand { entries: true, ..entry(1_000) }, 0), sealed(Reason::Asked));
    }

    #[test]
    fn an_entry_takes_the_bundles_that_wait_along() {
        let sealed = Decision::Seal { end: 9, reason: Reason::Entry };
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &entry(500), 2_500), sealed);
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &entry(500), 2_499), Decision::WaitUntil { at_ms: 2_500 });
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &entry(9_999), 3_000), Decision::WaitUntil { at_ms: 11_007 });
    }

    #[test]
    fn a_young_batch_waits_for_the_age_of_its_oldest_bundle() {
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &NONE, 2_000), Decision::WaitUntil { at_ms: 11_007 });
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &NONE, 11_006), Decision::WaitUntil { at_ms: 11_007 });
    }

    #[test]
    fn an_old_batch_is_sealed_with_everything_there_is() {
        let sealed = Decision::Seal { end: 9, reason: Reason::Age };
        assert_eq!(unsealed(&[1, 1]).decide(&limits(), &NONE, 11_007), sealed);
    }

    #[test]
    fn a_batch_is_sealed_by_bundles_receipts_or_bytes() {
        let full = |end| Decision::Seal { end, reason: Reason::Full };
        assert_eq!(unsealed(&[1; 6]).decide(&limits(), &NONE, 0), full(11), "bundles");
        assert_eq!(unsealed(&[60, 40]).decide(&limits(), &NONE, 0), full(9), "receipts, exactly");
        assert_eq!(unsealed(&[60, 41]).decide(&limits(), &NONE, 0), full(8), "receipts, one too many");
        let few_bytes = SealLimits { data_bytes: 10_000, ..limits() };
        assert_eq!(unsealed(&[10, 10, 10]).decide(&few_bytes, &NONE, 0), full(8), "bytes");
    }

    #[test]
    fn a_bundle_over_a_small_limit_makes_a_batch_of_its_own() {
        let small = SealLimits { receipts: 5, ..limits() };
        assert_eq!(unsealed(&[60, 1]).decide(&small, &NONE, 0), Decision::Seal { end: 8, reason: Reason::Full });
    }

    #[test]
    fn what_is_asked_for_is_sealed_at_once_and_later_bundles_are_not() {
        let mut unsealed = unsealed(&[1, 1]);
        assert_eq!(unsealed.decide(&limits(), &asked(9), 0), Decision::Seal { end: 9, reason: Reason::Asked });
        unsealed.sealed(9);
        unsealed.push(bundle(9, 1));
        assert!(matches!(unsealed.decide(&limits(), &asked(9), 0), Decision::WaitUntil { .. }));
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
            while let Decision::Seal { end, .. } = unsealed.decide(&limits(), &asked(end), 0) {
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

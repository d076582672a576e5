//! The clauses of the statement as switches, so that a test can show what each of them holds back.

/// One independently enforced part of the statement. [`crate::CircuitSet`] always enforces all of them; the switches
/// exist because a test of a clause must show that the very same witness is accepted by a circuit without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Clause {
    /// 1: each receipt's time is at least the one before it, and less than 2^48 later.
    TimesNonDecreasing,
    /// 1: the last time of a bundle, hence each, is below 2^48.
    TimeBound,
    /// 1: content length, status and verdicts are within their bits, which makes the split of word 1 unique.
    WordRanges,
    /// 1: the claimed tier is 0.
    TierZero,
    /// 1: word 1 is the packing of the parts that are counted.
    WordIsSplit,
    /// 1: an occupied flag is 0 or 1.
    OccupiedIsBit,
    /// 1: after an empty slot come only empty slots.
    EmptySlotsLast,
    /// 1: an empty slot has digest zero in the receipt tree, an occupied one the digest of its leaf.
    EmptyDigestIsZero,
    /// 1: an empty slot has no length, no verdicts and does not move the time.
    EmptySlotIsBlank,
    /// 2: `receipts_root` is the root over the leaves.
    ReceiptsRoot,
    /// 2: `count` is the number of occupied slots.
    Count,
    /// 2: `bytes` is the sum of content lengths.
    Bytes,
    /// 2: `time_min` is the first receipt's time.
    BundleTimeMin,
    /// 2: `time_max` is the last receipt's time.
    BundleTimeMax,
    /// 2: occupied bundles come first in a segment.
    EmptyBundlesLast,
    /// 2: an empty bundle slot has digest zero in the batch tree, an occupied one the digest of its bundle.
    EmptyBundleIsZero,
    /// 2: the segment's root is the root over its bundle digests.
    SegmentRoot,
    /// 7: verdict counters are the sums over the receipts of a bundle.
    Verdicts,
    /// 7: a segment's totals are the sums over its bundles.
    SegmentTotals,
    /// 7: a segment's times are the least and the greatest of its bundles.
    SegmentTimes,
    /// 8: every bundle's `rollup_id` is the segment's.
    BundleRollup,
    /// A segment without bundles says so, and all else it says is zero.
    NoOpIsBlank,
    /// Aggregation: both proofs are of the one circuit below.
    ChildKey,
    /// 2: the root above two children is the node over theirs.
    AggregateRoot,
    /// 2: a left child with a real right sibling is full; so no real child stands right of a no-op, which holds nothing.
    LeftIsFull,
    /// 7: totals are the sums of the children's.
    AggregateTotals,
    /// 7: times are the least and the greatest of the children's.
    AggregateTimes,
    /// 8: both children speak of one rollup.
    AggregateRollup,
    /// 2: a batch holds at least one bundle.
    BatchIsReal,
    /// 2, 7, 8: what the header says is what the aggregated proof says.
    HeaderIsTrue,
    /// 6: old and new state root are equal, as long as nothing moves the state.
    StateCarried,
    /// 5: the queue's two ends are equal, as long as nothing consumes entries.
    QueueCarried,
    /// The public input is `H_header` of the header.
    Statement,
}

/// Which clauses a circuit enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clauses(u64);

impl Clauses {
    /// Every clause: what the protocol says.
    pub const ALL: Self = Self(u64::MAX);

    /// All but one. Proofs of such a circuit prove nothing; it exists to test the full one.
    #[must_use]
    pub const fn without(clause: Clause) -> Self {
        Self(!(1 << clause as u8))
    }

    /// Every clause, in order.
    pub const EACH: [Clause; 33] = [
        Clause::TimesNonDecreasing,
        Clause::TimeBound,
        Clause::WordRanges,
        Clause::TierZero,
        Clause::WordIsSplit,
        Clause::OccupiedIsBit,
        Clause::EmptySlotsLast,
        Clause::EmptyDigestIsZero,
        Clause::EmptySlotIsBlank,
        Clause::ReceiptsRoot,
        Clause::Count,
        Clause::Bytes,
        Clause::BundleTimeMin,
        Clause::BundleTimeMax,
        Clause::EmptyBundlesLast,
        Clause::EmptyBundleIsZero,
        Clause::SegmentRoot,
        Clause::Verdicts,
        Clause::SegmentTotals,
        Clause::SegmentTimes,
        Clause::BundleRollup,
        Clause::NoOpIsBlank,
        Clause::ChildKey,
        Clause::AggregateRoot,
        Clause::LeftIsFull,
        Clause::AggregateTotals,
        Clause::AggregateTimes,
        Clause::AggregateRollup,
        Clause::BatchIsReal,
        Clause::HeaderIsTrue,
        Clause::StateCarried,
        Clause::QueueCarried,
        Clause::Statement,
    ];

    /// Whether `clause` is enforced.
    #[must_use]
    pub const fn enforce(self, clause: Clause) -> bool {
        self.0 >> clause as u8 & 1 == 1
    }

    /// Whether every clause is enforced.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.0 == u64::MAX
    }

    /// The same as far as `inside` goes, and every other clause.
    #[must_use]
    pub(crate) const fn restricted_to(self, inside: &[Clause]) -> Self {
        let mut mask = 0;
        let mut index = 0;
        while index < inside.len() {
            mask |= 1 << inside[index] as u8;
            index += 1;
        }
        Self(self.0 | !mask)
    }

    /// The set as bits, for the identity of a gate.
    #[must_use]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }
}

impl Default for Clauses {
    fn default() -> Self {
        Self::ALL
    }
}

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
    /// 3: of the two x that a key's encoding allows, the group's is taken.
    KeyRoot,
    /// 3: a key's encoding is that of a point on the curve.
    KeyOnCurve,
    /// 3: the lines through which a key's tables are computed are lines.
    KeySlopes,
    /// 3: a signature is checked with the tables of its key.
    SignatureTables,
    /// 3: the chain that computes `s·G - e·K` starts where zero does.
    SignatureStart,
    /// 3: the bits of s and e are 0 or 1.
    SignatureBits,
    /// 3: the slopes of a double-and-add step are those of its lines.
    SignatureSlopes,
    /// 3: the point after a double-and-add step is where its lines lead.
    SignatureSums,
    /// 3: the words of s and e are the numbers of their bits.
    SignatureAccumulators,
    /// 3: each word of s and e starts from zero.
    SignatureWords,
    /// 3: s is below the order of the group.
    ScalarCanonical,
    /// 3: the challenge is `H_challenge` of nonce point, key and message.
    SignatureChallenge,
    /// 3: e has no bits above its 240.
    ChallengeShort,
    /// 3: e is the challenge's elements modulo 2^60.
    ChallengeSplit,
    /// 3: the elements of the challenge are split as the numbers below p that they are.
    ChallengeCanonical,
    /// 3: `s·G - e·K` is the signature's nonce point, where there is a bundle.
    SignatureEquation,
    /// 3, 4: a bundle's account is opened at the bundle's node index.
    BundleAccountIndex,
    /// 4: a bundle's account is in the state before it.
    BundleAccountOpened,
    /// 4: a bundle's sequence is its account's next.
    SequenceIsNext,
    /// 4: the account moves by exactly one bundle, its receipts and its bytes, and keeps its key.
    AccountCounts,
    /// 4: an account's total of bytes stays below 2^62.
    BytesTotalBound,
    /// 6: what follows starts from the state and the queue that the slot before it leaves.
    StateThreaded,
    /// 6: the state after a slot is the one before with the new account in its place, and unchanged after an empty slot.
    StateMoves,
    /// 5: the flag of an entry slot is 0 or 1.
    EntryIsBit,
    /// 5: after an empty entry slot come only empty entry slots.
    EmptyEntriesLast,
    /// 5: an entry is one of the three kinds, and its flags are those of its kind.
    EntryKindKnown,
    /// 5: the queue's digest after an entry is the link over the one before, and unchanged after an empty slot.
    QueueChain,
    /// 5: the queue's position counts the entries.
    QueuePosition,
    /// 5: an entry changes the account at its node index.
    EntryAccountIndex,
    /// 5: the account that an entry changes is in the state before it.
    EntryAccountOpened,
    /// 5: a place of the tree without an account has no sequence and no totals.
    EntryAccountReal,
    /// 5: the account after an entry is what its kind makes of the one before.
    EntryApplied,
    /// A segment without bundles and entries says so, and all else it says is zero.
    NoOpIsBlank,
    /// Aggregation: both proofs are of the one circuit below.
    ChildKey,
    /// 2: the root above two children is the node over theirs.
    AggregateRoot,
    /// 2: a left child is full if its right sibling holds bundles.
    LeftIsFull,
    /// 5: a left child has consumed no entries if its right sibling holds bundles.
    BundlesFirst,
    /// 6: a right child starts from the state that the left one leaves. So it does not follow a no-op, whose state is zero.
    AggregateStateThreaded,
    /// 5: a right child starts from the queue that the left one leaves.
    AggregateQueueThreaded,
    /// 5, 6: two children leave the state and the queue that the last real one of them leaves.
    AggregateEnds,
    /// 7: totals are the sums of the children's.
    AggregateTotals,
    /// 7: times are the least and the greatest of the children's.
    AggregateTimes,
    /// 8: both children speak of one rollup.
    AggregateRollup,
    /// 2: a batch holds at least one bundle or entry.
    BatchIsReal,
    /// 2, 7, 8: what the header says is what the aggregated proof says.
    HeaderIsTrue,
    /// 6: the header's state roots are those of the aggregated proof.
    HeaderState,
    /// 5: the header's queue ends are those of the aggregated proof.
    HeaderQueue,
    /// The public input is `H_header` of the header.
    Statement,
    /// The public inputs of the last proof are those of the batch proof.
    FinalStatement,
}

/// Which clauses a circuit enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clauses(u128);

impl Clauses {
    /// Every clause: what the protocol says.
    pub const ALL: Self = Self(u128::MAX);

    /// All but one. Proofs of such a circuit prove nothing; it exists to test the full one.
    #[must_use]
    pub const fn without(clause: Clause) -> Self {
        Self(!(1 << clause as u8))
    }

    /// These but one.
    #[must_use]
    pub const fn and_without(self, clause: Clause) -> Self {
        Self(self.0 & Self::without(clause).0)
    }

    /// Every clause, in order.
    pub const EACH: [Clause; 70] = [
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
        Clause::KeyRoot,
        Clause::KeyOnCurve,
        Clause::KeySlopes,
        Clause::SignatureTables,
        Clause::SignatureStart,
        Clause::SignatureBits,
        Clause::SignatureSlopes,
        Clause::SignatureSums,
        Clause::SignatureAccumulators,
        Clause::SignatureWords,
        Clause::ScalarCanonical,
        Clause::SignatureChallenge,
        Clause::ChallengeShort,
        Clause::ChallengeSplit,
        Clause::ChallengeCanonical,
        Clause::SignatureEquation,
        Clause::BundleAccountIndex,
        Clause::BundleAccountOpened,
        Clause::SequenceIsNext,
        Clause::AccountCounts,
        Clause::BytesTotalBound,
        Clause::StateThreaded,
        Clause::StateMoves,
        Clause::EntryIsBit,
        Clause::EmptyEntriesLast,
        Clause::EntryKindKnown,
        Clause::QueueChain,
        Clause::QueuePosition,
        Clause::EntryAccountIndex,
        Clause::EntryAccountOpened,
        Clause::EntryAccountReal,
        Clause::EntryApplied,
        Clause::NoOpIsBlank,
        Clause::ChildKey,
        Clause::AggregateRoot,
        Clause::LeftIsFull,
        Clause::BundlesFirst,
        Clause::AggregateStateThreaded,
        Clause::AggregateQueueThreaded,
        Clause::AggregateEnds,
        Clause::AggregateTotals,
        Clause::AggregateTimes,
        Clause::AggregateRollup,
        Clause::BatchIsReal,
        Clause::HeaderIsTrue,
        Clause::HeaderState,
        Clause::HeaderQueue,
        Clause::Statement,
        Clause::FinalStatement,
    ];

    /// Whether `clause` is enforced.
    #[must_use]
    pub const fn enforce(self, clause: Clause) -> bool {
        self.0 >> clause as u8 & 1 == 1
    }

    /// Whether every clause is enforced.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.0 == u128::MAX
    }

    /// The same as far as `inside` goes, and every other clause.
    #[must_use]
    pub(crate) const fn restricted_to(self, inside: &[Clause]) -> Self {
        let mut mask = 0_u128;
        let mut index = 0;
        while index < inside.len() {
            mask |= 1 << inside[index] as u8;
            index += 1;
        }
        Self(self.0 | !mask)
    }

    /// The set as bits, for the identity of a gate.
    #[must_use]
    pub(crate) const fn bits(self) -> u128 {
        self.0
    }
}

impl Default for Clauses {
    fn default() -> Self {
        Self::ALL
    }
}

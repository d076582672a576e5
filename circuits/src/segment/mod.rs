//! `BundleSegment`: up to 16 bundles and all their receipts, the leaves of the proof tree.
//!
//! **What it proves** (clauses 1, 2, 7 and 8 of the protocol, for its bundles): there are receipts such that each leaf is
//! well formed, each bundle's root, count, bytes and times are the true ones of its receipts, the segment's root is that
//! of the tree over the bundle digests (zero for empty slots, which come last), its totals are the sums, its times
//! the least and greatest, and every bundle names the segment's rollup.
//!
//! **What it does not prove**: who signed a bundle, that its sequence is the node's next, or that `node_index` and `sequence` are in
//! range (intake checks them until accounts are proved); that words 2 to 7 of a leaf belong to a receipt (verifiers derive
//! them from its bytes). A segment without bundles is a no-op, of which nothing holds.
//!
//! Native twin: `cairn_types::BundleData::statement_and_totals` for each bundle.

mod bundle;
mod inputs;

pub use bundle::BundleTarget;
pub use inputs::{BundleInputs, SegmentInputs};

use crate::compiled::{Compiled, Draft};
use crate::gadgets::compare::{greatest, least};
use crate::gadgets::{Enforcer, masked, not, tree};
use crate::plonk::{Builder, DigestTarget};
use crate::public_inputs::{PublicInputs, PublicInputsTarget};
use crate::{Clause, Clauses};
use cairn_types::limits::{MAX_BATCH_BYTES, RECEIPTS_DEPTH};
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_data::CircuitConfig;

/// How much a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentShape {
    /// Depth of each bundle's receipt tree.
    pub receipts_depth: usize,
    /// Depth of the tree over the segment's bundles.
    pub bundles_depth: usize,
}

impl SegmentShape {
    /// The one shape that batches are proved in: 16 bundles of 256 receipts, in 2^14 rows of which signatures will take a
    /// third. Larger segments are fewer and so need fewer aggregations; smaller ones would waste less on a batch of few
    /// bundles but climb more levels, which costs more (figures in `README.md`).
    pub const FULL: Self = Self { receipts_depth: RECEIPTS_DEPTH, bundles_depth: 4 };

    /// Bundles in a full segment.
    #[must_use]
    pub const fn bundles(self) -> usize {
        1 << self.bundles_depth
    }

    /// Receipts in a full segment.
    #[must_use]
    pub const fn receipts(self) -> usize {
        1 << (self.bundles_depth + self.receipts_depth)
    }
}

// Sums of 2^17 lengths below 2^40 stay below the field's order with room to spare, as do counts below 2^21 in a packed word.
const _: () = assert!(MAX_BATCH_BYTES < 1 << 63);

/// The circuit.
pub type SegmentCircuit = Compiled<SegmentTarget>;

/// A segment in a circuit.
#[derive(Debug)]
pub struct SegmentTarget {
    /// The shape.
    pub shape: SegmentShape,
    /// The rollup of every bundle in it.
    pub rollup_id: DigestTarget,
    /// Its bundles.
    pub bundles: Vec<BundleTarget>,
    /// What it says in public.
    pub public: PublicInputsTarget,
    /// Values that a circuit without some clause leaves open; empty in a full one.
    pub free: Vec<(Clause, Vec<Target>)>,
}

impl SegmentTarget {
    /// Draws the circuit, enforcing `clauses`.
    #[must_use]
    pub fn draft(config: CircuitConfig, shape: SegmentShape, clauses: Clauses) -> Draft<Self> {
        let mut builder = Builder::new(config);
        let target = Self::constrain(&mut builder, shape, clauses);
        builder.register_public_inputs(&target.public.to_array());
        Draft { builder, target }
    }

    /// Constrains a segment.
    pub fn constrain(builder: &mut Builder, shape: SegmentShape, clauses: Clauses) -> Self {
        let enforcer = &mut Enforcer::new(clauses);
        let rollup_id: DigestTarget = builder.add_virtual_target_arr();
        let bundles: Vec<_> = (0..shape.bundles())
            .map(|_| BundleTarget::constrain(builder, enforcer, shape.receipts_depth, rollup_id))
            .collect();

        for pair in bundles.windows(2) {
            let before_empty = not(builder, pair[0].occupied);
            enforcer.zero_if(builder, Clause::EmptyBundlesLast, before_empty, pair[1].occupied);
        }
        let slots: Vec<DigestTarget> = bundles.iter().map(|bundle| bundle.slot_digest).collect();
        let root = tree::root(builder, &slots);
        let root = enforcer.bind(builder, Clause::SegmentRoot, root);

        let mut total = |part: fn(&BundleTarget) -> Target| {
            let sum = builder.add_many(bundles.iter().map(part));
            enforcer.bind_one(builder, Clause::SegmentTotals, sum)
        };
        let (count, receipts, bytes) = (total(|b| b.occupied), total(|b| b.count), total(|b| b.bytes));
        let verdicts = [
            total(|b| b.verdicts[0]),
            total(|b| b.verdicts[1]),
            total(|b| b.verdicts[2]),
            total(|b| b.verdicts[3]),
            total(|b| b.verdicts[4]),
        ];

        let (mut time_min, mut time_max) = (bundles[0].time_min, bundles[0].time_max);
        for bundle in &bundles[1..] {
            // An empty bundle has times zero: it must not lower the least, and cannot raise the greatest.
            let occupied = plonky2::iop::target::BoolTarget::new_unsafe(bundle.occupied);
            let candidate = builder.select(occupied, bundle.time_min, time_min);
            time_min = least(builder, time_min, candidate);
            time_max = greatest(builder, time_max, bundle.time_max);
        }
        let [time_min, time_max] = enforcer.bind(builder, Clause::SegmentTimes, [time_min, time_max]);

        let occupied = bundles[0].occupied;
        let no_op = not(builder, occupied);
        let blank_root = masked(builder, occupied, root);
        let blank_rollup = masked(builder, occupied, rollup_id);
        let no_op = enforcer.bind_one(builder, Clause::NoOpIsBlank, no_op);
        let public = PublicInputs {
            no_op,
            root: enforcer.bind(builder, Clause::NoOpIsBlank, blank_root),
            bundles: count,
            receipts,
            bytes,
            time_min,
            time_max,
            verdicts,
            rollup_id: enforcer.bind(builder, Clause::NoOpIsBlank, blank_rollup),
        };
        let free = std::mem::take(enforcer).into_free();
        Self { shape, rollup_id, bundles, public, free }
    }
}

//! `BundleSegment`: up to 32 bundles and all their receipts, then up to 32 queue entries: the leaves of the proof tree.
//!
//! **What it proves** (clauses 1 to 8 of the protocol, for its bundles and entries): there are receipts such that each leaf is
//! well formed, each bundle's root, count, bytes and times are the true ones of its receipts, the segment's root is that
//! of the tree over the bundle digests (zero for empty slots, which come last), its totals are the sums, its times
//! the least and greatest, and every bundle names the segment's rollup; each bundle is signed by its node's key and is the
//! next one in its account; after all bundles the entries follow one another from one end of the queue to the other; and all
//! that leads from the old state root to the new one.
//!
//! **What it does not prove**: that words 2 to 7 of a leaf belong to a receipt (verifiers derive them from its bytes). A
//! segment with neither bundles nor entries is a no-op, of which nothing holds.
//!
//! Native twins: `cairn_types::BundleData::statement_and_totals` for each bundle, `cairn_types::state::PartialState` for
//! what it does to the state.

mod account;
mod bundle;
mod codec;
mod entry;
mod inputs;

pub use account::{AccountPath, AccountTarget};
pub use bundle::{BundleRows, BundleTarget};
pub use codec::InputsError;
pub use entry::EntryTarget;
pub use inputs::{AccountInputs, BundleInputs, EntryInputs, SegmentInputs};

use crate::compiled::{Compiled, Draft};
use crate::gadgets::compare::{greatest, least};
use crate::gadgets::{Enforcer, masked, not, tree};
use crate::plonk::{Builder, DigestTarget};
use crate::public_inputs::{PublicInputs, PublicInputsTarget, QueueEnd};
use crate::{Clause, Clauses};
use cairn_types::limits::{MAX_BATCH_BYTES, RECEIPTS_DEPTH, SEGMENT_BUNDLES, SEGMENT_QUEUE_ENTRIES};
use entry::Standing;
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_data::CircuitConfig;

/// How much a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentShape {
    /// Depth of each bundle's receipt tree.
    pub receipts_depth: usize,
    /// Depth of the tree over the segment's bundles.
    pub bundles_depth: usize,
    /// Queue entries.
    pub entries: usize,
}

impl SegmentShape {
    /// The one shape that batches are proved in. Larger segments are fewer and so need fewer aggregations; smaller ones
    /// would waste less on a batch of few bundles but climb more levels, which costs more (figures in `README.md`).
    pub const FULL: Self = Self {
        receipts_depth: RECEIPTS_DEPTH,
        bundles_depth: SEGMENT_BUNDLES.trailing_zeros() as usize,
        entries: SEGMENT_QUEUE_ENTRIES,
    };

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
const _: () = assert!(SegmentShape::FULL.bundles() == SEGMENT_BUNDLES);

/// Rows that the parts of a segment take, all slots together; what is left of [`crate::Compiled::used_rows`] are totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRows {
    /// Bundles: their receipts and trees, signatures, accounts.
    pub bundles: BundleRows,
    /// Queue entries.
    pub entries: usize,
}

/// The circuit.
pub type SegmentCircuit = Compiled<SegmentTarget>;

/// A segment in a circuit.
#[derive(Debug)]
pub struct SegmentTarget {
    /// The shape.
    pub shape: SegmentShape,
    /// The rollup of every bundle in it.
    pub rollup_id: DigestTarget,
    /// Root of the account tree before it.
    pub state: DigestTarget,
    /// The queue before it.
    pub queue: QueueEnd<Target>,
    /// Its bundles.
    pub bundles: Vec<BundleTarget>,
    /// The queue entries after them.
    pub entries: Vec<EntryTarget>,
    /// What it says in public.
    pub public: PublicInputsTarget,
    /// What it takes.
    pub spent: SegmentRows,
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
        Draft::new(builder, target)
    }

    /// Constrains a segment.
    pub fn constrain(builder: &mut Builder, shape: SegmentShape, clauses: Clauses) -> Self {
        let enforcer = &mut Enforcer::new(clauses);
        let rollup_id: DigestTarget = builder.add_virtual_target_arr();
        let state: DigestTarget = builder.add_virtual_target_arr();
        let queue = QueueEnd::from_array(builder.add_virtual_target_arr());
        let mut standing = Standing { state, queue };
        let mut bundles: Vec<BundleTarget> = Vec::with_capacity(shape.bundles());
        for _ in 0..shape.bundles() {
            let state = enforcer.bind(builder, Clause::StateThreaded, standing.state);
            let (bundle, after) = BundleTarget::constrain(builder, enforcer, shape.receipts_depth, rollup_id, state);
            standing.state = after;
            bundles.push(bundle);
        }
        let begin = builder.num_gates();
        let mut entries: Vec<EntryTarget> = Vec::with_capacity(shape.entries);
        for _ in 0..shape.entries {
            let state = enforcer.bind(builder, Clause::StateThreaded, standing.state);
            let queue = enforcer.bind(builder, Clause::StateThreaded, standing.queue.to_array());
            let before = Standing { state, queue: QueueEnd::from_array(queue) };
            let (entry, after) = EntryTarget::constrain(builder, enforcer, before);
            standing = after;
            entries.push(entry);
        }
        let sum = |part: fn(&BundleRows) -> usize| bundles.iter().map(|bundle| part(&bundle.spent)).sum();
        let in_bundles =
            BundleRows { receipts: sum(|b| b.receipts), signature: sum(|b| b.signature), account: sum(|b| b.account) };
        let spent = SegmentRows { bundles: in_bundles, entries: builder.num_gates() - begin };

        for pair in bundles.windows(2) {
            let before_empty = not(builder, pair[0].occupied);
            enforcer.zero_if(builder, Clause::EmptyBundlesLast, before_empty, pair[1].occupied);
        }
        for pair in entries.windows(2) {
            let before_empty = not(builder, pair[0].occupied);
            enforcer.zero_if(builder, Clause::EmptyEntriesLast, before_empty, pair[1].occupied);
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

        let [no_bundles, no_entries] = [bundles[0].occupied, entries[0].occupied].map(|bit| not(builder, bit));
        let no_op = builder.mul(no_bundles, no_entries);
        let real = not(builder, no_op);
        let no_op = enforcer.bind_one(builder, Clause::NoOpIsBlank, no_op);
        let public = PublicInputs {
            no_op,
            root: unless_blank(builder, enforcer, real, root),
            bundles: count,
            receipts,
            bytes,
            time_min,
            time_max,
            verdicts,
            rollup_id: unless_blank(builder, enforcer, real, rollup_id),
            old_state: unless_blank(builder, enforcer, real, state),
            new_state: unless_blank(builder, enforcer, real, standing.state),
            queue_from: QueueEnd::from_array(unless_blank(builder, enforcer, real, queue.to_array())),
            queue_to: QueueEnd::from_array(unless_blank(builder, enforcer, real, standing.queue.to_array())),
        };
        let free = std::mem::take(enforcer).into_free();
        Self { shape, rollup_id, state, queue, bundles, entries, public, spent, free }
    }
}

/// What a segment says in public of `values`: zeros if it is a no-op.
fn unless_blank<const N: usize>(
    builder: &mut Builder,
    enforcer: &mut Enforcer,
    real: Target,
    values: [Target; N],
) -> [Target; N] {
    let stated = masked(builder, real, values);
    enforcer.bind(builder, Clause::NoOpIsBlank, stated)
}

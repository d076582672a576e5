//! What a proof below the top has to say in public, computed natively: with it, a proof that came from elsewhere is known to be
//! the one that was asked for.

use crate::SegmentShape;
use crate::public_inputs::{PublicInputs, QueueEnd};
use cairn_types::tree::{self, EMPTY};
use cairn_types::{Bundle, Digest, QueueCursor, Totals};

/// The public inputs of a segment or aggregation as canonical words.
pub type Statement = PublicInputs<u64>;

impl Statement {
    /// What a segment says of its bundles with their sums, the account tree's root before and after, and the queue before
    /// and after. There must be a bundle or an entry.
    #[must_use]
    pub fn of_segment(
        rollup_id: &Digest,
        bundles: &[(Bundle, Totals)],
        state: [Digest; 2],
        queue: [QueueCursor; 2],
    ) -> Self {
        let digests: Vec<_> = bundles.iter().map(|(bundle, _)| bundle.digest()).collect();
        let sum = |part: fn(&Totals) -> u64| bundles.iter().map(|(_, totals)| part(totals)).sum();
        // Counters do not meet within a word, so packed words can be added.
        let packed = |verdict: usize| bundles.iter().map(|(_, totals)| totals.verdicts[verdict].packed()).sum();
        let [queue_from, queue_to] = queue.map(|end| QueueEnd { position: end.position, digest: end.digest.words() });
        let [old_state, new_state] = state.map(|root| root.words());
        Self {
            no_op: 0,
            root: tree::root(SegmentShape::FULL.bundles_depth, &digests).words(),
            bundles: bundles.len() as u64,
            receipts: sum(|totals| totals.receipts.into()),
            bytes: sum(|totals| totals.bytes),
            time_min: bundles.iter().map(|(bundle, _)| bundle.time_min).min().unwrap_or(0),
            time_max: bundles.iter().map(|(bundle, _)| bundle.time_max).max().unwrap_or(0),
            verdicts: std::array::from_fn(packed),
            rollup_id: rollup_id.words(),
            old_state,
            new_state,
            queue_from,
            queue_to,
        }
    }

    /// What a node of `level` (from 1) says over two children; without a right one, over the no-op.
    #[must_use]
    pub fn join(level: usize, left: &Self, right: Option<&Self>) -> Self {
        let depth = SegmentShape::FULL.bundles_depth + level - 1;
        let root = |words| tree::node(&Digest::constant(left.root), &words).words();
        let Some(right) = right else { return Self { root: root(EMPTY[depth]), ..*left } };
        Self {
            no_op: 0,
            root: root(Digest::constant(right.root)),
            bundles: left.bundles + right.bundles,
            receipts: left.receipts + right.receipts,
            bytes: left.bytes + right.bytes,
            time_min: if right.bundles == 0 { left.time_min } else { left.time_min.min(right.time_min) },
            time_max: left.time_max.max(right.time_max),
            verdicts: std::array::from_fn(|verdict| left.verdicts[verdict] + right.verdicts[verdict]),
            rollup_id: left.rollup_id,
            old_state: left.old_state,
            new_state: right.new_state,
            queue_from: left.queue_from,
            queue_to: right.queue_to,
        }
    }
}

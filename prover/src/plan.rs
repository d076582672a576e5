//! From a sealed batch to the inputs of its segments.

use crate::ProveError;
use cairn_circuits::{LEVELS, SegmentInputs, SegmentShape, Statement};
use cairn_types::state::PartialState;
use cairn_types::{Batch, BatchHeader, Bundle, BundleData, Cursor, Digest, QueueCursor, QueueEntry, Totals};

/// What one segment proves.
type Share<'a> = (Vec<(Bundle, &'a BundleData)>, &'a [QueueEntry]);

/// Runs the native twin of the whole batch, then gives the inputs of each segment in order, the state being threaded
/// through all of them.
pub(crate) fn segments(batch: &Batch, before: &PartialState) -> Result<Vec<SegmentInputs>, ProveError> {
    let header = &batch.header;
    before.verify(&header.old_state_root).map_err(ProveError::State)?;
    check(batch, before)?;
    let (mut state, mut queue) = (before.clone(), header.queue_from);
    let mut inputs = Vec::new();
    for (bundles, entries) in shares(batch) {
        let segment = SegmentInputs::apply(&header.rollup_id, &bundles, entries, &mut state, &mut queue);
        inputs.push(segment.map_err(ProveError::State)?);
    }
    Ok(inputs)
}

/// What every proof below the top has to say: segments first, then level by level up to the last, which has one.
/// `segments` are those of the batch.
pub(crate) fn statements(batch: &Batch, segments: &[SegmentInputs]) -> Vec<Vec<Statement>> {
    let header = &batch.header;
    let begins = segments.iter().map(|segment| {
        let [position, digest @ ..] = segment.queue;
        (Digest::constant(segment.state), QueueCursor { position, digest: Digest::constant(digest) })
    });
    let end = (header.new_state_root, header.queue_to);
    let ends: Vec<_> = begins.chain(std::iter::once(end)).collect();
    let shares = shares(batch);
    let leaves = shares.iter().zip(ends.windows(2)).map(|((bundles, _), ends)| {
        let sums: Vec<_> = bundles.iter().map(|(statement, data)| (*statement, totals(data))).collect();
        Statement::of_segment(&header.rollup_id, &sums, [ends[0].0, ends[1].0], [ends[0].1, ends[1].1])
    });
    let mut layers = vec![leaves.collect::<Vec<_>>()];
    for level in 1..=LEVELS {
        let join = |pair: &[Statement]| Statement::join(level, &pair[0], pair.get(1));
        layers.push(layers[level - 1].chunks(2).map(join).collect());
    }
    layers
}

/// The sums over a bundle's receipts, whose leaves sealing has found well formed.
fn totals(data: &BundleData) -> Totals {
    let mut totals = Totals::default();
    data.records.iter().filter_map(|record| record.leaf.parts().ok()).for_each(|leaf| totals.add(&leaf));
    totals
}

/// The header must be what sealing the bundles and entries gives.
fn check(batch: &Batch, before: &PartialState) -> Result<(), ProveError> {
    let header = &batch.header;
    let cursor = Cursor {
        batches: header.number,
        header_digest: header.previous,
        state_root: header.old_state_root,
        queue: header.queue_from,
    };
    let (bundles, entries) = (batch.bundles.clone(), batch.entries.clone());
    let sealed = Batch::seal(&cursor, header.rollup_id, bundles, entries, &mut before.clone())?;
    if sealed.statements != batch.statements {
        return Err(ProveError::Statements);
    }
    compare(header, &sealed.header)
}

fn compare(stated: &BatchHeader, computed: &BatchHeader) -> Result<(), ProveError> {
    let (stated, computed) = (stated.words(), computed.words());
    match stated.iter().zip(computed).position(|(stated, computed)| *stated != computed) {
        None => Ok(()),
        Some(word) => Err(ProveError::Header { word, stated: stated[word], computed: computed[word] }),
    }
}

/// Bundles fill segments from the first; entries begin in the last segment that has bundles and go on in further ones.
fn shares(batch: &Batch) -> Vec<Share<'_>> {
    const SHAPE: SegmentShape = SegmentShape::FULL;
    let bundles: Vec<_> = batch.statements.iter().copied().zip(&batch.bundles).collect();
    let mut shares: Vec<Share<'_>> = bundles.chunks(SHAPE.bundles()).map(|chunk| (chunk.to_vec(), &[][..])).collect();
    let room = if shares.is_empty() { 0 } else { SHAPE.entries.min(batch.entries.len()) };
    let (beside, further) = batch.entries.split_at(room);
    if let Some(last) = shares.last_mut() {
        last.1 = beside;
    }
    shares.extend(further.chunks(SHAPE.entries).map(|chunk| (Vec::new(), chunk)));
    shares
}

//! From a sealed batch to the inputs of its segments.

use crate::ProveError;
use cairn_circuits::{SegmentInputs, SegmentShape};
use cairn_types::state::PartialState;
use cairn_types::{Batch, BatchHeader, Bundle, BundleData, Cursor, QueueEntry};

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

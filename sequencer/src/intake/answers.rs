//! What is known about a node, and about a bundle.

use cairn_proto::{BatchPlace, BundleStage, BundleStatus, NodeQuery, NodeStatus};

use super::authorise::{Log, LogView};
use crate::Stage;
use crate::status::LogStatus;
use crate::store::StoreError;

/// A node as the log leaves it; `None` when no registration of it is known. Blocks.
///
/// # Errors
/// When the store fails.
pub fn node(log: &Log, query: NodeQuery) -> Result<Option<NodeStatus>, StoreError> {
    let node_index = match query {
        NodeQuery::Index(node_index) => node_index,
        NodeQuery::Key(key) => match log.store.node_of_key(&key)? {
            Some(node_index) => node_index,
            // A registration that is in no batch yet, or a rotation to this key.
            None => {
                let pending = log.registrations.read();
                let waiting = pending.entries().filter(|queued| !key.is_zero() && queued.entry.key == key);
                match waiting.map(|queued| queued.entry.node_index).min() {
                    Some(node_index) => node_index,
                    None => return Ok(None),
                }
            }
        },
    };
    // Held still, so that account and entry are of one moment.
    let pending = log.registrations.read();
    Ok(NodeStatus::of(node_index, log.store.head(node_index)?, pending.of(node_index)))
}

/// How far a bundle has come; `None` when the log does not have it. Blocks.
///
/// # Errors
/// When the store fails.
pub fn bundle(
    log: &Log,
    status: &LogStatus,
    settled: u64,
    node_index: u32,
    sequence: u64,
) -> Result<Option<BundleStatus>, StoreError> {
    let Some(placed) = log.placed(node_index, sequence)? else { return Ok(None) };
    let acknowledgement = placed.acknowledgement(&log.store.rollup_id(), node_index, sequence);
    let batch = log.store.batch_of_bundle(placed.log_index)?;
    let stage = match &batch {
        None => BundleStage::Acknowledged,
        Some(batch) => {
            let passed = |stage| status.stage(stage).batches > batch.header.number;
            if settled > batch.header.number {
                BundleStage::Settled
            } else if passed(Stage::Submitted) {
                BundleStage::Submitted
            } else if passed(Stage::Proved) {
                BundleStage::Proved
            } else if passed(Stage::Published) {
                BundleStage::Published
            } else {
                BundleStage::Sealed
            }
        }
    };
    let batch = batch.map(|batch| BatchPlace { number: batch.header.number, header_digest: batch.header_digest });
    Ok(Some(BundleStatus { acknowledgement, stage, batch }))
}

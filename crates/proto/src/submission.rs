//! A bundle on its way from a node to the sequencer.

use cairn_types::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_RECEIPTS, MAX_RECEIPT_BYTES};
use cairn_types::{BundleData, Digest, Leaf, Receipt, Record};

use crate::field::{self, FieldError};
use crate::v1::SubmitBundleRequest;

/// A bundle, and the rollup that it is for.
///
/// Reading one from the wire checks every limit, that each receipt is canonical and names this rollup and node, and
/// derives the leaves. Whether the bundle can be proved is for [`BundleData::statement`] and [`cairn_types::Account`] to
/// say: the signature is read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The rollup that the node means.
    pub rollup_id: Digest,
    /// The receipts with their leaves, the node's index, sequence and signature.
    pub bundle: BundleData,
}

impl TryFrom<SubmitBundleRequest> for Submission {
    type Error = FieldError;

    fn try_from(request: SubmitBundleRequest) -> Result<Self, FieldError> {
        let rollup_id = field::digest("rollup_id", &request.rollup_id)?;
        let node_index = field::node_index("node_index", request.node_index)?;
        let sequence = field::counter("sequence", request.sequence)?;
        let signature = field::receipt_signature("signature", &request.signature)?;
        check_sizes(&request.receipts)?;
        let records = request
            .receipts
            .into_iter()
            .enumerate()
            .map(|(slot, bytes)| record(slot, bytes, &rollup_id, node_index))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rollup_id, bundle: BundleData { node_index, sequence, signature, records } })
    }
}

impl From<Submission> for SubmitBundleRequest {
    fn from(submission: Submission) -> Self {
        Self {
            rollup_id: submission.rollup_id.to_bytes().to_vec(),
            node_index: submission.bundle.node_index,
            sequence: submission.bundle.sequence,
            receipts: submission.bundle.records.into_iter().map(|record| record.receipt).collect(),
            signature: submission.bundle.signature.as_bytes().to_vec(),
        }
    }
}

/// Bounds on the encoded receipts, checked before any of them is decoded.
///
/// # Errors
/// Names `receipts`, or the receipt that is too long.
pub fn check_sizes(receipts: &[Vec<u8>]) -> Result<(), FieldError> {
    field::size("receipts", "receipts", receipts.len(), 1, MAX_BUNDLE_RECEIPTS)?;
    if let Some(slot) = receipts.iter().position(|bytes| bytes.is_empty() || bytes.len() > MAX_RECEIPT_BYTES) {
        field::size(&format!("receipts[{slot}]"), "bytes", receipts[slot].len(), 1, MAX_RECEIPT_BYTES)?;
    }
    let total = receipts.iter().map(Vec::len).sum();
    field::size("receipts", "bytes in all", total, 1, MAX_BUNDLE_BYTES)?;
    Ok(())
}

fn record(slot: usize, bytes: Vec<u8>, rollup_id: &Digest, node_index: u32) -> Result<Record, FieldError> {
    let malformed = |reason: String| FieldError::Malformed { field: format!("receipts[{slot}]"), reason };
    let receipt = Receipt::decode(&bytes).map_err(|error| malformed(error.to_string()))?;
    if receipt.rollup_id != *rollup_id {
        return Err(malformed(format!("names rollup {}, the request {rollup_id}", receipt.rollup_id)));
    }
    if receipt.node_index != node_index {
        return Err(malformed(format!("names node {}, the request {node_index}", receipt.node_index)));
    }
    let leaf = Leaf::of(&receipt, &bytes).map_err(|error| malformed(error.to_string()))?;
    Ok(Record { receipt: bytes, leaf })
}

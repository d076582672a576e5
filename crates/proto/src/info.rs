//! What a node asks for before it submits.

use cairn_types::Digest;

use crate::field::{self, FieldError};
use crate::v1;

/// What a sequencer accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Receipts in a bundle.
    pub receipts_per_bundle: u32,
    /// Bytes of an encoded receipt.
    pub receipt_bytes: u32,
    /// Bytes of an encoded request.
    pub message_bytes: u32,
    /// Bundles awaiting their acknowledgement at one time, over all clients.
    pub bundles_in_flight: u32,
}

/// A sequencer as one node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeInfo {
    /// The rollup that the sequencer serves. A node compares it with the one that it computed itself.
    pub rollup_id: Digest,
    /// What the sequencer accepts.
    pub limits: Limits,
    /// The only sequence that a new bundle of the node may have.
    pub next_sequence: u64,
}

impl TryFrom<v1::InfoReply> for NodeInfo {
    type Error = FieldError;

    fn try_from(message: v1::InfoReply) -> Result<Self, FieldError> {
        let limits = message.limits.ok_or_else(|| FieldError::Missing { field: "limits".to_owned() })?;
        Ok(Self {
            rollup_id: field::digest("rollup_id", &message.rollup_id)?,
            limits: Limits {
                receipts_per_bundle: limits.receipts_per_bundle,
                receipt_bytes: limits.receipt_bytes,
                message_bytes: limits.message_bytes,
                bundles_in_flight: limits.bundles_in_flight,
            },
            next_sequence: field::counter("next_sequence", message.next_sequence)?,
        })
    }
}

impl From<NodeInfo> for v1::InfoReply {
    fn from(value: NodeInfo) -> Self {
        Self {
            rollup_id: value.rollup_id.to_bytes().to_vec(),
            limits: Some(v1::Limits {
                receipts_per_bundle: value.limits.receipts_per_bundle,
                receipt_bytes: value.limits.receipt_bytes,
                message_bytes: value.limits.message_bytes,
                bundles_in_flight: value.limits.bundles_in_flight,
            }),
            next_sequence: value.next_sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> NodeInfo {
        NodeInfo {
            rollup_id: Digest::from_byte_digest([5; 32]),
            limits: Limits {
                receipts_per_bundle: 256,
                receipt_bytes: 1 << 15,
                message_bytes: 1 << 22,
                bundles_in_flight: 64,
            },
            next_sequence: 12,
        }
    }

    #[test]
    fn info_round_trips() {
        assert_eq!(NodeInfo::try_from(v1::InfoReply::from(info())), Ok(info()));
    }

    #[test]
    fn each_field_out_of_bounds_is_named() {
        let good = v1::InfoReply::from(info());
        let cases = [
            ("limits", v1::InfoReply { limits: None, ..good.clone() }),
            ("rollup_id", v1::InfoReply { rollup_id: vec![], ..good.clone() }),
            ("next_sequence", v1::InfoReply { next_sequence: u64::MAX, ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(NodeInfo::try_from(message).unwrap_err().field(), field);
        }
    }
}

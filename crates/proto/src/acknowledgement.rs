//! The sequencer's promise that a bundle is on its disk.

use cairn_types::Digest;

use crate::field::{self, FieldError};
use crate::v1;

/// A bundle's place in the log. Survives a crash of the sequencer and a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Place in the log over all nodes, from 0.
    pub log_index: u64,
    /// The node.
    pub node_index: u32,
    /// The node's sequence of this bundle.
    pub sequence: u64,
    /// Digest of the bundle's statement.
    pub bundle_digest: Digest,
    /// The bundle had been recorded before the request that this answers.
    pub duplicate: bool,
}

impl TryFrom<v1::Acknowledgement> for Acknowledgement {
    type Error = FieldError;

    fn try_from(message: v1::Acknowledgement) -> Result<Self, FieldError> {
        Ok(Self {
            log_index: field::counter("log_index", message.log_index)?,
            node_index: field::node_index("node_index", message.node_index)?,
            sequence: field::counter("sequence", message.sequence)?,
            bundle_digest: field::digest("bundle_digest", &message.bundle_digest)?,
            duplicate: message.duplicate,
        })
    }
}

impl From<Acknowledgement> for v1::Acknowledgement {
    fn from(value: Acknowledgement) -> Self {
        Self {
            log_index: value.log_index,
            node_index: value.node_index,
            sequence: value.sequence,
            bundle_digest: value.bundle_digest.to_bytes().to_vec(),
            duplicate: value.duplicate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledgement() -> Acknowledgement {
        Acknowledgement {
            log_index: 9,
            node_index: 7,
            sequence: 3,
            bundle_digest: Digest::from_byte_digest([0xab; 32]),
            duplicate: true,
        }
    }

    #[test]
    fn acknowledgement_round_trips() {
        let message = v1::Acknowledgement::from(acknowledgement());
        assert_eq!(Acknowledgement::try_from(message), Ok(acknowledgement()));
    }

    #[test]
    fn each_field_out_of_bounds_is_named() {
        let good = v1::Acknowledgement::from(acknowledgement());
        let cases = [
            ("log_index", v1::Acknowledgement { log_index: u64::MAX, ..good.clone() }),
            ("node_index", v1::Acknowledgement { node_index: u32::MAX, ..good.clone() }),
            ("sequence", v1::Acknowledgement { sequence: u64::MAX, ..good.clone() }),
            ("bundle_digest", v1::Acknowledgement { bundle_digest: vec![0; 33], ..good.clone() }),
            ("bundle_digest", v1::Acknowledgement { bundle_digest: vec![0xff; 32], ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(Acknowledgement::try_from(message).unwrap_err().field(), field);
        }
    }
}

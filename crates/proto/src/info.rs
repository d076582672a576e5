//! What a node asks for before it submits: which rollup it is, and what is accepted.

use cairn_types::{Digest, Profile};

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
    /// Bundles of one node in a second, in the long run; 0 is no limit.
    pub bundles_per_second: u32,
}

/// A sequencer in its own words. Nothing in it is to be believed: a node computes the rollup's identity itself from the
/// first four fields, compares them with what it was told by other means, and the key with the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequencerInfo {
    /// Hash of the first block of the cluster.
    pub genesis_hash: [u8; 32],
    /// The settlement program.
    pub program_id: [u8; 32],
    /// The `Rollup` account.
    pub rollup_address: [u8; 32],
    /// The profile of its proofs.
    pub profile: Profile,
    /// What the sequencer makes of these.
    pub rollup_id: Digest,
    /// The ed25519 key under acknowledgements.
    pub acknowledgement_key: [u8; 32],
    /// What is accepted.
    pub limits: Limits,
    /// The newest finalized slot that the sequencer has seen.
    pub slot: u64,
}

impl TryFrom<v1::GetInfoReply> for SequencerInfo {
    type Error = FieldError;

    fn try_from(message: v1::GetInfoReply) -> Result<Self, FieldError> {
        let limits = message.limits.ok_or_else(|| FieldError::Missing { field: "limits".to_owned() })?;
        let code = field::below("profile", message.profile.into(), 1 << 8)? as u8;
        let profile = Profile::try_from(code)
            .map_err(|error| FieldError::Malformed { field: "profile".to_owned(), reason: error.to_string() })?;
        Ok(Self {
            genesis_hash: field::array("genesis_hash", &message.genesis_hash)?,
            program_id: field::array("program_id", &message.program_id)?,
            rollup_address: field::array("rollup_address", &message.rollup_address)?,
            profile,
            rollup_id: field::digest("rollup_id", &message.rollup_id)?,
            acknowledgement_key: field::array("acknowledgement_key", &message.acknowledgement_key)?,
            limits: Limits {
                receipts_per_bundle: limits.receipts_per_bundle,
                receipt_bytes: limits.receipt_bytes,
                message_bytes: limits.message_bytes,
                bundles_in_flight: limits.bundles_in_flight,
                bundles_per_second: limits.bundles_per_second,
            },
            slot: field::counter("slot", message.slot)?,
        })
    }
}

impl From<SequencerInfo> for v1::GetInfoReply {
    fn from(value: SequencerInfo) -> Self {
        Self {
            genesis_hash: value.genesis_hash.to_vec(),
            program_id: value.program_id.to_vec(),
            rollup_address: value.rollup_address.to_vec(),
            profile: value.profile.code().into(),
            rollup_id: value.rollup_id.to_bytes().to_vec(),
            acknowledgement_key: value.acknowledgement_key.to_vec(),
            limits: Some(v1::Limits {
                receipts_per_bundle: value.limits.receipts_per_bundle,
                receipt_bytes: value.limits.receipt_bytes,
                message_bytes: value.limits.message_bytes,
                bundles_in_flight: value.limits.bundles_in_flight,
                bundles_per_second: value.limits.bundles_per_second,
            }),
            slot: value.slot,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> SequencerInfo {
        SequencerInfo {
            genesis_hash: [1; 32],
            program_id: [2; 32],
            rollup_address: [3; 32],
            profile: Profile::Production,
            rollup_id: Digest::from_byte_digest([5; 32]),
            acknowledgement_key: [4; 32],
            limits: Limits {
                receipts_per_bundle: 256,
                receipt_bytes: 1 << 15,
                message_bytes: 1 << 22,
                bundles_in_flight: 64,
                bundles_per_second: 50,
            },
            slot: 12,
        }
    }

    #[test]
    fn info_round_trips() {
        assert_eq!(SequencerInfo::try_from(v1::GetInfoReply::from(info())), Ok(info()));
    }

    #[test]
    fn each_field_out_of_bounds_is_named() {
        let good = v1::GetInfoReply::from(info());
        let cases = [
            ("limits", v1::GetInfoReply { limits: None, ..good.clone() }),
            ("rollup_id", v1::GetInfoReply { rollup_id: vec![], ..good.clone() }),
            ("genesis_hash", v1::GetInfoReply { genesis_hash: vec![0; 31], ..good.clone() }),
            ("program_id", v1::GetInfoReply { program_id: vec![0; 33], ..good.clone() }),
            ("rollup_address", v1::GetInfoReply { rollup_address: vec![], ..good.clone() }),
            ("acknowledgement_key", v1::GetInfoReply { acknowledgement_key: vec![0; 64], ..good.clone() }),
            ("profile", v1::GetInfoReply { profile: 3, ..good.clone() }),
            ("profile", v1::GetInfoReply { profile: 257, ..good.clone() }),
            ("slot", v1::GetInfoReply { slot: u64::MAX, ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(SequencerInfo::try_from(message).unwrap_err().field(), field);
        }
    }
}

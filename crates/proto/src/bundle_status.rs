//! How far one bundle has come.

use cairn_types::Digest;

use crate::acknowledgement::Acknowledgement;
use crate::field::{self, FieldError};
use crate::v1;

/// What has happened to a bundle; each stage follows the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BundleStage {
    /// In the log, in no batch yet.
    Acknowledged,
    /// In a batch whose header is final.
    Sealed,
    /// The batch's data is in the object store.
    Published,
    /// A proof of the batch exists.
    Proved,
    /// The chain has the batch's header.
    Submitted,
    /// The program verified the batch's proof.
    Settled,
}

/// The batch that a bundle is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// Its number.
    pub number: u64,
    /// Digest of its header.
    pub header_digest: Digest,
}

/// How far a bundle has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleStatus {
    /// The original acknowledgement.
    pub acknowledgement: Acknowledgement,
    /// What has happened to it.
    pub stage: BundleStage,
    /// Its batch, from [`BundleStage::Sealed`] on.
    pub batch: Option<BatchPlace>,
}

impl BundleStage {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Sealed => "sealed",
            Self::Published => "published",
            Self::Proved => "proved",
            Self::Submitted => "submitted",
            Self::Settled => "settled",
        }
    }
}

impl TryFrom<v1::GetBundleReply> for BundleStatus {
    type Error = FieldError;

    fn try_from(message: v1::GetBundleReply) -> Result<Self, FieldError> {
        let missing = |field: &str| FieldError::Missing { field: field.to_owned() };
        let stage = match message.stage() {
            v1::BundleStage::Unspecified => {
                return Err(FieldError::Malformed {
                    field: "stage".to_owned(),
                    reason: format!("{} is not a stage that this version knows", message.stage),
                });
            }
            v1::BundleStage::Acknowledged => BundleStage::Acknowledged,
            v1::BundleStage::Sealed => BundleStage::Sealed,
            v1::BundleStage::Published => BundleStage::Published,
            v1::BundleStage::Proved => BundleStage::Proved,
            v1::BundleStage::Submitted => BundleStage::Submitted,
            v1::BundleStage::Settled => BundleStage::Settled,
        };
        let batch = if stage == BundleStage::Acknowledged {
            None
        } else {
            let number = message.batch_number.ok_or_else(|| missing("batch_number"))?;
            let digest = message.header_digest.as_ref().ok_or_else(|| missing("header_digest"))?;
            let number = field::counter("batch_number", number)?;
            Some(BatchPlace { number, header_digest: field::digest("header_digest", digest)? })
        };
        let acknowledgement = message.acknowledgement.ok_or_else(|| missing("acknowledgement"))?;
        Ok(Self { acknowledgement: acknowledgement.try_into()?, stage, batch })
    }
}

impl From<BundleStatus> for v1::GetBundleReply {
    fn from(value: BundleStatus) -> Self {
        let stage = match value.stage {
            BundleStage::Acknowledged => v1::BundleStage::Acknowledged,
            BundleStage::Sealed => v1::BundleStage::Sealed,
            BundleStage::Published => v1::BundleStage::Published,
            BundleStage::Proved => v1::BundleStage::Proved,
            BundleStage::Submitted => v1::BundleStage::Submitted,
            BundleStage::Settled => v1::BundleStage::Settled,
        };
        Self {
            acknowledgement: Some(value.acknowledgement.into()),
            stage: stage.into(),
            batch_number: value.batch.map(|batch| batch.number),
            header_digest: value.batch.map(|batch| batch.header_digest.to_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(stage: BundleStage) -> BundleStatus {
        let acknowledgement = Acknowledgement {
            log_index: 1,
            node_index: 2,
            sequence: 3,
            bundle_digest: Digest::from_byte_digest([4; 32]),
            settle_by_slot: 5,
            signature: [6; 64],
            duplicate: false,
        };
        let place = BatchPlace { number: 8, header_digest: Digest::from_byte_digest([9; 32]) };
        BundleStatus { acknowledgement, stage, batch: (stage > BundleStage::Acknowledged).then_some(place) }
    }

    #[test]
    fn every_stage_round_trips() {
        for stage in [
            BundleStage::Acknowledged,
            BundleStage::Sealed,
            BundleStage::Published,
            BundleStage::Proved,
            BundleStage::Submitted,
            BundleStage::Settled,
        ] {
            assert_eq!(BundleStatus::try_from(v1::GetBundleReply::from(status(stage))), Ok(status(stage)));
        }
    }

    #[test]
    fn each_field_missing_or_out_of_bounds_is_named() {
        let good = v1::GetBundleReply::from(status(BundleStage::Proved));
        let cases = [
            ("acknowledgement", v1::GetBundleReply { acknowledgement: None, ..good.clone() }),
            ("stage", v1::GetBundleReply { stage: 0, ..good.clone() }),
            ("batch_number", v1::GetBundleReply { batch_number: None, ..good.clone() }),
            ("batch_number", v1::GetBundleReply { batch_number: Some(u64::MAX), ..good.clone() }),
            ("header_digest", v1::GetBundleReply { header_digest: None, ..good.clone() }),
            ("header_digest", v1::GetBundleReply { header_digest: Some(vec![1]), ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(BundleStatus::try_from(message).unwrap_err().field(), field);
        }
    }
}

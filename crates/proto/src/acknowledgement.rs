//! The sequencer's promise that a bundle is on its disk and will settle.

use cairn_types::{Acknowledgement as Promise, Digest};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::field::{self, FieldError};
use crate::v1;

/// A bundle's place in the log, signed. Survives a crash of the sequencer and a loss of power.
///
/// The rollup is not in it: who reads one knows which rollup it signs for, and [`Self::verify`] takes that.
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
    /// The last slot in which its batch settles, if the sequencer keeps its word.
    pub settle_by_slot: u64,
    /// The acknowledgement key's ed25519 signature over [`Promise::message`].
    pub signature: [u8; 64],
    /// The bundle had been recorded before the request that this answers.
    pub duplicate: bool,
}

/// Why an acknowledgement binds nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgementError {
    /// The key is no ed25519 key.
    #[error("the rollup's acknowledgement key is not an ed25519 key")]
    Key,
    /// The signature is another's, or of something else.
    #[error(
        "the acknowledgement is not signed by the rollup's acknowledgement key: its sender is not this rollup's sequencer"
    )]
    Signature,
}

impl Acknowledgement {
    /// What was signed, for the rollup with this identity.
    #[must_use]
    pub const fn promise(&self, rollup_id: &Digest) -> Promise {
        Promise {
            rollup_id: *rollup_id,
            log_index: self.log_index,
            node_index: self.node_index,
            sequence: self.sequence,
            bundle_digest: self.bundle_digest,
            settle_by_slot: self.settle_by_slot,
        }
    }

    /// An acknowledgement of a signed promise, not of a duplicate.
    #[must_use]
    pub const fn of(promise: &Promise, signature: [u8; 64]) -> Self {
        Self {
            log_index: promise.log_index,
            node_index: promise.node_index,
            sequence: promise.sequence,
            bundle_digest: promise.bundle_digest,
            settle_by_slot: promise.settle_by_slot,
            signature,
            duplicate: false,
        }
    }

    /// Checks the signature by the rollup's acknowledgement key. Whether it is of the bundle that was sent is for the
    /// caller to compare.
    ///
    /// # Errors
    /// [`AcknowledgementError`].
    pub fn verify(&self, rollup_id: &Digest, acknowledgement_key: &[u8; 32]) -> Result<(), AcknowledgementError> {
        let key = VerifyingKey::from_bytes(acknowledgement_key).map_err(|_| AcknowledgementError::Key)?;
        // Strict: a key of small order would sign anything.
        key.verify_strict(&self.promise(rollup_id).message(), &Signature::from_bytes(&self.signature))
            .map_err(|_| AcknowledgementError::Signature)
    }
}

impl TryFrom<v1::Acknowledgement> for Acknowledgement {
    type Error = FieldError;

    fn try_from(message: v1::Acknowledgement) -> Result<Self, FieldError> {
        Ok(Self {
            log_index: field::counter("log_index", message.log_index)?,
            node_index: field::node_index("node_index", message.node_index)?,
            sequence: field::counter("sequence", message.sequence)?,
            bundle_digest: field::digest("bundle_digest", &message.bundle_digest)?,
            settle_by_slot: field::counter("settle_by_slot", message.settle_by_slot)?,
            signature: field::array("signature", &message.signature)?,
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
            settle_by_slot: value.settle_by_slot,
            signature: value.signature.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn rollup() -> Digest {
        Digest::from_byte_digest([1; 32])
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[5; 32])
    }

    fn acknowledgement() -> Acknowledgement {
        let promise = Promise {
            rollup_id: rollup(),
            log_index: 9,
            node_index: 7,
            sequence: 3,
            bundle_digest: Digest::from_byte_digest([0xab; 32]),
            settle_by_slot: 1_000,
        };
        Acknowledgement::of(&promise, key().sign(&promise.message()).to_bytes())
    }

    #[test]
    fn acknowledgement_round_trips() {
        for duplicate in [false, true] {
            let value = Acknowledgement { duplicate, ..acknowledgement() };
            assert_eq!(Acknowledgement::try_from(v1::Acknowledgement::from(value)), Ok(value));
        }
    }

    #[test]
    fn a_changed_field_another_rollup_or_key_breaks_the_signature() {
        let (good, public) = (acknowledgement(), key().verifying_key().to_bytes());
        good.verify(&rollup(), &public).unwrap();
        Acknowledgement { duplicate: true, ..good }.verify(&rollup(), &public).unwrap();
        let mut signature = good.signature;
        signature[40] ^= 1;
        for changed in [
            Acknowledgement { log_index: 8, ..good },
            Acknowledgement { node_index: 8, ..good },
            Acknowledgement { sequence: 4, ..good },
            Acknowledgement { bundle_digest: Digest::ZERO, ..good },
            Acknowledgement { settle_by_slot: 1_001, ..good },
            Acknowledgement { signature, ..good },
        ] {
            assert_eq!(changed.verify(&rollup(), &public), Err(AcknowledgementError::Signature), "{changed:?}");
        }
        assert_eq!(good.verify(&Digest::ZERO, &public), Err(AcknowledgementError::Signature));
        let other = SigningKey::from_bytes(&[6; 32]).verifying_key().to_bytes();
        assert_eq!(good.verify(&rollup(), &other), Err(AcknowledgementError::Signature));
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        // The neutral element as key: R = s·B is then a signature of every message for who does not look.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let forged = Acknowledgement { signature, ..acknowledgement() };
        assert!(forged.verify(&rollup(), &neutral).is_err());
    }

    #[test]
    fn each_field_out_of_bounds_is_named() {
        let good = v1::Acknowledgement::from(acknowledgement());
        let cases = [
            ("log_index", v1::Acknowledgement { log_index: u64::MAX, ..good.clone() }),
            ("node_index", v1::Acknowledgement { node_index: u32::MAX, ..good.clone() }),
            ("sequence", v1::Acknowledgement { sequence: u64::MAX, ..good.clone() }),
            ("bundle_digest", v1::Acknowledgement { bundle_digest: vec![0; 33], ..good.clone() }),
            ("bundle_digest", v1::Acknowledgement { bundle_digest: vec![0xff; 32], ..good.clone() }),
            ("settle_by_slot", v1::Acknowledgement { settle_by_slot: u64::MAX, ..good.clone() }),
            ("signature", v1::Acknowledgement { signature: vec![0; 63], ..good }),
        ];
        for (field, message) in cases {
            assert_eq!(Acknowledgement::try_from(message).unwrap_err().field(), field);
        }
    }
}

//! A batch proof as it is stored and sent.

use crate::{Profile, VerifyError};
use borsh::io::{Error, ErrorKind, Read, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_circuits::MAX_PROOF_BYTES;
use cairn_types::Digest;

/// A proof that `statement` is the digest of a true header.
///
/// In borsh: the profile as a byte (1 dev, 2 production), the statement, the length as `u32`, the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchProof {
    /// Its parameters.
    pub profile: Profile,
    /// Digest of the header.
    pub statement: Digest,
    /// The proof in packed words, as a chain verifies it; as many as every proof of the profile has.
    pub bytes: Vec<u8>,
}

impl BatchProof {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: u64 = (1 + Digest::BYTES + 4 + MAX_PROOF_BYTES) as u64;

    /// Verifies the proof: milliseconds, without any circuit.
    ///
    /// # Errors
    /// When it is of another profile than `expected`, or does not prove its statement.
    pub fn verify(&self, expected: Profile) -> std::result::Result<(), VerifyError> {
        if self.profile != expected {
            return Err(VerifyError::Profile { found: self.profile, expected });
        }
        cairn_circuits::verify(self.profile, &self.statement, &self.bytes)
    }

    /// Reads an encoding, all of it.
    ///
    /// # Errors
    /// When the bytes are not one, or more than one.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        borsh::from_slice(bytes)
    }
}

impl BorshSerialize for BatchProof {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        self.profile.code().serialize(writer)?;
        self.statement.serialize(writer)?;
        self.bytes.serialize(writer)
    }
}

impl BorshDeserialize for BatchProof {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let invalid = |what| Error::new(ErrorKind::InvalidData, what);
        let code = u8::deserialize_reader(reader)?;
        let profile = Profile::try_from(code).map_err(|_| invalid("unknown profile"))?;
        let statement = Digest::deserialize_reader(reader)?;
        let length = u32::deserialize_reader(reader)? as usize;
        if length > MAX_PROOF_BYTES {
            return Err(invalid("a batch proof longer than the protocol allows"));
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes)?;
        Ok(Self { profile, statement, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> BatchProof {
        BatchProof { profile: Profile::Production, statement: Digest::ZERO, bytes: vec![1, 2, 3] }
    }

    #[test]
    fn proofs_round_trip_through_borsh() {
        let bytes = borsh::to_vec(&sample()).unwrap();
        assert_eq!(borsh::from_slice::<BatchProof>(&bytes).unwrap(), sample());
        assert!(borsh::from_slice::<BatchProof>(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused_before_it_is_allocated() {
        let mut bytes = borsh::to_vec(&sample()).unwrap();
        bytes[33..37].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = borsh::from_slice::<BatchProof>(&bytes).unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }

    #[test]
    fn an_unknown_profile_is_refused() {
        let mut bytes = borsh::to_vec(&sample()).unwrap();
        bytes[0] = 3;
        assert!(borsh::from_slice::<BatchProof>(&bytes).is_err());
    }
}

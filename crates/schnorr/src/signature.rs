//! Signatures in 80 bytes.

use crate::point::{Affine, NotAPoint};
use crate::quintic::{NonCanonicalWord, Quintic};
use crate::scalar::{Scalar, ScalarTooLarge};
use core::fmt;
use core::str::FromStr;

/// A signature: the encoding of the commitment `R`, which is not neutral, and the response `s`.
///
/// There is one representation of each: words are below `p`, and `s` is below the order. Whether `R` is on the curve at all
/// shows in verification, which no other value passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature {
    commitment: Quintic,
    response: Scalar,
}

/// These bytes are no signature, whatever the key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// Not the hexadecimal form of 80 bytes.
    #[error("a signature is 160 hexadecimal digits")]
    Hexadecimal,
    /// A word of the commitment is not canonical.
    #[error("the signature's commitment R: {0}")]
    Commitment(#[from] NonCanonicalWord),
    /// The commitment is the neutral element.
    #[error("the signature's commitment R is the neutral element")]
    NeutralCommitment,
    /// The response is not below the order of the group.
    #[error("the signature's response s: {0}")]
    Response(#[from] ScalarTooLarge),
}

impl Signature {
    /// The signature of these parts.
    ///
    /// # Errors
    /// [`InvalidSignature::NeutralCommitment`] for a commitment of zero.
    pub fn new(commitment: Quintic, response: Scalar) -> Result<Self, InvalidSignature> {
        if commitment == Quintic::ZERO {
            return Err(InvalidSignature::NeutralCommitment);
        }
        Ok(Self { commitment, response })
    }

    /// `R` as five little-endian words, then `s` as 40 little-endian bytes.
    ///
    /// # Errors
    /// [`InvalidSignature`] when a word or the response is not canonical, or the commitment zero.
    pub fn from_bytes(bytes: &[u8; 80]) -> Result<Self, InvalidSignature> {
        let half = |at: usize| core::array::from_fn(|index| bytes[40 * at + index]);
        Self::new(Quintic::from_bytes(&half(0))?, Scalar::from_bytes(&half(1))?)
    }

    /// `R` as five little-endian words, then `s` as 40 little-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 80] {
        let mut bytes = [0; 80];
        bytes[..40].copy_from_slice(&self.commitment.to_bytes());
        bytes[40..].copy_from_slice(&self.response.to_bytes());
        bytes
    }

    /// The encoding of the commitment `R`.
    #[must_use]
    pub const fn commitment(&self) -> Quintic {
        self.commitment
    }

    /// The commitment `R` itself.
    ///
    /// # Errors
    /// [`NotAPoint`] when there is none: such a signature verifies under no key.
    pub fn commitment_point(&self) -> Result<Affine, NotAPoint> {
        Affine::decode(self.commitment)
    }

    /// The response `s`.
    #[must_use]
    pub const fn response(&self) -> Scalar {
        self.response
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        let mut bytes = [0; 80];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidSignature::Hexadecimal)?;
        Self::from_bytes(&bytes)
    }
}

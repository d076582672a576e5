//! Verifying the last layer's packed proofs: by the code that the chain runs, and by plonky2, its twin.

use crate::{CircuitSet, Profile, packed_proof};
use anyhow::{Context, Result, anyhow};
use cairn_types::Digest;
use cairn_verifier::Rejection;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of a proof of either profile, at most: what is larger is refused unread.
pub const MAX_PROOF_BYTES: usize = {
    let [dev, production] = [proof_bytes(Profile::Dev), proof_bytes(Profile::Production)];
    if dev > production { dev } else { production }
};

/// Bytes of every proof of a profile.
#[must_use]
pub const fn proof_bytes(profile: Profile) -> usize {
    cairn_verifier::proof_bytes_of(profile)
}

/// Why a batch's proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The proof says it is of another profile.
    #[error("the proof is of profile {found}, but this verifier accepts {expected}")]
    Profile {
        /// What it says.
        found: Profile,
        /// What is accepted.
        expected: Profile,
    },
    /// Not as long as proofs of its profile are.
    #[error("a proof of profile {profile} has {expected} bytes, not {actual}")]
    Length {
        /// Whose proofs.
        profile: Profile,
        /// Bytes it has.
        actual: usize,
        /// Bytes it must have.
        expected: usize,
    },
    /// It proves nothing, or another statement.
    #[error("the proof does not prove the statement")]
    Rejected(#[source] Rejection),
}

/// Verifies the packed proof of a batch's statement: milliseconds, without building any circuit.
///
/// # Errors
/// When the bytes are no proof of `statement` in this profile.
pub fn verify(profile: Profile, statement: &Digest, bytes: &[u8]) -> Result<(), VerifyError> {
    let expected = proof_bytes(profile);
    if bytes.len() != expected {
        return Err(VerifyError::Length { profile, actual: bytes.len(), expected });
    }
    cairn_verifier::verify_profile(profile, bytes, statement).map_err(VerifyError::Rejected)
}

impl CircuitSet {
    /// As [`verify`], with the profile of this set.
    ///
    /// # Errors
    /// When the bytes are no proof of `statement` in this profile.
    pub fn verify(&self, statement: &Digest, bytes: &[u8]) -> Result<(), VerifyError> {
        verify(self.profile, statement, bytes)
    }

    /// What plonky2's own verifier says of the same bytes. It reads any words that name an element; here as on the chain only
    /// the canonical ones do.
    ///
    /// # Errors
    /// Whatever it objects to.
    pub fn plonky2_verdict(&self, statement: [u64; 4], bytes: &[u8]) -> Result<()> {
        let circuit = &self.last.circuit;
        let proof =
            packed_proof::unpack(&circuit.common, statement, bytes).context("no packed proof of this circuit")?;
        // It divides, for instance, without asking by what.
        catch_unwind(AssertUnwindSafe(|| circuit.verify(proof)))
            .unwrap_or_else(|_| Err(anyhow!("plonky2's verifier panicked")))
    }
}

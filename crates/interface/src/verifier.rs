//! What the program's accounts and errors take from the verifier.

use crate::{Profile, SettlementError};
use cairn_verifier::{Dev, Production, Progress, Rejection};

/// Bytes of what the steps of a verification have computed so far. A multiple of eight, as everything before it in a `Proof`
/// account is, so that the words after it are aligned.
pub const PROGRESS_BYTES: usize = size_of::<Progress>();

/// Bytes of a packed proof.
#[must_use]
pub const fn proof_bytes(profile: Profile) -> usize {
    match profile {
        Profile::Production => cairn_verifier::proof_bytes::<Production>(),
        Profile::Dev => cairn_verifier::proof_bytes::<Dev>(),
    }
}

impl From<Rejection> for SettlementError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Length => Self::WrongProofLength,
            Rejection::NonCanonical => Self::NonCanonicalProof,
            Rejection::Padding => Self::NonzeroPadding,
            Rejection::OutOfOrder => Self::StepOutOfOrder,
            Rejection::UnknownQuery => Self::UnknownQuery,
            Rejection::ProofOfWork => Self::WrongProofOfWork,
            Rejection::ZeroDenominator => Self::ZeroDenominator,
            Rejection::Constraints => Self::UnsatisfiedConstraints,
            Rejection::RowPath => Self::WrongRowPath,
            Rejection::ValuePath => Self::WrongValuePath,
            Rejection::Fold => Self::WrongFold,
            Rejection::FinalPolynomial => Self::WrongFinalPolynomial,
        }
    }
}

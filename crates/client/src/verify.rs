//! The buyer's side: from a proof file to a verdict.

use cairn_types::{Digest, InclusionError, ReceiptProof, VerifiedReceipt};
use std::io::Read;
use std::path::Path;

/// Longest file that is read at all, in bytes; a proof file is shorter.
const MAX_FILE: u64 = 64 << 10;

/// What a proof file shows.
#[derive(Debug)]
pub enum Verdict {
    /// The path holds and ends in a header digest that the caller trusts.
    Anchored(Box<VerifiedReceipt>),
    /// The path holds, and no trusted digest was given to compare its end with: everything in the file may be invented.
    Consistent(Box<VerifiedReceipt>),
    /// The path holds and ends in another header than each of the trusted ones.
    Foreign(Box<VerifiedReceipt>),
    /// The path does not hold.
    Invalid(InclusionError),
}

/// Why a file has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no proof file.
    #[error("{path}: {source}")]
    Format {
        /// The file.
        path: String,
        /// Why.
        source: InclusionError,
    },
}

/// Judges a proof by the header digests that the caller trusts.
#[must_use]
pub fn verify(proof: &ReceiptProof, roots: &[Digest]) -> Verdict {
    match proof.verify() {
        Err(error) => Verdict::Invalid(error),
        Ok(verified) if roots.is_empty() => Verdict::Consistent(Box::new(verified)),
        Ok(verified) if roots.contains(&verified.header_digest) => Verdict::Anchored(Box::new(verified)),
        Ok(verified) => Verdict::Foreign(Box::new(verified)),
    }
}

/// Reads a proof file.
///
/// # Errors
/// When there is no such file, or it is not a proof file.
pub fn read_proof(path: &Path) -> Result<ReceiptProof, VerifyError> {
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|source| VerifyError::Read { path: name(), source })?;
    ReceiptProof::decode(&bytes).map_err(|source| VerifyError::Format { path: name(), source })
}

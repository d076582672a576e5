//! The buyer's side: from a proof file to a verdict.

use cairn_types::{
    AccountProof, AccountProofError, Digest, InclusionError, ReceiptProof, VerifiedAccount, VerifiedReceipt,
};
use std::io::Read;
use std::path::Path;

/// Longest file that is read at all, in bytes; a proof file is shorter.
const MAX_FILE: u64 = 64 << 10;

/// What a proof file shows: of a receipt, unless it says otherwise.
#[derive(Debug)]
pub enum Verdict<Shown = VerifiedReceipt, Reason = InclusionError> {
    /// The path holds and ends in a header digest that the caller trusts.
    Anchored(Box<Shown>),
    /// The path holds, and no trusted digest was given to compare its end with: everything in the file may be invented.
    Consistent(Box<Shown>),
    /// The path holds and ends in another header than each of the trusted ones.
    Foreign(Box<Shown>),
    /// The path does not hold.
    Invalid(Reason),
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
    /// It is no account proof.
    #[error("{path}: {source}")]
    Account {
        /// The file.
        path: String,
        /// Why.
        source: AccountProofError,
    },
}

/// Judges a receipt's proof by the header digests that the caller trusts.
#[must_use]
pub fn verify(proof: &ReceiptProof, roots: &[Digest]) -> Verdict {
    judge(proof.verify(), |verified| verified.header_digest, roots)
}

/// Judges an account proof by the header digests that the caller trusts.
#[must_use]
pub fn verify_account(proof: &AccountProof, roots: &[Digest]) -> Verdict<VerifiedAccount, AccountProofError> {
    judge(proof.verify(), |verified| verified.header_digest, roots)
}

fn judge<Shown, Reason>(
    outcome: Result<Shown, Reason>,
    header_digest: impl Fn(&Shown) -> Digest,
    roots: &[Digest],
) -> Verdict<Shown, Reason> {
    match outcome {
        Err(error) => Verdict::Invalid(error),
        Ok(shown) if roots.is_empty() => Verdict::Consistent(Box::new(shown)),
        Ok(shown) if roots.contains(&header_digest(&shown)) => Verdict::Anchored(Box::new(shown)),
        Ok(shown) => Verdict::Foreign(Box::new(shown)),
    }
}

/// Reads a receipt's proof file.
///
/// # Errors
/// When there is no such file, or it is not a proof file.
pub fn read_proof(path: &Path) -> Result<ReceiptProof, VerifyError> {
    let failed = |source| VerifyError::Format { path: path.display().to_string(), source };
    ReceiptProof::decode(&read(path)?).map_err(failed)
}

/// Reads an account proof.
///
/// # Errors
/// When there is no such file, or it is not an account proof.
pub fn read_account_proof(path: &Path) -> Result<AccountProof, VerifyError> {
    let failed = |source| VerifyError::Account { path: path.display().to_string(), source };
    AccountProof::decode(&read(path)?).map_err(failed)
}

fn read(path: &Path) -> Result<Vec<u8>, VerifyError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes));
    file.map_err(|source| VerifyError::Read { path: path.display().to_string(), source })?;
    Ok(bytes)
}

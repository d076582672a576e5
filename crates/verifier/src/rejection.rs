//! Why a proof is refused.

/// The check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not as many bytes or words as a proof of this profile has, or not aligned.
    Length,
    /// A word of the statement or the proof is not below the field's modulus.
    NonCanonical,
    /// A word that has to be zero is not.
    Padding,
    /// A step before those that it builds on.
    OutOfOrder,
    /// A query that this profile does not have.
    UnknownQuery,
    /// The grinding nonce is wrong.
    ProofOfWork,
    /// A denominator is zero.
    ZeroDenominator,
    /// The openings do not satisfy the circuit.
    Constraints,
    /// A row is not in its tree.
    RowPath,
    /// Folded values are not in their tree.
    ValuePath,
    /// Folded values do not contain what the rows, or the values before them, give.
    Fold,
    /// The final polynomial is not the folded values'.
    FinalPolynomial,
}

impl core::fmt::Display for Rejection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Length => "the proof has another length than proofs of this profile",
            Self::NonCanonical => "a word of the statement or the proof is not below the field's modulus",
            Self::Padding => "a word of the proof that has to be zero is not",
            Self::OutOfOrder => "the step builds on one that has not been done",
            Self::UnknownQuery => "the profile has fewer queries",
            Self::ProofOfWork => "the grinding nonce is wrong",
            Self::ZeroDenominator => "a denominator is zero",
            Self::Constraints => "the openings do not satisfy the circuit's constraints for this statement",
            Self::RowPath => "a row is not in the tree that the proof committed to",
            Self::ValuePath => "folded values are not in the tree that the proof committed to",
            Self::Fold => "folded values do not continue those before them",
            Self::FinalPolynomial => "the final polynomial does not continue the folded values",
        })
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Rejection as R;
    use std::string::ToString;

    #[test]
    fn each_rejection_says_something_of_its_own() {
        let all = [
            R::Length,
            R::NonCanonical,
            R::Padding,
            R::OutOfOrder,
            R::UnknownQuery,
            R::ProofOfWork,
            R::ZeroDenominator,
            R::Constraints,
            R::RowPath,
            R::ValuePath,
            R::Fold,
            R::FinalPolynomial,
        ];
        let said: std::collections::BTreeSet<_> = all.iter().map(|rejection| rejection.to_string()).collect();
        assert_eq!(said.len(), all.len());
        assert!(said.iter().all(|text| text.len() > 10));
    }
}

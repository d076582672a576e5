//! How sure the chain has to be of what is asked for.

use std::fmt;
use std::str::FromStr;

/// How sure the chain has to be of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Commitment {
    /// Voted on, not final: may be replaced.
    Confirmed,
    /// Never rolled back. What is asked for unless a request says otherwise.
    #[default]
    Finalized,
}

/// A word that is no commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither finalized nor confirmed")]
pub struct UnknownCommitment;

impl Commitment {
    /// The word for it in requests and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
        }
    }

    /// As the chain's interface has it.
    pub(crate) const fn on_chain(self) -> cairn_chain::Commitment {
        match self {
            Self::Confirmed => cairn_chain::Commitment::Confirmed,
            Self::Finalized => cairn_chain::Commitment::Finalized,
        }
    }
}

impl FromStr for Commitment {
    type Err = UnknownCommitment;

    fn from_str(text: &str) -> Result<Self, UnknownCommitment> {
        [Self::Confirmed, Self::Finalized].into_iter().find(|found| found.name() == text).ok_or(UnknownCommitment)
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

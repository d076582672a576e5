//! Why a rollup could not be read or changed.

use crate::{Address, BuildError, ChainError, ErrorClass, Signature, TransactionFailure};
use cairn_interface::AccountError;

/// Why a rollup could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The chain did not answer, or refused the transaction.
    #[error("{0}")]
    Chain(#[from] ChainError),
    /// No transaction could be built.
    #[error("{0}")]
    Build(#[from] BuildError),
    /// The transaction was executed and failed; it changed nothing.
    #[error("transaction {signature} failed: {failure}")]
    Failed {
        /// The transaction.
        signature: Signature,
        /// Why.
        #[source]
        failure: Box<TransactionFailure>,
    },
    /// The transaction was not executed in time and never will be.
    #[error("transaction {0} was not executed before its blockhash expired: sign it again with a new one")]
    Expired(Signature),
    /// The rollup does not exist.
    #[error("there is no rollup at {0}: check its address and the chain, or initialize it")]
    Missing(Address),
    /// An account is not there that the program never removes.
    #[error(
        "the rollup's {account} account {address} is not there: the RPC server has not caught up, or is not of this chain"
    )]
    Absent {
        /// The account.
        address: Address,
        /// What it is.
        account: &'static str,
    },
    /// The account is not the program's.
    #[error("account {address} belongs to {owner}, not to the settlement program {program}")]
    Foreign {
        /// The account.
        address: Address,
        /// Who owns it.
        owner: Address,
        /// Who should.
        program: Address,
    },
    /// The account's bytes are not what the program writes.
    #[error("account {address}: {source}")]
    Account {
        /// The account.
        address: Address,
        /// What is wrong.
        #[source]
        source: AccountError,
    },
    /// The account says something that its address, or this chain, contradicts.
    #[error("account {address}: its {field} is not that of this rollup on this chain")]
    Inconsistent {
        /// The account.
        address: Address,
        /// What differs.
        field: &'static str,
    },
}

impl RollupError {
    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Chain(error) => error.class(),
            Self::Failed { failure, .. } => failure.class,
            Self::Expired(_) | Self::Absent { .. } => ErrorClass::Transient,
            Self::Build(_) => ErrorClass::Rejection,
            Self::Missing(_) | Self::Foreign { .. } | Self::Account { .. } | Self::Inconsistent { .. } => {
                ErrorClass::Fatal
            }
        }
    }

    /// The refusal by the program or the cluster, if it was one.
    #[must_use]
    pub fn failure(&self) -> Option<&TransactionFailure> {
        match self {
            Self::Chain(ChainError::Refused(failure)) => Some(failure),
            Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Whether the same instruction has to be signed again with a newer blockhash.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired(_)) || self.failure().is_some_and(TransactionFailure::is_expired)
    }
}

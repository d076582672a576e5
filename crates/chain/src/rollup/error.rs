//! Why a rollup could not be read or changed.

use crate::{Address, BuildError, ChainError, Commitment, ErrorClass, Signature, TransactionFailure};
use cairn_interface::{AccountError, MAX_BLOB_LOCATION_BYTES};

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
    /// Nothing has moved for so long that waiting on is for somebody else to decide.
    #[error(
        "transaction {signature} was sent {sends} times and {}; it can still execute until the finalized block height, {}, \
         has passed {last_valid_block_height}: see that the chain moves, then look whether it happened before trying again",
        seen_as(*seen), height.map_or_else(|| "which the chain does not tell".to_owned(), |height| height.to_string())
    )]
    Stalled {
        /// The transaction.
        signature: Signature,
        /// How often its bytes were sent.
        sends: u32,
        /// How the chain was last seen to have it.
        seen: Option<Commitment>,
        /// The finalized block height that was last heard of.
        height: Option<u64>,
        /// The block height past which it can execute no more.
        last_valid_block_height: u64,
    },
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
    /// The text is none that the program takes as the location of blobs.
    #[error(
        "a blob location is at most {MAX_BLOB_LOCATION_BYTES} bytes of printable ASCII without spaces, this text has {bytes} \
         bytes: write other characters percent-encoded"
    )]
    BlobLocation {
        /// Length of the text.
        bytes: usize,
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
            Self::Expired(_) | Self::Stalled { .. } | Self::Absent { .. } => ErrorClass::Transient,
            Self::Build(_) | Self::BlobLocation { .. } => ErrorClass::Rejection,
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

fn seen_as(seen: Option<Commitment>) -> &'static str {
    match seen {
        None => "the chain does not know it",
        Some(Commitment::Processed) => "is processed, not confirmed",
        Some(Commitment::Confirmed) => "is confirmed, not final",
        Some(Commitment::Finalized) => "is final",
    }
}

//! Why a stage could not finish a batch, and whether trying again can help.

use cairn_chain::{ChainError, ErrorClass, RollupError, TransactionFailure};

use super::reconcile::Divergence;
use super::refusal::{Verdict, judge};
use super::verify::decide::Contradiction;
use crate::seal::rebuild::RebuildError;
use crate::store::StoreError;
use cairn_objects::PublishError;

/// Why a stage could not finish a batch.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log does not give the batch again.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// The object store failed.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Compressing failed.
    #[error("cannot compress the data of batch {number}")]
    Compress {
        /// The batch.
        number: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The prover failed, which it would do again.
    #[error(
        "cannot prove batch {number}; acknowledged bundles are safe, run this version's prover on the batch and report what it says"
    )]
    Prove {
        /// The batch.
        number: u64,
        /// Why.
        #[source]
        source: cairn_prover::ProveError,
    },
    /// The prover proved something else.
    #[error("the prover returned a proof of {found} for batch {number}, whose header is {expected}")]
    Statement {
        /// The batch.
        number: u64,
        /// What the proof is of.
        found: cairn_types::Digest,
        /// What it should be of.
        expected: cairn_types::Digest,
    },
    /// The chain failed or refused.
    #[error("cannot submit batch {number}: {source}")]
    Chain {
        /// The batch.
        number: u64,
        /// The chain's words.
        #[source]
        source: RollupError,
    },
    /// The chain refused the header, and may take it later.
    #[error("the chain does not take batch {number} yet: {failure}; {hint}")]
    Refused {
        /// The batch.
        number: u64,
        /// The refusal.
        #[source]
        failure: TransactionFailure,
        /// Why it may take it later, or what to do meanwhile.
        hint: &'static str,
    },
    /// The chain has something else than the log.
    #[error(transparent)]
    Divergence(#[from] Divergence),
    /// The chain failed on the way to have a proof verified.
    #[error("cannot settle batch {number}: {source}")]
    Settle {
        /// The batch.
        number: u64,
        /// The chain's words.
        #[source]
        source: RollupError,
    },
    /// The chain refused a transaction, and may take it later.
    #[error("the chain does not settle batch {number} yet: {failure}; {hint}")]
    NotSettled {
        /// The batch.
        number: u64,
        /// The refusal.
        #[source]
        failure: TransactionFailure,
        /// Why it may take it later, or what to do meanwhile.
        hint: &'static str,
    },
    /// The program does not accept the proof, though it has every byte of it.
    #[error(
        "the program rejects the proof of batch {number}, which it has whole and which this prover accepts: {failure}; program and prover are of different circuits, so compare the rollup's circuit with this version's, run the version that fits, and meanwhile start with --settle false: nothing acknowledged is lost"
    )]
    Rejected {
        /// The batch.
        number: u64,
        /// The refusal.
        #[source]
        failure: TransactionFailure,
    },
    /// The program refuses again and again what the accounts say is right.
    #[error(
        "the program refuses to settle batch {number}: {failure}; compare the program on chain with this version's, and meanwhile start with --settle false: nothing acknowledged is lost"
    )]
    Unsettled {
        /// The batch.
        number: u64,
        /// The refusal.
        #[source]
        failure: TransactionFailure,
    },
    /// The chain has settled something else than the log has.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// The key is not the sequencer's.
    #[error(
        "the rollup's sequencer is {on_chain}, this key is {key}; use its key, or have the admin set this one with set_sequencer"
    )]
    Key {
        /// Who may submit.
        on_chain: cairn_chain::Address,
        /// Who we are.
        key: cairn_chain::Address,
    },
}

impl StageError {
    /// The error of a refused, or finally failed, transaction for batch `number` that came after `attempt` others.
    #[must_use]
    pub fn refused(number: u64, failure: TransactionFailure, attempt: u32) -> Self {
        match judge(&failure, attempt) {
            Verdict::Later(hint) => Self::Refused { number, failure, hint },
            Verdict::Stop => Self::Chain { number, source: RollupError::Chain(ChainError::Refused(failure)) },
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Publish(_) | Self::Refused { .. } | Self::NotSettled { .. } => true,
            Self::Chain { source, .. } | Self::Settle { source, .. } => source.class() == ErrorClass::Transient,
            Self::Store(_)
            | Self::Rebuild(_)
            | Self::Compress { .. }
            | Self::Prove { .. }
            | Self::Statement { .. }
            | Self::Divergence(_)
            | Self::Rejected { .. }
            | Self::Unsettled { .. }
            | Self::Contradiction(_)
            | Self::Key { .. } => false,
        }
    }
}

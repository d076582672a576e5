//! Why a stage could not finish a batch, and whether trying again can help.

use cairn_chain::{ErrorClass, RollupError};

use super::reconcile::Divergence;
use crate::objects::PublishError;
use crate::seal::rebuild::RebuildError;
use crate::store::StoreError;

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
    /// The chain has something else than the log.
    #[error(transparent)]
    Divergence(#[from] Divergence),
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
    /// Whether trying again can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Publish(_) => true,
            Self::Chain { source, .. } => source.class() == ErrorClass::Transient,
            Self::Store(_)
            | Self::Rebuild(_)
            | Self::Compress { .. }
            | Self::Prove { .. }
            | Self::Statement { .. }
            | Self::Divergence(_)
            | Self::Key { .. } => false,
        }
    }
}

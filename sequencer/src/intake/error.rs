//! Why a bundle was not acknowledged, and what the node is told.

use std::time::Duration;

use cairn_proto::refusal::Refusal;
use cairn_types::Digest;
use tonic::Status;

use super::check::InvalidBundle;

/// Why a bundle was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// The bundle can never be accepted.
    #[error(transparent)]
    Invalid(#[from] InvalidBundle),
    /// Bundles of the node before this one are missing.
    #[error("sequence: {offered} leaves a gap, node {node_index} continues at {expected}; submit that bundle first")]
    Gap {
        /// The node.
        node_index: u32,
        /// Sequence of the refused bundle.
        offered: u64,
        /// Sequence that the node must continue at.
        expected: u64,
    },
    /// Another bundle has this node and sequence. The refused one is kept as evidence.
    #[error(
        "sequence: {sequence} of node {node_index} is taken by bundle {recorded}, this one is {offered}; a node signs one bundle per sequence"
    )]
    Conflict {
        /// The node.
        node_index: u32,
        /// The sequence.
        sequence: u64,
        /// Digest of the recorded bundle.
        recorded: Digest,
        /// Digest of the refused bundle.
        offered: Digest,
    },
    /// Too much is in flight.
    #[error("{limit} bundles are in flight, which is the limit; try again in {} ms", retry_after.as_millis())]
    Busy {
        /// The limit.
        limit: u32,
        /// When to try again.
        retry_after: Duration,
    },
    /// The sequencer is stopping. Nothing was recorded.
    #[error("the sequencer is stopping; send the bundle again when it is back")]
    Stopping,
    /// The log could not be written. Whether the bundle is in it shows when it is sent again.
    #[error("the sequencer could not write its log; its operator has been told, send the bundle again later")]
    Log,
}

impl IntakeError {
    /// One word, for metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Gap { .. } => "gap",
            Self::Conflict { .. } => "conflict",
            Self::Busy { .. } => "busy",
            Self::Stopping => "stopping",
            Self::Log => "log",
        }
    }
}

impl From<IntakeError> for Status {
    fn from(error: IntakeError) -> Self {
        let message = error.to_string();
        match error {
            IntakeError::Invalid(_) => Self::invalid_argument(message),
            IntakeError::Gap { expected, .. } => Refusal::Gap { expected }.status(message),
            IntakeError::Conflict { recorded, offered, .. } => Refusal::Conflict { recorded, offered }.status(message),
            IntakeError::Busy { retry_after, .. } => Refusal::Busy { retry_after }.status(message),
            IntakeError::Stopping => Self::unavailable(message),
            IntakeError::Log => Self::internal(message),
        }
    }
}

//! Why a bundle was not acknowledged, and what the node is told.

use std::time::Duration;

use cairn_proto::refusal::Refusal;
use cairn_types::Digest;
use tonic::Status;

use super::authorise::Unauthorised;
use super::check::InvalidBundle;
use crate::promise::Overloaded;

/// When a node whose queue entry waits should come again: sealing for it takes about that long.
pub const PENDING_RETRY: Duration = Duration::from_secs(3);

/// Why a bundle was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// The bundle can never be accepted.
    #[error(transparent)]
    Invalid(#[from] InvalidBundle),
    /// The node may not submit it.
    #[error(transparent)]
    Unauthorised(#[from] Unauthorised),
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
    /// The node has claimed as many bytes as an account counts.
    #[error("receipts: the bytes_total of node {0} would reach 2^62; register another node")]
    Total(u32),
    /// Too much is in flight.
    #[error("{limit} bundles are in flight, which is the limit; try again in {} ms", retry_after.as_millis())]
    Busy {
        /// The limit.
        limit: u32,
        /// When to try again.
        retry_after: Duration,
    },
    /// Too many calls.
    #[error("this {of} calls more often than it may; try again in {} ms", retry_after.as_millis())]
    Limited {
        /// Whose limit it is.
        of: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// No deadline can be promised.
    #[error("{0}; try again later")]
    Overloaded(#[from] Overloaded),
    /// The sequencer is stopping. Nothing was recorded.
    #[error("the sequencer is stopping; send the bundle again when it is back")]
    Stopping,
    /// The log could not be read or written. Whether the bundle is in it shows when it is sent again.
    #[error("the sequencer could not use its log; its operator has been told, send the bundle again later")]
    Log,
}

impl IntakeError {
    /// One word, for metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unauthorised(Unauthorised::Unregistered(_)) => "unregistered",
            Self::Unauthorised(Unauthorised::Deactivated(_)) => "deactivated",
            Self::Unauthorised(Unauthorised::Pending { .. }) => "pending",
            Self::Unauthorised(Unauthorised::Signature { .. }) => "signature",
            Self::Gap { .. } => "gap",
            Self::Conflict { .. } => "conflict",
            Self::Total(_) => "total",
            Self::Busy { .. } => "busy",
            Self::Limited { .. } => "limited",
            Self::Overloaded(_) => "overloaded",
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
            IntakeError::Unauthorised(Unauthorised::Unregistered(_)) => Self::not_found(message),
            IntakeError::Unauthorised(Unauthorised::Deactivated(_)) => Self::permission_denied(message),
            IntakeError::Unauthorised(Unauthorised::Signature { .. }) => Self::unauthenticated(message),
            IntakeError::Unauthorised(Unauthorised::Pending { entry, .. }) => {
                Refusal::Pending { entry, retry_after: PENDING_RETRY }.status(message)
            }
            IntakeError::Gap { expected, .. } => Refusal::Gap { expected }.status(message),
            IntakeError::Conflict { recorded, offered, .. } => Refusal::Conflict { recorded, offered }.status(message),
            IntakeError::Total(_) => Self::out_of_range(message),
            IntakeError::Busy { retry_after, .. }
            | IntakeError::Limited { retry_after, .. }
            | IntakeError::Overloaded(Overloaded { retry_after, .. }) => Refusal::Busy { retry_after }.status(message),
            IntakeError::Stopping => Self::unavailable(message),
            IntakeError::Log => Self::internal(message),
        }
    }
}

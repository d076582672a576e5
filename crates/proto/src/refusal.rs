//! What a refusal tells a client besides its message: one type on both sides of the wire.

use std::time::Duration;

use cairn_types::Digest;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::node::PendingEntry;

/// The sequence that the sequencer expects, in decimal.
const EXPECTED_SEQUENCE: &str = "cairn-expected-sequence";
/// The digest that the log holds, in hex.
const RECORDED_DIGEST: &str = "cairn-recorded-digest";
/// The digest of the bundle that was offered, in hex.
const OFFERED_DIGEST: &str = "cairn-offered-digest";
/// What keeps a node's bundles out for now, in one word.
const PENDING: &str = "cairn-pending";
/// Milliseconds after which to try again: gRPC's own name for it.
const RETRY_PUSHBACK: &str = "grpc-retry-pushback-ms";

/// A refusal that a client can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// FAILED_PRECONDITION: the bundle is not the next one of its node.
    Gap {
        /// Which one is.
        expected: u64,
    },
    /// ALREADY_EXISTS: another bundle has this node and sequence.
    Conflict {
        /// Digest of the recorded bundle.
        recorded: Digest,
        /// Digest of the refused one.
        offered: Digest,
    },
    /// UNAVAILABLE: the chain has an entry about the node that is in no batch yet.
    Pending {
        /// Which.
        entry: PendingEntry,
        /// When to try again.
        retry_after: Duration,
    },
    /// RESOURCE_EXHAUSTED: too much is in flight, too many calls came, or no deadline can be promised.
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
}

impl Refusal {
    /// The status with this refusal's code and metadata.
    #[must_use]
    pub fn status(self, message: impl Into<String>) -> Status {
        let mut metadata = MetadataMap::new();
        let mut put = |key: &'static str, value: String| {
            // Decimal and hex digits are always legal in metadata.
            if let Ok(value) = value.parse() {
                metadata.insert(key, value);
            }
        };
        let code = match self {
            Self::Gap { expected } => {
                put(EXPECTED_SEQUENCE, expected.to_string());
                Code::FailedPrecondition
            }
            Self::Conflict { recorded, offered } => {
                put(RECORDED_DIGEST, recorded.to_hex());
                put(OFFERED_DIGEST, offered.to_hex());
                Code::AlreadyExists
            }
            Self::Pending { entry, retry_after } => {
                put(PENDING, entry.name().to_owned());
                put(RETRY_PUSHBACK, retry_after.as_millis().to_string());
                Code::Unavailable
            }
            Self::Busy { retry_after } => {
                put(RETRY_PUSHBACK, retry_after.as_millis().to_string());
                Code::ResourceExhausted
            }
        };
        Status::with_metadata(code, message, metadata)
    }

    /// Reads a refusal from a status; `None` when the status is of another kind or its metadata is unusable.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        let text = |key: &str| status.metadata().get(key)?.to_str().ok();
        let retry_after = || Some(Duration::from_millis(text(RETRY_PUSHBACK)?.parse().ok()?));
        match status.code() {
            Code::FailedPrecondition => Some(Self::Gap { expected: text(EXPECTED_SEQUENCE)?.parse().ok()? }),
            Code::AlreadyExists => Some(Self::Conflict {
                recorded: text(RECORDED_DIGEST)?.parse().ok()?,
                offered: text(OFFERED_DIGEST)?.parse().ok()?,
            }),
            Code::Unavailable => {
                Some(Self::Pending { entry: PendingEntry::of_name(text(PENDING)?)?, retry_after: retry_after()? })
            }
            Code::ResourceExhausted => Some(Self::Busy { retry_after: retry_after()? }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_survive_the_wire() {
        let refusals = [
            Refusal::Gap { expected: 41 },
            Refusal::Conflict {
                recorded: Digest::from_byte_digest([1; 32]),
                offered: Digest::from_byte_digest([2; 32]),
            },
            Refusal::Pending { entry: PendingEntry::Registration, retry_after: Duration::from_secs(3) },
            Refusal::Pending { entry: PendingEntry::Rotation, retry_after: Duration::from_secs(4) },
            Refusal::Busy { retry_after: Duration::from_millis(250) },
        ];
        for refusal in refusals {
            assert_eq!(Refusal::of(&refusal.status("why")), Some(refusal));
        }
    }

    #[test]
    fn a_status_without_metadata_is_no_refusal() {
        assert_eq!(Refusal::of(&Status::failed_precondition("stopping")), None);
        assert_eq!(Refusal::of(&Status::resource_exhausted("memory")), None);
        assert_eq!(Refusal::of(&Status::unavailable("stopping")), None);
        assert_eq!(Refusal::of(&Status::internal("disk")), None);
    }
}

//! Why submitting fails, in words that say what to do.

use crate::bundling::BundlingError;
use crate::journal::JournalError;
use cairn_proto::FieldError;
use cairn_types::Digest;
use tonic::Status;

/// Why submitting failed. What was acknowledged until then stays so, and another run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The address is none.
    #[error("{endpoint} is no address of a sequencer: write it as http://host:port")]
    Endpoint {
        /// As given.
        endpoint: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// The sequencer cannot be reached, or stayed busy.
    #[error("the sequencer did not answer after {attempts} attempts: {message}")]
    Unreachable {
        /// How many in a row.
        attempts: usize,
        /// The last answer.
        message: String,
    },
    /// The sequencer refuses.
    #[error("the sequencer refuses: {0}")]
    Refused(#[source] Box<Status>),
    /// Another bundle has this node's sequence.
    #[error(
        "bundle {sequence} conflicts: the sequencer has {recorded}, this journal has {offered}; \
         another journal was used for this node, go on with that one"
    )]
    Conflict {
        /// Of the bundle.
        sequence: u64,
        /// What the sequencer has.
        recorded: Digest,
        /// What was sent.
        offered: Digest,
    },
    /// The sequencer expects an earlier bundle than any that is left to send.
    #[error(
        "the sequencer expects bundle {expected} and the journal goes on at {ours}: \
         the sequencer has lost what it acknowledged, or the journal is of another one"
    )]
    Behind {
        /// What the sequencer expects.
        expected: u64,
        /// First bundle that is left to send.
        ours: u64,
    },
    /// The sequencer has bundles of this node that are not in the journal.
    #[error(
        "the sequencer expects bundle {expected} and the journal ends before {ours}: \
         another journal was used for this node, go on with that one or with a new one"
    )]
    Ahead {
        /// What the sequencer expects.
        expected: u64,
        /// Where the journal goes on.
        ours: u64,
    },
    /// The sequencer serves another rollup than the receipts or the journal are for.
    #[error("the sequencer serves rollup {theirs}, and {what} of rollup {ours}")]
    Rollup {
        /// What differs.
        what: &'static str,
        /// The sequencer's.
        theirs: Digest,
        /// Of the receipts or the journal.
        ours: Digest,
    },
    /// An answer breaks the protocol.
    #[error("the sequencer's answer is not usable: {0}")]
    Answer(#[source] FieldError),
    /// An acknowledgement is not for the bundle that was sent.
    #[error("the sequencer acknowledged bundle {sequence} with another content than was sent")]
    Mismatch {
        /// Of the bundle that was due.
        sequence: u64,
    },
    /// The journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The receipts cannot be bundled.
    #[error(transparent)]
    Bundling(#[from] BundlingError),
}

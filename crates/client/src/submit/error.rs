//! Why submitting fails, in words that say what to do.

use crate::bundling::BundlingError;
use crate::connect::AddressError;
use crate::spool::SpoolError;
use cairn_proto::FieldError;
use cairn_types::{Digest, ReceiptKey};
use tonic::Status;

/// Why submitting failed. What was acknowledged until then stays so, and another run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The sequencer cannot be reached, or stayed busy.
    #[error("the sequencer did not answer after {attempts} attempts: {message}")]
    Unreachable {
        /// How many in a row.
        attempts: usize,
        /// The last answer.
        message: String,
    },
    /// The sequencer refuses.
    #[error("the sequencer refuses: {}", .0.message())]
    Refused(#[source] Box<Status>),
    /// Nobody registered the key.
    #[error(
        "no node with receipt key {key} is registered: `cairn register` does it, and the sequencer knows when the chain has finalized it"
    )]
    NotRegistered {
        /// The key.
        key: ReceiptKey,
    },
    /// Another key signs for the node.
    #[error(
        "node {node_index} signs with receipt key {registered} now, and this one is {ours}: name that key's file with --key"
    )]
    Rotated {
        /// The node.
        node_index: u32,
        /// The key on chain.
        registered: ReceiptKey,
        /// The one given.
        ours: ReceiptKey,
    },
    /// The node signs no more.
    #[error("node {node_index} is deactivated: its receipts are no longer taken")]
    Deactivated {
        /// The node.
        node_index: u32,
    },
    /// Another bundle has this node's sequence.
    #[error(
        "bundle {sequence} conflicts: the sequencer has {recorded}, this spool has {offered}; another spool was used \
         with this key, go on with that one"
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
        "the sequencer expects bundle {expected} and the spool goes on at {ours}: the sequencer has lost what it \
         acknowledged (the spool keeps its signatures); --resubmit sends those bundles again"
    )]
    Behind {
        /// What the sequencer expects.
        expected: u64,
        /// First bundle that is left to send.
        ours: u64,
    },
    /// The sequencer has bundles of this node that are not in the spool.
    #[error(
        "the sequencer expects bundle {expected} and the spool ends before {ours}: it is an old copy, or another spool \
         was used with this key. No sequence is signed for twice: go on with the other spool or with a new one"
    )]
    Ahead {
        /// What the sequencer expects.
        expected: u64,
        /// Where the spool goes on.
        ours: u64,
    },
    /// The sequencer's parts of a rollup do not make the identity that it claims.
    #[error("the sequencer says that it serves rollup {claimed}, and what it is made of gives {computed}")]
    FalseRollup {
        /// What it says.
        claimed: Digest,
        /// What the parts give.
        computed: Digest,
    },
    /// The sequencer serves another rollup.
    #[error("the sequencer serves rollup {theirs}, and {what} {ours}: nothing is signed for it")]
    Rollup {
        /// What differs.
        what: &'static str,
        /// The sequencer's.
        theirs: Digest,
        /// The one that is wanted.
        ours: Digest,
    },
    /// The acknowledgement key is another.
    #[error("the sequencer's acknowledgement key is {theirs}, and --acknowledgement-key says {ours}")]
    AcknowledgementKey {
        /// The sequencer's, in base58.
        theirs: String,
        /// The one that is wanted, in base58.
        ours: String,
    },
    /// An answer breaks the protocol.
    #[error("the sequencer's answer is not usable: {0}")]
    Answer(#[source] FieldError),
    /// An acknowledgement is not signed by the sequencer's key, or is none.
    #[error("the acknowledgement of bundle {sequence} is forged, and kept as evidence: {reason}")]
    Forged {
        /// Of the bundle that was due.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A signed acknowledgement is not for the bundle that was sent.
    #[error("the sequencer acknowledged something else than bundle {sequence}; its answer is kept as evidence")]
    Mismatch {
        /// Of the bundle that was due.
        sequence: u64,
    },
    /// The spool fails.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The receipts cannot be bundled.
    #[error(transparent)]
    Bundling(#[from] BundlingError),
    /// A task was lost.
    #[error("a background task failed")]
    Task(#[from] tokio::task::JoinError),
}

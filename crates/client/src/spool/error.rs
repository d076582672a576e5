//! Why a spool cannot be used.

use cairn_types::ReceiptKey;
use std::path::PathBuf;

/// Why a spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process writes to it.
    #[error("spool {path} is in use by another process: wait for it, or name another spool with --spool")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It was opened for reading only.
    #[error("spool {path} is open for reading only, because another process writes to it")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("there is no spool {path}: `cairn submit` and `cairn node` make one; name another with --spool")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is for another rollup or node, or of another format.
    #[error("spool {path} is for another {what}: name another spool with --spool")]
    Other {
        /// The file.
        path: PathBuf,
        /// `rollup`, `node` or `version of cairn`.
        what: &'static str,
    },
    /// The sequencer's acknowledgement key is not the one that the spool has seen.
    #[error(
        "the acknowledgement key is {theirs}, and spool {path} knows {ours}: if the Rollup account on chain has the new \
         key, say so with --acknowledgement-key {theirs}"
    )]
    AcknowledgementKey {
        /// The file.
        path: PathBuf,
        /// The spool's, in base58.
        ours: String,
        /// The sequencer's, in base58.
        theirs: String,
    },
    /// The file cannot be read or written.
    #[error("spool {path} cannot be read or written")]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<redb::Error>,
    },
    /// An entry is damaged.
    #[error("spool {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which entry.
        what: String,
    },
    /// A sequence was signed for before, or one before it was not.
    #[error("bundle {sequence} is not signed: the next one is {expected}, and a sequence is signed for once only")]
    Order {
        /// Asked for.
        sequence: u64,
        /// What must come.
        expected: u64,
    },
    /// A key that is not the one the spool is bound to.
    #[error("the spool is bound to receipt key {bound}, and this is {given}")]
    Key {
        /// The spool's.
        bound: ReceiptKey,
        /// The one given.
        given: ReceiptKey,
    },
    /// The spool has not met a sequencer yet.
    #[error("spool {path} is new: it learns which rollup and node it is for when a sequencer is first reached")]
    Unbound {
        /// The file.
        path: PathBuf,
    },
    /// A bundle that is asked for again was settled, and its receipts are no longer here.
    #[error("bundle {sequence} was settled and its receipts are no longer in the spool: the indexer has them")]
    Pruned {
        /// Of the bundle.
        sequence: u64,
    },
    /// A bundle that nothing is known of.
    #[error("there is no bundle {sequence} in the spool")]
    NoBundle {
        /// Of the bundle.
        sequence: u64,
    },
    /// The receipts are none that can be bundled.
    #[error(transparent)]
    Bundling(#[from] crate::BundlingError),
}

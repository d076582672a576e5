//! The wire: services of the sequencer, the indexer and the prover, and what turns their messages into checked values and back.
//!
//! | module | what |
//! |---|---|
//! | [`v1`] | messages, clients and servers generated from `proto/cairn/v1/*.proto` |
//! | [`field`] | the error that names the offending field, readers of single fields |
//! | [`submission`] | a bundle on its way to the sequencer |
//! | [`acknowledgement`] | the sequencer's signed promise for it |
//! | [`bundle_status`] | how far it has come |
//! | [`info`] | which rollup is served, and what is accepted |
//! | [`node`] | a node as the log leaves it |
//! | [`refusal`] | what a refusal tells a client besides its message |
//!
//! Nothing here trusts the other side: every field is bounded before it is copied, every digest checked to be canonical.

pub mod acknowledgement;
pub mod bundle_status;
pub mod field;
pub mod info;
pub mod node;
pub mod refusal;
pub mod submission;

#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod v1 {
    //! Generated from `proto/cairn/v1/*.proto`.
    tonic::include_proto!("cairn.v1");
}

pub use acknowledgement::{Acknowledgement, AcknowledgementError};
pub use bundle_status::{BatchPlace, BundleStage, BundleStatus};
pub use field::FieldError;
pub use info::{Limits, SequencerInfo};
pub use node::{NodeQuery, NodeState, NodeStatus, PendingEntry};
pub use submission::Submission;

/// Encoded `FileDescriptorSet` of all services, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cairn_descriptor.bin"));

/// A message on the wire, in bytes, at most. The encoded receipts of a bundle are less, see
/// [`cairn_types::limits::MAX_BUNDLE_BYTES`]; the difference is room for framing.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

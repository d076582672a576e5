//! The indexer: follows a rollup on a chain, fetches each batch's published data, recomputes all of it, and serves what
//! it found to be true.
//!
//! | module | what |
//! |---|---|
//! | [`verify`] | from a header on chain and published bytes to a batch, or to the value that differs |
//! | [`blobs`] | where data is fetched from: mirrors, or where the rollup says |
//! | [`store`] | what is kept, RocksDB |
//! | [`status`] | how far the index is, and what keeps it |
//! | [`config`] | flags and their limits |
//! | [`metrics`] | the table of metrics |
//!
//! What is confirmed is indexed as it comes, and every question is answered from what is final unless it asks for
//! `commitment=confirmed`. What the chain replaces, by a fork or by abandonment, is kept and can be asked for.
//!
//! Nobody has to trust an indexer: its proofs lead to header digests on chain. It can omit, it cannot make up.

mod api;
pub mod blobs;
mod commitment;
pub mod config;
mod content;
mod follow;
mod grpc;
mod http;
mod indexer;
mod listener;
pub mod metrics;
mod place;
pub mod status;
pub mod store;
pub mod verify;

pub use api::PAGE_SIZE;
pub use blobs::Blobs;
pub use commitment::{Commitment, UnknownCommitment};
pub use config::{Config, ConfigError, IndexerArgs};
pub use content::{ContentDigest, ContentDigestError};
pub use indexer::{Indexer, StartError};
pub use place::Place;
pub use status::{ConfirmedStatus, Problem, ProblemKind, Status};
pub use verify::{LeafMismatch, Refusal, VerifiedBatch};

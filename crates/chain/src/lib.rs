//! The chain as the rest of Cairn sees it: [`Chain`], its embedded implementation, and [`RollupClient`] on top.
//!
//! This is the only host crate that names Solana crates. Everything it hands out is plain bytes and small types of its
//! own, with addresses from `cairn_interface`, so that a sequencer or an indexer runs the same on the embedded chain
//! and on a cluster.
//!
//! The process that writes an embedded chain serves it over Solana's JSON-RPC ([`EmbeddedRpcServer`]); [`RpcChain`]
//! speaks to it, and to a cluster, from any other process.

mod account;
pub mod agreement;
mod chain;
mod embedded;
mod error;
mod failure;
mod keypair;
pub mod metrics;
mod rollup;
mod rpc;
mod signature;
mod time;
mod transaction;
mod watch;

pub use account::{Account, AccountFilter, Accounts, ProgramAccounts};
pub use cairn_interface::{Address, DEV_PROGRAM_ID, MAX_TRANSACTION_BYTES, PROGRAM_ID, program_id};
pub use chain::{Blockhash, Chain, Commitment, Tip, TransactionStatus};
pub use embedded::{EmbeddedChain, EmbeddedFollower, JournalError, OpenError, Options, Program, Record, StateError};
pub use error::{BoxError, ChainError, ErrorClass};
pub use failure::TransactionFailure;
pub use keypair::{KeyFileError, Keypair};
pub use rollup::{
    DELIVERY_PATIENCE, DeliveryEvent, DeliveryObserver, Draft, FeePolicy, FinalizedQueue, HeldProof,
    LAMPORTS_PER_SIGNATURE, MAX_SNAPSHOT_BATCHES, NewNode, NewRollup, POW_WITNESS, PROOF_CHUNK_BYTES, Priced,
    ProofAccount, ProofPlace, ProofSnapshot, RollupClient, RollupError, STEP_UNITS, Snapshot, StepUnits, Submitted,
    Verified, all_queries, circuit_id,
};
pub use rpc::{
    EmbeddedRpcServer, InvalidRpcOptions, InvalidUrl, RPC_ADDRESS, RPC_URL, RpcChain, RpcOptions, ServerState,
    ServerStatus, Websocket,
};
pub use signature::{Signature, SignatureError};
pub use time::TimeSource;
pub use transaction::{BuildError, SignedTransaction, TransactionBuilder};
pub use watch::AccountWatch;

/// A blockhash is accepted by transactions for this many slots after its own.
pub const BLOCKHASH_SLOTS: u64 = 150;
/// Signatures whose outcome the embedded chain remembers, at least.
pub const REMEMBERED_SIGNATURES: usize = 200_000;
/// Compute units that a transaction may ask for, at most.
pub const MAX_COMPUTE_UNITS: u32 = 1_400_000;
/// Length of a slot of the embedded chain, in milliseconds: the cluster's target.
pub const SLOT_MILLISECONDS: u64 = 400;

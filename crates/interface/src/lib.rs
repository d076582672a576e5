//! The settlement program as everyone but itself sees it: addresses, account layouts, instructions, error codes.
//!
//! There are no Solana types here. Instructions come out as program id, account metas and data, and accounts are
//! parsed from plain bytes, so that hosts are free in their choice of Solana crates, which the program's own exclude.
//! The program takes its constants, its error codes and the preimage of a rollup's identity from this crate too.
#![no_std]
extern crate alloc;

mod accounts;
mod address;
#[cfg(feature = "derive")]
mod derive;
mod error;
#[cfg(feature = "derive")]
mod instruction;

mod rollup_id;

pub use accounts::{AccountError, AccountKind, BATCH, Batch, QUEUE, Queue, QueueEntry, ROLLUP, Rollup, layout};
pub use address::{Address, AddressError};
pub use cairn_types::{Profile, UnknownProfile};
#[cfg(feature = "derive")]
pub use derive::{batch_address, queue_address, rollup_address};
pub use error::SettlementError;
#[cfg(feature = "derive")]
pub use instruction::{AccountMeta, Initialize, Instruction, initialize, set_sequencer, submit_batch};
#[cfg(feature = "derive")]
pub use rollup_id::rollup_id;
pub use rollup_id::{ROLLUP_ID_PREIMAGE_BYTES, rollup_id_of_hash, rollup_id_preimage};

/// The id that the committed program file declares. Its key pair is public, in `programs/settlement`: it serves
/// local networks and tests, and a deployment elsewhere is built with an id of its own.
pub const PROGRAM_ID: Address = Address::constant("J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D");

/// The system program, which creates accounts.
pub const SYSTEM_PROGRAM_ID: Address = Address([0; 32]);

/// First seed of a `Rollup`; then the admin's address and the admin's id for it (u64, little-endian).
pub const ROLLUP_SEED: &[u8] = b"rollup";
/// First seed of a `Queue`; then the rollup's address.
pub const QUEUE_SEED: &[u8] = b"queue";
/// First seed of a `Batch`; then the rollup's address and the batch number (u64, **big-endian**).
pub const BATCH_SEED: &[u8] = b"batch";

/// Batches that may wait between the tip and the last settled one, unless the rollup is created with another limit.
pub const DEFAULT_MAX_PENDING: u32 = 32;
/// The largest such limit.
///
/// It is far above the default for one reason: this version of the program verifies no proofs, hence settles nothing,
/// and a rollup that is to take more than [`DEFAULT_MAX_PENDING`] batches asks for more when it is created. Only rent
/// is at stake: each pending batch is an account that its sequencer has paid for.
pub const MAX_PENDING_CEILING: u32 = 1 << 20;

/// Queue entries whose digests the program keeps.
pub const QUEUE_RING: usize = 256;

/// Largest serialised transaction that a cluster takes, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// Compute units to request for a `submit_batch`, in a transaction that holds nothing else. About 180,000 of them are
/// the six permutations of the header's digest; the rest is room for addresses whose bump is far from 255.
pub const SUBMIT_BATCH_COMPUTE_UNITS: u32 = 200_000;

//! The settlement program as everyone but itself sees it: addresses, account layouts, instructions, error codes.
//!
//! There are no Solana types here. Instructions come out as program id, account metas and data, and accounts are
//! parsed from plain bytes, so that hosts are free in their choice of Solana crates, which the program's own exclude.
//! The program takes its constants, its error codes and the preimage of a rollup's identity from this crate too.
#![no_std]
extern crate alloc;

mod accounts;
mod address;
mod blob_location;
#[cfg(feature = "derive")]
mod derive;
mod error;
mod inclusion;
#[cfg(feature = "derive")]
mod instruction;
mod rollup_id;
mod verifier;

pub use accounts::{
    AccountError, AccountKind, BATCH, Batch, BatchStatus, HISTORY, History, KEPT_ROOTS, NODE, Node, Proof, ProofOwners,
    QUEUE, QUEUE_EXTENSIONS, Queue, ROLLUP, Registry, RingEntry, RingError, Rollup, abandonable_from, layout,
    proof_account,
};
pub use address::{Address, AddressError};
pub use blob_location::{
    BlobLocationPlace, MAX_BLOB_LOCATION_BYTES, blob_location_in, blob_location_place, is_blob_location,
};
pub use cairn_types::{Profile, UnknownProfile};
#[cfg(feature = "derive")]
pub use derive::{batch_address, history_address, node_address, queue_address, rollup_address};
pub use error::SettlementError;
#[cfg(feature = "derive")]
pub use inclusion::verify_inclusion;
pub use inclusion::{
    INCLUSION_BYTES, Inclusion, VERIFY_INCLUSION, VERIFY_INCLUSION_BYTES, VERIFY_INCLUSION_COMPUTE_UNITS,
};
#[cfg(feature = "derive")]
pub use instruction::{
    AccountMeta, Initialize, Instruction, OpenProof, ProofStep, RegisterNode, RestoreBatch, WRITE_PROOF_OVERHEAD,
    abandon_batches, close_batch, close_proof, create_proof, create_rollup, deactivate_node, extend_queue, initialize,
    open_proof, pause, refund_bond, register_node, reset_proof, restore_batch, rotate_key, set_blob_location,
    set_registry, set_sequencer, settle_batch, submit_batch, unpause, verify_step, write_proof,
};
#[cfg(feature = "derive")]
pub use rollup_id::rollup_id;
pub use rollup_id::{ROLLUP_ID_PREIMAGE_BYTES, rollup_id_of_hash, rollup_id_preimage};
pub use verifier::{PROGRESS_BYTES, proof_bytes};

/// The id that the committed program file `settlement.so` declares, which verifies proofs of the profile `production`. Its
/// key pair is public, in `programs/settlement`: it serves local networks and tests, and a deployment elsewhere is built
/// with an id of its own.
pub const PROGRAM_ID: Address = Address::constant("J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D");

/// The id that `settlement-dev.so` declares, which verifies proofs of the profile `dev`. Its key pair is public too.
pub const DEV_PROGRAM_ID: Address = Address::constant("DPf6avC92ytBQpzV3XAzqbN2rePtBGW6Ljid27bTACgx");

/// The id of the committed program that has the rollups of a profile.
#[must_use]
pub const fn program_id(profile: Profile) -> Address {
    match profile {
        Profile::Production => PROGRAM_ID,
        Profile::Dev => DEV_PROGRAM_ID,
    }
}

/// The system program, which creates accounts.
pub const SYSTEM_PROGRAM_ID: Address = Address([0; 32]);

/// First seed of a `Rollup`; then the admin's address and the admin's id for it (u64, little-endian).
pub const ROLLUP_SEED: &[u8] = b"rollup";
/// First seed of a `Queue`; then the rollup's address.
pub const QUEUE_SEED: &[u8] = b"queue";
/// First seed of a `History`; then the rollup's address.
pub const HISTORY_SEED: &[u8] = b"history";
/// First seed of a `Node`; then the rollup's address and the authority's.
pub const NODE_SEED: &[u8] = b"node";
/// First seed of a `Batch`; then the rollup's address and the batch number (u64, **big-endian**).
pub const BATCH_SEED: &[u8] = b"batch";

/// Batches that may wait between the tip and the last settled one, unless the rollup is created with another limit.
pub const DEFAULT_MAX_PENDING: u32 = 32;
/// The largest such limit. Only rent is at stake: each pending batch is an account that its sequencer has paid for, and
/// has to be submitted again once it is abandoned.
pub const MAX_PENDING_CEILING: u32 = 1_024;

/// Slots for which the batch after the last settled one has to have waited before others than the sequencer may abandon what
/// is pending: one day.
pub const ABANDON_AFTER_SLOTS: u64 = 216_000;
/// Slots for which a settled batch's account stays before its payer may close it: one day. Afterwards anyone may restore it.
pub const BATCH_RETENTION_SLOTS: u64 = 216_000;

/// Queue entries that the program keeps, whole. No more may wait to be consumed, so that the digest at every position
/// that a batch may consume up to is there; and one batch can consume them all.
pub const QUEUE_RING: usize = 256;
/// Queue entries that may wait to be consumed when a node is registered. The other half of the ring is for the rotations
/// and deactivations of nodes that are registered already.
pub const MAX_QUEUE_FOR_REGISTRATION: u64 = QUEUE_RING as u64 / 2;
const _: () = assert!(QUEUE_RING as u64 <= cairn_types::limits::MAX_BATCH_QUEUE_ENTRIES);

/// The shortest [`Registry::queue_deadline`], in slots: ten minutes.
pub const MIN_QUEUE_DEADLINE: u64 = 1_500;
/// The longest [`Registry::queue_deadline`], in slots: seven days.
pub const MAX_QUEUE_DEADLINE: u64 = 1_512_000;
/// A [`Registry::queue_deadline`] for want of a reason to choose another, in slots: six hours.
pub const DEFAULT_QUEUE_DEADLINE: u64 = 54_000;
/// Batches that may still be submitted, one after the other, while an entry is overdue: those that were sealed before it,
/// whose content nobody can change any more. The batch after the last of them has to leave nothing overdue. A sequencer
/// never has more than half as many sealed and not submitted; the other half is for the batches that consume the queue.
pub const OVERDUE_GRACE: u32 = 64;

/// The smallest [`Registry::bond`] other than zero, in lamports. It is above the rent of an empty account, so that it can
/// be paid back to a payer that has nothing left.
pub const MIN_BOND: u64 = 1_000_000;
/// A [`Registry::bond`] for want of a reason to choose another, in lamports: 0.1 SOL.
pub const DEFAULT_BOND: u64 = 100_000_000;

/// How long a pause lasts unless it is ended before, in seconds of the cluster's clock: seven days.
pub const PAUSE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Largest serialised transaction that a cluster takes, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// Compute units to request for a `submit_batch`, in a transaction that holds nothing else. About 165,000 of them are
/// the six permutations of the header's digest; the rest is room for addresses whose bump is far from 255.
pub const SUBMIT_BATCH_COMPUTE_UNITS: u32 = 200_000;

/// Compute units to request for a `register_node`, `rotate_key` or `deactivate_node`, in a transaction that holds nothing
/// else. About 55,000 of them are the two permutations of the entry's digest; the rest is room, as above.
pub const REGISTRY_COMPUTE_UNITS: u32 = 80_000;

/// Compute units to request for the instructions of [`create_rollup`] in one transaction: two permutations, and room.
pub const CREATE_ROLLUP_COMPUTE_UNITS: u32 = 100_000;

/// Compute units to request for the instructions of [`create_proof`] in one transaction.
pub const CREATE_PROOF_COMPUTE_UNITS: u32 = 10_000;

/// Compute units to request for one `write_proof` of as many bytes as a transaction takes.
pub const WRITE_PROOF_COMPUTE_UNITS: u32 = 5_000;

/// Compute units to request for a `settle_batch` on its own. About 4,000 of them are taken, and up to 150 more for each bit of
/// the number of batches settled.
pub const SETTLE_BATCH_COMPUTE_UNITS: u32 = 20_000;

/// Compute units to request for an `abandon_batches`, a `reset_proof`, a `close_proof` or a `close_batch` on its own.
pub const HOUSEKEEPING_COMPUTE_UNITS: u32 = 15_000;

/// Compute units to request for a `restore_batch` on its own. It is what an instruction gets that requests nothing, so that
/// the longest paths need not make room for a request.
pub const RESTORE_BATCH_COMPUTE_UNITS: u32 = 200_000;

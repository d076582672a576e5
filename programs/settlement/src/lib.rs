//! The settlement program: a rollup's batches, chained on Solana.
//!
//! * [`initialize`](settlement::initialize) and [`extend_queue`](settlement::extend_queue) create a rollup and its
//!   registration queue;
//! * [`set_sequencer`](settlement::set_sequencer), [`set_registry`](settlement::set_registry),
//!   [`set_blob_location`](settlement::set_blob_location), [`pause`](settlement::pause) and
//!   [`unpause`](settlement::unpause) are its admin's;
//! * [`register_node`](settlement::register_node), [`rotate_key`](settlement::rotate_key) and
//!   [`deactivate_node`](settlement::deactivate_node) append to the queue, in which batches find who may sign, and
//!   [`refund_bond`](settlement::refund_bond) gives back what a registration cost;
//! * [`submit_batch`](settlement::submit_batch) appends a batch to the rollup's **tip**, after it has checked that the
//!   header continues from there and ends in the queue, and computed the digest that a proof has to be about;
//! * [`open_proof`](settlement::open_proof), [`write_proof`](settlement::write_proof),
//!   [`verify_step`](settlement::verify_step), [`reset_proof`](settlement::reset_proof) and
//!   [`close_proof`](settlement::close_proof) bring a proof on chain and verify it, in an account of the client's;
//! * [`settle_batch`](settlement::settle_batch) moves **settled** to the next batch, which such a proof is about, and
//!   [`abandon_batches`](settlement::abandon_batches) takes the tip back to it;
//! * [`close_batch`](settlement::close_batch) and [`restore_batch`](settlement::restore_batch) end a batch's account, and
//!   write it again from the rollup's history;
//! * [`verify_inclusion`](settlement::verify_inclusion) tells other programs whether a receipt is in a settled batch.
//!
//! A rollup has two cursors. `tip` is what has been submitted; `settled` is what has been proved to this program. Addresses,
//! account layouts and error codes are documented in `cairn-interface`, from which this crate takes them.
//!
//! One source makes two programs: the feature `dev` has it verify proofs of the profile `dev`, under another id.
#![cfg_attr(target_os = "solana", no_std)]

mod close;
mod create;
mod fail;
mod history;
mod instructions;
mod profile;
mod proof;
mod queue;
mod state;
mod syscalls;

use anchor_lang::prelude::*;
use cairn_interface::INCLUSION_BYTES;
use instructions::*;

#[cfg(not(feature = "dev"))]
declare_id!("J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D");
#[cfg(feature = "dev")]
declare_id!("DPf6avC92ytBQpzV3XAzqbN2rePtBGW6Ljid27bTACgx");

#[program]
pub mod settlement {
    use super::*;

    /// Creates a rollup. Circuit and empty state root are the program's own.
    #[allow(clippy::too_many_arguments, reason = "they are an instruction's, and Anchor lists them so")]
    pub fn initialize(
        ctx: &mut Context<Initialize>,
        id: u64,
        sequencer: [u8; 32],
        acknowledgement_key: [u8; 32],
        genesis_hash: [u8; 32],
        profile: u8,
        max_pending: u32,
        registrar: [u8; 32],
        bond: u64,
        queue_deadline: u64,
    ) -> Result<()> {
        let keys = Keys { sequencer, acknowledgement_key };
        let terms = Terms { registrar, bond, queue_deadline };
        instructions::initialize(ctx, &Arguments { id, keys, genesis_hash, profile, max_pending, terms })
    }

    /// Makes the queue longer, up to its full size.
    pub fn extend_queue(ctx: &mut Context<ExtendQueue>) -> Result<()> {
        instructions::extend_queue(ctx)
    }

    /// Replaces the sequencer and its acknowledgement key.
    pub fn set_sequencer(ctx: &mut Context<ByAdmin>, sequencer: [u8; 32], acknowledgement_key: [u8; 32]) -> Result<()> {
        instructions::set_sequencer(ctx, &Keys { sequencer, acknowledgement_key })
    }

    /// Replaces the terms of registration.
    pub fn set_registry(ctx: &mut Context<ByAdmin>, registrar: [u8; 32], bond: u64, queue_deadline: u64) -> Result<()> {
        instructions::set_registry(ctx, &Terms { registrar, bond, queue_deadline })
    }

    /// Replaces where the rollup's blobs are: a length, and a text of that length followed by zeros.
    pub fn set_blob_location(ctx: &mut Context<ByAdmin>, length: u8, place: [u8; 200], end: End) -> Result<()> {
        instructions::set_blob_location(ctx, &Location { length, place, end })
    }

    /// Stops batches and registrations for seven days.
    pub fn pause(ctx: &mut Context<ByAdmin>) -> Result<()> {
        instructions::pause(ctx)
    }

    /// Ends a pause.
    pub fn unpause(ctx: &mut Context<ByAdmin>) -> Result<()> {
        instructions::unpause(ctx)
    }

    /// Registers a node. The key is five little-endian words.
    pub fn register_node(ctx: &mut Context<RegisterNode>, receipt_key: [u8; 40]) -> Result<()> {
        instructions::register_node(ctx, receipt_key)
    }

    /// Replaces a node's key.
    pub fn rotate_key(ctx: &mut Context<ChangeNode>, receipt_key: [u8; 40]) -> Result<()> {
        instructions::rotate_key(ctx, receipt_key)
    }

    /// Takes a node's key away.
    pub fn deactivate_node(ctx: &mut Context<ChangeNode>) -> Result<()> {
        instructions::deactivate_node(ctx)
    }

    /// Pays a deactivated node's bond back.
    pub fn refund_bond(ctx: &mut Context<RefundBond>) -> Result<()> {
        instructions::refund_bond(ctx)
    }

    /// Appends a batch to the tip. The header is 48 little-endian words.
    pub fn submit_batch(ctx: &mut Context<SubmitBatch>, header: [u8; 384]) -> Result<()> {
        instructions::submit_batch(ctx, &header)
    }

    /// Makes an account of the caller's that of a proof, to be about this statement: four little-endian words.
    pub fn open_proof(ctx: &mut Context<OpenProof>, statement: [u8; 32]) -> Result<()> {
        instructions::open_proof(ctx, &statement)
    }

    /// Writes bytes of the proof, before the first step.
    pub fn write_proof(ctx: &mut Context<ByProofAuthority>, offset: u32, bytes: &[u8]) -> Result<()> {
        instructions::write_proof(ctx, offset, bytes)
    }

    /// Does a step of the verification: 0 is the transcript, 1 the constraints, 2 the queries whose bits are set.
    pub fn verify_step(ctx: &mut Context<VerifyStep>, step: u8, queries: u32) -> Result<()> {
        instructions::verify_step(ctx, step, queries)
    }

    /// Takes the account back to being written, for a proof of another statement.
    pub fn reset_proof(ctx: &mut Context<ByProofAuthority>, statement: [u8; 32]) -> Result<()> {
        instructions::reset_proof(ctx, &statement)
    }

    /// Closes the account.
    pub fn close_proof(ctx: &mut Context<CloseProof>) -> Result<()> {
        instructions::close_proof(ctx)
    }

    /// Settles the next batch.
    pub fn settle_batch(ctx: &mut Context<SettleBatch>) -> Result<()> {
        instructions::settle_batch(ctx)
    }

    /// Takes the tip back to the last settled batch.
    pub fn abandon_batches(ctx: &mut Context<AbandonBatches>) -> Result<()> {
        instructions::abandon_batches(ctx)
    }

    /// Closes a batch's account that is not needed any more.
    pub fn close_batch(ctx: &mut Context<CloseBatch>) -> Result<()> {
        instructions::close_batch(ctx)
    }

    /// Writes the account of a settled batch again. The header is 48 little-endian words; slot and time are those of its
    /// submission; the path leads to the root of the history at this size, and is whole hashes, lowest first.
    pub fn restore_batch(
        ctx: &mut Context<RestoreBatch>,
        header: [u8; 384],
        slot: u64,
        time: i64,
        size: u32,
        path: &[u8],
    ) -> Result<()> {
        instructions::restore_batch(ctx, &header, &Path { slot, time, size, siblings: path })
    }

    /// Fails unless a receipt is where its caller expects it, in a settled batch. `cairn_interface` lays the arguments out.
    pub fn verify_inclusion(ctx: &mut Context<VerifyInclusion>, arguments: &[u8; INCLUSION_BYTES]) -> Result<()> {
        instructions::verify_inclusion(ctx, arguments)
    }
}

const _: () = {
    let (declared, interface) = (ID.as_array(), cairn_interface::program_id(profile::PROFILE).0);
    let mut i = 0;
    while i < 32 {
        assert!(declared[i] == interface[i], "the declared program id is not the one that hosts know");
        i += 1;
    }
};

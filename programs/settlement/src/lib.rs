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
//!   header continues from there and ends in the queue, and computed the digest that a proof has to be about.
//!
//! A rollup has two cursors. `tip` is what has been submitted; `settled` is what has been proved to this program, and
//! does not move as long as the program verifies no proofs. Addresses, account layouts and error codes are documented
//! in `cairn-interface`, from which this crate takes them.
#![cfg_attr(target_os = "solana", no_std)]

mod create;
mod fail;
mod instructions;
mod queue;
mod state;

use anchor_lang::prelude::*;
use instructions::*;

declare_id!("J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D");

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
}

const _: () = {
    let (declared, interface) = (ID.as_array(), cairn_interface::PROGRAM_ID.as_bytes());
    let mut i = 0;
    while i < 32 {
        assert!(declared[i] == interface[i], "the declared program id is not the one that hosts know");
        i += 1;
    }
};

//! The settlement program: a rollup's batches, chained on Solana.
//!
//! * [`initialize`](settlement::initialize) creates a rollup and its registration queue;
//! * [`set_sequencer`](settlement::set_sequencer) replaces its keys;
//! * [`submit_batch`](settlement::submit_batch) appends a batch to the rollup's **tip**, after it has checked that the
//!   header continues from there, and computed the digest that a proof has to be about.
//!
//! A rollup has two cursors. `tip` is what has been submitted; `settled` is what has been proved to this program, and
//! does not move as long as the program verifies no proofs. Addresses, account layouts and error codes are documented
//! in `cairn-interface`, from which this crate takes them.
#![cfg_attr(target_os = "solana", no_std)]

mod fail;
mod instructions;
mod state;

use anchor_lang::prelude::*;
use instructions::*;

declare_id!("J8J64F8M1cVRRUmEjTmLxZ4MiSC8GG59w4VYMCJ6vg7D");

#[program]
pub mod settlement {
    use super::*;

    /// Creates a rollup. Circuit and empty state root are the program's own.
    pub fn initialize(
        ctx: &mut Context<Initialize>,
        id: u64,
        sequencer: [u8; 32],
        acknowledgement_key: [u8; 32],
        genesis_hash: [u8; 32],
        profile: u8,
        max_pending: u32,
    ) -> Result<()> {
        let keys = Keys { sequencer, acknowledgement_key };
        instructions::initialize(ctx, Arguments { id, keys, genesis_hash, profile, max_pending })
    }

    /// Replaces the sequencer and its acknowledgement key.
    pub fn set_sequencer(
        ctx: &mut Context<SetSequencer>,
        sequencer: [u8; 32],
        acknowledgement_key: [u8; 32],
    ) -> Result<()> {
        instructions::set_sequencer(ctx, Keys { sequencer, acknowledgement_key })
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

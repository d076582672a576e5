//! `initialize`: a rollup and its registration queue come to be.
#![allow(unused_variables, reason = "Anchor hands the arguments of `#[instruction]` to functions that need none")]

use crate::fail::{ensure, refusal};
use crate::instructions::Keys;
use crate::state::{CursorWords, Queue, Rollup};
use anchor_lang::prelude::*;
use cairn_interface::{
    MAX_PENDING_CEILING, Profile, QUEUE_SEED, ROLLUP_SEED, SettlementError, rollup_id_of_hash, rollup_id_preimage,
};
use cairn_types::Cursor;

/// The address carries the admin's, who signs: nobody can take a rollup's address from the admin, and a second
/// `initialize` finds it taken.
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct Initialize {
    #[account(mut)]
    pub admin: Signer,
    #[account(init, payer = admin, seeds = [ROLLUP_SEED, admin.address().as_ref(), &id.to_le_bytes()], bump)]
    pub rollup: Account<Rollup>,
    #[account(init, payer = admin, seeds = [QUEUE_SEED, rollup.address().as_ref()], bump)]
    pub queue: Account<Queue>,
    pub system_program: Program<System>,
}

/// What the rollup is told. One value: sBPF v0 passes five arguments and no more.
pub struct Arguments {
    pub id: u64,
    pub keys: Keys,
    pub genesis_hash: [u8; 32],
    pub profile: u8,
    pub max_pending: u32,
}

pub fn initialize(ctx: &mut Context<Initialize>, arguments: Arguments) -> Result<()> {
    let Arguments { id, keys, genesis_hash, profile, max_pending } = arguments;
    keys.check()?;
    let profile = Profile::try_from(profile).map_err(|_| refusal(SettlementError::UnknownProfile))?;
    ensure((1..=MAX_PENDING_CEILING).contains(&max_pending), SettlementError::InvalidMaxPending)?;

    let program = (*ctx.program_id.as_array()).into();
    let address = *ctx.accounts.rollup.address().as_array();
    let preimage = rollup_id_preimage(&genesis_hash, &program, &address.into(), profile);
    let rollup_id = rollup_id_of_hash(sha256(&preimage));
    let genesis = Cursor::genesis(&rollup_id);

    // A fresh account is zero: no batches, generation 0, not paused, no circuit while the program verifies no proofs.
    let rollup = &mut ctx.accounts.rollup;
    rollup.admin = *ctx.accounts.admin.address().as_array();
    rollup.sequencer = keys.sequencer;
    rollup.acknowledgement_key = keys.acknowledgement_key;
    rollup.genesis_hash = genesis_hash;
    rollup.rollup_id = rollup_id.words();
    rollup.settled = CursorWords::from(&genesis);
    rollup.tip = CursorWords::from(&genesis);
    rollup.id = id;
    rollup.max_pending = u64::from(max_pending);
    rollup.profile = profile.code();
    rollup.bump = ctx.bumps.rollup;
    rollup.queue_bump = ctx.bumps.queue;

    let queue = &mut ctx.accounts.queue;
    queue.rollup = address;
    queue.record(&genesis.queue.digest, Clock::get()?.slot);
    Ok(())
}

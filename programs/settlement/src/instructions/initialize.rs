//! `initialize` and `extend_queue`: a rollup, its history and its registration queue come to be.
#![allow(unused_variables, reason = "Anchor hands the arguments of `#[instruction]` to functions that need none")]

use crate::fail::{ensure, refusal};
use crate::history::History;
use crate::instructions::{Keys, Terms};
use crate::profile::{PROFILE, Parameters};
use crate::queue::Queue;
use crate::state::{CursorWords, Rollup};
use anchor_lang::prelude::*;
use anchor_lang::realloc_account;
use cairn_interface::{
    HISTORY_SEED, MAX_PENDING_CEILING, Profile, QUEUE, QUEUE_SEED, ROLLUP_SEED, SettlementError, layout,
    rollup_id_of_hash, rollup_id_preimage,
};
use cairn_types::Cursor;
use cairn_verifier::Parameters as _;

/// The address carries the admin's, who signs: nobody can take a rollup's address from the admin, and a second
/// `initialize` finds it taken.
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct Initialize {
    #[account(mut)]
    pub admin: Signer,
    #[account(init, payer = admin, seeds = [ROLLUP_SEED, admin.address().as_ref(), &id.to_le_bytes()], bump)]
    pub rollup: Account<Rollup>,
    #[account(
        init,
        payer = admin,
        space = layout::GROWTH,
        seeds = [QUEUE_SEED, rollup.address().as_ref()],
        bump
    )]
    pub queue: Account<Queue>,
    #[account(init, payer = admin, seeds = [HISTORY_SEED, rollup.address().as_ref()], bump)]
    pub history: Account<History>,
    pub system_program: Program<System>,
}

/// What the rollup is told. One value: sBPF v0 passes five arguments and no more.
pub struct Arguments {
    pub id: u64,
    pub keys: Keys,
    pub genesis_hash: [u8; 32],
    pub profile: u8,
    pub max_pending: u32,
    pub terms: Terms,
}

pub fn initialize(ctx: &mut Context<Initialize>, arguments: &Arguments) -> Result<()> {
    let profile = Profile::try_from(arguments.profile).map_err(|_| refusal(SettlementError::UnknownProfile))?;
    ensure(profile == PROFILE, SettlementError::WrongProfile)?;
    let pending = (1..=MAX_PENDING_CEILING).contains(&arguments.max_pending);
    ensure(pending, SettlementError::InvalidMaxPending)?;

    let program = (*ctx.program_id.as_array()).into();
    let address = *ctx.accounts.rollup.address().as_array();
    let preimage = rollup_id_preimage(&arguments.genesis_hash, &program, &address.into(), profile);
    let rollup_id = rollup_id_of_hash(sha256(&preimage));
    let genesis = Cursor::genesis(&rollup_id);

    // A fresh account is zero: no batches, generation 0, not paused, no location of blobs.
    let rollup = &mut ctx.accounts.rollup;
    arguments.keys.set(rollup)?;
    arguments.terms.set(rollup)?;
    rollup.admin = *ctx.accounts.admin.address().as_array();
    rollup.genesis_hash = arguments.genesis_hash;
    rollup.rollup_id = rollup_id.words();
    rollup.circuit_id = Parameters::CIRCUIT_ID;
    rollup.settled = CursorWords::from(&genesis);
    rollup.tip = CursorWords::from(&genesis);
    rollup.id = arguments.id;
    rollup.max_pending = u64::from(arguments.max_pending);
    rollup.profile = profile.code();
    rollup.bump = ctx.bumps.rollup;
    rollup.queue_bump = ctx.bumps.queue;

    let queue = &mut ctx.accounts.queue;
    queue.rollup = address;
    queue.digest = genesis.queue.digest.words();
    ctx.accounts.history.begin(address);
    Ok(())
}

/// Anyone may pay for any rollup's queue; it grows to one size, whoever does.
#[derive(Accounts)]
pub struct ExtendQueue {
    #[account(mut)]
    pub payer: Signer,
    /// The handler checks that it is a queue.
    #[account(mut)]
    pub queue: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn extend_queue(ctx: &mut Context<ExtendQueue>) -> Result<()> {
    let mut account = *ctx.accounts.queue.account();
    let is_queue = account.owned_by(ctx.program_id) && account.try_borrow()?.starts_with(Queue::DISCRIMINATOR);
    ensure(is_queue, SettlementError::WrongQueue)?;
    let size = account.data_len().saturating_add(layout::GROWTH).min(QUEUE.size);
    if size > account.data_len() {
        realloc_account(&mut account, size, ctx.accounts.payer.account(), false)?;
    }
    Ok(())
}

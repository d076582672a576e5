//! What a rollup's admin may change: its sequencer, the terms of registration, where its blobs are, and whether it is
//! paused.

use crate::fail::ensure;
use crate::instructions::{Keys, Location, Terms};
use crate::state::Rollup;
use anchor_lang::prelude::*;
use cairn_interface::{PAUSE_SECONDS, SettlementError};

#[derive(Accounts)]
pub struct ByAdmin {
    pub admin: Signer,
    #[account(mut)]
    pub rollup: Account<Rollup>,
}

fn rollup_of(accounts: &mut ByAdmin) -> Result<&mut Rollup> {
    ensure(*accounts.admin.address().as_array() == accounts.rollup.admin, SettlementError::NotAdmin)?;
    Ok(&mut accounts.rollup)
}

pub fn set_sequencer(ctx: &mut Context<ByAdmin>, keys: &Keys) -> Result<()> {
    keys.set(rollup_of(&mut ctx.accounts)?)
}

pub fn set_registry(ctx: &mut Context<ByAdmin>, terms: &Terms) -> Result<()> {
    terms.set(rollup_of(&mut ctx.accounts)?)
}

pub fn set_blob_location(ctx: &mut Context<ByAdmin>, location: &Location) -> Result<()> {
    location.set(rollup_of(&mut ctx.accounts)?)
}

/// Seven days by the cluster's clock, whatever happens to the admin's key. By the clock and not by slots, whose length
/// varies, because a time is what was promised.
pub fn pause(ctx: &mut Context<ByAdmin>) -> Result<()> {
    let rollup = rollup_of(&mut ctx.accounts)?;
    let clock = Clock::get()?;
    ensure(!rollup.is_paused(&clock), SettlementError::AlreadyPaused)?;
    rollup.paused_until = clock.unix_timestamp.saturating_add(PAUSE_SECONDS);
    Ok(())
}

pub fn unpause(ctx: &mut Context<ByAdmin>) -> Result<()> {
    let rollup = rollup_of(&mut ctx.accounts)?;
    ensure(rollup.is_paused(&Clock::get()?), SettlementError::NotPaused)?;
    rollup.paused_until = 0;
    Ok(())
}

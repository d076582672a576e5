//! `set_sequencer`: the admin hands the rollup to another sequencer.

use crate::fail::ensure;
use crate::state::Rollup;
use anchor_lang::prelude::*;
use cairn_interface::SettlementError;

/// The keys that a sequencer works with.
pub struct Keys {
    /// Signs `submit_batch`.
    pub sequencer: [u8; 32],
    /// Signs acknowledgements.
    pub acknowledgement_key: [u8; 32],
}

impl Keys {
    /// Zero is nobody's key, and what a client sends that forgot to set one.
    pub fn check(&self) -> Result<()> {
        let set = self.sequencer != [0; 32] && self.acknowledgement_key != [0; 32];
        ensure(set, SettlementError::InvalidKey)
    }
}

#[derive(Accounts)]
pub struct SetSequencer {
    pub admin: Signer,
    #[account(mut)]
    pub rollup: Account<Rollup>,
}

pub fn set_sequencer(ctx: &mut Context<SetSequencer>, keys: Keys) -> Result<()> {
    let rollup = &mut ctx.accounts.rollup;
    ensure(*ctx.accounts.admin.address().as_array() == rollup.admin, SettlementError::NotAdmin)?;
    keys.check()?;
    rollup.sequencer = keys.sequencer;
    rollup.acknowledgement_key = keys.acknowledgement_key;
    Ok(())
}

//! `abandon_batches`: the tip goes back to the last settled batch, whatever the state of those after it.

use crate::fail::ensure;
use crate::state::{Batch, Rollup, load};
use anchor_lang::prelude::*;
use cairn_interface::{SettlementError, abandonable_from};

#[derive(Accounts)]
pub struct AbandonBatches {
    pub signer: Signer,
    #[account(mut)]
    pub rollup: Account<Rollup>,
    /// The batch after the last settled one. Read when the signer is not the sequencer.
    pub batch: UncheckedAccount,
}

/// A pending batch is known by its generation from now on: the next one of its number may overwrite it. Proofs stay what they
/// are, and settle a batch that is submitted again with the same header.
pub fn abandon_batches(ctx: &mut Context<AbandonBatches>) -> Result<()> {
    let AbandonBatches { signer, rollup, batch } = &mut ctx.accounts;
    ensure(rollup.tip.batches > rollup.settled.batches, SettlementError::NothingToAbandon)?;
    if *signer.address().as_array() != rollup.sequencer {
        check_waited(batch.account(), rollup, rollup.address())?;
    }
    rollup.generation = rollup.generation.checked_add(1).ok_or(ProgramError::ArithmeticOverflow)?;
    rollup.tip = rollup.settled;
    rollup.overdue_batches = rollup.settled_overdue_batches;
    Ok(())
}

/// The next batch to settle has had its time. If its proof had been verified, whoever wants it settled could have settled it.
fn check_waited(account: &AccountView, rollup: &Rollup, address: &Address) -> Result<()> {
    let data = account.try_borrow()?;
    let batch: &Batch = load(account, &data, SettlementError::WrongBatch)?;
    ensure(batch.rollup == *address.as_array(), SettlementError::WrongBatch)?;
    ensure(batch.number == rollup.settled.batches, SettlementError::NotNextBatch)?;
    let from = abandonable_from(rollup.settled_slot, batch.slot);
    ensure(Clock::get()?.slot >= from, SettlementError::TooEarlyToAbandon)
}

//! `close_batch`: a batch's account ends, and whoever paid for it gets the rent.

use crate::close::close;
use crate::fail::ensure;
use crate::state::{Batch, Rollup, load};
use anchor_lang::prelude::*;
use cairn_interface::{BATCH_RETENTION_SLOTS, BatchStatus, SettlementError};

#[derive(Accounts)]
pub struct CloseBatch {
    #[account(mut)]
    pub payer: Signer,
    pub rollup: Account<Rollup>,
    #[account(mut)]
    pub batch: UncheckedAccount,
}

pub fn close_batch(ctx: &mut Context<CloseBatch>) -> Result<()> {
    let CloseBatch { payer, rollup, batch } = &ctx.accounts;
    let account = *batch.account();
    {
        let data = account.try_borrow()?;
        let batch: &Batch = load(&account, &data, SettlementError::WrongBatch)?;
        ensure(batch.rollup == *rollup.address().as_array(), SettlementError::WrongBatch)?;
        ensure(batch.payer == *payer.address().as_array(), SettlementError::NotBatchPayer)?;
        check_unneeded(batch, rollup)?;
    }
    close(account, *payer.account())
}

/// A batch that is pending is needed to settle it. One that is settled stays for readers who were promised that. One that was
/// abandoned is nothing to anyone, and one that was restored its payer's alone.
fn check_unneeded(batch: &Batch, rollup: &Rollup) -> Result<()> {
    if batch.status == BatchStatus::Submitted.code() {
        return ensure(batch.generation != rollup.generation, SettlementError::BatchPending);
    }
    if batch.status == BatchStatus::Settled.code() {
        let until = batch.settled_slot.saturating_add(BATCH_RETENTION_SLOTS);
        return ensure(Clock::get()?.slot >= until, SettlementError::BatchRetained);
    }
    Ok(())
}

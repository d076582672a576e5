//! `withdraw`: the payer takes back what is left in an escrow.

use crate::error::EscrowError;
use crate::state::{Escrow, ensure};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct Withdraw {
    #[account(mut)]
    pub payer: Signer,
    #[account(mut)]
    pub escrow: Account<Escrow>,
}

/// After it has paid, or from the slot that the terms name: until then the node can count on it.
pub fn withdraw(ctx: &mut Context<Withdraw>) -> Result<()> {
    let Withdraw { payer, escrow } = &mut ctx.accounts;
    ensure(*payer.address().as_array() == escrow.payer, EscrowError::NotPayer)?;
    let is_over = escrow.paid_slot != 0 || Clock::get()?.slot >= escrow.refundable_from;
    ensure(is_over, EscrowError::NotRefundable)?;
    escrow.close(*payer.account())
}

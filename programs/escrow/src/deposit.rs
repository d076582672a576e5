//! `deposit`: what is paid for what.

use crate::error::EscrowError;
use crate::settlement;
use crate::state::{ESCROW_SEED, Escrow, create, ensure, refusal};
use anchor_lang::prelude::*;
use cairn_interface::Rollup;
use pinocchio_system::instructions::Transfer;

/// The smallest amount, in lamports: above the rent of an empty account, so that it can be paid to a node that has nothing.
const MIN_AMOUNT: u64 = 1_000_000;

/// What a payer hands in.
pub struct Terms {
    /// The payer's number for the escrow.
    pub id: u64,
    /// Lamports.
    pub amount: u64,
    /// The slot from which the payer may have them back.
    pub refundable_from: u64,
    /// The node.
    pub node_index: u32,
    /// SHA-256 of the payload.
    pub content_sha256: [u8; 32],
}

#[derive(Accounts)]
pub struct Deposit {
    #[account(mut)]
    pub payer: Signer,
    pub rollup: UncheckedAccount,
    /// Its address follows from payer and id. The handler checks it, and that there is nothing yet.
    #[account(mut)]
    pub escrow: UncheckedAccount,
    pub system_program: Program<System>,
}

pub fn deposit(ctx: &mut Context<Deposit>, terms: &Terms) -> Result<()> {
    let Deposit { payer, rollup, escrow, .. } = &ctx.accounts;
    ensure(terms.amount >= MIN_AMOUNT, EscrowError::SmallAmount)?;
    ensure(terms.refundable_from > Clock::get()?.slot, EscrowError::RefundableNow)?;
    let rollup_id = rollup_id(rollup.account())?;

    let (payer, account, id) = (payer.account(), escrow.account(), terms.id.to_le_bytes());
    let (place, bump) = find_program_address(&[ESCROW_SEED, payer.address().as_ref(), &id], &crate::ID);
    ensure(*account.address() == place, EscrowError::WrongEscrowAddress)?;
    ensure(account.owned_by(&System::id()), EscrowError::EscrowExists)?;
    let record = Escrow {
        payer: *payer.address().as_array(),
        rollup: *rollup.address().as_array(),
        rollup_id,
        content_sha256: terms.content_sha256,
        id: terms.id,
        amount: terms.amount,
        refundable_from: terms.refundable_from,
        paid_slot: 0,
        node_index: terms.node_index,
        padding: [0; 4],
    };
    create(payer, account, &[ESCROW_SEED, payer.address().as_ref(), &id, &[bump]], &record)?;
    // Lamports that were at the address before count towards the rent, never towards the amount.
    Transfer { from: payer, to: account, lamports: terms.amount }.invoke()
}

/// The identity of a rollup of the settlement program, which its receipts carry.
fn rollup_id(rollup: &AccountView) -> Result<[u64; 4]> {
    ensure(rollup.owned_by(&settlement::ID), EscrowError::NotARollup)?;
    let data = rollup.try_borrow()?;
    let rollup = Rollup::parse(&data).map_err(|_| refusal(EscrowError::NotARollup))?;
    Ok(rollup.rollup_id.words())
}

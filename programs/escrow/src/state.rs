//! Accounts, as they lie in memory: fixed offsets, no padding but what is named, and errors on the way to them.

use crate::error::EscrowError;
use anchor_lang::prelude::*;

/// First seed of an [`Escrow`]; then the payer's address and the payer's id for it (u64, little-endian).
pub const ESCROW_SEED: &[u8] = b"escrow";
/// First seed of a [`Spent`]; then the payer's address and the receipt's digest.
pub const SPENT_SEED: &[u8] = b"spent";

/// Lamports put aside for one receipt.
#[account]
pub struct Escrow {
    pub payer: [u8; 32],
    pub rollup: [u8; 32],
    pub rollup_id: [u64; 4],
    pub content_sha256: [u8; 32],
    pub id: u64,
    pub amount: u64,
    /// The slot from which the payer may have them back, paid or not.
    pub refundable_from: u64,
    /// When they were paid; zero before.
    pub paid_slot: u64,
    pub node_index: u32,
    pub padding: [u8; 4],
}

/// That a payer has paid for a receipt, for good.
///
/// It is found by the receipt's digest, not by its place: the same receipt in another place, which nothing stops a node from
/// putting there, is the same receipt. It is the payer's and not one escrow's: whoever orders a content twice orders two
/// fetches, and has two receipts to see. Another payer may well pay for the same.
#[account]
pub struct Spent {
    pub escrow: [u8; 32],
    /// Where the receipt is: batch, bundle in it, leaf in that.
    pub number: u64,
    pub bundle_index: u32,
    pub leaf_index: u32,
}

/// Bytes of an account with `T` in it.
pub const fn size_with<T>() -> usize {
    8 + size_of::<T>()
}

/// The error that ends the transaction.
#[inline(always)]
pub fn refusal(error: EscrowError) -> Error {
    Error::Custom(error as u32)
}

/// Goes on if `holds`, refuses otherwise.
#[inline(always)]
pub fn ensure(holds: bool, error: EscrowError) -> Result<()> {
    if holds { Ok(()) } else { Err(refusal(error)) }
}

/// Creates an account of the program's at the address of `seeds` and `bump`, with `record` in it.
#[inline(never)]
pub fn create<T: anchor_lang::bytemuck::Pod + Discriminator>(
    payer: &AccountView,
    account: &AccountView,
    seeds: &[&[u8]],
    record: &T,
) -> Result<()> {
    create_account_signed(payer, account, size_with::<T>(), &crate::ID, seeds)?;
    let mut account = *account;
    let mut data = account.try_borrow_mut()?;
    let (discriminator, body) = data.split_at_mut(T::DISCRIMINATOR.len());
    discriminator.copy_from_slice(T::DISCRIMINATOR);
    body.copy_from_slice(anchor_lang::bytemuck::bytes_of(record));
    Ok(())
}

/// Moves lamports out of an account of the program's.
pub fn pay(from: &AccountView, to: &AccountView, lamports: u64) -> Result<()> {
    let (mut from, mut to) = (*from, *to);
    let rest = from.lamports().checked_sub(lamports).ok_or(Error::InsufficientFunds)?;
    from.set_lamports(rest);
    let sum = to.lamports().checked_add(lamports).ok_or(Error::ArithmeticOverflow)?;
    to.set_lamports(sum);
    Ok(())
}

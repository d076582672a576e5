//! A receipt on chain: an account that somebody makes, fills and closes.
//!
//! A receipt does not fit beside its path: a claim without it takes 1,085 of a transaction's 1,232 bytes, and a receipt is
//! 300 to 700 long, and thousands with the longest URLs. So it is written before, in an account as long as it is; what is
//! written matters only when a claim reads all of it.

use crate::error::EscrowError;
use crate::state::{ensure, pay, refusal};
use anchor_lang::prelude::*;

/// First bytes of the account, once somebody writes to it: of SHA-256 of `account:ReceiptBytes`.
const DISCRIMINATOR: [u8; 8] = [0x39, 0xec, 0x5a, 0x21, 0x9c, 0xe8, 0x90, 0xaa];
/// Bytes before the receipt: the discriminator, and who writes.
const HEAD: usize = 8 + 32;

/// The account is made by its writer, with a key pair of its own, and is this program's and all zero when the first write
/// comes, which makes it the writer's. That it has to sign then keeps others from being first.
#[derive(Accounts)]
pub struct WriteReceipt {
    pub authority: Signer,
    #[account(mut)]
    pub receipt: UncheckedAccount,
}

pub fn write_receipt(ctx: &mut Context<WriteReceipt>, offset: u32, bytes: &[u8]) -> Result<()> {
    let mut account = *ctx.accounts.receipt.account();
    let authority = ctx.accounts.authority.address().as_array();
    ensure(account.owned_by(&crate::ID), EscrowError::NotAReceipt)?;
    let is_signer = account.is_signer();
    let mut data = account.try_borrow_mut()?;
    let (head, body) = data.split_first_chunk_mut::<HEAD>().ok_or(refusal(EscrowError::NotAReceipt))?;
    let (discriminator, writer) = head.split_at_mut(DISCRIMINATOR.len());
    if *discriminator == [0; 8] {
        ensure(is_signer, EscrowError::ReceiptNotSigned)?;
        discriminator.copy_from_slice(&DISCRIMINATOR);
        writer.copy_from_slice(authority);
    }
    ensure(*discriminator == DISCRIMINATOR, EscrowError::NotAReceipt)?;
    ensure(*writer == *authority, EscrowError::NotReceiptAuthority)?;
    let place = body.get_mut(offset as usize..).and_then(|rest| rest.get_mut(..bytes.len()));
    place.ok_or(refusal(EscrowError::OutsideReceipt))?.copy_from_slice(bytes);
    Ok(())
}

#[derive(Accounts)]
pub struct CloseReceipt {
    #[account(mut)]
    pub authority: Signer,
    #[account(mut)]
    pub receipt: UncheckedAccount,
}

/// The rent goes to who wrote it.
pub fn close_receipt(ctx: &mut Context<CloseReceipt>) -> Result<()> {
    let CloseReceipt { authority, receipt } = &ctx.accounts;
    let mut account = *receipt.account();
    {
        let data = account.try_borrow()?;
        let (writer, _) = open(&account, &data)?;
        ensure(writer == authority.address().as_array(), EscrowError::NotReceiptAuthority)?;
    }
    pay(&account, authority.account(), account.lamports())?;
    account.close()
}

/// Who wrote the account, and the receipt's bytes.
pub fn open<'a>(account: &AccountView, data: &'a [u8]) -> Result<(&'a [u8; 32], &'a [u8])> {
    let parts = data.strip_prefix(&DISCRIMINATOR).and_then(<[u8]>::split_first_chunk::<32>);
    let (writer, bytes) = parts.ok_or(refusal(EscrowError::NotAReceipt))?;
    ensure(account.owned_by(&crate::ID), EscrowError::NotAReceipt)?;
    Ok((writer, bytes))
}

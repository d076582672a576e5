//! The end of accounts.

use crate::syscalls::clear;
use anchor_lang::prelude::*;

/// Closes an account of the program's, on which nothing may be borrowed any more: its lamports go to `recipient`, its bytes
/// become zero, its owner the system program.
///
/// The bytes first: whoever sends lamports to the account in the same transaction finds nothing in it, and whoever creates
/// it anew finds what a new account has.
pub fn close(mut account: AccountView, mut recipient: AccountView) -> Result<()> {
    clear(&mut account.try_borrow_mut()?);
    let sum = recipient.lamports().checked_add(account.lamports()).ok_or(ProgramError::ArithmeticOverflow)?;
    recipient.set_lamports(sum);
    account.set_lamports(0);
    account.close()
}

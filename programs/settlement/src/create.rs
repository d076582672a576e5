//! New accounts.

use anchor_lang::create_account_signed;
use anchor_lang::prelude::*;

/// Creates an account of the program's at the address of these seeds, bump included; `payer` makes up for what its rent
/// lacks. In one place of the program's code, and not wherever it is called.
#[inline(never)]
pub fn create(payer: &AccountView, account: &AccountView, size: usize, seeds: &[&[u8]]) -> Result<()> {
    create_account_signed(payer, account, size, &crate::ID, seeds)
}

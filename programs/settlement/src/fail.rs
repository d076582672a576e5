//! Refusals as Solana's custom errors.

use anchor_lang::prelude::*;
use cairn_interface::SettlementError;

/// The error that ends the transaction.
#[inline(always)]
pub fn refusal(error: SettlementError) -> Error {
    Error::Custom(error.code())
}

/// Goes on if `holds`, refuses otherwise.
#[inline(always)]
pub fn ensure(holds: bool, error: SettlementError) -> Result<()> {
    if holds { Ok(()) } else { Err(refusal(error)) }
}

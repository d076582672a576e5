//! The settlement program, as far as the escrow needs it: which one, and one call.

use crate::error::EscrowError;
use crate::state::ensure;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use anchor_lang::solana_program::program::invoke;
use cairn_interface::Inclusion;
use cairn_types::INCLUSION_PATH_BYTES;

/// The settlement program that this one goes by. Another could say anything.
pub const ID: Address = Address::new_from_array(if cfg!(feature = "dev") {
    *cairn_interface::DEV_PROGRAM_ID.as_bytes()
} else {
    *cairn_interface::PROGRAM_ID.as_bytes()
});

/// Fails unless the receipt is where it is expected to be, in a batch that is settled.
#[inline(never)]
pub fn verify_inclusion(
    program: &AccountView,
    batch: &AccountView,
    expected: &Inclusion,
    path: &[u8; INCLUSION_PATH_BYTES],
) -> Result<()> {
    ensure(*program.address() == ID, EscrowError::WrongSettlementProgram)?;
    let instruction = Instruction {
        program_id: ID,
        accounts: alloc::vec![AccountMeta::new_readonly(*batch.address(), false)],
        data: expected.call(path).to_vec(),
    };
    invoke(&instruction, &[CpiHandle::readonly(batch)])
}

//! Instructions that move the settled cursor, or take the tip back to it, and what becomes of batch accounts afterwards.

use super::{AccountMeta, Discriminator, Instruction};
use crate::{Address, SYSTEM_PROGRAM_ID, batch_address, history_address};
use alloc::vec;
use cairn_types::BatchHeader;

const SETTLE_BATCH: Discriminator = [0x16, 0x02, 0x15, 0xdf, 0xe1, 0x7a, 0xa3, 0xd6];
const ABANDON_BATCHES: Discriminator = [0xec, 0x2a, 0x16, 0xdb, 0xa6, 0x27, 0x49, 0x34];
const CLOSE_BATCH: Discriminator = [0xa6, 0xae, 0x23, 0xfd, 0xd1, 0xd3, 0xb5, 0x1c];
const RESTORE_BATCH: Discriminator = [0xa5, 0x8b, 0x3d, 0xb2, 0x8e, 0xa2, 0x6f, 0x78];

#[cfg(test)]
pub(super) const DISCRIMINATORS: &[(&str, Discriminator)] = &[
    ("settle_batch", SETTLE_BATCH),
    ("abandon_batches", ABANDON_BATCHES),
    ("close_batch", CLOSE_BATCH),
    ("restore_batch", RESTORE_BATCH),
];

/// Settles batch `number`, the one that follows the last settled one, with a verified proof of its digest. Anyone may call
/// it, with no signature but that of the transaction's payer.
#[must_use]
pub fn settle_batch(program: &Address, rollup: &Address, number: u64, proof: &Address) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::writable(*rollup),
            AccountMeta::writable(batch_address(program, rollup, number)),
            AccountMeta::readonly(*proof),
            AccountMeta::writable(history_address(program, rollup)),
        ],
        data: SETTLE_BATCH.to_vec(),
    }
}

/// Takes the tip back to the last settled batch. `next` is the number of the batch after that. Signed by the sequencer at any
/// time, and by anyone once [`crate::Rollup::abandonable_from`] has come.
#[must_use]
pub fn abandon_batches(program: &Address, rollup: &Address, signer: &Address, next: u64) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::signer(*signer),
            AccountMeta::writable(*rollup),
            AccountMeta::readonly(batch_address(program, rollup, next)),
        ],
        data: ABANDON_BATCHES.to_vec(),
    }
}

/// Closes a batch's account: one that was abandoned or restored at any time, one that is settled after
/// [`crate::BATCH_RETENTION_SLOTS`]. Signed by its recorded payer, who gets the rent.
#[must_use]
pub fn close_batch(program: &Address, rollup: &Address, payer: &Address, number: u64) -> Instruction {
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(*payer),
            AccountMeta::readonly(*rollup),
            AccountMeta::writable(batch_address(program, rollup, number)),
        ],
        data: CLOSE_BATCH.to_vec(),
    }
}

/// What brings a settled batch's account back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreBatch<'a> {
    /// Signs, pays the rent, and may close the account again at any time.
    pub payer: Address,
    /// The batch's header.
    pub header: &'a BatchHeader,
    /// The slot it was submitted in.
    pub slot: u64,
    /// The cluster's clock then.
    pub time: i64,
    /// The size of the history that the path is for: one whose root the account still keeps.
    pub size: u32,
    /// The audit path of RFC 6962 from the batch's leaf to the root at that size, lowest first.
    pub path: &'a [[u8; 32]],
}

/// Writes a settled batch's account again. A transaction with nothing else takes paths of 17 hashes, which is a history of
/// 131,072 batches, where it is signed by the payer alone.
#[must_use]
pub fn restore_batch(program: &Address, rollup: &Address, arguments: &RestoreBatch<'_>) -> Instruction {
    let mut data = RESTORE_BATCH.to_vec();
    data.extend_from_slice(&arguments.header.to_bytes());
    data.extend_from_slice(&arguments.slot.to_le_bytes());
    data.extend_from_slice(&arguments.time.to_le_bytes());
    data.extend_from_slice(&arguments.size.to_le_bytes());
    let path = arguments.path.as_flattened();
    // No path is longer than 32 hashes.
    data.extend_from_slice(&u32::try_from(path.len()).unwrap_or(u32::MAX).to_le_bytes());
    data.extend_from_slice(path);
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(arguments.payer),
            AccountMeta::readonly(history_address(program, rollup)),
            AccountMeta::writable(batch_address(program, rollup, arguments.header.number)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data,
    }
}

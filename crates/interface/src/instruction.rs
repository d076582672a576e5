//! The program's instructions, as data for any Solana client.

use crate::{Address, Profile, SYSTEM_PROGRAM_ID, batch_address, queue_address, rollup_address};
use alloc::vec;
use alloc::vec::Vec;
use cairn_types::BatchHeader;

/// An account that an instruction names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountMeta {
    /// Its address.
    pub address: Address,
    /// Whether its owner must sign the transaction.
    pub is_signer: bool,
    /// Whether the instruction may change it.
    pub is_writable: bool,
}

impl AccountMeta {
    const fn signer(address: Address) -> Self {
        Self { address, is_signer: true, is_writable: false }
    }

    const fn payer(address: Address) -> Self {
        Self { address, is_signer: true, is_writable: true }
    }

    const fn writable(address: Address) -> Self {
        Self { address, is_signer: false, is_writable: true }
    }

    const fn readonly(address: Address) -> Self {
        Self { address, is_signer: false, is_writable: false }
    }
}

/// A call of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The program.
    pub program_id: Address,
    /// The accounts, in the program's order.
    pub accounts: Vec<AccountMeta>,
    /// Discriminator and arguments.
    pub data: Vec<u8>,
}

/// Discriminators: the first eight bytes of SHA-256 of `global:` and the instruction's name.
const INITIALIZE: [u8; 8] = [0xaf, 0xaf, 0x6d, 0x1f, 0x0d, 0x98, 0x9b, 0xed];
const SET_SEQUENCER: [u8; 8] = [0x45, 0xd2, 0x5d, 0x09, 0x2c, 0xe6, 0x4e, 0x16];
const SUBMIT_BATCH: [u8; 8] = [0xdb, 0xab, 0x78, 0x71, 0x1b, 0xf5, 0x50, 0x14];

/// What [`initialize`] is told. Circuit and empty state root are the program's own and no arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialize {
    /// Signs, pays, and is the one who may change the sequencer later.
    pub admin: Address,
    /// Which of the admin's rollups this is.
    pub id: u64,
    /// Who may submit batches.
    pub sequencer: Address,
    /// Whose ed25519 signature stands under acknowledgements.
    pub acknowledgement_key: Address,
    /// The cluster's genesis hash, which goes into the rollup's identity. Hosts check it.
    pub genesis_hash: [u8; 32],
    /// The profile of the proofs. Part of the identity.
    pub profile: Profile,
    /// Batches that may wait to be settled: 1 to [`crate::MAX_PENDING_CEILING`].
    pub max_pending: u32,
}

/// Creates a rollup and its registration queue. Signed by the admin.
#[must_use]
pub fn initialize(program: &Address, arguments: &Initialize) -> Instruction {
    let rollup = rollup_address(program, &arguments.admin, arguments.id);
    let mut data = INITIALIZE.to_vec();
    data.extend_from_slice(&arguments.id.to_le_bytes());
    data.extend_from_slice(&arguments.sequencer.0);
    data.extend_from_slice(&arguments.acknowledgement_key.0);
    data.extend_from_slice(&arguments.genesis_hash);
    data.push(arguments.profile.code());
    data.extend_from_slice(&arguments.max_pending.to_le_bytes());
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(arguments.admin),
            AccountMeta::writable(rollup),
            AccountMeta::writable(queue_address(program, &rollup)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data,
    }
}

/// Replaces the rollup's sequencer and its acknowledgement key. Signed by the admin.
#[must_use]
pub fn set_sequencer(
    program: &Address,
    rollup: &Address,
    admin: &Address,
    sequencer: &Address,
    acknowledgement_key: &Address,
) -> Instruction {
    let mut data = SET_SEQUENCER.to_vec();
    data.extend_from_slice(&sequencer.0);
    data.extend_from_slice(&acknowledgement_key.0);
    Instruction {
        program_id: *program,
        accounts: vec![AccountMeta::signer(*admin), AccountMeta::writable(*rollup)],
        data,
    }
}

/// Submits the batch that follows the rollup's tip. Signed by the sequencer, who pays for the `Batch` account.
#[must_use]
pub fn submit_batch(program: &Address, rollup: &Address, sequencer: &Address, header: &BatchHeader) -> Instruction {
    let mut data = SUBMIT_BATCH.to_vec();
    data.extend_from_slice(&header.to_bytes());
    Instruction {
        program_id: *program,
        accounts: vec![
            AccountMeta::payer(*sequencer),
            AccountMeta::writable(*rollup),
            AccountMeta::readonly(queue_address(program, rollup)),
            AccountMeta::writable(batch_address(program, rollup, header.number)),
            AccountMeta::readonly(SYSTEM_PROGRAM_ID),
        ],
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn discriminators_are_hashes_of_the_names() {
        for (name, discriminator) in
            [("initialize", INITIALIZE), ("set_sequencer", SET_SEQUENCER), ("submit_batch", SUBMIT_BATCH)]
        {
            let hash = Sha256::new().chain_update("global:").chain_update(name).finalize();
            assert_eq!(hash[..8], discriminator, "{name}");
        }
    }
}

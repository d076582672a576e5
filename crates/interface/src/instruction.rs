//! The program's instructions, as data for any Solana client.

mod admin;
mod proof;
mod registry;
mod settle;

pub use admin::{
    Initialize, create_rollup, extend_queue, initialize, pause, set_blob_location, set_registry, set_sequencer, unpause,
};
pub use proof::{
    OpenProof, ProofStep, WRITE_PROOF_OVERHEAD, close_proof, create_proof, open_proof, reset_proof, verify_step,
    write_proof,
};
pub use registry::{RegisterNode, deactivate_node, refund_bond, register_node, rotate_key};
pub use settle::{RestoreBatch, abandon_batches, close_batch, restore_batch, settle_batch};

use crate::{Address, SYSTEM_PROGRAM_ID, batch_address, queue_address};
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

/// First eight bytes of SHA-256 of `global:` and the instruction's name.
type Discriminator = [u8; 8];

const SUBMIT_BATCH: Discriminator = [0xdb, 0xab, 0x78, 0x71, 0x1b, 0xf5, 0x50, 0x14];

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
        let all = [
            &[("submit_batch", SUBMIT_BATCH)],
            admin::DISCRIMINATORS,
            registry::DISCRIMINATORS,
            proof::DISCRIMINATORS,
            settle::DISCRIMINATORS,
        ]
        .concat();
        assert_eq!(all.len(), 21);
        for (name, discriminator) in all {
            let hash = Sha256::new().chain_update("global:").chain_update(name).finalize();
            assert_eq!(hash[..8], discriminator, "{name}");
        }
    }
}

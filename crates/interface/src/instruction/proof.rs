//! Instructions that write a proof and have it verified, in an account of the client's making.

use super::{AccountMeta, Discriminator, Instruction};
use crate::{Address, Profile, SYSTEM_PROGRAM_ID, proof_account};
use alloc::vec;
use alloc::vec::Vec;
use cairn_types::Digest;

const OPEN_PROOF: Discriminator = [0x30, 0x14, 0xc9, 0xc9, 0x4f, 0xc1, 0xf8, 0x33];
const WRITE_PROOF: Discriminator = [0x9e, 0x80, 0x39, 0x4b, 0x5c, 0x15, 0x79, 0xc1];
const VERIFY_STEP: Discriminator = [0x97, 0xa2, 0x0a, 0x52, 0x2e, 0x15, 0x6e, 0x96];
const RESET_PROOF: Discriminator = [0xf4, 0x28, 0x6f, 0x60, 0xcf, 0xaa, 0x6b, 0x0e];
const CLOSE_PROOF: Discriminator = [0x40, 0x4c, 0xa8, 0x08, 0x7e, 0x6d, 0xa4, 0xb3];

#[cfg(test)]
pub(super) const DISCRIMINATORS: &[(&str, Discriminator)] = &[
    ("open_proof", OPEN_PROOF),
    ("write_proof", WRITE_PROOF),
    ("verify_step", VERIFY_STEP),
    ("reset_proof", RESET_PROOF),
    ("close_proof", CLOSE_PROOF),
];

/// Who does what with a proof account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenProof {
    /// The account. Signs once, so that nobody else can open it, with its rent, as their own.
    pub proof: Address,
    /// Signs. Writes, resets and closes it later.
    pub authority: Address,
    /// Signs, pays the rent, and gets it back when the account is closed. May be the authority.
    pub payer: Address,
}

/// Creates a proof account and opens it: two instructions that belong in one transaction, signed by payer, account and
/// authority. `lamports` is the rent of [`proof_account`]'s size, as the cluster has it.
#[must_use]
pub fn create_proof(
    program: &Address,
    profile: Profile,
    accounts: &OpenProof,
    statement: &Digest,
    lamports: u64,
) -> Vec<Instruction> {
    // The system program's CreateAccount: its code, lamports, length, owner.
    let mut data = vec![0; 4];
    data.extend_from_slice(&lamports.to_le_bytes());
    data.extend_from_slice(&(proof_account(profile).size as u64).to_le_bytes());
    data.extend_from_slice(&program.0);
    let account = AccountMeta { address: accounts.proof, is_signer: true, is_writable: true };
    let create = Instruction {
        program_id: SYSTEM_PROGRAM_ID,
        accounts: vec![AccountMeta::payer(accounts.payer), account],
        data,
    };
    vec![create, open_proof(program, accounts, statement)]
}

/// Opens a proof account that was created in the same transaction: see [`create_proof`]. Signed by account, authority and
/// payer.
#[must_use]
pub fn open_proof(program: &Address, accounts: &OpenProof, statement: &Digest) -> Instruction {
    let mut data = OPEN_PROOF.to_vec();
    data.extend_from_slice(&statement.to_bytes());
    let account = AccountMeta { address: accounts.proof, is_signer: true, is_writable: true };
    let accounts = vec![account, AccountMeta::signer(accounts.authority), AccountMeta::signer(accounts.payer)];
    Instruction { program_id: *program, accounts, data }
}

/// Bytes of a [`write_proof`]'s data beside those that are written.
pub const WRITE_PROOF_OVERHEAD: usize = 8 + 4 + 4;

/// Writes bytes of the proof at an offset from its beginning; refused once a step has been done. Signed by the authority.
#[must_use]
pub fn write_proof(program: &Address, proof: &Address, authority: &Address, offset: u32, bytes: &[u8]) -> Instruction {
    let mut data = WRITE_PROOF.to_vec();
    data.extend_from_slice(&offset.to_le_bytes());
    // More than a transaction holds by far.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    data.extend_from_slice(&length.to_le_bytes());
    data.extend_from_slice(bytes);
    by_authority(program, proof, authority, data)
}

/// A part of the verification. Each is done once, in this order, the queries in any order and division among themselves; one
/// that is done already changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofStep {
    /// The challenges, from everything before the queries. It fails on a wrong proof-of-work witness.
    Transcript,
    /// The constraints at the point that the transcript gives.
    Constraints,
    /// The queries whose bits are set, the lowest being the first.
    Queries(u32),
}

impl ProofStep {
    /// The code in the instruction.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Transcript => 0,
            Self::Constraints => 1,
            Self::Queries(_) => 2,
        }
    }
}

/// Does a step. Anyone may call it, with no signature but that of the transaction's payer.
#[must_use]
pub fn verify_step(program: &Address, proof: &Address, step: ProofStep) -> Instruction {
    let mut data = VERIFY_STEP.to_vec();
    data.push(step.code());
    let queries = if let ProofStep::Queries(mask) = step { mask } else { 0 };
    data.extend_from_slice(&queries.to_le_bytes());
    Instruction { program_id: *program, accounts: vec![AccountMeta::writable(*proof)], data }
}

/// Forgets what the steps have computed and takes another statement, so that the next proof can be written; that which is
/// there stays until it is overwritten. Signed by the authority.
#[must_use]
pub fn reset_proof(program: &Address, proof: &Address, authority: &Address, statement: &Digest) -> Instruction {
    let mut data = RESET_PROOF.to_vec();
    data.extend_from_slice(&statement.to_bytes());
    by_authority(program, proof, authority, data)
}

/// Closes a proof account; its rent goes to `payer`, the one who is recorded in it. Signed by the authority.
#[must_use]
pub fn close_proof(program: &Address, proof: &Address, authority: &Address, payer: &Address) -> Instruction {
    let mut instruction = by_authority(program, proof, authority, CLOSE_PROOF.to_vec());
    instruction.accounts.push(AccountMeta::writable(*payer));
    instruction
}

fn by_authority(program: &Address, proof: &Address, authority: &Address, data: Vec<u8>) -> Instruction {
    let accounts = vec![AccountMeta::signer(*authority), AccountMeta::writable(*proof)];
    Instruction { program_id: *program, accounts, data }
}

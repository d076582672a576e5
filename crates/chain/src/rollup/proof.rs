//! The account that a proof is uploaded to and verified in: reading it, and the transactions that bring it further.
//!
//! These are many and small, and what the account holds says which of them have arrived: they are drafted and signed
//! here, any number at once, and sent by whoever drives them.

use super::many::Draft;
use super::verified::{self, Verified};
use super::{RollupClient, RollupError};
use crate::{Account, Address, Commitment};
use cairn_interface::{
    CREATE_PROOF_COMPUTE_UNITS, HOUSEKEEPING_COMPUTE_UNITS, OpenProof, Profile, Proof, ProofStep, Rollup,
    SETTLE_BATCH_COMPUTE_UNITS, SYSTEM_PROGRAM_ID, WRITE_PROOF_COMPUTE_UNITS, proof_account,
};
use cairn_types::Digest;

/// Bytes of a proof that one transaction brings: as many whole words as fit beside one signature, limit and price.
pub const PROOF_CHUNK_BYTES: usize = 952;

/// A rollup, and the account at an address that proofs are uploaded to, as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofSnapshot {
    /// The slot.
    pub slot: u64,
    /// The rollup.
    pub rollup: Rollup,
    /// What is at the address.
    pub place: ProofPlace,
}

/// What is at an address that proofs are uploaded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofPlace {
    /// Nothing.
    Nothing,
    /// Something that is no `Proof` of this rollup's program and profile, and why.
    Unusable(String),
    /// A `Proof`.
    Proof(Box<ProofAccount>),
}

/// A `Proof` account, as the chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofAccount {
    /// What lies in it.
    pub lamports: u64,
    /// Who writes, resets and closes it.
    pub authority: Address,
    /// Who gets the rent when it is closed.
    pub payer: Address,
    /// What the proof is to be about.
    pub statement: Digest,
    /// The circuit whose proofs the program took when the account was opened or reset.
    pub circuit_id: [u8; 32],
    /// How far its verification has come.
    pub verified: Verified,
    /// The proof, as far as it is written.
    pub bytes: Vec<u8>,
}

impl RollupClient {
    /// The rollup, and what is at `proof`, at `commitment` and as of one slot. Without an address, there is nothing.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn proof_snapshot_at(
        &self,
        proof: Option<&Address>,
        commitment: Commitment,
    ) -> Result<ProofSnapshot, RollupError> {
        let addresses: Vec<_> = std::iter::once(self.address()).chain(proof.copied()).collect();
        let genesis = self.chain().genesis_hash().await?;
        let read = self.chain().accounts(&addresses, commitment).await?;
        let mut accounts = read.accounts.into_iter();
        let rollup = accounts.next().flatten().ok_or(RollupError::Missing(self.address()))?;
        let rollup = self.parse_rollup(&genesis, &rollup)?;
        let place = match accounts.next().flatten() {
            None => ProofPlace::Nothing,
            Some(account) => self.place(rollup.profile, &account),
        };
        Ok(ProofSnapshot { slot: read.slot, rollup, place })
    }

    fn place(&self, profile: Profile, account: &Account) -> ProofPlace {
        if account.owner == SYSTEM_PROGRAM_ID && account.data.is_empty() {
            // The system program makes no account where there are lamports.
            return ProofPlace::Unusable(format!("somebody has sent {} lamports to it", account.lamports));
        }
        if account.owner != self.program() {
            return ProofPlace::Unusable(format!("it belongs to {}", account.owner));
        }
        match Proof::parse(profile, &account.data) {
            Err(error) => ProofPlace::Unusable(error.to_string()),
            Ok(proof) => ProofPlace::Proof(Box::new(ProofAccount {
                lamports: account.lamports,
                authority: proof.authority,
                payer: proof.payer,
                statement: proof.statement,
                circuit_id: proof.circuit_id,
                verified: verified::of(profile, proof.progress),
                bytes: proof.proof.to_vec(),
            })),
        }
    }

    /// Rent of a proof account, and the transaction that makes one at `proof` for `statement`. `authority` pays, writes and
    /// gets the rent back; it and the account's key sign.
    ///
    /// # Errors
    /// [`RollupError::Chain`].
    pub async fn open_proof(
        &self,
        profile: Profile,
        proof: Address,
        authority: Address,
        statement: &Digest,
    ) -> Result<(u64, Draft), RollupError> {
        let lamports = self.chain().minimum_balance(proof_account(profile).size).await?;
        let accounts = OpenProof { proof, authority, payer: authority };
        let instructions = cairn_interface::create_proof(&self.program(), profile, &accounts, statement, lamports);
        Ok((lamports, Draft { instructions, units: CREATE_PROOF_COMPUTE_UNITS, expired: 0 }))
    }

    /// The transaction that writes `bytes`, at most [`PROOF_CHUNK_BYTES`], at `offset` of the proof.
    #[must_use]
    pub fn write_proof(&self, proof: &Address, authority: &Address, offset: u32, bytes: &[u8]) -> Draft {
        let write = cairn_interface::write_proof(&self.program(), proof, authority, offset, bytes);
        Draft { instructions: vec![write], units: WRITE_PROOF_COMPUTE_UNITS, expired: 0 }
    }

    /// The transaction that does `steps` within `units`, after it has written `last` (offset and bytes), where the proof's
    /// first step needs that, and before it settles batch `settles`, where that can follow.
    #[must_use]
    pub fn verify_steps(
        &self,
        proof: &Address,
        authority: &Address,
        last: Option<(u32, &[u8])>,
        steps: &[ProofStep],
        settles: Option<u64>,
        units: u32,
    ) -> Draft {
        let program = self.program();
        let mut instructions = Vec::with_capacity(steps.len() + 2);
        if let Some((offset, bytes)) = last {
            instructions.push(cairn_interface::write_proof(&program, proof, authority, offset, bytes));
        }
        instructions.extend(steps.iter().map(|step| cairn_interface::verify_step(&program, proof, *step)));
        if let Some(number) = settles {
            instructions.push(cairn_interface::settle_batch(&program, &self.address(), number, proof));
        }
        Draft { instructions, units, expired: 0 }
    }

    /// The transaction that settles batch `number` with the proof that is verified there.
    #[must_use]
    pub fn settle_batch(&self, proof: &Address, number: u64) -> Draft {
        let settle = cairn_interface::settle_batch(&self.program(), &self.address(), number, proof);
        Draft { instructions: vec![settle], units: SETTLE_BATCH_COMPUTE_UNITS, expired: 0 }
    }

    /// The transaction that empties the account for a proof of `statement`.
    #[must_use]
    pub fn reset_proof(&self, proof: &Address, authority: &Address, statement: &Digest) -> Draft {
        let reset = cairn_interface::reset_proof(&self.program(), proof, authority, statement);
        Draft { instructions: vec![reset], units: HOUSEKEEPING_COMPUTE_UNITS, expired: 0 }
    }

    /// The transaction that closes the account; its rent goes to `payer`, the one recorded in it.
    #[must_use]
    pub fn close_proof(&self, proof: &Address, authority: &Address, payer: &Address) -> Draft {
        let close = cairn_interface::close_proof(&self.program(), proof, authority, payer);
        Draft { instructions: vec![close], units: HOUSEKEEPING_COMPUTE_UNITS, expired: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Blockhash, BuildError, Keypair, MAX_TRANSACTION_BYTES, TransactionBuilder};

    const BLOCKHASH: Blockhash = Blockhash { hash: [1; 32], last_valid_block_height: 150 };

    fn sign(bytes: usize) -> Result<usize, BuildError> {
        let (key, proof) = (Keypair::from_seed([1; 32]), Address([2; 32]));
        let data = vec![7; bytes];
        let write = cairn_interface::write_proof(&Address([3; 32]), &proof, &key.address(), u32::MAX, &data);
        let builder = TransactionBuilder::new().compute_unit_limit(WRITE_PROOF_COMPUTE_UNITS).compute_unit_price(1);
        builder.instruction(&write).sign(&key, &[], &BLOCKHASH).map(|signed| signed.bytes.len())
    }

    #[test]
    fn a_chunk_is_as_many_whole_words_as_a_transaction_holds() {
        assert!(sign(PROOF_CHUNK_BYTES).unwrap() <= MAX_TRANSACTION_BYTES && PROOF_CHUNK_BYTES.is_multiple_of(8));
        assert!(matches!(sign(PROOF_CHUNK_BYTES + 8), Err(BuildError::TooLarge { .. })));
    }
}

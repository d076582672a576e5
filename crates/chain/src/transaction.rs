//! Building and signing transactions.

use crate::{Address, Blockhash, Keypair, MAX_COMPUTE_UNITS, MAX_TRANSACTION_BYTES, Signature};
use cairn_interface::Instruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::{AccountMeta, Instruction as SolanaInstruction};
use solana_sdk::message::{VersionedMessage, v0};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::VersionedTransaction;

/// A signed transaction, as it goes over the wire: what is stored before it is sent, and sent again after a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Its name: the fee payer's signature.
    pub signature: Signature,
    /// The wire format, at most [`MAX_TRANSACTION_BYTES`].
    pub bytes: Vec<u8>,
    /// Past this block height these bytes never execute.
    pub last_valid_block_height: u64,
}

/// Why no transaction could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// It would not fit a packet.
    #[error(
        "the transaction has {size} bytes, {MAX_TRANSACTION_BYTES} are allowed: shorten the instruction data or the account list"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// An instruction wants a signature that no given key can make.
    #[error("the transaction needs the signature of {0}, and no key for it was given")]
    MissingSigner(Address),
    /// The account list cannot be compiled.
    #[error("the instructions do not make a transaction: {0}")]
    Compile(String),
}

/// Collects instructions into one version 0 transaction.
#[derive(Debug, Default)]
pub struct TransactionBuilder {
    instructions: Vec<SolanaInstruction>,
}

impl TransactionBuilder {
    /// No instructions yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the compute units; the fee per unit applies to this number.
    #[must_use]
    pub fn compute_unit_limit(self, units: u32) -> Self {
        let mut data = vec![2];
        data.extend_from_slice(&units.min(MAX_COMPUTE_UNITS).to_le_bytes());
        self.compute_budget(data)
    }

    /// Offers a priority fee, in millionths of a lamport per compute unit.
    #[must_use]
    pub fn compute_unit_price(self, micro_lamports: u64) -> Self {
        let mut data = vec![3];
        data.extend_from_slice(&micro_lamports.to_le_bytes());
        self.compute_budget(data)
    }

    fn compute_budget(mut self, data: Vec<u8>) -> Self {
        // ComputeBudget111111111111111111111111111111: instruction 2 sets the unit limit, 3 the unit price.
        self.instructions.push(SolanaInstruction { program_id: COMPUTE_BUDGET, accounts: Vec::new(), data });
        self
    }

    /// Adds an instruction.
    #[must_use]
    pub fn instruction(mut self, instruction: &Instruction) -> Self {
        let accounts = instruction.accounts.iter().map(|meta| AccountMeta {
            pubkey: Pubkey::from(meta.address.0),
            is_signer: meta.is_signer,
            is_writable: meta.is_writable,
        });
        self.instructions.push(SolanaInstruction {
            program_id: Pubkey::from(instruction.program_id.0),
            accounts: accounts.collect(),
            data: instruction.data.clone(),
        });
        self
    }

    /// Adds a transfer of lamports between two accounts of the system program.
    #[must_use]
    pub fn transfer(mut self, from: &Address, to: &Address, lamports: u64) -> Self {
        // Instruction 2 of the system program.
        let mut data = 2_u32.to_le_bytes().to_vec();
        data.extend_from_slice(&lamports.to_le_bytes());
        self.instructions.push(SolanaInstruction {
            program_id: Pubkey::from([0; 32]),
            accounts: vec![
                AccountMeta { pubkey: Pubkey::from(from.0), is_signer: true, is_writable: true },
                AccountMeta { pubkey: Pubkey::from(to.0), is_signer: false, is_writable: true },
            ],
            data,
        });
        self
    }

    /// Compiles and signs; `signers` may come in any order, the fee payer is one of them.
    ///
    /// # Errors
    /// [`BuildError`] when a signer is missing or the result is too large.
    pub fn sign(
        self,
        payer: &Keypair,
        signers: &[&Keypair],
        blockhash: &Blockhash,
    ) -> Result<SignedTransaction, BuildError> {
        let message = v0::Message::try_compile(
            &Pubkey::from(payer.address().0),
            &self.instructions,
            &[],
            Hash::new_from_array(blockhash.hash),
        )
        .map_err(|error| BuildError::Compile(error.to_string()))?;
        let message = VersionedMessage::V0(message);
        let bytes = message.serialize();
        let wanted = usize::from(message.header().num_required_signatures);
        let mut signatures = Vec::with_capacity(wanted);
        for key in message.static_account_keys().iter().take(wanted) {
            let address = Address(key.to_bytes());
            let signer = std::iter::once(&payer)
                .chain(signers)
                .find(|signer| signer.address() == address)
                .ok_or(BuildError::MissingSigner(address))?;
            signatures.push(signer.sign(&bytes));
        }
        let signature = signatures.first().copied().ok_or(BuildError::MissingSigner(payer.address()))?;
        let transaction = VersionedTransaction {
            signatures: signatures.iter().map(|signature| signature.0.into()).collect(),
            message,
        };
        let bytes = wincode::serialize(&transaction).map_err(|error| BuildError::Compile(error.to_string()))?;
        if bytes.len() > MAX_TRANSACTION_BYTES {
            return Err(BuildError::TooLarge { size: bytes.len() });
        }
        Ok(SignedTransaction { signature, bytes, last_valid_block_height: blockhash.last_valid_block_height })
    }
}

const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKHASH: Blockhash = Blockhash { hash: [1; 32], last_valid_block_height: 150 };

    #[test]
    fn a_missing_signer_is_named() {
        let (payer, other) = (Keypair::generate(), Keypair::generate());
        let builder = || TransactionBuilder::new().transfer(&other.address(), &payer.address(), 1);
        let error = builder().sign(&payer, &[], &BLOCKHASH).unwrap_err();
        assert!(matches!(error, BuildError::MissingSigner(address) if address == other.address()), "{error}");
        builder().sign(&payer, &[&other], &BLOCKHASH).unwrap();
    }

    #[test]
    fn the_payer_signs_first_and_gives_the_transaction_its_name() {
        let payer = Keypair::generate();
        let signed = TransactionBuilder::new()
            .compute_unit_limit(u32::MAX)
            .compute_unit_price(7)
            .transfer(&payer.address(), &payer.address(), 1)
            .sign(&payer, &[], &BLOCKHASH)
            .unwrap();
        assert_eq!(signed.bytes[0], 1, "one signature");
        assert_eq!(signed.bytes[1..65], signed.signature.0);
        assert_eq!(signed.last_valid_block_height, 150);
        let limit = [&[2][..], &MAX_COMPUTE_UNITS.to_le_bytes()].concat();
        assert!(signed.bytes.windows(5).any(|bytes| bytes == limit), "never more than a transaction may ask for");
    }
}

//! Settling, abandoning, closing and restoring batches in a [`Machine`].

use super::{Failure, Machine, PROGRAM_ID, address};
use cairn_interface::{self as interface, Address, Batch, History, Instruction, RestoreBatch};
use cairn_types::BatchHeader;
use cairn_types::history::{Hash, NativeSha256, SettledBatch};
use solana_sdk::signature::Keypair;

/// Compute units of a transaction that asks for as many as there are.
const MAX_UNITS: u32 = 1_400_000;

impl Machine {
    /// A batch as the chain has it.
    #[must_use]
    pub fn batch(&self, number: u64) -> Batch {
        Batch::parse(&self.data(&self.batch_address(number))).expect("a batch")
    }

    /// The leaf of a batch in the rollup's history, from its account.
    #[must_use]
    pub fn leaf(&self, number: u64) -> Hash {
        let batch = self.batch(number);
        SettledBatch::of(&batch.header, batch.digest, batch.slot, batch.time).leaf::<NativeSha256>()
    }

    /// Whether a batch has an account.
    #[must_use]
    pub fn has_batch(&self, number: u64) -> bool {
        let account = self.svm.get_account(&super::pubkey(self.batch_address(number)));
        account.is_some_and(|account| account.lamports > 0)
    }

    /// The rollup's history as the chain has it.
    #[must_use]
    pub fn history(&self) -> History {
        History::parse(&self.data(&self.history_address())).expect("a history")
    }

    /// Where the rollup's history is.
    #[must_use]
    pub fn history_address(&self) -> Address {
        interface::history_address(&PROGRAM_ID, &self.rollup)
    }

    /// Settles batch `number` with a proof account, as nobody in particular.
    ///
    /// # Errors
    /// How it failed.
    pub fn settle_with(&mut self, number: u64, proof: &Address) -> Result<u64, Failure> {
        let anyone = self.prover.insecure_clone();
        self.send(&interface::settle_batch(&PROGRAM_ID, &self.rollup, number, proof), &anyone)
    }

    /// Settles batch `number` with an account that is planted: see [`Self::verified_proof`].
    ///
    /// # Errors
    /// How it failed.
    pub fn settle(&mut self, number: u64) -> Result<u64, Failure> {
        let proof = self.verified_proof(&self.batch(number).digest);
        self.settle_with(number, &proof)
    }

    /// Settles all that is pending.
    pub fn settle_all(&mut self) {
        for number in self.rollup().settled.batches..self.rollup().tip.batches {
            self.settle(number).expect("settled");
        }
    }

    /// The call that abandons what is pending.
    #[must_use]
    pub fn abandonment(&self, signer: &Keypair) -> Instruction {
        interface::abandon_batches(&PROGRAM_ID, &self.rollup, &address(signer), self.rollup().settled.batches)
    }

    /// Abandons what is pending, as the sequencer.
    ///
    /// # Errors
    /// How it failed.
    pub fn abandon(&mut self) -> Result<u64, Failure> {
        let sequencer = self.sequencer.insecure_clone();
        self.send(&self.abandonment(&sequencer), &sequencer)
    }

    /// Closes the account of batch `number`, as its payer.
    ///
    /// # Errors
    /// How it failed.
    pub fn close_batch(&mut self, number: u64, payer: &Keypair) -> Result<u64, Failure> {
        self.send(&interface::close_batch(&PROGRAM_ID, &self.rollup, &address(payer), number), payer)
    }

    /// The call that restores a batch, paid for by the prover.
    #[must_use]
    pub fn restoration(&self, header: &BatchHeader, slot: u64, time: i64, path: &[[u8; 32]]) -> Instruction {
        let size = u32::try_from(self.history().size).expect("few batches");
        let arguments = RestoreBatch { payer: address(&self.prover), header, slot, time, size, path };
        interface::restore_batch(&PROGRAM_ID, &self.rollup, &arguments)
    }

    /// Sends one instruction with as many compute units as a transaction can have; gives those that it took.
    ///
    /// # Errors
    /// How it failed.
    pub fn send_with_units(&mut self, instruction: &Instruction, signer: &Keypair) -> Result<u64, Failure> {
        // The compute budget program's SetComputeUnitLimit.
        let mut data = vec![2];
        data.extend_from_slice(&MAX_UNITS.to_le_bytes());
        let program_id = Address::constant("ComputeBudget111111111111111111111111111111");
        let request = Instruction { program_id, accounts: vec![], data };
        self.send_all(&[request, instruction.clone()], &[signer])
    }
}

//! The built settlement program for proofs of the profile `dev` in a Solana virtual machine, one rollup in it, and a caller that need not be honest.

use cairn_interface::{
    self as interface, Address, Initialize, Instruction, Profile, Queue, Registry, Rollup, SettlementError,
};
use cairn_types::{BatchHeader, Cursor, Digest, VerdictCounts};
use litesvm::LiteSVM;
use litesvm::types::FailedTransactionMetadata;
use solana_sdk::account::Account;
use solana_sdk::clock::Clock;
use solana_sdk::instruction::{AccountMeta, Instruction as SolanaInstruction, InstructionError};
use solana_sdk::message::Message;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::path::PathBuf;

mod nodes;
mod proofs;
mod receipts;
mod settling;

pub use nodes::receipt_key;
pub use proofs::{ALL_QUERIES, Fixture, OpenedProof, verified_progress};
pub use receipts::{FilledBatch, Leaves};

/// The profile of the program under test, and of its rollups. Its proofs are quicker to make and its files smaller; nothing else
/// is different about the two programs.
pub const PROFILE: Profile = Profile::Dev;
/// The id of the program under test.
pub const PROGRAM_ID: Address = interface::program_id(PROFILE);

/// Name another file than the committed one for the program of a profile: `dev`, then `production`.
pub const PROGRAM_FILE_VARIABLES: [&str; 2] = ["CAIRN_PROGRAM_SO", "CAIRN_PRODUCTION_PROGRAM_SO"];

/// What the cluster's clock says in these tests: seconds since the Unix epoch.
pub const NOW: i64 = 1_790_000_000;

/// The genesis hash that the rollup is told. Any will do: programs cannot see the real one.
pub const GENESIS_HASH: [u8; 32] = [0x47; 32];

/// The program file of a profile.
#[must_use]
pub fn program_file(profile: Profile) -> PathBuf {
    let [dev, production] = PROGRAM_FILE_VARIABLES;
    let (variable, name) = match profile {
        Profile::Dev => (dev, "settlement-dev.so"),
        Profile::Production => (production, "settlement.so"),
    };
    let committed = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../programs")).join(name);
    std::env::var_os(variable).map_or_else(committed, PathBuf::from)
}

/// How a transaction failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The program refused, for a reason of its own.
    Refused(SettlementError),
    /// The program ended with an error of the runtime or of the framework.
    Instruction(InstructionError),
    /// The transaction did not get as far.
    Transaction(TransactionError),
}

/// A virtual machine with the program, and the keys of the two roles.
pub struct Machine {
    /// The machine, to look into and to tamper with.
    pub svm: LiteSVM,
    /// The rollup's admin.
    pub admin: Keypair,
    /// The rollup's sequencer.
    pub sequencer: Keypair,
    /// The rollup's address, whether it is there yet or not.
    pub rollup: Address,
    /// Who writes proofs. Nobody to the rollup.
    pub prover: Keypair,
}

impl Machine {
    /// A machine in which the rollup is not created yet.
    #[must_use]
    pub fn without_rollup() -> Self {
        let mut svm = LiteSVM::new();
        svm.add_program_from_file(pubkey(PROGRAM_ID), program_file(PROFILE)).expect("the program loads");
        let mut clock = svm.get_sysvar::<Clock>();
        clock.unix_timestamp = NOW;
        clock.slot = 1_000;
        svm.set_sysvar(&clock);
        // The admin is always the same, so that the rollup is, its identity included.
        let (admin, sequencer, prover) = (Keypair::new_from_array([0xad; 32]), Keypair::new(), Keypair::new());
        for key in [&admin, &sequencer, &prover] {
            svm.airdrop(&key.pubkey(), 1_000_000_000_000).expect("lamports for the key");
        }
        let rollup = interface::rollup_address(&PROGRAM_ID, &address(&admin), 0);
        Self { svm, admin, sequencer, rollup, prover }
    }

    /// A machine with a fresh rollup.
    #[must_use]
    pub fn new() -> Self {
        let mut machine = Self::without_rollup();
        machine.create(&machine.arguments()).expect("the rollup is created");
        machine
    }

    /// A machine with a fresh rollup, and a registrar whose signature or the default bond registers.
    #[must_use]
    pub fn with_registrar() -> (Self, Keypair) {
        let mut machine = Self::without_rollup();
        let registrar = Keypair::new();
        let registry = Registry { registrar: address(&registrar), ..Registry::OPEN };
        machine.create(&Initialize { registry, ..machine.arguments() }).expect("the rollup is created");
        (machine, registrar)
    }

    /// Creates a rollup of the admin's, its queue at full size.
    ///
    /// # Errors
    /// How it failed.
    pub fn create(&mut self, arguments: &Initialize) -> Result<u64, Failure> {
        let admin = self.admin.insecure_clone();
        self.send_all(&interface::create_rollup(&PROGRAM_ID, arguments), &[&admin])
    }

    /// Arguments that `initialize` accepts.
    #[must_use]
    pub fn arguments(&self) -> Initialize {
        Initialize {
            admin: address(&self.admin),
            id: 0,
            sequencer: address(&self.sequencer),
            acknowledgement_key: Address([0xac; 32]),
            genesis_hash: GENESIS_HASH,
            profile: PROFILE,
            max_pending: interface::DEFAULT_MAX_PENDING,
            registry: Registry::OPEN,
        }
    }

    /// The rollup as the chain has it.
    #[must_use]
    pub fn rollup(&self) -> Rollup {
        Rollup::parse(&self.data(&self.rollup)).expect("a rollup")
    }

    /// The rollup's queue as the chain has it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        Queue::parse(&self.data(&self.queue_address())).expect("a queue")
    }

    /// Where the rollup's queue is.
    #[must_use]
    pub fn queue_address(&self) -> Address {
        interface::queue_address(&PROGRAM_ID, &self.rollup)
    }

    /// Where the rollup's batch `number` is.
    #[must_use]
    pub fn batch_address(&self, number: u64) -> Address {
        interface::batch_address(&PROGRAM_ID, &self.rollup, number)
    }

    /// An account's bytes.
    #[must_use]
    pub fn data(&self, address: &Address) -> Vec<u8> {
        self.svm.get_account(&pubkey(*address)).expect("the account is there").data
    }

    /// Puts an account in place, whatever the program would say.
    pub fn plant(&mut self, address: &Address, owner: Address, data: Vec<u8>) {
        let lamports = self.svm.minimum_balance_for_rent_exemption(data.len());
        let account = Account { lamports, data, owner: pubkey(owner), executable: false, rent_epoch: 0 };
        self.svm.set_account(pubkey(*address), account).expect("the account is set");
    }

    /// Changes bytes of an account, whatever the program would say.
    pub fn tamper(&mut self, address: &Address, change: impl FnOnce(&mut [u8])) {
        let mut account = self.svm.get_account(&pubkey(*address)).expect("the account is there");
        change(&mut account.data);
        self.svm.set_account(pubkey(*address), account).expect("the account is set");
    }

    /// Makes it so that the rollup's last `count` batches left an overdue entry, without submitting them.
    pub fn set_overdue_batches(&mut self, count: u32) {
        const TAIL: usize = interface::layout::ROLLUP_RESERVED + interface::layout::ROLLUP_TAIL;
        let (rollup, at) = (self.rollup, interface::ROLLUP.size - TAIL - 16);
        self.tamper(&rollup, |data| data[at..at + 4].copy_from_slice(&count.to_le_bytes()));
        assert_eq!(self.rollup().overdue_batches, count);
    }

    /// Moves the cluster's clock on.
    pub fn advance(&mut self, slots: u64, seconds: i64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.slot += slots;
        clock.unix_timestamp += seconds;
        self.svm.set_sysvar(&clock);
    }

    /// A header that continues from the rollup's tip, with three receipts in one bundle.
    #[must_use]
    pub fn next_header(&self) -> BatchHeader {
        let rollup = self.rollup();
        header_after(&rollup.tip, rollup.rollup_id)
    }

    /// The call that submits `header`.
    #[must_use]
    pub fn submission(&self, header: &BatchHeader) -> Instruction {
        interface::submit_batch(&PROGRAM_ID, &self.rollup, &address(&self.sequencer), header)
    }

    /// Submits `header` as the sequencer.
    ///
    /// # Errors
    /// How it failed.
    pub fn submit(&mut self, header: &BatchHeader) -> Result<u64, Failure> {
        let instruction = self.submission(header);
        self.send_as_sequencer(&instruction)
    }

    /// Sends one instruction, signed by the sequencer.
    ///
    /// # Errors
    /// How it failed.
    pub fn send_as_sequencer(&mut self, instruction: &Instruction) -> Result<u64, Failure> {
        let key = self.sequencer.insecure_clone();
        self.send(instruction, &key)
    }

    /// Sends one instruction, signed by the admin.
    ///
    /// # Errors
    /// How it failed.
    pub fn send_as_admin(&mut self, instruction: &Instruction) -> Result<u64, Failure> {
        let key = self.admin.insecure_clone();
        self.send(instruction, &key)
    }

    /// Sends one instruction, signed and paid for by `signer`; gives the compute units it took.
    ///
    /// # Errors
    /// How it failed.
    pub fn send(&mut self, instruction: &Instruction, signer: &Keypair) -> Result<u64, Failure> {
        self.send_all(std::slice::from_ref(instruction), &[signer])
    }

    /// Sends instructions in one transaction, the first signer paying; gives the compute units it took.
    ///
    /// # Errors
    /// How it failed.
    pub fn send_all(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<u64, Failure> {
        // Another blockhash each time: the machine refuses a transaction that it has seen.
        self.svm.expire_blockhash();
        let instructions = instructions.iter().map(solana).collect::<Vec<_>>();
        let message = Message::new(&instructions, Some(&signers[0].pubkey()));
        let transaction = Transaction::new(signers, message, self.svm.latest_blockhash());
        self.svm.send_transaction(transaction).map(|done| done.compute_units_consumed).map_err(failure)
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

/// A header that continues from `tip`, with three receipts in one bundle.
#[must_use]
pub fn header_after(tip: &Cursor, rollup_id: Digest) -> BatchHeader {
    BatchHeader {
        rollup_id,
        number: tip.batches,
        previous: tip.header_digest,
        batch_root: Digest::constant([11, 12, 13, tip.batches]),
        old_state_root: tip.state_root,
        new_state_root: Digest::constant([21, 22, 23, tip.batches + 1]),
        queue_from: tip.queue,
        queue_to: tip.queue,
        bundles: 1,
        receipts: 3,
        bytes: 12_345,
        time_min: 1_789_999_990_000,
        time_max: 1_789_999_999_000,
        verdicts: [VerdictCounts { allowed: 1, refused: 1, conditional: 0 }; 5],
        tiers: [0; 5],
        data_digest: Digest::from_byte_digest([0xda; 32]),
        data_length: 6_789,
    }
}

/// A key's address.
#[must_use]
pub fn address(key: &Keypair) -> Address {
    Address(key.pubkey().to_bytes())
}

/// An address as the virtual machine's crates have it.
#[must_use]
pub fn pubkey(address: Address) -> Pubkey {
    Pubkey::new_from_array(address.0)
}

/// An instruction as the virtual machine's crates have it.
#[must_use]
pub fn solana(instruction: &Instruction) -> SolanaInstruction {
    let accounts = instruction.accounts.iter().map(|meta| AccountMeta {
        pubkey: pubkey(meta.address),
        is_signer: meta.is_signer,
        is_writable: meta.is_writable,
    });
    SolanaInstruction {
        program_id: pubkey(instruction.program_id),
        accounts: accounts.collect(),
        data: instruction.data.clone(),
    }
}

fn failure(failed: FailedTransactionMetadata) -> Failure {
    match failed.err {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => match SettlementError::from_code(code)
        {
            Some(error) => Failure::Refused(error),
            None => Failure::Instruction(InstructionError::Custom(code)),
        },
        TransactionError::InstructionError(_, error) => Failure::Instruction(error),
        error => Failure::Transaction(error),
    }
}

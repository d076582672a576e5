//! The built settlement program in a Solana virtual machine, one rollup in it, and a caller that need not be honest.

use cairn_interface::{
    self as interface, Address, Initialize, Instruction, PROGRAM_ID, Profile, QUEUE_RING, Queue, Rollup,
    SettlementError,
};
use cairn_types::{BatchHeader, Cursor, Digest, QueueCursor, VerdictCounts};
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

/// Names another program file than the committed one.
pub const PROGRAM_FILE_VARIABLE: &str = "CAIRN_PROGRAM_SO";

/// What the cluster's clock says in these tests: seconds since the Unix epoch.
pub const NOW: i64 = 1_790_000_000;

/// The genesis hash that the rollup is told. Any will do: programs cannot see the real one.
pub const GENESIS_HASH: [u8; 32] = [0x47; 32];

/// The program file under test.
#[must_use]
pub fn program_file() -> PathBuf {
    std::env::var_os(PROGRAM_FILE_VARIABLE)
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/settlement.so")), PathBuf::from)
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
}

impl Machine {
    /// A machine in which the rollup is not created yet.
    #[must_use]
    pub fn without_rollup() -> Self {
        let mut svm = LiteSVM::new();
        svm.add_program_from_file(pubkey(PROGRAM_ID), program_file()).expect("the program loads");
        let mut clock = svm.get_sysvar::<Clock>();
        clock.unix_timestamp = NOW;
        clock.slot = 1_000;
        svm.set_sysvar(&clock);
        let (admin, sequencer) = (Keypair::new(), Keypair::new());
        for key in [&admin, &sequencer] {
            svm.airdrop(&key.pubkey(), 1_000_000_000_000).expect("lamports for the key");
        }
        let rollup = interface::rollup_address(&PROGRAM_ID, &address(&admin), 0);
        Self { svm, admin, sequencer, rollup }
    }

    /// A machine with a fresh rollup.
    #[must_use]
    pub fn new() -> Self {
        let mut machine = Self::without_rollup();
        let arguments = machine.arguments();
        let instruction = interface::initialize(&PROGRAM_ID, &arguments);
        machine.send_as_admin(&instruction).expect("the rollup is created");
        machine
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
            profile: Profile::Dev,
            max_pending: interface::DEFAULT_MAX_PENDING,
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

    /// Puts `count` entries into the registration queue, as `register_node` will.
    pub fn extend_queue(&mut self, count: u64) {
        let start = self.queue().end.position;
        let (length_at, digest_at, ring_at) = (40, 48, 80);
        self.tamper(&self.queue_address(), |data| {
            for position in start + 1..=start + count {
                let bytes = queue_digest(position).to_bytes();
                let place = ring_at + 32 * (position as usize % QUEUE_RING);
                data[length_at..length_at + 8].copy_from_slice(&position.to_le_bytes());
                data[digest_at..digest_at + 32].copy_from_slice(&bytes);
                data[place..place + 32].copy_from_slice(&bytes);
            }
        });
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
        // Another blockhash each time: the machine refuses a transaction that it has seen.
        self.svm.expire_blockhash();
        let message = Message::new(&[solana(instruction)], Some(&signer.pubkey()));
        let transaction = Transaction::new(&[signer], message, self.svm.latest_blockhash());
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

/// The digest that [`Machine::extend_queue`] puts at `position`.
#[must_use]
pub fn queue_digest(position: u64) -> Digest {
    Digest::constant([31, 32, 33, position])
}

/// The queue's cursor at a position that [`Machine::extend_queue`] made.
#[must_use]
pub fn queue_cursor(position: u64) -> QueueCursor {
    QueueCursor { position, digest: queue_digest(position) }
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

//! The embedded chain as a synchronous state machine over a directory.

use super::journal::{Journal, Record};
use super::slots::Genesis;
use super::state::{self, Ledger};
use super::{OpenError, Options, Program};
use crate::failure::BLOCKHASH_NOT_FOUND;
use crate::{
    Account, Address, ChainError, Commitment, ErrorClass, Keypair, MAX_TRANSACTION_BYTES, Signature, Tip,
    TransactionFailure, TransactionStatus,
};
use litesvm::LiteSVM;
use solana_sdk::clock::Clock;
use solana_sdk::message::VersionedMessage;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::{TransactionError, VersionedTransaction};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// Slots in an epoch, as on the cluster.
pub(crate) const EPOCH_SLOTS: u64 = 432_000;
const LOCK_FILE: &str = "lock";

pub(crate) struct Engine {
    dir: PathBuf,
    options: Options,
    ledger: Ledger,
    svm: LiteSVM,
    journal: Journal,
    /// Set when a commit failed half-way: memory and disk may disagree until the directory is opened again.
    poisoned: bool,
    /// Counts what was executed, for whoever waits for it.
    executed: watch::Sender<u64>,
    /// Held as long as the directory is open for writing.
    _lock: File,
}

impl Engine {
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { dir: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(io)?;
        let lock = lock(dir)?;
        // What a crash left of a commit that did not happen.
        match fs::remove_file(dir.join(state::TEMPORARY_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let (ledger, svm) = match File::open(dir.join(state::STATE_FILE)) {
            Ok(file) => {
                let (ledger, svm) = state::read(file)
                    .map_err(|source| OpenError::State { path: dir.join(state::STATE_FILE), source })?;
                check_program(&svm, &options.program, dir)?;
                (ledger, svm)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => begin(dir, &options)?,
            Err(error) => return Err(io(error)),
        };
        let journal = Journal::repair(dir, &ledger)
            .map_err(|source| OpenError::Log { path: dir.join(super::journal::LOG_FILE), source })?;
        state::sync_dir(dir).map_err(io)?;
        let executed = watch::Sender::new(ledger.transactions);
        Ok(Self { dir: dir.to_owned(), options, ledger, svm, journal, poisoned: false, executed, _lock: lock })
    }

    pub fn genesis(&self) -> &Genesis {
        &self.ledger.genesis
    }

    /// The slot now, in which the next transaction would execute.
    pub fn slot(&self) -> u64 {
        self.ledger.open_slot(self.options.time.now_ms())
    }

    pub fn tip(&self) -> Tip {
        let slot = self.slot();
        Tip { slot, block_height: self.ledger.genesis.height_of(slot) }
    }

    pub fn account(&self, address: &Address) -> Option<Account> {
        account(&self.svm, address)
    }

    pub fn minimum_balance(&self, data_length: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(data_length)
    }

    /// The account that [`super::EmbeddedChain::fund`] pays from.
    pub fn faucet(&self) -> Result<Keypair, ChainError> {
        Keypair::from_bytes(self.svm.airdrop_keypair_bytes())
            .ok_or_else(|| ChainError::Invalid("the faucet's key in the state file is damaged".into()))
    }

    pub fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        Ok(self.record(signature)?.map(status_of))
    }

    /// The log's line of a transaction, if it is among those remembered.
    pub fn record(&self, signature: &Signature) -> Result<Option<Record>, ChainError> {
        self.journal.read(signature).map_err(|error| ChainError::fatal("reading transactions.jsonl", error))
    }

    /// Transactions executed since genesis.
    pub fn transactions(&self) -> u64 {
        self.ledger.transactions
    }

    /// Changes with every transaction that is executed.
    pub fn executed(&self) -> watch::Receiver<u64> {
        self.executed.subscribe()
    }

    /// Whether a transaction that names `hash` could execute now.
    pub fn is_recent(&self, hash: &[u8; 32]) -> bool {
        self.genesis().is_recent(hash, self.slot())
    }

    /// The accounts of `program` that `wanted` says yes to, by address.
    pub fn program_accounts(&self, program: &Address, wanted: impl Fn(&Account) -> bool) -> BTreeMap<Address, Account> {
        program_accounts(&self.svm, program, wanted)
    }

    /// Executes a transaction on a copy of the state, now, and forgets the effects.
    pub fn simulate(&self, transaction: VersionedTransaction, checks: Checks) -> Simulation {
        let refused = |error| Simulation { error: Some(error), logs: Vec::new(), units: 0, fee: 0 };
        let now = self.options.time.now_ms().max(self.ledger.unix_ms);
        let slot = self.ledger.open_slot(now);
        let named = transaction.message.recent_blockhash().to_bytes();
        if checks.blockhash && !self.ledger.genesis.is_recent(&named, slot) {
            return refused(TransactionError::BlockhashNotFound);
        }
        if checks.signatures {
            match verify(&transaction) {
                Ok(signature) if self.journal.knows(&signature) => return refused(TransactionError::AlreadyProcessed),
                Ok(_) => {}
                Err(_) => return refused(TransactionError::SignatureFailure),
            }
        }
        let mut svm = self.svm.clone().with_sigverify(checks.signatures);
        advance_clock(&mut svm, &self.ledger.genesis, slot, now);
        let (meta, error) = match svm.simulate_transaction(transaction) {
            Ok(done) => (done.meta, None),
            Err(failed) => (failed.meta, Some(failed.err)),
        };
        Simulation { error, logs: meta.logs, units: meta.compute_units_consumed, fee: meta.fee }
    }

    /// Executes a transaction and makes its effects durable, or returns the signature of the one it repeats.
    pub fn send(&mut self, bytes: &[u8]) -> Result<Signature, ChainError> {
        if self.poisoned {
            let what = "an earlier write to the chain's directory failed half-way: restart to recover it".into();
            return Err(ChainError::Fatal { what, source: None });
        }
        let transaction = parse(bytes)?;
        let signature = verify(&transaction)?;
        if self.journal.knows(&signature) {
            return Ok(signature);
        }
        let now = self.options.time.now_ms().max(self.ledger.unix_ms);
        let slot = self.ledger.open_slot(now);
        if !self.ledger.genesis.is_recent(&transaction.message.recent_blockhash().to_bytes(), slot) {
            return Err(ChainError::Refused(expired()));
        }
        // On a copy: should the commit fail, what is in memory is still what is on disk.
        let mut svm = self.svm.clone();
        advance_clock(&mut svm, &self.ledger.genesis, slot, now);
        let named = transaction.message.static_account_keys().to_vec();
        let balances = |svm: &LiteSVM| named.iter().map(|key| svm.get_balance(key).unwrap_or(0)).collect();
        let pre_balances = balances(&svm);
        let outcome = svm.send_transaction(transaction);
        let (meta, error) = match outcome {
            Ok(meta) => (meta, None),
            Err(failed) => {
                if failed.meta.signature == solana_sdk::signature::Signature::default() {
                    // Never entered a block: no fee, no trace.
                    return Err(ChainError::Refused(TransactionFailure::from(&failed.err)));
                }
                (failed.meta, Some(failed.err))
            }
        };
        let record = Record {
            signature: signature.to_string(),
            slot,
            unix_time: now.div_euclid(1_000),
            size: bytes.len(),
            compute_units: meta.compute_units_consumed,
            fee: meta.fee,
            cluster_error: error.as_ref().and_then(|error| serde_json::to_value(error).ok()),
            error: error.as_ref().map(TransactionFailure::from),
            pre_balances,
            post_balances: balances(&svm),
            transaction: data_encoding::BASE64.encode(bytes),
            logs: meta.logs,
        };
        let mut line = serde_json::to_vec(&record).map_err(|error| ChainError::fatal("writing a log line", error))?;
        line.push(b'\n');
        let ledger = Ledger {
            genesis: self.ledger.genesis.clone(),
            slot,
            unix_ms: now,
            transactions: self.ledger.transactions.saturating_add(1),
            logged: self.journal.end(),
            last_line: line,
        };
        self.commit(signature, ledger, svm)?;
        Ok(signature)
    }

    fn commit(&mut self, signature: Signature, ledger: Ledger, svm: LiteSVM) -> Result<(), ChainError> {
        let bytes =
            state::encode(&ledger, &svm).map_err(|error| ChainError::fatal("encoding the chain's state", error))?;
        self.poisoned = true;
        state::commit(&self.dir, &bytes).and_then(|()| self.journal.append(signature, &ledger.last_line)).map_err(
            |error| {
                ChainError::fatal(
                    format!("writing the chain's state in {}; restart to recover it", self.dir.display()),
                    error,
                )
            },
        )?;
        self.ledger = ledger;
        self.svm = svm;
        self.poisoned = false;
        self.executed.send_replace(self.ledger.transactions);
        Ok(())
    }
}

/// What [`Engine::simulate`] checks before it executes.
#[derive(Clone, Copy)]
pub(crate) struct Checks {
    pub signatures: bool,
    pub blockhash: bool,
}

/// What a transaction would have done.
pub(crate) struct Simulation {
    pub error: Option<TransactionError>,
    pub logs: Vec<String>,
    pub units: u64,
    pub fee: u64,
}

pub(super) fn account(svm: &LiteSVM, address: &Address) -> Option<Account> {
    svm.get_account(&Pubkey::from(address.0)).map(from_solana)
}

pub(super) fn program_accounts(
    svm: &LiteSVM,
    program: &Address,
    wanted: impl Fn(&Account) -> bool,
) -> BTreeMap<Address, Account> {
    let owned = svm.get_program_accounts(&Pubkey::from(program.0)).into_iter();
    let owned = owned.map(|(address, account)| (Address(address.to_bytes()), from_solana(account)));
    owned.filter(|(_, account)| wanted(account)).collect()
}

fn from_solana(account: solana_sdk::account::Account) -> Account {
    Account {
        lamports: account.lamports,
        owner: Address(account.owner.to_bytes()),
        data: account.data,
        executable: account.executable,
    }
}

fn expired() -> TransactionFailure {
    TransactionFailure::new(
        BLOCKHASH_NOT_FOUND,
        "its blockhash is older than 150 slots, or not of this chain: sign again with a new one",
        ErrorClass::Transient,
    )
}

pub(super) fn status_of(record: Record) -> TransactionStatus {
    TransactionStatus {
        slot: record.slot,
        commitment: Commitment::Finalized,
        outcome: record.error.map_or(Ok(()), Err),
        compute_units: Some(record.compute_units),
        fee: Some(record.fee),
        logs: record.logs,
    }
}

/// The wire format, in its one canonical encoding, within the packet limit.
pub(crate) fn parse(bytes: &[u8]) -> Result<VersionedTransaction, ChainError> {
    if bytes.len() > MAX_TRANSACTION_BYTES {
        return Err(ChainError::Invalid(format!(
            "the transaction has {} bytes, {MAX_TRANSACTION_BYTES} are allowed: it would not fit a packet",
            bytes.len()
        )));
    }
    let transaction: VersionedTransaction = wincode::deserialize_exact(bytes)
        .map_err(|error| ChainError::Invalid(format!("the bytes are not a transaction: {error}")))?;
    if matches!(transaction.message, VersionedMessage::V1(_)) {
        return Err(ChainError::Invalid("version 1 transactions are not active here: send version 0".into()));
    }
    match wincode::serialize(&transaction) {
        Ok(canonical) if canonical == bytes => Ok(transaction),
        _ => Err(ChainError::Invalid("the transaction is not in its canonical encoding".into())),
    }
}

/// Checks structure and every signature; the first one is the transaction's name.
fn verify(transaction: &VersionedTransaction) -> Result<Signature, ChainError> {
    transaction
        .sanitize()
        .map_err(|error| ChainError::Invalid(format!("the transaction's account lists do not add up: {error}")))?;
    transaction.verify_and_hash_message().map_err(|error| ChainError::Refused((&error).into()))?;
    let first =
        transaction.signatures.first().ok_or_else(|| ChainError::Invalid("the transaction is not signed".into()))?;
    Ok(Signature((*first).into()))
}

fn advance_clock(svm: &mut LiteSVM, genesis: &Genesis, slot: u64, unix_ms: i64) {
    let epoch = slot / EPOCH_SLOTS;
    svm.set_latest_blockhash(genesis.blockhash_of(slot).into());
    svm.set_sysvar(&Clock {
        slot,
        epoch_start_timestamp: genesis.unix_ms.div_euclid(1_000),
        epoch,
        leader_schedule_epoch: epoch.saturating_add(1),
        unix_timestamp: unix_ms.div_euclid(1_000),
    });
}

/// One process at a time; the lock goes with the process, however it ends.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { dir: dir.to_owned(), source };
    let file = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE)).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(io(source)),
    }
}

/// A new chain with the program deployed, already on disk.
fn begin(dir: &Path, options: &Options) -> Result<(Ledger, LiteSVM), OpenError> {
    let log = dir.join(super::journal::LOG_FILE);
    if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 0) {
        return Err(OpenError::Orphaned { log });
    }
    let unix_ms = options.time.now_ms();
    let genesis = Genesis { hash: rand::random(), slot: litesvm::MAINNET_DEFAULT_SLOT, unix_ms };
    let mut svm = LiteSVM::default()
        .with_mainnet_features()
        .with_builtins()
        .with_lamports(FAUCET_LAMPORTS)
        .with_sysvars()
        .with_feature_accounts()
        .with_sigverify(true)
        // Slots, blockhashes and the memory of signatures are kept here, over restarts: the VM's own know one blockhash
        // and a few dozen signatures.
        .with_blockhash_check(false)
        .with_transaction_history(0);
    advance_clock(&mut svm, &genesis, genesis.slot, unix_ms);
    let Program { id, elf } = &options.program;
    svm.add_program(Pubkey::from(id.0), elf)
        .map_err(|error| OpenError::Program { id: *id, reason: error.to_string() })?;
    let ledger = Ledger { slot: genesis.slot, genesis, unix_ms, transactions: 0, logged: 0, last_line: Vec::new() };
    let bytes = state::encode(&ledger, &svm)
        .map_err(|source| OpenError::State { path: dir.join(state::STATE_FILE), source })?;
    state::commit(dir, &bytes).map_err(|source| OpenError::Io { dir: dir.to_owned(), source })?;
    Ok((ledger, svm))
}

/// What the faucet starts with: a million SOL.
const FAUCET_LAMPORTS: u64 = 1_000_000 * 1_000_000_000;

/// Bytes before the ELF in a program data account: a tag, the slot, and the optional authority.
const PROGRAM_DATA_HEADER: usize = 45;

/// The program in the directory must be the one this binary was built with: hosts and program agree on every layout.
fn check_program(svm: &LiteSVM, program: &Program, dir: &Path) -> Result<(), OpenError> {
    let loader = solana_sdk::pubkey!("BPFLoaderUpgradeab1e11111111111111111111111");
    let id = Pubkey::from(program.id.0);
    let (data, _) = Pubkey::find_program_address(&[id.as_ref()], &loader);
    let Some(stored) = svm.get_account(&data) else {
        return Err(OpenError::NoProgram { dir: dir.to_owned(), id: program.id });
    };
    let stored = stored.data.get(PROGRAM_DATA_HEADER..).unwrap_or_default();
    if stored != program.elf.as_ref() {
        return Err(OpenError::OtherProgram {
            dir: dir.to_owned(),
            id: program.id,
            stored: hex(stored),
            embedded: hex(&program.elf),
        });
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

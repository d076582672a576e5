//! The embedded chain: the Solana VM in this process, made strict and durable.
//!
//! Strict: a transaction travels as its wire bytes, at most 1,232 of them, in canonical form; every signature is
//! verified; slots, the clock and blockhashes advance with the time and with every transaction; a blockhash expires after
//! 150 slots; a transaction that was executed is never executed again. Everything executed counts as finalized.
//!
//! Durable: when `send` returns, the new state is on disk (temporary file, sync, rename, directory sync) and so is the
//! transaction's line in `transactions.jsonl`.

pub(crate) mod engine;
mod follower;
mod journal;
mod slots;
mod state;

pub use follower::EmbeddedFollower;
pub use journal::{JournalError, Record};
pub use state::StateError;

use crate::{
    Account, AccountFilter, AccountWatch, Accounts, Address, Blockhash, Chain, ChainError, Commitment, ProgramAccounts,
    Signature, SignedTransaction, TimeSource, Tip, TransactionBuilder, TransactionStatus,
};
use async_trait::async_trait;
use cairn_interface::Profile;
use engine::Engine;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Accounts that one call may ask for, as on the cluster.
const MAX_ACCOUNTS: usize = 100;
/// Statuses that one call may ask for, as on the cluster.
const MAX_SIGNATURES: usize = 256;

/// A program to deploy at genesis.
#[derive(Clone)]
pub struct Program {
    /// Its address.
    pub id: Address,
    /// The sBPF shared object.
    pub elf: Cow<'static, [u8]>,
}

impl Program {
    /// The settlement program that this binary was built with for rollups of `profile`: each profile's verifier is a
    /// program of its own, under an id of its own.
    #[must_use]
    pub fn settlement(profile: Profile) -> Self {
        let elf: &'static [u8] = match profile {
            Profile::Production => include_bytes!("../../../../programs/settlement.so"),
            Profile::Dev => include_bytes!("../../../../programs/settlement-dev.so"),
        };
        Self { id: cairn_interface::program_id(profile), elf: Cow::Borrowed(elf) }
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({}, {} bytes)", self.id, self.elf.len())
    }
}

/// How to open an embedded chain.
#[derive(Debug, Clone)]
pub struct Options {
    /// What a new chain has deployed, and an old one must have.
    pub program: Program,
    /// Where it reads the time.
    pub time: TimeSource,
}

impl Options {
    /// A chain for rollups of `profile`, by the system's time.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        Self { program: Program::settlement(profile), time: TimeSource::System }
    }
}

/// Why a chain's directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be read or written.
    #[error("chain directory {dir}: {source}")]
    Io {
        /// Which directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process writes it.
    #[error("chain directory {dir} is open in another process: stop that one, or open it read-only")]
    Locked {
        /// Which directory.
        dir: PathBuf,
    },
    /// There is no chain in it.
    #[error("there is no chain in {dir}: start the process that writes it first")]
    Missing {
        /// Which directory.
        dir: PathBuf,
    },
    /// The state file cannot be used.
    #[error("state file {path}: {source}. Restore it from a copy, or start over in an empty directory")]
    State {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StateError,
    },
    /// The transaction log does not fit the state.
    #[error("transaction log {path}: {source}")]
    Log {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// Transactions without a state.
    #[error(
        "{log} has transactions but there is no state file beside it: restore it from a copy, or start over in an empty directory"
    )]
    Orphaned {
        /// The log.
        log: PathBuf,
    },
    /// The program does not load.
    #[error("program {id} cannot be deployed: {reason}")]
    Program {
        /// Its address.
        id: Address,
        /// What the VM said.
        reason: String,
    },
    /// The directory was made for rollups of another profile, whose program has another id.
    #[error(
        "the chain in {dir} does not have program {id}: it was made for rollups of another profile; use that one, or start \
         over in an empty directory"
    )]
    NoProgram {
        /// Which directory.
        dir: PathBuf,
        /// The program's address.
        id: Address,
    },
    /// The directory was made with another build of the program.
    #[error(
        "the chain in {dir} runs another build of program {id} (SHA-256 {stored}) than this binary carries \
         ({embedded}): use the binary that made the directory, or start over in an empty one"
    )]
    OtherProgram {
        /// Which directory.
        dir: PathBuf,
        /// The program's address.
        id: Address,
        /// SHA-256 of the program on that chain.
        stored: String,
        /// SHA-256 of the program in this binary.
        embedded: String,
    },
}

/// A chain in a directory that this process alone writes.
#[derive(Clone)]
pub struct EmbeddedChain {
    engine: Arc<Mutex<Engine>>,
    dir: Arc<Path>,
}

impl EmbeddedChain {
    /// Opens the chain in `dir`, or begins one there.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let dir = dir.as_ref();
        let engine = Engine::open(dir, options)?;
        Ok(Self { engine: Arc::new(Mutex::new(engine)), dir: dir.into() })
    }

    /// Follows a chain that another process writes.
    ///
    /// # Errors
    /// [`OpenError`] when there is none, or it cannot be read.
    pub fn follow(dir: impl AsRef<Path>, time: TimeSource) -> Result<EmbeddedFollower, OpenError> {
        EmbeddedFollower::open(dir.as_ref(), time)
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The log of every executed transaction, one JSON object per line (see [`Record`]).
    #[must_use]
    pub fn transactions_path(&self) -> PathBuf {
        self.dir.join(journal::LOG_FILE)
    }

    /// Pays `lamports` to `to` from the chain's faucet, by an ordinary transaction. Only an embedded chain can.
    ///
    /// # Errors
    /// As [`Chain::send`]; also when the faucet is empty.
    pub async fn fund(&self, to: Address, lamports: u64) -> Result<Signature, ChainError> {
        let signature = self
            .blocking(move |engine| {
                let faucet = engine.faucet()?;
                let blockhash = engine.genesis().blockhash_at(engine.slot());
                let transaction = TransactionBuilder::new()
                    .transfer(&faucet.address(), &to, lamports)
                    .sign(&faucet, &[], &blockhash)
                    .map_err(|error| ChainError::fatal("building the faucet's transfer", error))?;
                engine.send(&transaction.bytes)
            })
            .await?;
        match self.status(&signature).await?.map(|status| status.outcome) {
            Some(Err(failure)) => Err(ChainError::Refused(failure)),
            _ => Ok(signature),
        }
    }

    /// Runs `work`, which waits for disks, where it does not hold up the async runtime.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, ChainError> + Send + 'static,
    ) -> Result<T, ChainError> {
        let engine = self.engine.clone();
        tokio::task::spawn_blocking(move || work(&mut engine.lock()))
            .await
            .map_err(|error| ChainError::fatal("the embedded chain stopped", error))?
    }
}

#[async_trait]
impl Chain for EmbeddedChain {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        Ok(self.engine.lock().genesis().hash)
    }

    async fn tip(&self, _: Commitment) -> Result<Tip, ChainError> {
        Ok(self.engine.lock().tip())
    }

    async fn accounts(&self, addresses: &[Address], _: Commitment) -> Result<Accounts, ChainError> {
        check_count(addresses)?;
        let engine = self.engine.lock();
        Ok(Accounts {
            slot: engine.slot(),
            accounts: addresses.iter().map(|address| engine.account(address)).collect(),
        })
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        _: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        let (program, filters) = (*program, filters.to_vec());
        self.blocking(move |engine| {
            let wanted = |account: &Account| filters.iter().all(|filter| filter.accepts(&account.data));
            let accounts = engine.program_accounts(&program, wanted).into_iter().collect();
            Ok(ProgramAccounts { slot: engine.slot(), accounts })
        })
        .await
    }

    async fn latest_blockhash(&self, _: Commitment) -> Result<Blockhash, ChainError> {
        let engine = self.engine.lock();
        Ok(engine.genesis().blockhash_at(engine.slot()))
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        Ok(self.engine.lock().minimum_balance(data_length))
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        let bytes = transaction.bytes.clone();
        self.blocking(move |engine| engine.send(&bytes)).await
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let signature = *signature;
        self.blocking(move |engine| engine.status(&signature)).await
    }

    async fn statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<TransactionStatus>>, ChainError> {
        if signatures.len() > MAX_SIGNATURES {
            return Err(ChainError::Invalid(format!(
                "{} statuses asked for, at most {MAX_SIGNATURES} come in one answer: ask in parts",
                signatures.len()
            )));
        }
        let signatures = signatures.to_vec();
        self.blocking(move |engine| signatures.iter().map(|signature| engine.status(signature)).collect()).await
    }

    /// Wakes with every transaction that is executed, whatever it touched.
    fn watch(&self, _: &[Address], _: Commitment) -> AccountWatch {
        AccountWatch::new(self.engine.lock().executed(), None)
    }
}

fn check_count(addresses: &[Address]) -> Result<(), ChainError> {
    if addresses.len() > MAX_ACCOUNTS {
        return Err(ChainError::Invalid(format!(
            "{} accounts asked for, at most {MAX_ACCOUNTS} come in one answer: ask in parts",
            addresses.len()
        )));
    }
    Ok(())
}

//! Reading a chain that another process writes.

use super::engine::{account, program_accounts, status_of};
use super::journal::{self, Journal};
use super::state::{self, Ledger};
use super::{OpenError, check_count};
use crate::{
    Account, AccountFilter, Accounts, Address, Blockhash, Chain, ChainError, Commitment, ProgramAccounts, Signature,
    SignedTransaction, TimeSource, Tip, TransactionStatus,
};
use async_trait::async_trait;
use litesvm::LiteSVM;
use parking_lot::Mutex;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A read-only view of an embedded chain's directory. Each call sees the newest state that the writer committed.
#[derive(Clone)]
pub struct EmbeddedFollower {
    view: Arc<Mutex<View>>,
    dir: Arc<Path>,
}

struct View {
    path: PathBuf,
    time: TimeSource,
    version: Version,
    ledger: Ledger,
    svm: LiteSVM,
    journal: Journal,
}

/// Tells one state file from the next: every commit is a new file.
#[derive(PartialEq, Eq)]
struct Version {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { inode, length: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl EmbeddedFollower {
    pub(super) fn open(dir: &Path, time: TimeSource) -> Result<Self, OpenError> {
        let path = dir.join(state::STATE_FILE);
        let file = File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OpenError::Missing { dir: dir.to_owned() },
            _ => OpenError::Io { dir: dir.to_owned(), source },
        })?;
        let version = Version::of(&file.metadata().map_err(|source| OpenError::Io { dir: dir.to_owned(), source })?);
        let (ledger, svm) = state::read(file).map_err(|source| OpenError::State { path: path.clone(), source })?;
        let journal = Journal::empty(dir.join(journal::LOG_FILE));
        let view = View { path, time, version, ledger, svm, journal };
        Ok(Self { view: Arc::new(Mutex::new(view)), dir: dir.into() })
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    async fn fresh<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut View) -> Result<T, ChainError> + Send + 'static,
    ) -> Result<T, ChainError> {
        let view = self.view.clone();
        tokio::task::spawn_blocking(move || {
            let mut view = view.lock();
            view.refresh()?;
            work(&mut view)
        })
        .await
        .map_err(|error| ChainError::fatal("following the embedded chain stopped", error))?
    }
}

impl View {
    /// Reads the state again when the writer replaced it.
    fn refresh(&mut self) -> Result<(), ChainError> {
        let transient = |error: io::Error| {
            ChainError::transient(format!("reading the chain's state {}", self.path.display()), error)
        };
        let file = File::open(&self.path).map_err(transient)?;
        let version = Version::of(&file.metadata().map_err(transient)?);
        if version == self.version {
            return Ok(());
        }
        let (ledger, svm) = state::read(file).map_err(|error| {
            ChainError::transient(format!("reading the chain's state {}", self.path.display()), error)
        })?;
        if ledger.genesis != self.ledger.genesis {
            return Err(ChainError::Fatal {
                what: format!("{} now holds another chain: restart on it", self.path.display()),
                source: None,
            });
        }
        (self.version, self.ledger, self.svm) = (version, ledger, svm);
        Ok(())
    }

    fn slot(&self) -> u64 {
        self.ledger.open_slot(self.time.now_ms())
    }

    fn status(&mut self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let failed = |error| ChainError::transient("reading transactions.jsonl", error);
        // The last line may not be in the log yet; the state has it.
        if !self.ledger.last_line.is_empty() {
            let last = journal::parse(&self.ledger.last_line, self.ledger.logged).map_err(failed)?;
            if last.signature == signature.to_string() {
                return Ok(Some(status_of(last)));
            }
        }
        self.journal.index(self.ledger.logged).map_err(failed)?;
        Ok(self.journal.read(signature).map_err(failed)?.map(status_of))
    }
}

#[async_trait]
impl Chain for EmbeddedFollower {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        Ok(self.view.lock().ledger.genesis.hash)
    }

    async fn tip(&self, _: Commitment) -> Result<Tip, ChainError> {
        self.fresh(|view| {
            let slot = view.slot();
            Ok(Tip { slot, block_height: view.ledger.genesis.height_of(slot) })
        })
        .await
    }

    async fn accounts(&self, addresses: &[Address], _: Commitment) -> Result<Accounts, ChainError> {
        check_count(addresses)?;
        let addresses = addresses.to_vec();
        self.fresh(move |view| {
            let accounts = addresses.iter().map(|address| account(&view.svm, address)).collect();
            Ok(Accounts { slot: view.slot(), accounts })
        })
        .await
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        _: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        let (program, filters) = (*program, filters.to_vec());
        self.fresh(move |view| {
            let wanted = |account: &Account| filters.iter().all(|filter| filter.accepts(&account.data));
            let accounts = program_accounts(&view.svm, &program, wanted).into_iter().collect();
            Ok(ProgramAccounts { slot: view.slot(), accounts })
        })
        .await
    }

    async fn latest_blockhash(&self, _: Commitment) -> Result<Blockhash, ChainError> {
        self.fresh(|view| Ok(view.ledger.genesis.blockhash_at(view.slot()))).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        Ok(self.view.lock().svm.minimum_balance_for_rent_exemption(data_length))
    }

    async fn send(&self, _: &SignedTransaction) -> Result<Signature, ChainError> {
        Err(ChainError::Fatal {
            what: format!(
                "the chain in {} is open read-only: send through the process that writes it",
                self.dir.display()
            ),
            source: None,
        })
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let signature = *signature;
        self.fresh(move |view| view.status(&signature)).await
    }
}

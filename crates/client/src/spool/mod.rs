//! What a node has on its disk: receipts that wait, bundles that it signed, and what became of them.
//!
//! A spool is one file, a `redb` database, for one node of one rollup; each change is on disk before the call returns.
//! A receipt is in one place at any time: it waits, or it is in a signed bundle. A bundle is stored before it is sent,
//! so a crash between sending and acknowledging leaves it to be sent again, byte for byte, and the sequencer answers
//! with its original acknowledgement. A sequence is signed for once.
//!
//! One process writes; others may read at the same time.

mod error;
mod files;
mod list;
mod memory;
mod record;
mod sent;
mod table;
#[cfg(test)]
mod tests;
mod waiting;

pub use error::SpoolError;
pub use files::{Read, Seen};
pub use list::{Filter, Sums};
pub use record::{Breach, BundleRecord, Evidence, FileRecord, Identity, InBatch, Line, Promise, Stage};
pub use waiting::{Enqueued, Waiting};

use crate::key::NodeKey;
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTableMetadata as _, WriteTransaction,
};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What `format` in the spool says.
const FORMAT: &str = "cairn spool 2";
/// Memory for pages of the file, in bytes.
const CACHE_BYTES: usize = 32 << 20;

/// A node's spool.
pub struct Spool {
    store: Store,
    path: PathBuf,
}

enum Store {
    Writer(Database),
    Reader(ReadOnlyDatabase),
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("path", &self.path).field("writable", &self.is_writable()).finish()
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

impl Spool {
    /// Opens a spool for this process to write to, making it if it is not there.
    ///
    /// # Errors
    /// When another process writes to it, or it is something else.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        let database = builder().create(path).map_err(|error| failed_open(path, error))?;
        let spool = Self { store: Store::Writer(database), path: path.to_owned() };
        spool.write(|transaction| {
            let mut meta = transaction.open_table(table::META)?;
            if meta.is_empty()? {
                meta.insert("format", borsh_bytes(&FORMAT).as_slice())?;
            }
            transaction.open_table(table::WAITING)?;
            transaction.open_table(table::BUNDLES)?;
            transaction.open_table(table::RECORDS)?;
            transaction.open_table(table::PENDING)?;
            transaction.open_table(table::UNSETTLED)?;
            transaction.open_table(table::LINES)?;
            transaction.open_table(table::RECEIPTS)?;
            transaction.open_table(table::EVIDENCE)?;
            transaction.open_table(table::FILES)?;
            transaction.open_table(table::CONTENTS)?;
            transaction.open_table(table::CAPTURES)?;
            transaction.open_table(table::CAPTURE_KEYS)?;
            Ok(())
        })?;
        spool.check_format()?;
        Ok(spool)
    }

    /// Opens a spool that must be there: to write if no other process does, else to read only.
    ///
    /// # Errors
    /// When it is missing, or something else.
    pub fn open_existing(path: &Path) -> Result<Self, SpoolError> {
        if !path.exists() {
            return Err(SpoolError::Missing { path: path.to_owned() });
        }
        match Self::open(path) {
            Err(SpoolError::InUse { .. }) => {
                let database = builder().open_read_only(path).map_err(|error| failed_open(path, error))?;
                let spool = Self { store: Store::Reader(database), path: path.to_owned() };
                spool.check_format()?;
                Ok(spool)
            }
            opened => opened,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this process may change it.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        matches!(self.store, Store::Writer(_))
    }

    fn check_format(&self) -> Result<(), SpoolError> {
        let format: Option<String> = self.meta("format")?;
        if format.as_deref() == Some(FORMAT) {
            return Ok(());
        }
        Err(SpoolError::Other { path: self.path.clone(), what: "version of cairn" })
    }

    /// Whom it is for; `None` until a sequencer was reached.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn identity(&self) -> Result<Option<Identity>, SpoolError> {
        self.meta("identity")
    }

    /// As [`Self::identity`], which there must be.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn bound(&self) -> Result<Identity, SpoolError> {
        self.identity()?.ok_or_else(|| SpoolError::Unbound { path: self.path.clone() })
    }

    /// Binds a new spool to `identity`; compares it with what another one is bound to. The receipt key may have been
    /// rotated: bundles that are not acknowledged are then signed again, with what they hold unchanged. The
    /// acknowledgement key may differ only when `new_acknowledgement_key`.
    ///
    /// # Errors
    /// When the spool is for another rollup or node, or cannot be written.
    pub fn bind(&self, identity: &Identity, key: &NodeKey, new_acknowledgement_key: bool) -> Result<(), SpoolError> {
        if identity.key != key.public() {
            return Err(SpoolError::Key { bound: identity.key, given: key.public() });
        }
        let known = self.identity()?;
        if known == Some(*identity) {
            return Ok(());
        }
        let other = |what| Err(SpoolError::Other { path: self.path.clone(), what });
        if let Some(known) = known {
            if known.rollup_id != identity.rollup_id {
                return other("rollup");
            }
            if known.node_index != identity.node_index {
                return other("node");
            }
            if known.acknowledgement_key != identity.acknowledgement_key && !new_acknowledgement_key {
                return Err(SpoolError::AcknowledgementKey {
                    path: self.path.clone(),
                    ours: bs58::encode(known.acknowledgement_key).into_string(),
                    theirs: bs58::encode(identity.acknowledgement_key).into_string(),
                });
            }
        }
        self.write(|transaction| {
            if known.is_some_and(|known| known.key != identity.key) {
                sent::sign_again(transaction, key)?;
            }
            let mut meta = transaction.open_table(table::META)?;
            meta.insert("identity", borsh_bytes(identity).as_slice())?;
            Ok(())
        })
    }

    fn meta<T: BorshDeserialize>(&self, name: &'static str) -> Result<Option<T>, SpoolError> {
        self.read(|transaction| {
            let table = transaction.open_table(table::META)?;
            let Some(value) = table.get(name)? else { return Ok(None) };
            decode(value.value(), name).map(Some)
        })
    }

    fn read<T>(&self, run: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, SpoolError> {
        let begun = match &self.store {
            Store::Writer(database) => database.begin_read(),
            Store::Reader(database) => database.begin_read(),
        };
        begun.map_err(Fault::from).and_then(|transaction| run(&transaction)).map_err(|fault| self.fault(fault))
    }

    /// All of `run`, durably, or nothing of it.
    fn write<T>(&self, run: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, SpoolError> {
        let Store::Writer(database) = &self.store else {
            return Err(SpoolError::ReadOnly { path: self.path.clone() });
        };
        let attempt = || {
            let transaction = database.begin_write()?;
            let value = run(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        attempt().map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: Fault) -> SpoolError {
        let path = self.path.clone();
        match fault {
            Fault::Store(source) => SpoolError::Store { path, source },
            Fault::Damaged(what) => SpoolError::Damaged { path, what },
            Fault::Spool(error) => error,
        }
    }
}

/// What can go wrong inside a transaction.
enum Fault {
    Store(Box<redb::Error>),
    Damaged(String),
    Spool(SpoolError),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Store(Box::new(error.into()))
    }
}

/// The borsh of a value of this module.
fn borsh_bytes(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("borsh to memory")
}

fn decode<T: BorshDeserialize>(bytes: &[u8], what: &str) -> Result<T, Fault> {
    borsh::from_slice(bytes).map_err(|error| Fault::Damaged(format!("{what}: {error}")))
}

fn failed_open(path: &Path, error: DatabaseError) -> SpoolError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => SpoolError::InUse { path: path.to_owned() },
        DatabaseError::Storage(redb::StorageError::Io(error)) if error.kind() == ErrorKind::NotFound => {
            SpoolError::Missing { path: path.to_owned() }
        }
        other => SpoolError::Store { path: path.to_owned(), source: Box::new(other.into()) },
    }
}

//! The sequencer's memory: RocksDB, one synchronous `WriteBatch` per change of state.

mod batches;
mod family;
#[cfg(test)]
mod faults;
mod log;
mod meta;
mod outbox;
mod record;
mod registry;
mod settlement;
mod state;
#[cfg(test)]
mod tests;
mod times;

use std::path::Path;

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::Digest;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, IteratorMode, Options, WriteBatch, WriteOptions};

pub use family::Family;
#[cfg(test)]
pub(crate) use faults::{Faults, Side};
pub use log::NewBundle;
pub use meta::{Identity, OpenError, SCHEMA_VERSION};
pub use outbox::{Intent, Purpose};
pub use record::{Placed, Queued, SealedBatch, Settlement, StoredBundle, StoredProof, Submission};
pub use state::AccountBefore;
pub use times::BatchTimes;

/// A change of state: one write to the disk. Names it in errors, metrics and fault tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The identity of a new store.
    Pin,
    /// Entries of the registration queue were seen.
    Enqueue,
    /// Bundles joined the log.
    Append,
    /// A batch was sealed.
    Seal,
    /// A batch's data was published.
    Publish,
    /// A proof was made.
    KeepProof,
    /// A batch was proved and its proof published.
    Prove,
    /// A header is about to be submitted.
    Intend,
    /// The chain has a header.
    Submit,
    /// The chain dropped headers that it had.
    Rewind,
    /// An account for proofs is about to be made.
    NameAccount,
    /// The chain has verified a proof.
    Settle,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed: a full or broken disk.
    #[error("the store could not {what}; check the disk that holds its folder")]
    Database {
        /// What was tried.
        what: &'static str,
        /// The database's own words.
        #[source]
        source: rocksdb::Error,
    },
    /// What is stored under a key is not what this version wrote there.
    #[error("the store is damaged: {family}/{key} {reason}; restore its folder from a backup")]
    Damaged {
        /// The column family.
        family: &'static str,
        /// The key, for people.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// The open store. One process at a time; dropping it closes it.
pub struct Store {
    db: DB,
    sync: WriteOptions,
    rollup_id: Digest,
    #[cfg(test)]
    faults: Faults,
}

impl Store {
    /// Opens the store in `folder`, creating it if there is none, and pins `identity` in it.
    ///
    /// # Errors
    /// When the folder cannot be used, another process has it, or it belongs to something else than `identity`.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_compression_type(rocksdb::DBCompressionType::Zstd);
        options.set_keep_log_file_num(4);
        // Opening makes families that are missing: a store of another version is found out before that.
        meta::check_schema(&options, folder)?;
        let families = Family::ALL.map(|family| ColumnFamilyDescriptor::new(family.name(), options.clone()));
        let db = DB::open_cf_descriptors(&options, folder, families)
            .map_err(|source| OpenError::Database { folder: folder.to_owned(), source })?;
        let mut sync = WriteOptions::default();
        sync.set_sync(true);
        let store = Self {
            db,
            sync,
            rollup_id: identity.rollup_id,
            #[cfg(test)]
            faults: Faults::default(),
        };
        store.pin(identity, folder)?;
        Ok(store)
    }

    /// Writes everything that is still in memory and stops background work; the store is then only to be dropped.
    ///
    /// # Errors
    /// When the disk fails. Nothing acknowledged is lost: it is in the write-ahead log.
    pub fn flush(&self) -> Result<(), StoreError> {
        for family in Family::ALL {
            self.db
                .flush_cf(self.family(family))
                .map_err(|source| StoreError::Database { what: "flush its tables", source })?;
        }
        self.db.flush_wal(true).map_err(|source| StoreError::Database { what: "flush its log", source })?;
        self.db.cancel_all_background_work(true);
        Ok(())
    }

    /// The rollup that the store belongs to.
    #[must_use]
    pub fn rollup_id(&self) -> Digest {
        self.rollup_id
    }

    /// Where crashes are planned.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> Faults {
        self.faults.clone()
    }

    fn family(&self, family: Family) -> &ColumnFamily {
        // Opened with every family of the enum, so the handle is there.
        self.db.cf_handle(family.name()).expect("every family is opened with the store")
    }

    fn get<T: BorshDeserialize>(&self, family: Family, key: &[u8]) -> Result<Option<T>, StoreError> {
        let found = self
            .db
            .get_pinned_cf(self.family(family), key)
            .map_err(|source| StoreError::Database { what: "read a record", source })?;
        found.map(|bytes| decode(family, key, &bytes)).transpose()
    }

    fn last<T: BorshDeserialize>(&self, family: Family) -> Result<Option<(Box<[u8]>, T)>, StoreError> {
        match self.db.iterator_cf(self.family(family), IteratorMode::End).next() {
            None => Ok(None),
            Some(Err(source)) => Err(StoreError::Database { what: "read the last record", source }),
            Some(Ok((key, value))) => {
                let value = decode(family, &key, &value)?;
                Ok(Some((key, value)))
            }
        }
    }

    /// Makes one change of state durable: when this returns, it survives a loss of power.
    fn commit(&self, change: Change, batch: WriteBatch) -> Result<(), StoreError> {
        #[cfg(test)]
        let write = self.faults.before(change)?;
        let started = std::time::Instant::now();
        self.db.write_opt(batch, &self.sync).map_err(|source| StoreError::Database { what: change.verb(), source })?;
        crate::metrics::store_write(change, started.elapsed());
        #[cfg(test)]
        self.faults.after(change, write)?;
        Ok(())
    }
}

impl Change {
    /// As in "the store could not …".
    const fn verb(self) -> &'static str {
        match self {
            Self::Pin => "pin what it belongs to",
            Self::Enqueue => "keep entries of the registration queue",
            Self::Append => "append to the log",
            Self::Seal => "record a sealed batch",
            Self::Publish => "record a publication",
            Self::KeepProof => "keep a proof",
            Self::Prove => "record a published proof",
            Self::Intend => "record an intended transaction",
            Self::Submit => "record a submission",
            Self::Rewind => "record that the chain dropped a batch",
            Self::NameAccount => "keep the key of an account for proofs",
            Self::Settle => "record that a batch is settled",
        }
    }

    /// One word, for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Enqueue => "enqueue",
            Self::Append => "append",
            Self::Seal => "seal",
            Self::Publish => "publish",
            Self::KeepProof => "keep_proof",
            Self::Prove => "prove",
            Self::Intend => "intend",
            Self::Submit => "submit",
            Self::Rewind => "rewind",
            Self::NameAccount => "name_account",
            Self::Settle => "settle",
        }
    }
}

fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    // Writing to memory fails only when memory does.
    borsh::to_vec(value).expect("borsh into a vector cannot fail")
}

fn decode<T: BorshDeserialize>(family: Family, key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    T::try_from_slice(bytes).map_err(|error| damaged(family, key, format!("does not decode: {error}")))
}

fn damaged(family: Family, key: &[u8], reason: impl Into<String>) -> StoreError {
    let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
    StoreError::Damaged { family: family.name(), key, reason: reason.into() }
}

fn number_of(family: Family, key: &[u8]) -> Result<u64, StoreError> {
    let bytes = <[u8; 8]>::try_from(key).map_err(|_| damaged(family, key, "is not a number"))?;
    Ok(u64::from_be_bytes(bytes))
}

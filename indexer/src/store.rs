//! The indexer's memory: RocksDB, one synchronous write per batch.
//!
//! One history is kept, as far as the chain confirms it, with a mark of how much of it is final; every read goes through a
//! [`View`], which shows no more than was asked for. Batches that the chain replaced leave the history and are kept beside
//! it: nothing is ever deleted.

mod family;
mod identity;
mod nodes;
mod read;
mod replaced;
mod rollback;
mod row;
mod state;
#[cfg(test)]
mod tests;
mod view;
mod write;

pub use identity::{Identity, OpenError, SCHEMA_VERSION};
pub use nodes::{KeyUse, Page, SignedBundle, StoredBundle, StoredEntry};
pub use read::{ContentHit, ReceiptEntry};
pub use replaced::{Reason, Replaced, ReplacedBatch, ReplacedId, ReplacedPlace};
pub use row::Reach;
pub use state::StateAt;
pub use view::{StoredBatch, Totals, View};

use borsh::{BorshDeserialize, BorshSerialize};
use family::{Family, MARKS};
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, Options, WriteOptions};
use row::Progress;
use std::path::Path;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed: a full or broken disk.
    #[error("the index could not {what}; check the disk that holds its folder")]
    Database {
        /// What was tried.
        what: &'static str,
        /// The database's own words.
        #[source]
        source: rocksdb::Error,
    },
    /// What is stored is not what this version wrote there.
    #[error(
        "the index is damaged: {family}/{key} {reason}; start once with --rebuild, which reads chain and blobs again"
    )]
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
}

impl Store {
    /// Opens the store in `folder`, creating it if there is none, and pins `identity` in it.
    ///
    /// # Errors
    /// When the folder cannot be used, another process has it, or it belongs to something else than `identity`.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        identity::check_layout(folder)?;
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_compression_type(rocksdb::DBCompressionType::Zstd);
        options.set_keep_log_file_num(4);
        let families = Family::ALL.map(|family| ColumnFamilyDescriptor::new(family.name(), options.clone()));
        let db = DB::open_cf_descriptors(&options, folder, families)
            .map_err(|source| OpenError::Database { folder: folder.to_owned(), source })?;
        let mut sync = WriteOptions::default();
        sync.set_sync(true);
        let store = Self { db, sync };
        store.pin(identity, folder)?;
        Ok(store)
    }

    /// Empties the index in `folder`, if there is one; nothing else is touched.
    ///
    /// # Errors
    /// When something else lies there, another process has it, or the disk fails.
    pub fn destroy(folder: &Path) -> Result<(), OpenError> {
        let options = Options::default();
        match DB::list_cf(&options, folder) {
            Ok(names) if MARKS.iter().all(|mark| names.iter().any(|name| name == mark)) => {
                DB::destroy(&options, folder)
                    .map_err(|source| OpenError::Database { folder: folder.to_owned(), source })
            }
            Err(_) if std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()) => Ok(()),
            _ => Err(OpenError::NotAnIndex { folder: folder.to_owned() }),
        }
    }

    /// Writes everything that is still in memory and stops background work; the store is then only to be dropped.
    ///
    /// # Errors
    /// When the disk fails. Nothing stored is lost: it is in the write-ahead log.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush_wal(true).map_err(|source| StoreError::Database { what: "flush its log", source })?;
        self.db.cancel_all_background_work(true);
        Ok(())
    }

    fn family(&self, family: Family) -> &ColumnFamily {
        // Opened with every family of the enum, so the handle is there.
        self.db.cf_handle(family.name()).expect("every family is opened with the store")
    }

    fn raw(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .get_cf(self.family(family), key)
            .map_err(|source| StoreError::Database { what: "read a record", source })
    }

    fn get<T: BorshDeserialize>(&self, family: Family, key: &[u8]) -> Result<Option<T>, StoreError> {
        let found = self.raw(family, key)?;
        found.map(|bytes| T::try_from_slice(&bytes).map_err(|error| damaged(family, key, error))).transpose()
    }
}

fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    // Writing to memory fails only when memory does.
    borsh::to_vec(value).expect("borsh into a vector cannot fail")
}

fn damaged(family: Family, key: &[u8], reason: impl ToString) -> StoreError {
    StoreError::Damaged { family: family.name(), key: hex::encode(key), reason: reason.to_string() }
}

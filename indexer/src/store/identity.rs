//! What a store belongs to: pinned when it is made, compared whenever it is opened.

use super::{Family, Store, StoreError, encode};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::Digest;
use rocksdb::WriteBatch;
use std::path::{Path, PathBuf};

/// Version of the layout of column families and rows.
pub const SCHEMA_VERSION: u32 = 1;

const IDENTITY: &[u8] = b"identity";

/// The rollup that a store holds batches of.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Identity {
    /// Version of the store's layout.
    pub schema: u32,
    /// The rollup's id, which its chain, program and profile are part of.
    pub rollup_id: Digest,
}

impl Identity {
    /// The identity of a store of this version for a rollup.
    #[must_use]
    pub fn new(rollup_id: Digest) -> Self {
        Self { schema: SCHEMA_VERSION, rollup_id }
    }
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("index folder {folder}: {source}")]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database does not open.
    #[error(
        "index in {folder} does not open ({source}): is another indexer using it? If it is damaged, delete the folder"
    )]
    Database {
        /// Which folder.
        folder: PathBuf,
        /// The database's own words.
        #[source]
        source: rocksdb::Error,
    },
    /// It was made by another version.
    #[error(
        "index in {folder} has layout {found}, this version has {expected}: delete the folder, it is rebuilt from chain and blobs"
    )]
    Schema {
        /// Which folder.
        folder: PathBuf,
        /// In the store.
        found: u32,
        /// Of this version.
        expected: u32,
    },
    /// It belongs to another rollup.
    #[error(
        "index in {folder} is of rollup {found}, not of {expected}: give another folder, or the rollup it belongs to"
    )]
    Rollup {
        /// Which folder.
        folder: PathBuf,
        /// In the store.
        found: Digest,
        /// Asked for.
        expected: Digest,
    },
    /// It could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    pub(super) fn pin(&self, expected: &Identity, folder: &Path) -> Result<(), OpenError> {
        let folder = folder.to_owned();
        let Some(found) = self.raw(Family::Meta, IDENTITY)? else {
            let mut batch = WriteBatch::default();
            batch.put_cf(self.family(Family::Meta), IDENTITY, encode(expected));
            return self.db.write_opt(batch, &self.sync).map_err(|source| OpenError::Database { folder, source });
        };
        // The version comes first in every version of the record.
        let schema = found.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if schema != expected.schema {
            return Err(OpenError::Schema { folder, found: schema, expected: expected.schema });
        }
        let found: Identity = self.get(Family::Meta, IDENTITY)?.unwrap_or_else(|| expected.clone());
        if found.rollup_id != expected.rollup_id {
            return Err(OpenError::Rollup { folder, found: found.rollup_id, expected: expected.rollup_id });
        }
        Ok(())
    }
}

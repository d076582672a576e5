//! What a store belongs to: pinned when it is made, compared whenever it is opened.

use super::{Family, Store, StoreError, encode};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_types::Digest;
use rocksdb::{DB, Options, WriteBatch};
use std::path::{Path, PathBuf};

/// Version of the layout of column families and rows.
pub const SCHEMA_VERSION: u32 = 3;

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
        "index in {folder} does not open ({source}): is another indexer using it? If it is damaged, start once with --rebuild"
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
        "index in {folder} has layout {found}, this version has {expected}: start once with --rebuild, which empties it and reads chain and blobs again"
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
    /// It was to be opened or emptied, and is not an index.
    #[error("{folder} holds something that is not an index: give the right --indexer-store, or another folder")]
    NotAnIndex {
        /// Which folder.
        folder: PathBuf,
    },
    /// It could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a folder of another version before anything in it is changed.
pub(super) fn check_layout(folder: &Path) -> Result<(), OpenError> {
    let options = Options::default();
    // Where no families can be listed there is no database, or one that says itself what is wrong when it is opened.
    let Ok(names) = DB::list_cf(&options, folder) else { return Ok(()) };
    let failed = |source| OpenError::Database { folder: folder.to_owned(), source };
    let db = DB::open_cf_for_read_only(&options, folder, &names, false).map_err(failed)?;
    let identity = match db.cf_handle(Family::Meta.name()) {
        Some(meta) => db.get_cf(meta, IDENTITY).map_err(failed)?,
        None => None,
    };
    let known = |name: &String| name == "default" || Family::ALL.iter().any(|family| family.name() == name);
    match identity.as_deref().map(schema_of) {
        Some(found) if found != SCHEMA_VERSION => {
            Err(OpenError::Schema { folder: folder.to_owned(), found, expected: SCHEMA_VERSION })
        }
        // It stopped before it was pinned, and holds nothing.
        None if names.iter().all(known) => Ok(()),
        None => Err(OpenError::NotAnIndex { folder: folder.to_owned() }),
        Some(_) => Ok(()),
    }
}

/// The version comes first in every version of the record.
fn schema_of(identity: &[u8]) -> u32 {
    identity.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl Store {
    pub(super) fn pin(&self, expected: &Identity, folder: &Path) -> Result<(), OpenError> {
        let folder = folder.to_owned();
        let Some(found) = self.raw(Family::Meta, IDENTITY)? else {
            let mut batch = WriteBatch::default();
            batch.put_cf(self.family(Family::Meta), IDENTITY, encode(expected));
            return self.db.write_opt(batch, &self.sync).map_err(|source| OpenError::Database { folder, source });
        };
        let schema = schema_of(&found);
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

//! What a store belongs to, pinned when it is created and compared whenever it is opened.

use std::path::{Path, PathBuf};

use cairn_types::Digest;
use rocksdb::{DB, Options, WriteBatch};

use super::{Change, Family, Store, StoreError, decode, encode};

/// Version of the records. A store with another one is refused.
pub const SCHEMA_VERSION: u32 = 4;

const SCHEMA: &[u8] = b"schema version";
const ROLLUP: &[u8] = b"rollup id";
const CIRCUIT: &[u8] = b"circuit digest";

/// What a store belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The rollup whose log this is.
    pub rollup_id: Digest,
    /// Digest over the circuits that its batches are proved with.
    pub circuit_digest: [u8; 32],
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot create the store's folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database does not open.
    #[error("cannot open the store in {}; if another sequencer uses this folder, stop it or choose another folder", folder.display())]
    Database {
        /// The folder.
        folder: PathBuf,
        /// The database's own words.
        #[source]
        source: rocksdb::Error,
    },
    /// Another version wrote it.
    #[error("the store in {} has schema version {found}, this program writes {SCHEMA_VERSION}; run the version that made it until every sealed batch is submitted, then give this one an empty folder and a new rollup", folder.display())]
    Schema {
        /// The folder.
        folder: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It is the log of another rollup.
    #[error("the store in {} belongs to rollup {found}, but the chain has rollup {expected}; point the sequencer at the folder of this rollup, or at an empty one", folder.display())]
    Rollup {
        /// The folder.
        folder: PathBuf,
        /// Whose log it is.
        found: Digest,
        /// The rollup that was asked for.
        expected: Digest,
    },
    /// Its batches were proved with other circuits.
    #[error("the store in {} was made for circuits {found}, this prover has {expected}; run the version that made it, or migrate the rollup to the new circuits", folder.display())]
    Circuit {
        /// The folder.
        folder: PathBuf,
        /// Circuits of the store, in hex.
        found: String,
        /// Circuits of the prover, in hex.
        expected: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a store with other families than this version's, without changing it: the version that made it still opens it.
pub(super) fn check_schema(options: &Options, folder: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Database { folder: folder.to_owned(), source };
    // There are none while there is no store.
    let mut found = DB::list_cf(options, folder).unwrap_or_default();
    found.retain(|name| name != rocksdb::DEFAULT_COLUMN_FAMILY_NAME);
    if found.is_empty()
        || found.len() == Family::ALL.len()
            && Family::ALL.iter().all(|family| found.iter().any(|name| name == family.name()))
    {
        return Ok(());
    }
    let db = DB::open_cf_for_read_only(options, folder, &found, false).map_err(failed)?;
    let Some(meta) = db.cf_handle(Family::Meta.name()) else { return Ok(()) };
    match db.get_pinned_cf(meta, SCHEMA).map_err(failed)? {
        // Half of a new one, when it was stopped.
        None => Ok(()),
        Some(bytes) => match decode::<u32>(Family::Meta, SCHEMA, &bytes)? {
            SCHEMA_VERSION => Ok(()),
            found => Err(OpenError::Schema { folder: folder.to_owned(), found }),
        },
    }
}

impl Store {
    /// Writes `identity` into a new store, compares it with that of an old one.
    pub(super) fn pin(&self, identity: &Identity, folder: &Path) -> Result<(), OpenError> {
        let Some(found) = self.get::<u32>(Family::Meta, SCHEMA)? else {
            let mut batch = WriteBatch::default();
            let meta = self.family(Family::Meta);
            batch.put_cf(meta, SCHEMA, encode(&SCHEMA_VERSION));
            batch.put_cf(meta, ROLLUP, encode(&identity.rollup_id));
            batch.put_cf(meta, CIRCUIT, encode(&identity.circuit_digest));
            return Ok(self.commit(Change::Pin, batch)?);
        };
        if found != SCHEMA_VERSION {
            return Err(OpenError::Schema { folder: folder.to_owned(), found });
        }
        let found: Digest = self.pinned(ROLLUP)?;
        if found != identity.rollup_id {
            return Err(OpenError::Rollup { folder: folder.to_owned(), found, expected: identity.rollup_id });
        }
        let found: [u8; 32] = self.pinned(CIRCUIT)?;
        if found != identity.circuit_digest {
            return Err(OpenError::Circuit {
                folder: folder.to_owned(),
                found: hex::encode(found),
                expected: hex::encode(identity.circuit_digest),
            });
        }
        Ok(())
    }

    fn pinned<T: borsh::BorshDeserialize>(&self, name: &[u8]) -> Result<T, StoreError> {
        self.get(Family::Meta, name)?.ok_or_else(|| StoreError::Damaged {
            family: Family::Meta.name(),
            key: String::from_utf8_lossy(name).into_owned(),
            reason: "is missing".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { rollup_id: Digest::from_byte_digest([1; 32]), circuit_digest: [2; 32] }
    }

    #[test]
    fn store_opens_again_for_the_same_identity() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), &identity()).unwrap());
        Store::open(folder.path(), &identity()).unwrap();
    }

    #[test]
    fn store_of_another_rollup_is_refused_with_both_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), &identity()).unwrap());
        let other = Identity { rollup_id: Digest::from_byte_digest([9; 32]), ..identity() };
        let error = Store::open(folder.path(), &other).err().unwrap();
        assert!(matches!(error, OpenError::Rollup { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&identity().rollup_id.to_hex()) && text.contains(&other.rollup_id.to_hex()), "{text}");
        assert!(text.contains("point the sequencer at the folder of this rollup"), "{text}");
    }

    #[test]
    fn store_of_other_circuits_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), &identity()).unwrap());
        let other = Identity { circuit_digest: [3; 32], ..identity() };
        let error = Store::open(folder.path(), &other).err().unwrap();
        assert!(matches!(error, OpenError::Circuit { .. }), "{error}");
    }

    #[test]
    fn store_of_another_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &identity()).unwrap();
        let mut batch = WriteBatch::default();
        batch.put_cf(store.family(Family::Meta), SCHEMA, encode(&(SCHEMA_VERSION + 1)));
        store.commit(Change::Pin, batch).unwrap();
        drop(store);
        let error = Store::open(folder.path(), &identity()).err().unwrap();
        assert!(matches!(error, OpenError::Schema { found, .. } if found == SCHEMA_VERSION + 1), "{error}");
    }

    #[test]
    fn a_store_with_the_families_of_another_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let names = [Family::Meta.name(), "intents"];
        let old = DB::open_cf(&options, folder.path(), names).unwrap();
        old.put_cf(old.cf_handle(names[0]).unwrap(), SCHEMA, encode(&2_u32)).unwrap();
        drop(old);
        let error = Store::open(folder.path(), &identity()).err().unwrap();
        assert!(matches!(error, OpenError::Schema { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("run the version that made it"), "{error}");
        DB::open_cf(&options, folder.path(), names).unwrap();
    }

    #[test]
    fn a_store_in_use_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let _open = Store::open(folder.path(), &identity()).unwrap();
        let error = Store::open(folder.path(), &identity()).err().unwrap();
        assert!(error.to_string().contains("another sequencer"), "{error}");
    }
}

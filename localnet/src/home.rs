//! A data directory: where everything of a local rollup lies, and which rollup it is.

use cairn_chain::{
    Address, EmbeddedChain, KeyFileError, Keypair, NewRollup, OpenError, Options, RollupClient, RollupError, TimeSource,
};
use cairn_client::ReceiptKeyFile;
use cairn_interface::{DEFAULT_BOND, DEFAULT_QUEUE_DEADLINE, MAX_PENDING_CEILING, PROGRAM_ID, Registry};
use cairn_types::Profile;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Number of the rollup among its admin's.
const ROLLUP_NUMBER: u64 = 0;
/// What each key gets from the embedded chain's faucet: enough for the rent of some thousand batches.
const LAMPORTS: u64 = 100_000_000_000;

/// A data directory.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// Which rollup a data directory is for: what a reader needs to find it on its chain. No secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Address of the settlement program, base58.
    pub program: String,
    /// Address of the `Rollup` account, base58.
    pub rollup: String,
    /// The rollup's identity, hexadecimal.
    pub rollup_id: String,
    /// Profile of its proofs.
    pub profile: String,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file or folder.
    #[error("cannot use {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manifest.
    #[error("{path} is not a rollup's manifest: restore it, or start over in an empty directory")]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest names no address.
    #[error("{path}: {field} is not a base58 address")]
    Address {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: &'static str,
    },
    /// The directory was made for another profile.
    #[error(
        "{path} is a rollup of profile {actual}, not {asked}: give --profile {actual}, or another --data directory"
    )]
    Profile {
        /// Which directory.
        path: PathBuf,
        /// Its profile.
        actual: String,
        /// The one asked for.
        asked: &'static str,
    },
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A receipt key file.
    #[error(transparent)]
    ReceiptKey(#[from] cairn_client::key::KeyFileError),
    /// The embedded chain.
    #[error(transparent)]
    Chain(#[from] OpenError),
    /// A key could not be funded.
    #[error("cannot fund {address} on the embedded chain")]
    Fund {
        /// Whose.
        address: Address,
        /// Why.
        #[source]
        source: cairn_chain::ChainError,
    },
    /// The rollup.
    #[error(transparent)]
    Rollup(#[from] RollupError),
}

/// An open rollup of this process's own: the embedded chain, and the keys that run it.
pub struct Rollup {
    /// The embedded chain.
    pub chain: EmbeddedChain,
    /// The rollup on it.
    pub client: RollupClient,
    /// The key that submits batches.
    pub sequencer: Keypair,
    /// The key that signs acknowledgements.
    pub acknowledgement: Keypair,
    /// The key that lets nodes in without a bond.
    pub registrar: Keypair,
    /// What others need to find it.
    pub manifest: Manifest,
}

impl Home {
    /// The directory `path`, made if it is not there.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn create(path: &Path) -> Result<Self, HomeError> {
        let io = |source| HomeError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(io)?;
        Ok(Self(path.canonicalize().map_err(io)?))
    }

    /// The directory `path`, which must be there.
    ///
    /// # Errors
    /// [`HomeError::Io`].
    pub fn existing(path: &Path) -> Result<Self, HomeError> {
        let found = path.canonicalize().map_err(|source| HomeError::Io { path: path.to_owned(), source })?;
        Ok(Self(found))
    }

    /// The directory itself. The embedded chain keeps its state and `transactions.jsonl` in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The sequencer's log.
    #[must_use]
    pub fn sequencer(&self) -> PathBuf {
        self.0.join("sequencer")
    }

    /// The indexer's store.
    #[must_use]
    pub fn indexer(&self) -> PathBuf {
        self.0.join("indexer")
    }

    /// Published data and batch proofs.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    /// The spool of the demo's node.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool.redb")
    }

    /// Proof files of receipts.
    #[must_use]
    pub fn proofs(&self) -> PathBuf {
        self.0.join("proofs")
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Key file of the authority of the demo's node.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn node_authority(&self) -> Result<Keypair, HomeError> {
        Ok(Keypair::load_or_generate(&self.key_folder()?.join("node.json"))?)
    }

    /// Receipt key of the demo's node, made the first time.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn node_key(&self) -> Result<ReceiptKeyFile, HomeError> {
        let path = self.key_folder()?.join("node.key");
        Ok(if path.exists() { ReceiptKeyFile::read(&path)? } else { ReceiptKeyFile::generate(&path)? })
    }

    fn key_folder(&self) -> Result<PathBuf, HomeError> {
        let keys = self.keys();
        fs::create_dir_all(&keys).map_err(|source| HomeError::Io { path: keys.clone(), source })?;
        Ok(keys)
    }

    fn manifest_path(&self) -> PathBuf {
        self.0.join("rollup.json")
    }

    /// Opens the embedded chain and the rollup on it; creates both the first time.
    ///
    /// # Errors
    /// [`HomeError`] says what to do.
    pub async fn open_rollup(&self, profile: Profile) -> Result<Rollup, HomeError> {
        if let Some(manifest) = self.read_manifest()?
            && manifest.profile != profile.name()
        {
            return Err(HomeError::Profile { path: self.0.clone(), actual: manifest.profile, asked: profile.name() });
        }
        let keys = self.key_folder()?;
        let admin = Keypair::load_or_generate(&keys.join("admin.json"))?;
        let registrar = Keypair::load_or_generate(&keys.join("registrar.json"))?;
        let sequencer = Keypair::load_or_generate(&keys.join("sequencer.json"))?;
        let acknowledgement = Keypair::load_or_generate(&keys.join("acknowledgement.json"))?;

        let chain = EmbeddedChain::open(self.path(), Options::default())?;
        let client = RollupClient::of_admin(Arc::new(chain.clone()), PROGRAM_ID, &admin.address(), ROLLUP_NUMBER);
        match client.rollup().await {
            Ok(_) => {}
            Err(RollupError::Missing(_)) => {
                for key in [&admin, &sequencer, &registrar] {
                    let address = key.address();
                    chain.fund(address, LAMPORTS).await.map_err(|source| HomeError::Fund { address, source })?;
                }
                let new = NewRollup {
                    id: ROLLUP_NUMBER,
                    sequencer: sequencer.address(),
                    acknowledgement_key: acknowledgement.address(),
                    profile,
                    // Nothing settles until the program verifies proofs, so a local rollup has to be able to go on without.
                    max_pending: MAX_PENDING_CEILING,
                    registry: Registry {
                        registrar: registrar.address(),
                        bond: DEFAULT_BOND,
                        queue_deadline: DEFAULT_QUEUE_DEADLINE,
                    },
                };
                client.initialize(&admin, &new).await?;
            }
            Err(error) => return Err(error.into()),
        }
        let manifest = Manifest {
            program: PROGRAM_ID.to_string(),
            rollup: client.address().to_string(),
            rollup_id: client.rollup().await?.rollup_id.to_hex(),
            profile: profile.name().into(),
        };
        self.write_manifest(&manifest)?;
        Ok(Rollup { chain, client, sequencer, acknowledgement, registrar, manifest })
    }

    /// Follows the rollup of a directory that another process may be writing.
    ///
    /// # Errors
    /// [`HomeError`], also when there is no rollup in the directory.
    pub fn follow_rollup(&self) -> Result<RollupClient, HomeError> {
        let path = self.manifest_path();
        let missing = io::Error::new(io::ErrorKind::NotFound, "no rollup was created in this directory");
        let manifest = self.read_manifest()?.ok_or(HomeError::Io { path: path.clone(), source: missing })?;
        let address = |field, text: &str| text.parse().map_err(|_| HomeError::Address { path: path.clone(), field });
        let (program, rollup) = (address("program", &manifest.program)?, address("rollup", &manifest.rollup)?);
        let chain = EmbeddedChain::follow(self.path(), TimeSource::System)?;
        Ok(RollupClient::new(Arc::new(chain), program, rollup))
    }

    fn read_manifest(&self) -> Result<Option<Manifest>, HomeError> {
        let path = self.manifest_path();
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|source| HomeError::Manifest { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(HomeError::Io { path, source }),
        }
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<(), HomeError> {
        let path = self.manifest_path();
        let fresh = path.with_extension("json.new");
        let text =
            serde_json::to_vec_pretty(manifest).map_err(|source| HomeError::Manifest { path: path.clone(), source })?;
        let write = || {
            let mut file = fs::File::create(&fresh)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            fs::File::open(&self.0)?.sync_all()
        };
        write().map_err(|source| HomeError::Io { path: path.clone(), source })
    }
}

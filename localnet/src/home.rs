//! A data directory: where everything of a local rollup lies, and which rollup it is.

mod error;

pub use error::HomeError;

use crate::faucet::Faucet;
use cairn_chain::{
    Address, Chain, EmbeddedChain, Keypair, NewRollup, Options, RollupClient, RollupError, RpcChain, TimeSource,
};
use cairn_client::ReceiptKeyFile;
use cairn_interface::{DEFAULT_BOND, DEFAULT_MAX_PENDING, DEFAULT_QUEUE_DEADLINE, Profile, Registry, program_id};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Number of the rollup among its admin's.
const ROLLUP_NUMBER: u64 = 0;
/// What each key gets from the chain's faucet: enough for the rent of some thousand batches.
const LAMPORTS: u64 = 100_000_000_000;
/// A key with less than this gets as much again.
const LEAST_LAMPORTS: u64 = 10_000_000_000;

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
    /// JSON-RPC of the validator it is on; without it, it is on the embedded chain in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc: Option<String>,
}

/// An open rollup of this process's own, and the keys that run it.
pub struct Rollup {
    /// The rollup on its chain.
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

    /// The directory itself. The embedded chain keeps its state and `transactions.jsonl` in it, a validator the folder
    /// [`Self::validator`].
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

    /// A validator's ledger, ports and output.
    #[must_use]
    pub fn validator(&self) -> PathBuf {
        self.0.join("validator")
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

    /// Key files.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Key file of the registrar, who lets nodes in without a bond.
    #[must_use]
    pub fn registrar(&self) -> PathBuf {
        self.keys().join("registrar.json")
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

    /// Checks that a rollup of this directory, if there is one, is of `profile`, and on a validator as `validator` says.
    ///
    /// # Errors
    /// [`HomeError::Profile`] or [`HomeError::OtherChain`] when it is not.
    pub fn check(&self, profile: Profile, validator: bool) -> Result<(), HomeError> {
        let Some(manifest) = self.read_manifest()? else { return Ok(()) };
        if manifest.profile != profile.name() {
            return Err(HomeError::Profile { path: self.0.clone(), actual: manifest.profile, asked: profile.name() });
        }
        let (actual, remedy) = match (manifest.rpc.is_some(), validator) {
            (true, false) => ("a validator", "give --validator"),
            (false, true) => ("the embedded chain", "leave --validator out"),
            _ => return Ok(()),
        };
        Err(HomeError::OtherChain { path: self.0.clone(), actual, remedy })
    }

    /// Opens the rollup of this directory on the embedded chain in it; creates both the first time.
    ///
    /// # Errors
    /// [`HomeError`] says what to do.
    pub async fn open_embedded(&self, profile: Profile) -> Result<(EmbeddedChain, Rollup), HomeError> {
        self.check(profile, false)?;
        let chain = EmbeddedChain::open(self.path(), Options::of(profile))?;
        let rollup = self.open_rollup(&Arc::new(chain.clone()), None, profile).await?;
        Ok((chain, rollup))
    }

    /// Opens the rollup of this directory on `chain`, whose JSON-RPC is at `rpc` if it is a validator's. The first time it
    /// makes the keys, has them funded, and creates the rollup; waits until all of it is final.
    ///
    /// # Errors
    /// [`HomeError`] says what to do.
    pub async fn open_rollup<C: Faucet + 'static>(
        &self,
        chain: &Arc<C>,
        rpc: Option<&str>,
        profile: Profile,
    ) -> Result<Rollup, HomeError> {
        self.check(profile, rpc.is_some())?;
        let known = self.read_manifest()?;
        let keys = self.key_folder()?;
        let admin = Keypair::load_or_generate(&keys.join("admin.json"))?;
        let registrar = Keypair::load_or_generate(&self.registrar())?;
        let sequencer = Keypair::load_or_generate(&keys.join("sequencer.json"))?;
        let acknowledgement = Keypair::load_or_generate(&keys.join("acknowledgement.json"))?;

        let shared: Arc<dyn Chain> = chain.clone();
        let program = program_id(profile);
        let client = RollupClient::of_admin(shared, program, &admin.address(), ROLLUP_NUMBER);
        let paying = [admin.address(), sequencer.address(), registrar.address()];
        let lost =
            |rollup_id: &str| Err(HomeError::Lost { path: self.manifest_path(), rollup_id: rollup_id.to_owned() });
        match (client.rollup().await, &known) {
            (Ok(_), _) => {}
            (Err(RollupError::Missing(_)), Some(manifest)) => return lost(&manifest.rollup_id),
            (Err(RollupError::Missing(_)), None) => {
                self.fund(chain.as_ref(), &paying).await?;
                let new = NewRollup {
                    id: ROLLUP_NUMBER,
                    sequencer: sequencer.address(),
                    acknowledgement_key: acknowledgement.address(),
                    profile,
                    max_pending: DEFAULT_MAX_PENDING,
                    registry: Registry {
                        registrar: registrar.address(),
                        bond: DEFAULT_BOND,
                        queue_deadline: DEFAULT_QUEUE_DEADLINE,
                    },
                };
                client.initialize(&admin, &new).await?;
            }
            (Err(error), _) => return Err(error.into()),
        }
        self.fund(chain.as_ref(), &paying).await?;
        let manifest = Manifest {
            program: program.to_string(),
            rollup: client.address().to_string(),
            rollup_id: client.rollup().await?.rollup_id.to_hex(),
            profile: profile.name().into(),
            rpc: rpc.map(str::to_owned),
        };
        if let Some(known) = known.filter(|known| known.rollup_id != manifest.rollup_id) {
            return lost(&known.rollup_id);
        }
        self.write_manifest(&manifest)?;
        Ok(Rollup { client, sequencer, acknowledgement, registrar, manifest })
    }

    async fn fund<C: Faucet>(&self, chain: &C, keys: &[Address]) -> Result<(), HomeError> {
        let topped = chain.top_up(keys, LEAST_LAMPORTS, LAMPORTS).await;
        topped.map_err(|source| HomeError::Fund { keys: self.keys(), source })
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
        let chain: Arc<dyn Chain> = match &manifest.rpc {
            Some(url) => Arc::new(RpcChain::new(url).map_err(|source| HomeError::Url { path, source })?),
            None => Arc::new(EmbeddedChain::follow(self.path(), TimeSource::System)?),
        };
        Ok(RollupClient::new(chain, program, rollup))
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

//! Why a data directory cannot be used.

use cairn_chain::{ChainError, InvalidUrl, KeyFileError, OpenError, RollupError};
use std::io;
use std::path::PathBuf;

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
    /// The keys could not be funded.
    #[error("the chain's faucet does not fund the keys in {keys}")]
    Fund {
        /// Their folder.
        keys: PathBuf,
        /// Why.
        #[source]
        source: ChainError,
    },
    /// The directory's rollup is on another kind of chain.
    #[error("{path} is a rollup on {actual}: {remedy}, or take another --data directory")]
    OtherChain {
        /// Which directory.
        path: PathBuf,
        /// What it is on.
        actual: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The chain has begun anew.
    #[error(
        "{path} names rollup {rollup_id}, and the chain does not have it: restore the chain's files, or start over in an empty directory"
    )]
    Lost {
        /// The manifest.
        path: PathBuf,
        /// The identity that it names.
        rollup_id: String,
    },
    /// The manifest names no URL.
    #[error("{path}: rpc is not a URL")]
    Url {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: InvalidUrl,
    },
    /// The rollup.
    #[error(transparent)]
    Rollup(#[from] RollupError),
}

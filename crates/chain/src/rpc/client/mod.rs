//! A chain behind JSON-RPC servers: a cluster's, a local validator's, or that of an embedded chain.
//!
//! | module | what |
//! |---|---|
//! | [`options`], [`url`] | which servers, how patiently |
//! | [`health`], [`board`] | pure: how a server does, who is asked next, what slots say about an answer |
//! | [`http`], [`server`] | one request to one server, of our chain and at our rate |
//! | [`pool`] | one question to all of them, within its budget |
//! | [`chain`], [`send`] | the methods |
//! | [`subscribe`] | being told of changes |
//! | [`status`] | what is known about each server |
//!
//! Reads never go back in time: a slot that was seen at a commitment is the least that the next answer at it must have
//! reached, whichever server gives it. Thus after all servers were restored from an older snapshot, everything waits,
//! with an error that says so, until one of them has caught up.

mod board;
mod chain;
mod health;
mod http;
mod options;
mod pool;
mod send;
mod server;
mod status;
mod subscribe;
mod url;

pub use options::{InvalidRpcOptions, RpcOptions, Websocket};
pub use status::{ServerState, ServerStatus};
pub use url::InvalidUrl;

use crate::{Address, ChainError, Commitment, Signature};
use parking_lot::Mutex;
use pool::{Pool, Question, Unanswered};
use send::Sent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subscribe::Feeds;

/// How long a chain that nobody has reached yet is tried.
const FIRST_CONTACT: Duration = Duration::from_secs(10);

/// A chain reached over Solana's JSON-RPC, through one server or several.
///
/// Whatever a server says is outside data: answers are limited in size, checked for the shape that was asked for, and
/// account data goes through the decoders of `cairn_interface` like everybody's. A server can still lie; what it says is
/// as good as whoever runs it.
pub struct RpcChain {
    pool: Arc<Pool>,
    feeds: Feeds,
    sent: Mutex<Sent>,
}

impl fmt::Debug for RpcChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.pool.servers.iter().map(server::Server::place);
        f.write_str("RpcChain")?;
        f.debug_list().entries(places).finish()
    }
}

impl RpcChain {
    /// A client for the server at `url` (`http` or `https`), without asking it anything yet.
    ///
    /// # Errors
    /// When the text is no such URL.
    pub fn new(url: &str) -> Result<Self, InvalidUrl> {
        Self::build(&RpcOptions::new([url]))
    }

    /// A client for these servers, without asking any of them anything yet.
    ///
    /// # Errors
    /// [`InvalidRpcOptions`] says what to change.
    pub fn with_options(options: &RpcOptions) -> Result<Self, InvalidRpcOptions> {
        options.check()?;
        Ok(Self::build(options)?)
    }

    fn build(options: &RpcOptions) -> Result<Self, InvalidUrl> {
        Ok(Self { pool: Arc::new(Pool::new(options)?), feeds: Feeds::new(options), sent: Mutex::default() })
    }

    /// A client for the server at `url`, which has answered with the chain's genesis hash.
    ///
    /// # Errors
    /// [`ChainError`] when the URL is none, or the server cannot be reached or does not answer like a chain.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        Self::connect_with(RpcOptions::new([url])).await
    }

    /// A client for these servers, one of which has answered with the chain's genesis hash.
    ///
    /// # Errors
    /// [`ChainError`] when the options are none, or no server answers like the chain within ten seconds.
    pub async fn connect_with(options: RpcOptions) -> Result<Self, ChainError> {
        let chain = Self::with_options(&options).map_err(|error| ChainError::Invalid(error.to_string()))?;
        chain.contact(FIRST_CONTACT.min(options.budget)).await?;
        Ok(chain)
    }

    /// How a URL may be shown: scheme, host and port; a placeholder for what is none.
    #[must_use]
    pub fn shown(url: &str) -> String {
        url::shown(url)
    }

    /// Scheme, host and port of the preferred server: the rest of a URL often holds a key, and is shown nowhere.
    #[must_use]
    pub fn place(&self) -> &str {
        self.pool.servers.first().map_or("", server::Server::place)
    }

    /// What is known about each server, the preferred one first.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerStatus> {
        status::of(&self.pool)
    }

    /// Asks the faucet for lamports. Embedded chains and test clusters have one.
    ///
    /// # Errors
    /// [`ChainError`] when there is none, or it refuses.
    pub async fn airdrop(&self, to: &Address, lamports: u64) -> Result<Signature, ChainError> {
        let accept = |text: String| text.parse().map(|signature| (None, signature)).map_err(|error| format!("{error}"));
        self.ask("requestAirdrop", None, |_| json!([to.to_string(), lamports]), accept).await
    }

    /// The genesis hash, from a server.
    async fn contact(&self, budget: Duration) -> Result<[u8; 32], ChainError> {
        let question = Question { method: "getGenesisHash", commitment: None, budget };
        let accept = |text: String| server::hash(&text).map(|hash| (None, hash));
        self.question(question, |_| json!([]), accept).await
    }

    /// Asks a question within the usual budget: see [`Pool::ask`].
    async fn ask<T: DeserializeOwned, U>(
        &self,
        method: &'static str,
        commitment: Option<Commitment>,
        params: impl Fn(Option<u64>) -> Value,
        accept: impl Fn(T) -> Result<(Option<u64>, U), String>,
    ) -> Result<U, ChainError> {
        self.question(Question { method, commitment, budget: self.pool.budget }, params, accept).await
    }

    async fn question<T: DeserializeOwned, U>(
        &self,
        question: Question,
        params: impl Fn(Option<u64>) -> Value,
        accept: impl Fn(T) -> Result<(Option<u64>, U), String>,
    ) -> Result<U, ChainError> {
        self.pool.ask(question, params, accept).await.map_err(|unanswered| match unanswered {
            Unanswered::Chain(error) => error,
            Unanswered::Refused { server, code, message } => {
                let place = self.pool.servers[server].place();
                ChainError::Invalid(format!("{place} refused {}: {message} ({code})", question.method))
            }
        })
    }
}

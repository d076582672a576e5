//! A chain behind a JSON-RPC server: a cluster's, a local validator's, or that of an embedded chain.

mod http;
mod url;

pub use url::InvalidUrl;

use crate::rpc::wire::{
    Contextual, KeyedAccount, WireAccount, WireBlockhash, WireEpochInfo, WireMeta, WireStatus, WireTransaction, code,
    failure_of,
};
use crate::{
    AccountFilter, Accounts, Address, Blockhash, Chain, ChainError, Commitment, ProgramAccounts, Signature,
    SignedTransaction, Tip, TransactionFailure, TransactionStatus,
};
use async_trait::async_trait;
use data_encoding::BASE64;
use http::{CallError, Transport};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use tokio::sync::OnceCell;

/// Accounts that one request may ask for, as on the cluster.
const MAX_ACCOUNTS: usize = 100;

/// A chain reached over Solana's JSON-RPC.
///
/// Whatever the server says is outside data: answers are limited in size, checked for the shape that was asked for, and
/// account data goes through the decoders of `cairn_interface` like everybody's. A server can still lie; what it says is
/// as good as whoever runs it.
pub struct RpcChain {
    transport: Transport,
    genesis: OnceCell<[u8; 32]>,
}

impl fmt::Debug for RpcChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RpcChain").field(&self.transport.place()).finish()
    }
}

impl RpcChain {
    /// A client for the server at `url` (`http` or `https`), without asking it anything yet.
    ///
    /// # Errors
    /// When the text is no such URL.
    pub fn new(url: &str) -> Result<Self, InvalidUrl> {
        Ok(Self { transport: Transport::new(url)?, genesis: OnceCell::new() })
    }

    /// A client for the server at `url`, which has answered with the chain's genesis hash.
    ///
    /// # Errors
    /// [`ChainError`] when the URL is none, or the server cannot be reached or does not answer like a chain.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        let chain = Self::new(url).map_err(|error| ChainError::Invalid(error.to_string()))?;
        chain.genesis_hash().await?;
        Ok(chain)
    }

    /// How a URL may be shown: scheme, host and port; a placeholder for what is none.
    #[must_use]
    pub fn shown(url: &str) -> String {
        url::parse(url).map_or_else(|_| "an invalid URL".to_owned(), |endpoint| endpoint.place)
    }

    /// Scheme, host and port of the server: the rest of a URL often holds a key, and is shown nowhere.
    #[must_use]
    pub fn place(&self) -> &str {
        self.transport.place()
    }

    /// Asks the server's faucet for lamports. Embedded chains and test clusters have one.
    ///
    /// # Errors
    /// [`ChainError`] when the server has none, or refuses.
    pub async fn airdrop(&self, to: &Address, lamports: u64) -> Result<Signature, ChainError> {
        let text: String = self.call("requestAirdrop", json!([to.to_string(), lamports])).await?;
        text.parse().map_err(|error| self.odd("requestAirdrop", error))
    }

    async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, ChainError> {
        self.transport.call(method, params).await.map_err(|error| error.into_chain(self.place(), method))
    }

    /// An answer that does not hold together: the next one may, from this server or the one behind it.
    fn odd(&self, method: &str, reason: impl fmt::Display) -> ChainError {
        http::odd(self.place(), method, reason)
    }

    fn bytes32(&self, method: &str, text: &str) -> Result<[u8; 32], ChainError> {
        let mut bytes = [0; 32];
        match bs58::decode(text).onto(&mut bytes) {
            Ok(32) => Ok(bytes),
            _ => Err(self.odd(method, "a hash is not 32 bytes in base58")),
        }
    }

    /// Fee, units and log of an executed transaction, where the server keeps them.
    async fn details(&self, signature: &Signature) -> Option<WireMeta> {
        let config = json!({ "encoding": "base64", "commitment": "finalized", "maxSupportedTransactionVersion": 0 });
        let found =
            self.call::<Option<WireTransaction>>("getTransaction", json!([signature.to_string(), config])).await;
        found.ok().flatten().and_then(|transaction| transaction.meta)
    }

    /// What a refusal of `sendTransaction` means for these bytes.
    async fn refused(&self, transaction: &SignedTransaction, error: CallError) -> Result<Signature, ChainError> {
        let CallError::Answer { code, message, data } = error else {
            return Err(error.into_chain(self.place(), "sendTransaction"));
        };
        if code == code::SIGNATURE_FAILURE {
            let class = crate::ErrorClass::Rejection;
            return Err(ChainError::Refused(TransactionFailure::new("SignatureFailure", message, class)));
        }
        let Some(error) = data.as_ref().and_then(|data| data.get("err")).filter(|error| !error.is_null()) else {
            return Err(CallError::Answer { code, message, data }.into_chain(self.place(), "sendTransaction"));
        };
        let failure = failure_of(error);
        if failure.is("AlreadyProcessed") {
            return Ok(transaction.signature);
        }
        if failure.is_expired() {
            // Also the answer of a server that has not heard of the blockhash yet, or sits on another fork. Only the
            // height says that these bytes can never execute; before that, they may still arrive by another way.
            let height = self.tip(Commitment::Finalized).await?.block_height;
            if height <= transaction.last_valid_block_height {
                let what = format!("{} does not know the transaction's blockhash yet: send it again", self.place());
                return Err(ChainError::Transient { what, source: None });
            }
        }
        Err(ChainError::Refused(failure))
    }
}

#[async_trait]
impl Chain for RpcChain {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        let ask = || async {
            let text: String = self.call("getGenesisHash", json!([])).await?;
            self.bytes32("getGenesisHash", &text)
        };
        self.genesis.get_or_try_init(ask).await.copied()
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        let config = json!([{ "commitment": commitment.name() }]);
        let info: WireEpochInfo = self.call("getEpochInfo", config).await?;
        Ok(Tip { slot: info.absolute_slot, block_height: info.block_height })
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        if addresses.len() > MAX_ACCOUNTS {
            return Err(ChainError::Invalid(format!(
                "{} accounts asked for, at most {MAX_ACCOUNTS} come in one answer: ask in parts",
                addresses.len()
            )));
        }
        let names: Vec<_> = addresses.iter().map(Address::to_string).collect();
        let params = json!([names, { "encoding": "base64", "commitment": commitment.name() }]);
        let method = "getMultipleAccounts";
        let read: Contextual<Vec<Option<WireAccount>>> = self.call(method, params).await?;
        if read.value.len() != addresses.len() {
            return Err(self.odd(method, "it has another number of accounts than was asked for"));
        }
        let decode = |account: Option<WireAccount>| account.map(WireAccount::decode).transpose();
        let accounts = read.value.into_iter().map(decode).collect::<Result<_, _>>();
        Ok(Accounts { slot: read.context.slot, accounts: accounts.map_err(|reason| self.odd(method, reason))? })
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        commitment: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        let filter = |filter: &AccountFilter| match filter {
            AccountFilter::Size(size) => json!({ "dataSize": size }),
            AccountFilter::Bytes { offset, bytes } => {
                json!({ "memcmp": { "offset": offset, "bytes": BASE64.encode(bytes), "encoding": "base64" } })
            }
        };
        let filters: Vec<_> = filters.iter().map(filter).collect();
        let config = json!({
            "encoding": "base64", "commitment": commitment.name(), "withContext": true, "filters": filters,
        });
        let method = "getProgramAccounts";
        let read: Contextual<Vec<KeyedAccount>> = self.call(method, json!([program.to_string(), config])).await?;
        let accounts = read.value.into_iter().map(KeyedAccount::decode).collect::<Result<_, _>>();
        Ok(ProgramAccounts { slot: read.context.slot, accounts: accounts.map_err(|reason| self.odd(method, reason))? })
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        let (method, config) = ("getLatestBlockhash", json!([{ "commitment": commitment.name() }]));
        let latest: Contextual<WireBlockhash> = self.call(method, config).await?;
        Ok(Blockhash {
            hash: self.bytes32(method, &latest.value.blockhash)?,
            last_valid_block_height: latest.value.last_valid_block_height,
        })
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.call("getMinimumBalanceForRentExemption", json!([data_length])).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        let config = json!({ "encoding": "base64", "preflightCommitment": Commitment::Processed.name() });
        let params = json!([BASE64.encode(&transaction.bytes), config]);
        match self.transport.call::<String>("sendTransaction", params).await {
            Ok(text) if text == transaction.signature.to_string() => Ok(transaction.signature),
            Ok(_) => Err(self.odd("sendTransaction", "it names another transaction than the one sent")),
            Err(error) => self.refused(transaction, error).await,
        }
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let method = "getSignatureStatuses";
        let params = json!([[signature.to_string()], { "searchTransactionHistory": true }]);
        let mut read: Contextual<Vec<Option<WireStatus>>> = self.call(method, params).await?;
        let (Some(status), true) = (read.value.pop(), read.value.is_empty()) else {
            return Err(self.odd(method, "it has another number of statuses than was asked for"));
        };
        let Some(status) = status else { return Ok(None) };
        // Servers without a name for it remember only what is rooted.
        let name = status.confirmation_status.as_deref().unwrap_or("finalized");
        let commitment = Commitment::of_name(name).ok_or_else(|| self.odd(method, "confirmationStatus is unknown"))?;
        let details = match commitment {
            Commitment::Processed | Commitment::Confirmed => None,
            Commitment::Finalized => self.details(signature).await,
        };
        Ok(Some(TransactionStatus {
            slot: status.slot,
            commitment,
            outcome: status.err.as_ref().map_or(Ok(()), |error| Err(failure_of(error))),
            compute_units: details.as_ref().and_then(|meta| meta.compute_units_consumed),
            fee: details.as_ref().map(|meta| meta.fee),
            logs: details.and_then(|meta| meta.log_messages).unwrap_or_default(),
        }))
    }
}

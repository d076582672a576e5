//! The chain's methods as questions to its servers.

use super::RpcChain;
use super::pool::Question;
use super::send::{Meaning, Outcome, send};
use crate::rpc::wire::{
    Contextual, KeyedAccount, WireAccount, WireBlockhash, WireEpochInfo, WireFee, WireMeta, WireStatus,
    WireTransaction, failure_of,
};
use crate::{
    AccountFilter, AccountWatch, Accounts, Address, Blockhash, Chain, ChainError, Commitment, ProgramAccounts,
    Signature, SignedTransaction, Tip, TransactionStatus,
};
use async_trait::async_trait;
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::time::Duration;

/// Accounts that one request may ask for, as on the cluster.
const MAX_ACCOUNTS: usize = 100;
/// Signatures that one request may ask about, as on the cluster.
const MAX_SIGNATURES: usize = 256;
/// Accounts that fees may be asked about at once, as on the cluster.
const MAX_FEE_ACCOUNTS: usize = 128;
/// Slots of which a server knows the fees, and then some: the cluster's have 150.
const MAX_FEES: usize = 1_000;
/// How long the details of a transaction may take: nothing depends on them.
const DETAILS: Duration = Duration::from_secs(10);

/// A configuration object for an answer at `commitment` that has reached `slot`.
fn config(commitment: Commitment, slot: Option<u64>) -> Value {
    match slot {
        Some(slot) => json!({ "commitment": commitment.name(), "minContextSlot": slot }),
        None => json!({ "commitment": commitment.name() }),
    }
}

fn too_many(count: usize, what: &str, max: usize) -> ChainError {
    ChainError::Invalid(format!("{count} {what} asked for, at most {max} come in one answer: ask in parts"))
}

impl RpcChain {
    /// Fee, units and log of an executed transaction, where a server keeps them.
    async fn details(&self, signature: &Signature) -> Option<WireMeta> {
        let config = json!({ "encoding": "base64", "commitment": "finalized", "maxSupportedTransactionVersion": 0 });
        let budget = DETAILS.min(self.pool.budget);
        let question = Question { method: "getTransaction", commitment: None, budget };
        let params = |_| json!([signature.to_string(), config]);
        let accept = |found: Option<WireTransaction>| Ok((None, found.and_then(|transaction| transaction.meta)));
        self.question(question, params, accept).await.ok().flatten()
    }
}

#[async_trait]
impl Chain for RpcChain {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        match self.pool.genesis() {
            Some(hash) => Ok(hash),
            None => self.contact(self.pool.budget).await,
        }
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        let params = |slot| json!([config(commitment, slot)]);
        let accept = |info: WireEpochInfo| {
            Ok((Some(info.absolute_slot), Tip { slot: info.absolute_slot, block_height: info.block_height }))
        };
        self.ask("getEpochInfo", Some(commitment), params, accept).await
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        if addresses.len() > MAX_ACCOUNTS {
            return Err(too_many(addresses.len(), "accounts", MAX_ACCOUNTS));
        }
        let names: Vec<_> = addresses.iter().map(Address::to_string).collect();
        let params = |slot| {
            let mut config = config(commitment, slot);
            config["encoding"] = json!("base64");
            json!([names, config])
        };
        let accept = |read: Contextual<Vec<Option<WireAccount>>>| {
            if read.value.len() != addresses.len() {
                return Err("it has another number of accounts than was asked for".to_owned());
            }
            let decode = |account: Option<WireAccount>| account.map(WireAccount::decode).transpose();
            let accounts = read.value.into_iter().map(decode).collect::<Result<_, _>>()?;
            Ok((Some(read.context.slot), Accounts { slot: read.context.slot, accounts }))
        };
        self.ask("getMultipleAccounts", Some(commitment), params, accept).await
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
        let params = |slot| {
            let mut config = config(commitment, slot);
            config["encoding"] = json!("base64");
            config["withContext"] = json!(true);
            config["filters"] = json!(filters);
            json!([program.to_string(), config])
        };
        let accept = |read: Contextual<Vec<KeyedAccount>>| {
            let accounts = read.value.into_iter().map(KeyedAccount::decode).collect::<Result<_, _>>()?;
            Ok((Some(read.context.slot), ProgramAccounts { slot: read.context.slot, accounts }))
        };
        self.ask("getProgramAccounts", Some(commitment), params, accept).await
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        let params = |slot| json!([config(commitment, slot)]);
        let accept = |latest: Contextual<WireBlockhash>| {
            let WireBlockhash { blockhash, last_valid_block_height } = latest.value;
            Ok((
                Some(latest.context.slot),
                Blockhash { hash: super::server::hash(&blockhash)?, last_valid_block_height },
            ))
        };
        self.ask("getLatestBlockhash", Some(commitment), params, accept).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        let params = |_| json!([data_length]);
        self.ask("getMinimumBalanceForRentExemption", None, params, |lamports| Ok((None, lamports))).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        let refusals = match send(&self.pool, &self.sent, transaction).await? {
            Outcome::Taken => return Ok(transaction.signature),
            Outcome::Refused(refusals) => refusals,
        };
        let (mut refused, mut unknown) = (None, None);
        for refusal in refusals {
            match refusal.meaning(&self.pool) {
                Meaning::Taken => {
                    self.sent.lock().remember(&transaction.signature);
                    return Ok(transaction.signature);
                }
                Meaning::Error(error) => refused = refused.or(Some(error)),
                Meaning::UnknownBlockhash(failure) => unknown = Some(failure),
            }
        }
        match (refused, unknown) {
            (Some(error), _) => Err(error),
            (None, Some(failure)) => {
                // Also the answer of a server that has not heard of the blockhash yet, or sits on another fork. Only the
                // height says that these bytes can never execute; before that, they may still arrive by another way.
                let height = self.tip(Commitment::Finalized).await?.block_height;
                if height > transaction.last_valid_block_height {
                    return Err(ChainError::Refused(failure));
                }
                let what = "no RPC server knows the transaction's blockhash yet: send it again".to_owned();
                Err(ChainError::Transient { what, source: None })
            }
            (None, None) => Err(ChainError::Transient { what: "no RPC server answered".to_owned(), source: None }),
        }
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let Some(mut status) = self.statuses(std::slice::from_ref(signature)).await?.pop().flatten() else {
            return Ok(None);
        };
        if status.commitment == Commitment::Finalized
            && let Some(details) = self.details(signature).await
        {
            status.compute_units = details.compute_units_consumed;
            status.fee = Some(details.fee);
            status.logs = details.log_messages.unwrap_or_default();
        }
        Ok(Some(status))
    }

    async fn statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<TransactionStatus>>, ChainError> {
        if signatures.len() > MAX_SIGNATURES {
            return Err(too_many(signatures.len(), "statuses", MAX_SIGNATURES));
        }
        let names: Vec<_> = signatures.iter().map(Signature::to_string).collect();
        let params = |_| json!([names, { "searchTransactionHistory": true }]);
        let accept = |read: Contextual<Vec<Option<WireStatus>>>| {
            if read.value.len() != signatures.len() {
                return Err("it has another number of statuses than was asked for".to_owned());
            }
            let statuses = read.value.into_iter().map(|status| status.map(status_of).transpose());
            Ok((Some(read.context.slot), (read.context.slot, statuses.collect::<Result<Vec<_>, String>>()?)))
        };
        // The context is that of the newest state: a server that is behind does not know what it will know.
        let question = self.ask("getSignatureStatuses", Some(Commitment::Processed), params, accept);
        let (slot, statuses) = question.await?;
        for status in statuses.iter().flatten().filter(|status| status.slot <= slot) {
            // Who then reads accounts at that commitment finds what the transaction did.
            self.pool.saw(status.commitment, status.slot);
        }
        Ok(statuses)
    }

    async fn recent_fees(&self, writable: &[Address]) -> Result<Vec<u64>, ChainError> {
        if writable.len() > MAX_FEE_ACCOUNTS {
            return Err(too_many(writable.len(), "accounts' fees", MAX_FEE_ACCOUNTS));
        }
        let names: Vec<_> = writable.iter().map(Address::to_string).collect();
        let accept = |fees: Vec<WireFee>| {
            if fees.len() > MAX_FEES {
                return Err(format!("it has the fees of {} slots", fees.len()));
            }
            Ok((None, fees.iter().map(|fee| fee.prioritization_fee).collect()))
        };
        self.ask("getRecentPrioritizationFees", None, |_| json!([names]), accept).await
    }

    fn watch(&self, addresses: &[Address], commitment: Commitment) -> AccountWatch {
        self.feeds.watch(addresses, commitment)
    }
}

fn status_of(status: WireStatus) -> Result<TransactionStatus, String> {
    // Servers without a name for it remember only what is rooted.
    let name = status.confirmation_status.as_deref().unwrap_or("finalized");
    Ok(TransactionStatus {
        slot: status.slot,
        commitment: Commitment::of_name(name).ok_or("confirmationStatus is unknown")?,
        outcome: status.err.as_ref().map_or(Ok(()), |error| Err(failure_of(error))),
        compute_units: None,
        fee: None,
        logs: Vec::new(),
    })
}

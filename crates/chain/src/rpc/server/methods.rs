//! The methods, by name; those about transactions are in `transactions.rs`.
//!
//! Everything executed on the embedded chain is final, so one state answers every commitment.

use super::encode;
use super::envelope::MAX_ANSWER_BYTES;
use super::error::RpcError;
use super::params::Args;
use super::transactions;
use crate::embedded::engine::EPOCH_SLOTS;
use crate::rpc::wire::code;
use crate::{Chain as _, Commitment, EmbeddedChain};
use serde_json::{Value, json};

/// The runtime that the embedded chain is made of: Solana's tools look here for what a node can do.
const RUNTIME_VERSION: &str = "4.2.2";
/// The longest account that there can be.
const MAX_ACCOUNT_BYTES: usize = 10 << 20;

/// Runs the method.
pub async fn call(chain: &EmbeddedChain, method: &str, args: Args) -> Result<Value, RpcError> {
    match method {
        "getHealth" => args.end().map(|()| json!("ok")),
        "getVersion" => args.end().map(|()| json!({ "solana-core": RUNTIME_VERSION, "feature-set": null })),
        "getGenesisHash" => {
            args.end()?;
            Ok(json!(bs58::encode(chain.genesis_hash().await?).into_string()))
        }
        "getSlot" => Ok(json!(tip(chain, args).await?.slot)),
        "getBlockHeight" => Ok(json!(tip(chain, args).await?.block_height)),
        "getEpochInfo" => epoch_info(chain, args).await,
        "getLatestBlockhash" => latest_blockhash(chain, args).await,
        "isBlockhashValid" => is_blockhash_valid(chain, args).await,
        "getMinimumBalanceForRentExemption" => minimum_balance(chain, args).await,
        "getBalance" => balance(chain, args).await,
        "getAccountInfo" => account_info(chain, args).await,
        "getMultipleAccounts" => multiple_accounts(chain, args).await,
        "getProgramAccounts" => program_accounts(chain, args).await,
        "getRecentPrioritizationFees" => recent_fees(chain, args).await,
        "getFeeForMessage" => transactions::fee_for_message(chain, args).await,
        "getSignatureStatuses" => transactions::statuses(chain, args).await,
        "getTransaction" => transactions::transaction(chain, args).await,
        "simulateTransaction" => transactions::simulate(chain, args).await,
        "sendTransaction" => transactions::send(chain, args).await,
        "requestAirdrop" => transactions::airdrop(chain, args).await,
        _ => Err(RpcError::new(code::METHOD_NOT_FOUND, "Method not found")),
    }
}

/// A value as of a slot.
pub fn contextual(slot: u64, value: impl Into<Value>) -> Value {
    json!({ "context": { "apiVersion": RUNTIME_VERSION, "slot": slot }, "value": value.into() })
}

async fn tip(chain: &EmbeddedChain, args: Args) -> Result<crate::Tip, RpcError> {
    let config = args.config()?;
    let tip = chain.tip(Commitment::Finalized).await?;
    config.check_slot(tip.slot)?;
    Ok(tip)
}

async fn epoch_info(chain: &EmbeddedChain, args: Args) -> Result<Value, RpcError> {
    let tip = tip(chain, args).await?;
    let count = chain.blocking(|engine| Ok(engine.transactions())).await?;
    Ok(json!({
        "absoluteSlot": tip.slot,
        "blockHeight": tip.block_height,
        "epoch": tip.slot / EPOCH_SLOTS,
        "slotIndex": tip.slot % EPOCH_SLOTS,
        "slotsInEpoch": EPOCH_SLOTS,
        "transactionCount": count,
    }))
}

async fn latest_blockhash(chain: &EmbeddedChain, args: Args) -> Result<Value, RpcError> {
    let slot = tip(chain, args).await?.slot;
    let latest = chain.latest_blockhash(Commitment::Finalized).await?;
    let hash = bs58::encode(latest.hash).into_string();
    Ok(contextual(slot, json!({ "blockhash": hash, "lastValidBlockHeight": latest.last_valid_block_height })))
}

async fn is_blockhash_valid(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let text: String = args.required("blockhash")?;
    let slot = tip(chain, args).await?.slot;
    let mut hash = [0; 32];
    if text.len() > 44 || bs58::decode(&text).onto(&mut hash) != Ok(32) {
        return Err(RpcError::invalid("blockhash: it is the base58 form of 32 bytes"));
    }
    let recent = chain.blocking(move |engine| Ok(engine.is_recent(&hash))).await?;
    Ok(contextual(slot, recent))
}

async fn minimum_balance(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let length: usize = args.required("data length")?;
    args.config()?;
    if length > MAX_ACCOUNT_BYTES {
        return Err(RpcError::invalid(format_args!(
            "data length: no account is longer than {MAX_ACCOUNT_BYTES} bytes"
        )));
    }
    Ok(json!(chain.minimum_balance(length).await?))
}

async fn balance(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let address = args.address()?;
    let config = args.config()?;
    let read = chain.accounts(&[address], Commitment::Finalized).await?;
    config.check_slot(read.slot)?;
    let lamports = read.accounts.first().and_then(Option::as_ref).map_or(0, |account| account.lamports);
    Ok(contextual(read.slot, lamports))
}

async fn account_info(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let address = args.address()?;
    let config = args.config()?;
    let read = chain.accounts(&[address], Commitment::Finalized).await?;
    config.check_slot(read.slot)?;
    let account = match read.accounts.first() {
        Some(Some(account)) => encode::account(account, &config)?,
        _ => Value::Null,
    };
    Ok(contextual(read.slot, account))
}

async fn multiple_accounts(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let addresses = args.addresses()?;
    let config = args.config()?;
    let read = chain.accounts(&addresses, Commitment::Finalized).await?;
    config.check_slot(read.slot)?;
    check_weight(read.accounts.iter().flatten().map(|account| encode::weight(account, &config)))?;
    let encode = |account: &Option<_>| account.as_ref().map_or(Ok(Value::Null), |it| encode::account(it, &config));
    let accounts: Vec<_> = read.accounts.iter().map(encode).collect::<Result<_, _>>()?;
    Ok(contextual(read.slot, accounts))
}

async fn program_accounts(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let program = args.address()?;
    let config = args.config()?;
    let read = chain.program_accounts(&program, &config.account_filters()?, Commitment::Finalized).await?;
    config.check_slot(read.slot)?;
    check_weight(read.accounts.iter().map(|(_, account)| encode::weight(account, &config)))?;
    let entry = |(address, account): &(crate::Address, _)| {
        Ok::<_, RpcError>(json!({ "pubkey": address.to_string(), "account": encode::account(account, &config)? }))
    };
    let accounts: Vec<_> = read.accounts.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(if config.with_context { contextual(read.slot, accounts) } else { json!(accounts) })
}

fn check_weight(weights: impl Iterator<Item = usize>) -> Result<(), RpcError> {
    let total = weights.fold(0_usize, usize::saturating_add);
    if total > MAX_ANSWER_BYTES {
        return Err(RpcError::invalid("the accounts are too large together: narrow them with filters or a dataSlice"));
    }
    Ok(())
}

/// Nobody competes for space in the embedded chain's blocks: what was paid to come first is nothing.
async fn recent_fees(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let addresses: Vec<String> = args.optional("addresses")?;
    args.end()?;
    if addresses.len() > 128 {
        return Err(RpcError::invalid("at most 128 addresses are taken"));
    }
    let slot = chain.tip(Commitment::Finalized).await?.slot;
    Ok(json!([{ "slot": slot, "prioritizationFee": 0 }]))
}

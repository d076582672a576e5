//! Sending, simulating and looking up transactions.

use super::error::RpcError;
use super::methods::contextual;
use super::params::{Args, Config, Encoding, signature};
use crate::embedded::engine::{Checks, Simulation, parse};
use crate::rpc::wire::{code, error_json};
use crate::{Commitment, EmbeddedChain, MAX_TRANSACTION_BYTES, Record, Signature};
use data_encoding::BASE64;
use serde_json::{Value, json};
use solana_sdk::message::VersionedMessage;
use solana_sdk::transaction::{TransactionError, VersionedTransaction};

/// Signatures that one request may ask about, as on the cluster.
const MAX_SIGNATURES: usize = 256;
/// What one airdrop pays, at most: 1,000 SOL, as the faucet of Solana's test validator by default.
const MAX_AIRDROP_LAMPORTS: u64 = 1_000 * 1_000_000_000;
/// Letters of a transaction in base64, and in base58.
const MAX_TEXT: usize = 1_683;

pub async fn send(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let text: String = args.required("transaction")?;
    let config = args.config()?;
    let bytes = decode(&text, config.encoding.unwrap_or(Encoding::Base58))?;
    let sent = chain
        .blocking(move |engine| {
            if let Err(error) = config.check_slot(engine.slot()) {
                return Ok(Err(error));
            }
            if !config.skip_preflight {
                let simulation = engine.simulate(parse(&bytes)?, Checks { signatures: true, blockhash: true });
                if let Some(error) = &simulation.error {
                    return Ok(Err(refusal(error, &simulation)));
                }
            }
            Ok(Ok(engine.send(&bytes)?))
        })
        .await??;
    Ok(json!(sent.to_string()))
}

pub async fn simulate(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let text: String = args.required("transaction")?;
    let config = args.config()?;
    if config.sig_verify && config.replace_recent_blockhash {
        return Err(RpcError::invalid("sigVerify may not be used with replaceRecentBlockhash"));
    }
    let bytes = decode(&text, config.encoding.unwrap_or(Encoding::Base58))?;
    let simulated = chain
        .blocking(move |engine| {
            let slot = engine.slot();
            if let Err(error) = config.check_slot(slot) {
                return Ok(Err(error));
            }
            let mut transaction = parse(&bytes)?;
            let mut replacement = Value::Null;
            if config.replace_recent_blockhash {
                let latest = engine.genesis().blockhash_at(slot);
                transaction.message.set_recent_blockhash(latest.hash.into());
                let hash = bs58::encode(latest.hash).into_string();
                replacement = json!({ "blockhash": hash, "lastValidBlockHeight": latest.last_valid_block_height });
            }
            let done = engine.simulate(transaction, Checks { signatures: config.sig_verify, blockhash: true });
            Ok(Ok(contextual(
                slot,
                json!({
                    "err": done.error, "logs": done.logs, "accounts": null, "unitsConsumed": done.units,
                    "returnData": null, "innerInstructions": null, "replacementBlockhash": replacement,
                }),
            )))
        })
        .await??;
    Ok(simulated)
}

/// The fee by the VM's own calculation; null when the message's blockhash is too old to be charged anything.
pub async fn fee_for_message(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let text: String = args.required("message")?;
    let config = args.config()?;
    let bytes = decode(&text, Encoding::Base64)?;
    let message: VersionedMessage = wincode::deserialize_exact(&bytes)
        .map_err(|error| RpcError::invalid(format_args!("the bytes are not a message: {error}")))?;
    let signatures = vec![solana_sdk::signature::Signature::default(); message.header().num_required_signatures.into()];
    let transaction = VersionedTransaction { signatures, message };
    transaction
        .sanitize()
        .map_err(|error| RpcError::invalid(format_args!("the message's account lists do not add up: {error}")))?;
    chain
        .blocking(move |engine| {
            let slot = engine.slot();
            let done = engine.simulate(transaction, Checks { signatures: false, blockhash: true });
            let fee = (done.error != Some(TransactionError::BlockhashNotFound)).then_some(done.fee);
            Ok(config.check_slot(slot).map(|()| contextual(slot, fee)))
        })
        .await?
}

pub async fn statuses(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let texts: Vec<String> = args.required("signatures")?;
    args.config()?;
    if texts.len() > MAX_SIGNATURES {
        return Err(RpcError::invalid(format_args!("at most {MAX_SIGNATURES} signatures are looked up at once")));
    }
    let signatures: Vec<Signature> = texts.iter().map(|text| signature(text)).collect::<Result<_, _>>()?;
    let (slot, records) = chain
        .blocking(move |engine| {
            let records: Vec<_> =
                signatures.iter().map(|signature| engine.record(signature)).collect::<Result<_, _>>()?;
            Ok((engine.slot(), records))
        })
        .await?;
    let value = records.iter().map(|record| {
        record.as_ref().map_or(Value::Null, |record| {
            let error = error_of(record);
            json!({
                "slot": record.slot, "confirmations": null, "err": error, "status": status(&error),
                "confirmationStatus": Commitment::Finalized.name(),
            })
        })
    });
    Ok(contextual(slot, value.collect::<Vec<_>>()))
}

pub async fn transaction(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let signature = args.signature()?;
    let config = args.config()?;
    let Some(record) = chain.blocking(move |engine| engine.record(&signature)).await? else { return Ok(Value::Null) };
    let bytes = BASE64.decode(record.transaction.as_bytes()).unwrap_or_default();
    let is_legacy = parse(&bytes).is_ok_and(|parsed| matches!(parsed.message, VersionedMessage::Legacy(_)));
    if !is_legacy && config.max_supported_transaction_version.is_none() {
        return Err(RpcError::new(
            code::UNSUPPORTED_VERSION,
            "Transaction version (0) is not supported by the requesting client. Please try the request again with the \
             following configuration parameter: \"maxSupportedTransactionVersion\": 0",
        ));
    }
    let body = match config.encoding {
        Some(Encoding::Base64) => json!([record.transaction, "base64"]),
        Some(Encoding::Base58) => json!([bs58::encode(&bytes).into_string(), "base58"]),
        None | Some(Encoding::Json | Encoding::JsonParsed) => {
            return Err(RpcError::invalid("encoding of transactions is base64 or base58"));
        }
    };
    let error = error_of(&record);
    Ok(json!({
        "slot": record.slot,
        "blockTime": record.unix_time,
        "version": if is_legacy { json!("legacy") } else { json!(0) },
        "transaction": body,
        "meta": {
            "err": error, "status": status(&error), "fee": record.fee,
            "computeUnitsConsumed": record.compute_units, "logMessages": record.logs,
            "preBalances": record.pre_balances, "postBalances": record.post_balances,
            "preTokenBalances": [], "postTokenBalances": [], "innerInstructions": [], "rewards": [],
            "loadedAddresses": { "readonly": [], "writable": [] },
        },
    }))
}

pub async fn airdrop(chain: &EmbeddedChain, mut args: Args) -> Result<Value, RpcError> {
    let to = args.address()?;
    let lamports: u64 = args.required("lamports")?;
    let _: Config = args.config()?;
    if lamports > MAX_AIRDROP_LAMPORTS {
        return Err(RpcError::invalid(format_args!(
            "lamports: the faucet pays at most {MAX_AIRDROP_LAMPORTS} at once"
        )));
    }
    Ok(json!(chain.fund(to, lamports).await?.to_string()))
}

fn decode(text: &str, encoding: Encoding) -> Result<Vec<u8>, RpcError> {
    if text.len() > MAX_TEXT {
        let (length, max) = (text.len(), MAX_TRANSACTION_BYTES);
        return Err(RpcError::invalid(format_args!(
            "too large: {length} letters, a transaction has at most {max} bytes"
        )));
    }
    let decoded = match encoding {
        Encoding::Base58 => bs58::decode(text).into_vec().ok(),
        Encoding::Base64 => BASE64.decode(text.as_bytes()).ok(),
        Encoding::Json | Encoding::JsonParsed => {
            return Err(RpcError::invalid("encoding of transactions is base58 (the default) or base64"));
        }
    };
    decoded.ok_or_else(|| RpcError::invalid("the text is not in the given encoding: base58 unless base64 is named"))
}

fn refusal(error: &TransactionError, simulation: &Simulation) -> RpcError {
    if *error == TransactionError::SignatureFailure {
        return RpcError::new(code::SIGNATURE_FAILURE, "Transaction signature verification failure");
    }
    let json = serde_json::to_value(error).unwrap_or_else(|_| json!(error.to_string()));
    RpcError::preflight(&error.to_string(), json, simulation.logs.clone(), simulation.units)
}

fn error_of(record: &Record) -> Value {
    record.cluster_error.clone().or_else(|| record.error.as_ref().map(error_json)).unwrap_or_default()
}

/// The older form of the same, which some clients still read.
fn status(error: &Value) -> Value {
    if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) }
}

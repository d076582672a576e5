//! The JSON that both ends speak: Solana's names, in the shapes of its RPC.

use crate::{Account, Address, Commitment, TransactionFailure};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use solana_sdk::transaction::TransactionError;

/// Error codes of JSON-RPC, and of Solana's on top.
pub mod code {
    pub const PARSE: i64 = -32_700;
    pub const INVALID_REQUEST: i64 = -32_600;
    pub const METHOD_NOT_FOUND: i64 = -32_601;
    pub const INVALID_PARAMS: i64 = -32_602;
    pub const INTERNAL: i64 = -32_603;
    /// The simulation before sending failed.
    pub const PREFLIGHT_FAILURE: i64 = -32_002;
    pub const SIGNATURE_FAILURE: i64 = -32_003;
    pub const NODE_UNHEALTHY: i64 = -32_005;
    /// The server's indexes leave out what was asked for.
    pub const EXCLUDED_FROM_INDEX: i64 = -32_010;
    /// The server keeps no history of transactions.
    pub const NO_HISTORY: i64 = -32_011;
    /// A version 0 transaction, and the caller did not say that it can read it.
    pub const UNSUPPORTED_VERSION: i64 = -32_015;
    pub const MIN_CONTEXT_SLOT: i64 = -32_016;
    /// What providers answer instead of HTTP 429.
    pub const TOO_MANY_REQUESTS: i64 = -32_429;
}

/// An answer as of a slot.
#[derive(Debug, Serialize, Deserialize)]
pub struct Contextual<T> {
    pub context: Context,
    pub value: T,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Context {
    pub slot: u64,
}

/// An account, its data in base64.
#[derive(Debug, Deserialize)]
pub struct WireAccount {
    lamports: u64,
    owner: String,
    executable: bool,
    data: (String, String),
}

/// An account and where it is.
#[derive(Debug, Deserialize)]
pub struct KeyedAccount {
    pubkey: String,
    account: WireAccount,
}

impl WireAccount {
    /// The account, or which field of it is not what was asked for.
    pub fn decode(self) -> Result<Account, &'static str> {
        let (text, encoding) = self.data;
        if encoding != "base64" {
            return Err("data is not in base64");
        }
        Ok(Account {
            lamports: self.lamports,
            owner: self.owner.parse().map_err(|_| "owner is not an address")?,
            data: BASE64.decode(text.as_bytes()).map_err(|_| "data is not canonical base64")?,
            executable: self.executable,
        })
    }
}

impl KeyedAccount {
    pub fn decode(self) -> Result<(Address, Account), &'static str> {
        let address = self.pubkey.parse().map_err(|_| "pubkey is not an address")?;
        Ok((address, self.account.decode()?))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireBlockhash {
    pub blockhash: String,
    pub last_valid_block_height: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireEpochInfo {
    pub absolute_slot: u64,
    pub block_height: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireStatus {
    pub slot: u64,
    pub err: Option<Value>,
    pub confirmation_status: Option<String>,
}

/// What one transaction of a slot paid to come first, at least.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireFee {
    pub prioritization_fee: u64,
}

/// Of `getTransaction`, what a status is completed with.
#[derive(Debug, Deserialize)]
pub struct WireTransaction {
    pub meta: Option<WireMeta>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireMeta {
    pub fee: u64,
    pub compute_units_consumed: Option<u64>,
    pub log_messages: Option<Vec<String>>,
}

impl Commitment {
    /// Solana's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Processed, Self::Confirmed, Self::Finalized].into_iter().find(|known| known.name() == name)
    }
}

/// The cluster's form of a failure whose original is gone: all but the few variants that carry numbers come out equal.
pub fn error_json(failure: &TransactionFailure) -> Value {
    match (failure.instruction, failure.code) {
        (Some(index), Some(number)) => json!({ "InstructionError": [index, { "Custom": number }] }),
        (Some(index), None) => json!({ "InstructionError": [index, failure.name] }),
        _ => json!(failure.name),
    }
}

/// A failure from the cluster's form of it, also of versions that know more errors than this one.
pub fn failure_of(error: &Value) -> TransactionFailure {
    if let Ok(known) = serde_json::from_value::<TransactionError>(error.clone()) {
        return TransactionFailure::from(&known);
    }
    let name = match error {
        Value::String(name) => name.as_str(),
        Value::Object(fields) => fields.keys().next().map_or("Unknown", String::as_str),
        _ => "Unknown",
    };
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let text: String = error.to_string().chars().take(300).collect();
    TransactionFailure::new(&name, format!("the cluster says {text}"), crate::ErrorClass::Rejection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_sdk::instruction::InstructionError;

    #[test]
    fn a_failure_survives_the_way_over_the_wire() {
        for error in [
            TransactionError::BlockhashNotFound,
            TransactionError::AccountNotFound,
            TransactionError::InstructionError(2, InstructionError::Custom(6004)),
            TransactionError::InstructionError(0, InstructionError::MissingRequiredSignature),
        ] {
            let failure = TransactionFailure::from(&error);
            assert_eq!(error_json(&failure), serde_json::to_value(&error).unwrap());
            assert_eq!(failure_of(&error_json(&failure)), failure);
        }
        let rent = TransactionError::InsufficientFundsForRent { account_index: 3 };
        assert_eq!(failure_of(&serde_json::to_value(&rent).unwrap()), TransactionFailure::from(&rent));
    }

    #[test]
    fn an_error_of_a_newer_cluster_keeps_its_name_and_is_cut_to_size() {
        assert_eq!(failure_of(&json!("BrandNew")).name, "BrandNew");
        assert_eq!(failure_of(&json!({ "Newer": { "index": 1 } })).name, "Newer");
        let long = failure_of(&json!("x".repeat(100_000)));
        assert!(long.name.len() == 64 && long.message.len() < 400);
        assert_eq!(failure_of(&json!([1, 2])).name, "Unknown");
    }

    #[test]
    fn an_account_with_a_foreign_encoding_or_a_bad_owner_is_refused() {
        let account = |owner: &str, data: Value| {
            let value = json!({ "lamports": 1, "owner": owner, "executable": false, "data": data, "rentEpoch": u64::MAX, "space": 3 });
            serde_json::from_value::<WireAccount>(value).unwrap().decode()
        };
        let system = "11111111111111111111111111111111";
        assert_eq!(account(system, json!(["AQID", "base64"])).unwrap().data, [1, 2, 3]);
        for (owner, data) in [
            (system, json!(["AQID", "base58"])),
            (system, json!(["AQI", "base64"])),
            ("nobody", json!(["AQID", "base64"])),
        ] {
            account(owner, data).unwrap_err();
        }
    }
}

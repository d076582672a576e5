//! Positional parameters and the configuration objects among them.

use super::error::RpcError;
use crate::rpc::wire::code;
use crate::{AccountFilter, Address, Commitment, Signature};
use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Filters in one request, and bytes that one compares, as on the cluster.
const MAX_FILTERS: usize = 4;
const MAX_COMPARED_BYTES: usize = 128;

/// The parameters not yet read.
pub struct Args(std::vec::IntoIter<Value>);

impl Args {
    pub fn new(params: Vec<Value>) -> Self {
        Self(params.into_iter())
    }

    /// The next parameter, which must be there.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, RpcError> {
        let value = self.0.next().ok_or_else(|| RpcError::invalid(format_args!("{name} is missing")))?;
        serde_json::from_value(value).map_err(|error| RpcError::invalid(format_args!("{name}: {error}")))
    }

    /// The next parameter, if it is there.
    pub fn optional<T: DeserializeOwned + Default>(&mut self, name: &str) -> Result<T, RpcError> {
        match self.0.next() {
            None | Some(Value::Null) => Ok(T::default()),
            Some(value) => {
                serde_json::from_value(value).map_err(|error| RpcError::invalid(format_args!("{name}: {error}")))
            }
        }
    }

    pub fn address(&mut self) -> Result<Address, RpcError> {
        address(&self.required::<String>("pubkey")?)
    }

    pub fn addresses(&mut self) -> Result<Vec<Address>, RpcError> {
        self.required::<Vec<String>>("pubkeys")?.iter().map(|text| address(text)).collect()
    }

    pub fn signature(&mut self) -> Result<Signature, RpcError> {
        signature(&self.required::<String>("signature")?)
    }

    /// The configuration object, which ends the list.
    pub fn config(mut self) -> Result<Config, RpcError> {
        let config: Config = self.optional("configuration")?;
        self.end()?;
        for name in [&config.commitment, &config.preflight_commitment].into_iter().flatten() {
            if Commitment::of_name(name).is_none() {
                return Err(RpcError::invalid("commitment is one of processed, confirmed, finalized"));
            }
        }
        Ok(config)
    }

    /// Checks that nothing is left.
    pub fn end(mut self) -> Result<(), RpcError> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err(RpcError::invalid("there are more parameters than this method takes")),
        }
    }
}

fn address(text: &str) -> Result<Address, RpcError> {
    text.parse().map_err(|error| RpcError::invalid(format_args!("pubkey: {error}")))
}

pub fn signature(text: &str) -> Result<Signature, RpcError> {
    text.parse().map_err(|error| RpcError::invalid(format_args!("signature: {error}")))
}

/// Every setting that one of the methods knows; like the cluster's, they ignore those of others.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    pub commitment: Option<String>,
    pub preflight_commitment: Option<String>,
    pub min_context_slot: Option<u64>,
    pub encoding: Option<Encoding>,
    pub data_slice: Option<DataSlice>,
    pub filters: Vec<Filter>,
    pub with_context: bool,
    pub skip_preflight: bool,
    pub sig_verify: bool,
    pub replace_recent_blockhash: bool,
    pub max_supported_transaction_version: Option<u8>,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    #[serde(rename = "base58")]
    Base58,
    #[serde(rename = "base64")]
    Base64,
    #[serde(rename = "jsonParsed")]
    JsonParsed,
    #[serde(rename = "json")]
    Json,
}

/// A part of an account's data.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct DataSlice {
    pub offset: usize,
    pub length: usize,
}

/// A filter of `getProgramAccounts`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Filter {
    DataSize(u64),
    Memcmp(Memcmp),
}

#[derive(Debug, Deserialize)]
pub struct Memcmp {
    offset: usize,
    bytes: String,
    encoding: Option<Encoding>,
}

impl Config {
    /// Refuses when the chain has not reached the slot that the caller has seen.
    pub fn check_slot(&self, slot: u64) -> Result<(), RpcError> {
        if self.min_context_slot.is_some_and(|wanted| wanted > slot) {
            return Err(RpcError {
                data: Some(json!({ "contextSlot": slot })),
                ..RpcError::new(code::MIN_CONTEXT_SLOT, "Minimum context slot has not been reached")
            });
        }
        Ok(())
    }

    pub fn account_filters(&self) -> Result<Vec<AccountFilter>, RpcError> {
        if self.filters.len() > MAX_FILTERS {
            return Err(RpcError::invalid(format_args!("at most {MAX_FILTERS} filters are taken")));
        }
        self.filters.iter().map(Filter::decode).collect()
    }
}

impl Filter {
    fn decode(&self) -> Result<AccountFilter, RpcError> {
        let Memcmp { offset, bytes, encoding } = match self {
            Self::DataSize(size) => return Ok(AccountFilter::Size(*size)),
            Self::Memcmp(memcmp) => memcmp,
        };
        // 128 bytes have at most 175 digits: longer text is refused before it is decoded.
        let decoded = match encoding.unwrap_or(Encoding::Base58) {
            _ if bytes.len() > 175 => None,
            Encoding::Base58 => bs58::decode(bytes).into_vec().ok(),
            Encoding::Base64 => BASE64.decode(bytes.as_bytes()).ok(),
            Encoding::Json | Encoding::JsonParsed => None,
        };
        match decoded.filter(|decoded| decoded.len() <= MAX_COMPARED_BYTES) {
            Some(bytes) => Ok(AccountFilter::Bytes { offset: *offset, bytes }),
            None => Err(RpcError::invalid("memcmp: bytes is base58 or base64 of at most 128 bytes")),
        }
    }
}

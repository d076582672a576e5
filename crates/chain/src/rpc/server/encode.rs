//! Accounts in the shape that Solana's RPC gives them.

use super::error::RpcError;
use super::params::{Config, DataSlice, Encoding};
use crate::Account;
use data_encoding::BASE64;
use serde_json::{Value, json};

/// base58 takes quadratic time: the cluster writes no more bytes than this in it.
const MAX_BASE58_BYTES: usize = 128;

/// The account's JSON. Without an encoding data is a bare base58 string, as it was in the first versions.
pub fn account(account: &Account, config: &Config) -> Result<Value, RpcError> {
    let data = slice(&account.data, config.data_slice);
    let too_long = data.len() > MAX_BASE58_BYTES;
    let data = match config.encoding {
        None if too_long => json!("error: data too large for bs58 encoding"),
        None => json!(bs58::encode(data).into_string()),
        Some(Encoding::Base58) if too_long => {
            return Err(RpcError::invalid(
                "encoding base58 is for at most 128 bytes of data: use base64, or a shorter dataSlice",
            ));
        }
        Some(Encoding::Base58) => json!([bs58::encode(data).into_string(), "base58"]),
        // Where the cluster has no parser for a program's accounts, and here it never has, it answers in base64.
        Some(Encoding::Base64 | Encoding::JsonParsed) => json!([BASE64.encode(data), "base64"]),
        Some(Encoding::Json) => return Err(RpcError::invalid("encoding of accounts is base58, base64 or jsonParsed")),
    };
    Ok(json!({
        "lamports": account.lamports,
        "owner": account.owner.to_string(),
        "executable": account.executable,
        "rentEpoch": u64::MAX,
        "space": account.data.len(),
        "data": data,
    }))
}

fn slice(data: &[u8], wanted: Option<DataSlice>) -> &[u8] {
    let Some(DataSlice { offset, length }) = wanted else { return data };
    let tail = data.get(offset..).unwrap_or_default();
    tail.get(..length).unwrap_or(tail)
}

/// Bytes that [`account`] will write, about.
pub fn weight(account: &Account, config: &Config) -> usize {
    slice(&account.data, config.data_slice).len().saturating_mul(4) / 3 + 300
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_outside_the_data_is_empty_and_never_panics() {
        let cut = |offset, length| slice(&[1, 2, 3], Some(DataSlice { offset, length })).to_vec();
        assert_eq!(cut(1, 1), [2]);
        assert_eq!(cut(1, usize::MAX), [2, 3]);
        assert!(cut(usize::MAX, usize::MAX).is_empty());
        assert!(cut(3, 1).is_empty());
    }
}

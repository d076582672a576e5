//! Transaction signatures: the first one names the transaction.

use std::fmt;
use std::str::FromStr;

/// An ed25519 signature over a transaction's message. Text is base58, as everywhere on Solana.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

/// Text that is not a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a transaction signature is 64 bytes in base58")]
pub struct SignatureError;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let mut bytes = [0; 64];
        // 64 bytes are at most 88 digits: longer text is refused before it is decoded.
        if text.len() > 88 || bs58::decode(text).onto(&mut bytes) != Ok(64) {
            return Err(SignatureError);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_round_trip_as_base58_and_other_lengths_are_refused() {
        let signature = Signature([7; 64]);
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert_eq!(bs58::encode([7; 63]).into_string().parse::<Signature>(), Err(SignatureError));
        assert_eq!(bs58::encode([7; 65]).into_string().parse::<Signature>(), Err(SignatureError));
        assert_eq!("0".repeat(64).parse::<Signature>(), Err(SignatureError));
    }
}

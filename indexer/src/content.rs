//! Names of payloads: the digests that buyers hold.

use data_encoding::BASE32;
use std::fmt;
use std::str::FromStr;

/// A payload digest of one of the three kinds that a receipt carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentDigest {
    /// BLAKE3.
    Blake3([u8; 32]),
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-1, which WARC files and Common Crawl name content by.
    Sha1([u8; 20]),
}

/// Text that is not a payload digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentDigestError {
    /// Nothing in front of the colon that is known.
    #[error("write blake3:, sha256: or sha1: and the digest")]
    Kind,
    /// The part after the colon does not fit.
    #[error("after {kind}: come {wanted}")]
    Digits {
        /// Which kind.
        kind: &'static str,
        /// What is accepted.
        wanted: &'static str,
    },
}

impl ContentDigest {
    /// Its key in the store: a byte for the kind, then the digest.
    pub(crate) fn key(&self) -> Vec<u8> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Blake3(bytes) => (1, bytes),
            Self::Sha256(bytes) => (2, bytes),
            Self::Sha1(bytes) => (3, bytes),
        };
        [&[kind], bytes].concat()
    }
}

impl FromStr for ContentDigest {
    type Err = ContentDigestError;

    fn from_str(text: &str) -> Result<Self, ContentDigestError> {
        let (kind, digits) = text.split_once(':').ok_or(ContentDigestError::Kind)?;
        match kind {
            "blake3" => lower_hex(digits)
                .map(Self::Blake3)
                .ok_or(ContentDigestError::Digits { kind: "blake3", wanted: "64 lower-case hexadecimal digits" }),
            "sha256" => lower_hex(digits)
                .map(Self::Sha256)
                .ok_or(ContentDigestError::Digits { kind: "sha256", wanted: "64 lower-case hexadecimal digits" }),
            "sha1" => lower_hex(digits).or_else(|| base32(digits)).map(Self::Sha1).ok_or(ContentDigestError::Digits {
                kind: "sha1",
                wanted: "40 lower-case hexadecimal digits or 32 upper-case base32 digits",
            }),
            _ => Err(ContentDigestError::Kind),
        }
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blake3(bytes) => write!(f, "blake3:{}", hex::encode(bytes)),
            Self::Sha256(bytes) => write!(f, "sha256:{}", hex::encode(bytes)),
            Self::Sha1(bytes) => write!(f, "sha1:{}", hex::encode(bytes)),
        }
    }
}

/// Exactly `N` bytes in lower-case hex: one spelling for one value.
pub(crate) fn lower_hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    (lower && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}

fn base32(digits: &str) -> Option<[u8; 20]> {
    // 20 bytes are exactly 32 digits, without padding.
    let decoded = (digits.len() == 32).then(|| BASE32.decode(digits.as_bytes()).ok())??;
    decoded.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_reads_hex_and_base32_as_the_same_digest() {
        let hex: ContentDigest = "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709".parse().unwrap();
        let base32: ContentDigest = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ".parse().unwrap();
        assert_eq!(hex, base32);
        assert_eq!(hex.to_string(), "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }

    #[test]
    fn every_kind_round_trips() {
        for digest in [ContentDigest::Blake3([1; 32]), ContentDigest::Sha256([2; 32]), ContentDigest::Sha1([3; 20])] {
            assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        let long = format!("sha256:{}", "0".repeat(10_000));
        let texts = [
            "",
            ":",
            "sha1:",
            "sha1",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "SHA1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "sha1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj",
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBY=",
            "sha256:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709DA39A3EE5E6B4B0D3255BFEF",
            "blake3:0x00",
            "blake3:../../etc",
            "sha1:%00",
            "sha1:\u{661}\u{661}",
            long.as_str(),
        ];
        for text in texts {
            assert!(text.parse::<ContentDigest>().is_err(), "{text}");
        }
    }
}

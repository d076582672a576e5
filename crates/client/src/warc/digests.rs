//! Digests of payloads, and the digests that records state about themselves.

use borsh::{BorshDeserialize, BorshSerialize};
use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// The three digests of a payload, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayloadDigests {
    /// BLAKE3.
    pub blake3: [u8; 32],
    /// SHA-256.
    pub sha256: [u8; 32],
    /// SHA-1, which WARC files and Common Crawl's index use.
    pub sha1: [u8; 20],
    /// Bytes.
    pub length: u64,
}

/// Computes [`PayloadDigests`] of bytes as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct PayloadHasher {
    blake3: blake3::Hasher,
    sha256: Sha256,
    sha1: Sha1,
    length: u64,
}

impl PayloadHasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.sha1.update(bytes);
        self.length += bytes.len() as u64;
    }

    pub(super) fn finish(self) -> PayloadDigests {
        PayloadDigests {
            blake3: *blake3::Hasher::finalize(&self.blake3).as_bytes(),
            sha256: self.sha256.finalize().into(),
            sha1: self.sha1.finalize().into(),
            length: self.length,
        }
    }
}

/// A digest stated in a record's header, as in `WARC-Payload-Digest: sha1:OSSAPWJ23L56IYVRW3GFEAR4MCJMGPTB`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub(super) enum Stated {
    Blake3([u8; 32]),
    Sha256([u8; 32]),
    Sha1([u8; 20]),
}

impl Stated {
    /// Reads `algorithm:value`, the value in base32 or in hex. `None` for another algorithm or an impossible value.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (algorithm, value) = text.split_once(':')?;
        let value = value.trim();
        match algorithm.trim().to_ascii_lowercase().replace('-', "").as_str() {
            "sha1" => decode(value).map(Self::Sha1),
            "sha256" => decode(value).map(Self::Sha256),
            "blake3" => decode(value).map(Self::Blake3),
            _ => None,
        }
    }

    /// Whether these are the digests of the payload that it speaks of.
    pub(super) fn agrees(&self, digests: &PayloadDigests) -> bool {
        match self {
            Self::Blake3(stated) => *stated == digests.blake3,
            Self::Sha256(stated) => *stated == digests.sha256,
            Self::Sha1(stated) => *stated == digests.sha1,
        }
    }
}

/// Hexadecimal and base32 of one length never look alike: 40 and 32 characters for SHA-1, 64 and 52 for the others.
fn decode<const N: usize>(value: &str) -> Option<[u8; N]> {
    let bytes = if value.len() == 2 * N {
        HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok()?
    } else {
        let digits = value.trim_end_matches('=').to_ascii_uppercase();
        if digits.len() != (8 * N).div_ceil(5) {
            return None;
        }
        BASE32_NOPAD.decode(digits.as_bytes()).ok()?
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(bytes: &[u8]) -> PayloadDigests {
        let mut hasher = PayloadHasher::default();
        for byte in bytes {
            hasher.update(&[*byte]);
        }
        hasher.finish()
    }

    #[test]
    fn known_digests_of_nothing_and_of_abc() {
        let empty = digests(b"");
        assert_eq!(hex::encode(empty.sha1), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex::encode(empty.blake3), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        let abc = digests(b"abc");
        assert_eq!(hex::encode(abc.sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(abc.length, 3);
    }

    #[test]
    fn stated_digests_are_read_in_base32_and_hex() {
        let empty = digests(b"");
        for text in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "sha1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj",
            "SHA-1: da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ====",
            "sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ] {
            let stated = Stated::parse(text).unwrap_or_else(|| panic!("{text} is not read"));
            assert!(stated.agrees(&empty), "{text}");
            assert!(!stated.agrees(&digests(b"x")), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_digest_is_not_read() {
        for text in [
            "sha1:",
            "sha1:zz",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBY!",
            "sha1:\u{e9}",
        ] {
            assert_eq!(Stated::parse(text), None, "{text}");
        }
    }
}

//! Digests: four Goldilocks elements, always canonical.

use alloc::string::String;
use borsh::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_goldilocks::is_canonical;
use core::fmt;
use core::str::FromStr;

/// A Poseidon digest, or a byte digest as field elements: four canonical words.
///
/// As bytes it is the four words in order, each little-endian: 32 bytes. Text is the lower-case hex of those bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u64; 4]);

/// Why bytes or text are not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// A word is not below the field's modulus.
    #[error("word {word} of the digest is not below the field modulus 2^64 - 2^32 + 1")]
    NonCanonical {
        /// Which of the four words.
        word: usize,
    },
    /// Not 32 bytes.
    #[error("a digest is 32 bytes, not {0}")]
    Length(usize),
    /// Not 64 hexadecimal digits.
    #[error("a digest is written as 64 hexadecimal digits")]
    Hex,
}

impl Digest {
    /// Four zero words: the empty slot of every tree, and the previous digest of batch 0.
    pub const ZERO: Self = Self([0; 4]);
    /// Encoded size in bytes.
    pub const BYTES: usize = 32;

    /// Takes four words.
    ///
    /// # Errors
    /// [`DigestError::NonCanonical`] when a word is not below the modulus.
    pub const fn from_words(words: [u64; 4]) -> Result<Self, DigestError> {
        let mut word = 0;
        while word < 4 {
            if !is_canonical(words[word]) {
                return Err(DigestError::NonCanonical { word });
            }
            word += 1;
        }
        Ok(Self(words))
    }

    /// For constants: as [`Self::from_words`], but panics, at compile time, on a non-canonical word.
    #[must_use]
    pub const fn constant(words: [u64; 4]) -> Self {
        match Self::from_words(words) {
            Ok(digest) => digest,
            Err(_) => panic!("digest constant with a non-canonical word"),
        }
    }

    /// A byte digest as field elements: four little-endian words with the top bit cleared, which makes them canonical.
    #[must_use]
    pub fn from_byte_digest(bytes: [u8; 32]) -> Self {
        Self(words_of(bytes).map(|word| word & (u64::MAX >> 1)))
    }

    /// Takes 32 bytes.
    ///
    /// # Errors
    /// When a word is not canonical.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, DigestError> {
        Self::from_words(words_of(bytes))
    }

    /// Takes a slice that must be 32 bytes long.
    ///
    /// # Errors
    /// When the length is another, or a word is not canonical.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DigestError> {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| DigestError::Length(bytes.len()))?;
        Self::from_bytes(bytes)
    }

    /// The four words.
    #[must_use]
    pub const fn words(&self) -> [u64; 4] {
        self.0
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.to_bytes())
    }
}

fn words_of(bytes: [u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*chunk);
    }
    words
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError::Hex)?;
        Self::from_bytes(bytes)
    }
}

impl BorshSerialize for Digest {
    fn serialize<W: Write>(&self, writer: &mut W) -> IoResult<()> {
        writer.write_all(&self.to_bytes())
    }
}

impl BorshDeserialize for Digest {
    fn deserialize_reader<R: Read>(reader: &mut R) -> IoResult<Self> {
        let bytes = <[u8; 32]>::deserialize_reader(reader)?;
        Self::from_bytes(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "digest word is not canonical"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use cairn_goldilocks::MODULUS;

    #[test]
    fn each_non_canonical_word_is_refused_and_named() {
        for word in 0..4 {
            let mut words = [1, 2, 3, 4];
            words[word] = MODULUS;
            assert_eq!(Digest::from_words(words), Err(DigestError::NonCanonical { word }));
            let mut bytes = [0; 32];
            bytes[word * 8..word * 8 + 8].copy_from_slice(&MODULUS.to_le_bytes());
            assert_eq!(Digest::from_bytes(bytes), Err(DigestError::NonCanonical { word }));
            assert!(borsh::from_slice::<Digest>(&bytes).is_err());
            assert!(hex::encode(bytes).parse::<Digest>().is_err());
        }
    }

    #[test]
    fn text_and_bytes_round_trip() {
        let digest = Digest::from_words([1, u64::from(u32::MAX), MODULUS - 1, 7]).unwrap();
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(Digest::from_bytes(digest.to_bytes()), Ok(digest));
        assert_eq!(borsh::from_slice::<Digest>(&borsh::to_vec(&digest).unwrap()).unwrap(), digest);
        assert_eq!("00".parse::<Digest>(), Err(DigestError::Hex));
    }

    #[test]
    fn byte_digests_lose_their_top_bits_only() {
        let digest = Digest::from_byte_digest([0xff; 32]);
        assert_eq!(digest.words(), [u64::MAX >> 1; 4]);
    }
}

//! Receipt keys and signatures as they are stored and hashed. `cairn-schnorr` knows what they mean.

use alloc::string::String;
use borsh::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use cairn_goldilocks::is_canonical;
use core::fmt;
use core::str::FromStr;

/// Words of a key: the encoding of a point of ecGFp5, one element of the quintic extension.
pub const KEY_WORDS: usize = 5;

/// A node's receipt key: five canonical words.
///
/// They may encode no point at all: the queue is consumed whatever it registers, and a key is judged where a signature is
/// verified. The key of a deactivated node is [`ReceiptKey::ZERO`], which is never valid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReceiptKey([u64; KEY_WORDS]);

/// Why bytes or text are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A word is not below the field's modulus.
    #[error("word {word} of the receipt key is not below the field modulus 2^64 - 2^32 + 1")]
    NonCanonical {
        /// Which of the five words.
        word: usize,
    },
    /// Not 40 bytes.
    #[error("a receipt key is 40 bytes, not {0}")]
    Length(usize),
    /// Not 80 hexadecimal digits.
    #[error("a receipt key is written as 80 hexadecimal digits")]
    Hex,
}

impl ReceiptKey {
    /// The key of a deactivated node.
    pub const ZERO: Self = Self([0; KEY_WORDS]);
    /// Encoded size in bytes.
    pub const BYTES: usize = 8 * KEY_WORDS;

    /// Takes five words.
    ///
    /// # Errors
    /// When a word is not below the modulus.
    pub const fn from_words(words: [u64; KEY_WORDS]) -> Result<Self, KeyError> {
        let mut word = 0;
        while word < KEY_WORDS {
            if !is_canonical(words[word]) {
                return Err(KeyError::NonCanonical { word });
            }
            word += 1;
        }
        Ok(Self(words))
    }

    /// Takes 40 bytes: the five words in order, each little-endian.
    ///
    /// # Errors
    /// When a word is not below the modulus.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Result<Self, KeyError> {
        let mut words = [0; KEY_WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Self::from_words(words)
    }

    /// Takes a slice that must be 40 bytes long.
    ///
    /// # Errors
    /// When the length is another, or a word is not below the modulus.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?)
    }

    /// The five words.
    #[must_use]
    pub const fn words(&self) -> [u64; KEY_WORDS] {
        self.0
    }

    /// The 40 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Whether this is the key of a deactivated node.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl fmt::Display for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptKey({self})")
    }
}

impl FromStr for ReceiptKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; Self::BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyError::Hex)?;
        Self::from_bytes(bytes)
    }
}

impl BorshSerialize for ReceiptKey {
    fn serialize<W: Write>(&self, writer: &mut W) -> IoResult<()> {
        writer.write_all(&self.to_bytes())
    }
}

impl BorshDeserialize for ReceiptKey {
    fn deserialize_reader<R: Read>(reader: &mut R) -> IoResult<Self> {
        let bytes = BorshDeserialize::deserialize_reader(reader)?;
        Self::from_bytes(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "receipt key is not canonical"))
    }
}

/// The 80 bytes of a signature over a bundle's digest: a point's encoding and a scalar. Any 80 bytes can stand here;
/// [`ReceiptKey::verify`] says whether they are a signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ReceiptSignature([u8; ReceiptSignature::BYTES]);

impl ReceiptSignature {
    /// Encoded size in bytes.
    pub const BYTES: usize = 80;

    /// Takes 80 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Takes a slice; `None` unless it is 80 bytes long.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 80 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The 160 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for ReceiptSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptSignature({})", self.to_hex())
    }
}

/// Why a signature does not count (clause 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The account's key is zero.
    #[error("the node is deactivated: its receipt key is zero")]
    Deactivated,
    /// The account's key is not the encoding of a point.
    #[error("the registered receipt key encodes no point: rotate it")]
    Key,
    /// The bytes are not those of a signature.
    #[error("the signature is malformed: its point or its scalar is not canonical")]
    Malformed,
    /// Another key, or another message.
    #[error("the signature is not the receipt key's over this bundle")]
    Mismatch,
}

#[cfg(feature = "native-hash")]
impl ReceiptKey {
    /// Whether `signature` is this key's over `message`, a bundle's digest.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, message: &crate::Digest, signature: &ReceiptSignature) -> Result<(), SignatureError> {
        if self.is_zero() {
            return Err(SignatureError::Deactivated);
        }
        let key = cairn_schnorr::PublicKey::decode(self.0).map_err(|_| SignatureError::Key)?;
        let signature = cairn_schnorr::Signature::from_bytes(&signature.0).map_err(|_| SignatureError::Malformed)?;
        key.verify(&message.words(), &signature).map_err(|_| SignatureError::Mismatch)
    }
}

#[cfg(all(test, feature = "native-hash"))]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use cairn_goldilocks::MODULUS;

    #[test]
    fn a_key_reads_back_from_bytes_and_text() {
        let key = ReceiptKey::from_words([1, 2, 3, MODULUS - 1, 5]).unwrap();
        assert_eq!(ReceiptKey::from_bytes(key.to_bytes()), Ok(key));
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(borsh::from_slice::<ReceiptKey>(&borsh::to_vec(&key).unwrap()).unwrap(), key);
    }

    #[test]
    fn no_form_of_a_key_takes_a_word_over_the_modulus() {
        for word in 0..KEY_WORDS {
            let mut words = [7; KEY_WORDS];
            words[word] = MODULUS;
            assert_eq!(ReceiptKey::from_words(words), Err(KeyError::NonCanonical { word }));
            let bytes: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(ReceiptKey::from_slice(&bytes), Err(KeyError::NonCanonical { word }));
            assert!(borsh::from_slice::<ReceiptKey>(&bytes).is_err());
            assert_eq!(hex::encode(&bytes).parse::<ReceiptKey>(), Err(KeyError::NonCanonical { word }));
        }
    }

    #[test]
    fn lengths_are_exact() {
        assert_eq!(ReceiptKey::from_slice(&[0; 39]), Err(KeyError::Length(39)));
        assert_eq!("00".repeat(41).parse::<ReceiptKey>(), Err(KeyError::Hex));
        assert!(ReceiptSignature::from_slice(&[0; 81]).is_none());
    }

    #[test]
    fn the_zero_key_verifies_nothing() {
        let signature = ReceiptSignature::from_bytes([0; 80]);
        let verdict = ReceiptKey::ZERO.verify(&crate::Digest::ZERO, &signature);
        assert_eq!(verdict, Err(SignatureError::Deactivated));
    }
}

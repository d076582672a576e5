//! Keys, signing and verifying.

use crate::challenge::challenge_scalar;
use crate::nonce::nonce;
use crate::point::{Affine, Point, difference};
use crate::quintic::{NonCanonicalWord, Quintic};
use crate::scalar::Scalar;
use crate::signature::Signature;
use cairn_goldilocks::is_canonical;
use core::fmt;
use core::str::FromStr;
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret scalar other than zero, with its public key. Erased when dropped; not printed. What cannot be erased are copies
/// that the compiler leaves on the stack or in registers.
#[derive(Clone)]
pub struct SigningKey {
    secret: Scalar,
    public: PublicKey,
}

/// A point other than the neutral element, and its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey {
    encoding: Quintic,
    point: Affine,
}

/// These bytes are no secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Not the hexadecimal form of 40 bytes.
    #[error("a secret key is 80 hexadecimal digits")]
    Hexadecimal,
    /// Zero, or not below the order of the group.
    #[error("a secret key is a number from one up to the order of the group, which it is below")]
    OutOfRange,
}

/// These words or bytes are no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not the hexadecimal form of 40 bytes.
    #[error("a public key is 80 hexadecimal digits")]
    Hexadecimal,
    /// A word is not canonical.
    #[error("public key: {0}")]
    NonCanonical(#[from] NonCanonicalWord),
    /// The neutral element, for which anyone could sign.
    #[error("the public key is the neutral element")]
    Neutral,
    /// No point is encoded so.
    #[error("the public key is the encoding of no point")]
    NotAPoint,
}

/// The key did not sign the message so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Not the signature of this message by this key.
    #[error("the signature is not one of this message by this key")]
    Mismatch,
    /// The message has a word of `p` or more, which no digest has.
    #[error("the message's word {index} is not canonical")]
    Message {
        /// Which of the four.
        index: usize,
    },
}

impl SigningKey {
    /// A new key.
    #[must_use]
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut wide = Zeroizing::new([0; 80]);
        loop {
            rng.fill_bytes(wide.as_mut());
            if let Some(key) = Self::from_scalar(Scalar::from_wide_bytes(&wide)) {
                return key;
            }
        }
    }

    /// The key of this secret; none for zero.
    fn from_scalar(secret: Scalar) -> Option<Self> {
        if bool::from(secret.is_zero()) {
            return None;
        }
        let point = Point::multiply_generator(&secret).to_affine();
        Some(Self { secret, public: PublicKey { encoding: point.encode(), point } })
    }

    /// The key of 40 little-endian bytes.
    ///
    /// # Errors
    /// [`InvalidSecret::OutOfRange`] for zero, and for the order of the group and beyond.
    pub fn from_bytes(bytes: &[u8; 40]) -> Result<Self, InvalidSecret> {
        Scalar::from_bytes(bytes).ok().and_then(Self::from_scalar).ok_or(InvalidSecret::OutOfRange)
    }

    /// 40 little-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 40]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// The key of 80 hexadecimal digits, the form of [`SigningKey::to_hex`].
    ///
    /// # Errors
    /// [`InvalidSecret`] when it is no such text, or no such number.
    pub fn from_hex(text: &str) -> Result<Self, InvalidSecret> {
        let mut bytes = Zeroizing::new([0; 40]);
        hex::decode_to_slice(text, bytes.as_mut()).map_err(|_| InvalidSecret::Hexadecimal)?;
        Self::from_bytes(&bytes)
    }

    /// [`SigningKey::to_bytes`] in 80 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.to_bytes()))
    }

    /// What signatures of this key are verified with.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The signature of a message of four canonical words. It is always the same one.
    ///
    /// # Panics
    /// When a word is not below the modulus: no digest has such a word.
    #[must_use]
    pub fn sign(&self, message: &[u64; 4]) -> Signature {
        assert!(message.iter().all(|word| is_canonical(*word)), "a message is four canonical words");
        let nonce = nonce(&self.secret, message);
        let commitment = Point::multiply_generator(&nonce).encode();
        let challenge = challenge_scalar(commitment, self.public.encoding, message);
        Signature::new(commitment, *nonce + challenge * self.secret)
            .expect("no multiple of G below the order is neutral")
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl ZeroizeOnDrop for SigningKey {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public)
    }
}

impl PublicKey {
    /// The key with this encoding.
    ///
    /// # Errors
    /// [`InvalidKey`] when a word is not canonical, the point is neutral, or there is no such point.
    pub fn decode(words: [u64; 5]) -> Result<Self, InvalidKey> {
        let encoding = Quintic::new(words)?;
        let point = Affine::decode(encoding).map_err(|_| InvalidKey::NotAPoint)?;
        if bool::from(point.is_neutral()) {
            return Err(InvalidKey::Neutral);
        }
        Ok(Self { encoding, point })
    }

    /// The key of five little-endian words.
    ///
    /// # Errors
    /// As [`PublicKey::decode`].
    pub fn from_bytes(bytes: &[u8; 40]) -> Result<Self, InvalidKey> {
        Self::decode(crate::quintic::words_of_bytes(bytes))
    }

    /// The five canonical words of the encoding.
    #[must_use]
    pub const fn words(&self) -> [u64; 5] {
        self.encoding.words()
    }

    /// Five little-endian words.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 40] {
        self.encoding.to_bytes()
    }

    /// The point itself.
    #[must_use]
    pub const fn point(&self) -> Affine {
        self.point
    }

    /// Checks that `signature` is this key's under `message`, four canonical words: `s G - e K = R`.
    ///
    /// # Errors
    /// [`Unverified`] when it is not, or the message is none.
    pub fn verify(&self, message: &[u64; 4], signature: &Signature) -> Result<(), Unverified> {
        if let Some(index) = message.iter().position(|word| !is_canonical(*word)) {
            return Err(Unverified::Message { index });
        }
        let challenge = challenge_scalar(signature.commitment(), self.encoding, message);
        // What is compared with R is a point: an R that encodes none is equal to no such encoding.
        let commitment = difference(&signature.response(), &challenge, self.point);
        if commitment.has_encoding(signature.commitment()) { Ok(()) } else { Err(Unverified::Mismatch) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut bytes = [0; 40];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidKey::Hexadecimal)?;
        Self::from_bytes(&bytes)
    }
}

//! The challenge: what the signer's commitment, key and message are hashed to.

use crate::quintic::Quintic;
use crate::scalar::Scalar;
use cairn_goldilocks::sponge;

/// The sponge's tag for challenges: "CAIRN1" and two zero bytes, plus the kind's number.
pub const CHALLENGE_TAG: u64 = 0x4341_4952_4e31_0000 + 7;

/// `H_challenge(R, K, message)` of the encodings `R` and `K` and a message of four canonical words: 14 words, two
/// permutations. [`Scalar::from_challenge`] makes a scalar of it.
#[must_use]
pub fn challenge(commitment: Quintic, key: Quintic, message: &[u64; 4]) -> [u64; 4] {
    let mut words = [0; 14];
    words[..5].copy_from_slice(&commitment.words());
    words[5..10].copy_from_slice(&key.words());
    words[10..].copy_from_slice(message);
    sponge(CHALLENGE_TAG, &words)
}

/// The challenge as a scalar below `2^240`.
pub(crate) fn challenge_scalar(commitment: Quintic, key: Quintic, message: &[u64; 4]) -> Scalar {
    Scalar::from_challenge(&challenge(commitment, key, message))
}

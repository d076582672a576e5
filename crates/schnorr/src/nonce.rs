//! The nonce, derived from secret and message: the same message is signed the same way each time, and no random number
//! generator can give a key away.

use crate::scalar::Scalar;
use blake3::Hasher;
use core::hint::black_box;
use zeroize::{Zeroize, Zeroizing};

/// BLAKE3's context string of this one use.
const CONTEXT: &str = "cairn 2026-11 receipt signature nonce v1";

/// A scalar other than zero: the first 80 bytes of the output of BLAKE3's key derivation over the secret's 40 bytes and the
/// message's 32, modulo the order, or the next 80 should that be zero.
pub(crate) fn nonce(secret: &Scalar, message: &[u64; 4]) -> Zeroizing<Scalar> {
    let mut hasher = Hasher::new_derive_key(CONTEXT);
    hasher.update(Zeroizing::new(secret.to_bytes()).as_ref());
    hasher.update(message.map(u64::to_le_bytes).as_flattened());
    let mut output = hasher.finalize_xof();
    let mut wide = Zeroizing::new([0; 80]);
    let nonce = loop {
        output.fill(wide.as_mut());
        let nonce = Scalar::from_wide_bytes(&wide);
        if !bool::from(nonce.is_zero()) {
            break nonce;
        }
    };
    // Neither type erases itself: both are overwritten by what an empty one holds.
    hasher.reset();
    output = Hasher::new().finalize_xof();
    black_box((&hasher, &output));
    wide.zeroize();
    Zeroizing::new(nonce)
}

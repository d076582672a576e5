//! Receipt signatures: Schnorr over the curve ecGFp5, with a Poseidon challenge, so that a circuit over Goldilocks checks
//! one in a few hundred rows.
//!
//! A [`SigningKey`] is a scalar `d`, its [`PublicKey`] the point `K = d G` in 40 bytes. A [`Signature`] of a message of four
//! words is `R` and `s` in 80 bytes, with `s G - e K = R`, where `e` are 240 bits of `H_challenge(R, K, message)`.
//! Signing takes the same time for every secret, its nonce is derived from secret and message, and secrets are erased
//! when dropped. Verification works on public data only and takes the time it takes.
//!
//! [`quintic`], [`point`] and [`scalar`] are what it is built on, and what witnesses of the circuit are computed with.

mod challenge;
mod key;
mod nonce;
pub mod point;
pub mod quintic;
pub mod scalar;
mod signature;
mod word;

pub use challenge::{CHALLENGE_TAG, challenge};
pub use key::{InvalidKey, InvalidSecret, PublicKey, SigningKey, Unverified};
pub use signature::{InvalidSignature, Signature};

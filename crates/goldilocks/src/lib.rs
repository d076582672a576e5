//! The Goldilocks field, its quadratic extension, and the Poseidon permutation of plonky2.
//!
//! The same source runs in three places: in hosts, in the tests that compare it with plonky2, and in the
//! settlement program, where multiplication is a few lines of sBPF assembly behind the same safe functions
//! (in `word.rs`). There is no heap, no dependency, and no platform feature besides that.
//!
//! # Canonical words
//! Every public function takes and returns *canonical* words, integers below [`MODULUS`], unless it says *residues*: those
//! are any words, as arithmetic that is reduced late leaves them. What arrives as bytes is to be checked with [`is_canonical`] or [`Goldilocks::new`] first: `x` and `x + p` denote the same
//! element, and a protocol that accepts both has two names for one thing.
#![no_std]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

mod dot;
mod extension;
mod field;
mod poseidon;
mod sponge;
mod word;

pub use dot::{MAX_TERMS, dot, dot_quadratic};
pub use extension::Quadratic;
pub use field::{Goldilocks, NonCanonical, multiply_residues};
pub use poseidon::{
    CAPACITY, CLAIMED_INPUTS, FULL_ROUNDS, PARTIAL_ROUNDS, RATE, WIDTH, poseidon, poseidon_differences, poseidon_matrix,
};
pub use sponge::sponge;

/// The field's modulus `p = 2^64 - 2^32 + 1`.
pub const MODULUS: u64 = 0xffff_ffff_0000_0001;

/// Whether `word` is the canonical representative of a field element, that is, below [`MODULUS`].
#[must_use]
pub const fn is_canonical(word: u64) -> bool {
    word < MODULUS
}

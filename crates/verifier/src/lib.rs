//! Verifies the final proof of a batch: a plonky2 proof whose Merkle trees are Keccak's, and whose only public inputs are the four
//! words of the statement.
//!
//! The settlement program runs this code on the bytes in an account, step by step; hosts run the same code at once. There is no heap,
//! no plonky2 and nothing of Solana's: the hash function is brought along ([`Keccak`]). The circuit is compiled in: its shape in
//! `parameters`, its key and its gates' order in `generated`, which `make constants` writes and a test of `cairn-circuits` compares with
//! the circuit. Nothing about the circuit is read from a proof.
//!
//! * [`Step::Transcript`] reads the proof but for its queries, and draws every challenge;
//! * [`Step::Constraints`] checks the circuit at the drawn point;
//! * [`Step::Queries`] checks that what is opened there belongs to polynomials of low degree.
//!
//! A proof is valid when every step is done. [`Progress`] carries what one step leaves for the next.
#![no_std]

mod challenges;
mod constraints;
mod fri;
mod generated;
mod keccak;
mod layout;
mod parameters;
mod progress;
mod rejection;
mod roots;
mod step;
mod transcript;

pub use keccak::Keccak;
#[cfg(feature = "native")]
pub use keccak::NativeKeccak;
pub use layout::{NONCE, proof_bytes};
pub use parameters::{
    ARITY_BITS, CAP, CAP_HEIGHT, CHALLENGES, CHUNK, CONSTANTS, DEGREE_BITS, Dev, FOLDS, MAX_QUERIES, OPENED,
    Parameters, Production, ROUTED, SELECTORS, WIRES,
};
pub use progress::{Progress, all_queries};
pub use rejection::Rejection;
pub use step::{Step, step};
#[cfg(feature = "native")]
pub use step::{circuit_id_of, proof_bytes_of, verify, verify_profile};

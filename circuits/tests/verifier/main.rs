//! The chain's verifier and plonky2's, on the same bytes: their verdicts must be equal.
//!
//! Random mutations alone test little: those of what the transcript reads die at the grinding, those of queries at a path. So
//! there are also proofs with a new nonce (`grinding`), and proofs by a prover that commits to nonsense and lies about what
//! it opened, consistently up to a chosen check (`liar`). Circuits that lack constraints are in `tests/circuits/gate_attacks.rs`.

mod fixture;
mod grinding;
mod liar;
mod lies;
mod mutations;
mod parts;
mod transcript;

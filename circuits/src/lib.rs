//! The plonky2 circuits that prove a batch.
//!
//! [`SegmentTarget`] proves a run of bundles with their receipts, signatures and accounts, and then queue entries;
//! [`AggregationTarget`] joins two proofs, one circuit per level, and [`BatchTarget`] turns the last into a proof whose only
//! public input is the header's digest.
//! [`CircuitSet`] holds them all for a [`Profile`]. `README.md` beside this file lists which clause of the protocol is where
//! and which test attacks it.

mod aggregation;
mod arithmetic;
mod batch_circuit;
pub mod cache;
mod circuit_set;
mod clause;
mod compiled;
mod final_circuit;
pub mod fingerprint;
pub mod gadgets;
mod layer;
mod node;
pub mod packed_proof;
pub mod pinned;
pub mod plonk;
mod prove;
pub mod public_inputs;
pub mod receipt_gate;
pub mod security;
mod segment;
mod serializers;
pub mod signature;
mod statement;
pub mod verifier_constants;
mod verify;

pub use aggregation::{AggregationCircuit, AggregationTarget};
pub use batch_circuit::{BatchCircuit, BatchTarget};
pub use cairn_types::Profile;
pub use circuit_set::{Built, CircuitSet, PinError};
pub use clause::{Clause, Clauses};
pub use compiled::{Compiled, Draft};
pub use final_circuit::{FinalCircuit, FinalTarget};
pub use layer::{LEVELS, Layer, MAX_SEGMENTS};
pub use node::{LayerProof, MAX_NODE_PROOF_BYTES, NodeError};
pub use prove::CircuitError;
pub use segment::{
    AccountInputs, AccountPath, AccountTarget, BundleInputs, BundleRows, BundleTarget, EntryInputs, EntryTarget,
    InputsError, SegmentCircuit, SegmentInputs, SegmentRows, SegmentShape, SegmentTarget,
};
pub use serializers::{Gates, Generators};
pub use signature::SignatureTarget;
pub use statement::Statement;
pub use verify::{MAX_PROOF_BYTES, VerifyError, proof_bytes, verify};

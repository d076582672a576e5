//! From a sealed batch to one whose proof the chain has verified: published, proved, submitted, settled.
//!
//! Each stage is a task of its own with a durable cursor. Submitting has an outbox: every transaction is written down
//! before it is sent. [`look`] reads chain and store, [`reconcile`] decides on values alone what to do next, and
//! [`submit`] does it. [`verify`] has the chain verify proofs.

pub mod chain_task;
pub mod error;
pub mod look;
#[cfg(test)]
mod model_tests;
pub mod prove;
pub mod publish;
pub mod reconcile;
pub mod refusal;
pub mod stage_task;
pub mod submit;
pub mod verify;

//! From a sealed batch to one that the chain has: published, proved, submitted.
//!
//! Each stage is a task of its own with a durable cursor. [`reconcile`] decides on values alone what to do next about
//! the chain; [`submit`] does it.

pub mod error;
pub mod prove;
pub mod publish;
pub mod reconcile;
pub mod stage_task;
pub mod submit;

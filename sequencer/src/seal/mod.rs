//! Sealing: which bundles make a batch, when, and what the batch is.
//!
//! [`policy`] decides on values alone, [`sealer`] acts on it, [`rebuild`] makes a sealed batch again from the log.

pub mod policy;
pub mod rebuild;
pub mod sealer;

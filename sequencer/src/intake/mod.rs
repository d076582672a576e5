//! Intake: from a request to an acknowledged bundle.
//!
//! [`check`](check::check) and [`authorise`](authorise::authorise) say what may join the log, [`order`] where; all three
//! decide on values alone. [`writer`] owns the end of the log, [`acknowledge`] signs what it promises; [`door`] is where
//! requests come in, [`service`] is gRPC around it, [`answers`] are its questions about nodes and bundles.

pub mod acknowledge;
pub mod answers;
pub mod authorise;
pub mod check;
pub mod door;
pub mod error;
#[cfg(test)]
mod fuzz_tests;
pub mod order;
pub mod rate;
pub mod service;
pub mod writer;

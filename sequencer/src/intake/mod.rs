//! Intake: from a request to an acknowledged bundle.
//!
//! [`check`](check::check) and [`order`] are functions over values; [`writer`] owns the end of the log; [`door`] is
//! where requests come in, [`service`] is gRPC around it.

pub mod check;
pub mod door;
pub mod error;
pub mod order;
pub mod service;
pub mod writer;

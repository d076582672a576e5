//! Proving on other machines.
//!
//! A [`Coordinator`] is a [`crate::Prover`] that puts the proofs of a batch on a [`board`], from which workers lease them
//! over gRPC and, unless told otherwise, the threads of its own process take them. A [`Worker`] connects to it and proves.
//! Neither trusts the other: a proof is verified against what it has to say before it is used, and a worker bounds and
//! guards whatever it is given. The worst that a wrong worker can do is to be slow; the worst that a wrong coordinator can do is to
//! have proofs made that nobody needs.
//!
//! | module | what |
//! |---|---|
//! | [`board`] | which proofs are to be made and who makes which: a pure state machine |
//! | [`wire`] | jobs in bytes |
//! | [`token`] | the secret that workers show |
//! | [`tls`] | certificates of both sides |
//! | [`metrics`] | what is measured |

pub mod board;
mod clock;
mod connect;
mod coordinator;
pub mod metrics;
mod service;
mod shared;
pub mod tls;
pub mod token;
pub mod wire;
mod worker;

pub use connect::{ConnectError, Connection};
pub use coordinator::{Coordinator, Settings};
pub use service::{ServeError, serve};
pub use token::{Token, TokenError};
pub use worker::{Event, Worker, WorkerError};

//! The whole system on this machine: in one process on the embedded chain, or beside a validator that it supervises.
//!
//! | module | what |
//! |---|---|
//! | [`home`] | a data directory: where everything lies, and which rollup it is |
//! | [`faucet`] | money for the keys of a local rollup |
//! | [`validator`] | a supervised `solana-test-validator` |
//! | [`network`] | chain, sequencer, prover and indexer, until told to stop |
//! | [`registration`] | a node put into the registry |
//! | [`system`] | sequencer and indexer over one data directory |
//! | [`demo`] | a crawl from WARC files to verified proof files |
//! | [`pipeline`] | a crowd of nodes through every stage, measured |

pub mod demo;
pub mod faucet;
pub mod home;
pub mod network;
pub mod pipeline;
pub mod registration;
pub mod system;
pub mod validator;

pub use demo::{Demo, DemoError, Observer, Summary};
pub use faucet::Faucet;
pub use home::{Home, HomeError, Rollup};
pub use network::{ChainChoice, Network, NetworkError};
pub use pipeline::{Pipeline, PipelineError};
pub use registration::RegistrationError;
pub use system::{Settings, System, SystemError};
pub use validator::{Validator, ValidatorError};

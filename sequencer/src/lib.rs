//! The sequencer: takes bundles from crawl nodes, orders them, seals them into batches, and brings these to the chain.
//!
//! | module | what |
//! |---|---|
//! | [`intake`] | from a gRPC request to an acknowledged bundle: checks, order, group commit |
//! | [`registry`] | who may sign: the registration queue, followed on chain |
//! | [`promise`] | by which slot a bundle is in a settled batch |
//! | [`seal`] | when a batch is sealed and what it is |
//! | [`settle`] | sealed → published → proved → confirmed → submitted → settled, by tasks with a durable cursor |
//! | [`store`] | what survives: RocksDB, one synchronous write per change of state |
//! | [`status`], [`metrics`] | how far everything is |
//! | [`config`], [`server`], [`tls`], [`sequencer`] | flags, gRPC, and the whole |
//!
//! The account tree lives in the [`store`] and moves in the write that seals a batch. What a client was told survives: an acknowledgement is sent after the bundle is on disk, and the same bundle again
//! gets the same acknowledgement. What a seal says survives as well; everything after it can be done again.

mod blocking;
mod clock;
pub mod config;
#[cfg(test)]
mod fault_tests;
pub mod intake;
pub mod metrics;
pub mod promise;
pub mod registry;
mod run;
#[cfg(test)]
mod samples;
pub mod seal;
pub mod sequencer;
pub mod server;
pub mod settle;
mod stage;
pub mod status;
pub mod store;
#[cfg(test)]
mod test_log;
pub mod tls;

pub use config::{Config, ConfigError, SequencerArgs, TlsFiles};
pub use intake::rate::Rates;
pub use promise::PromiseLimits;
pub use run::RunError;
pub use seal::policy::SealLimits;
pub use sequencer::{Parts, ReclaimError, SealNowError, Sequencer, StartError};
pub use stage::Stage;
pub use status::{BatchEvent, BatchSummary, LogStatus, StageStatus};
pub use store::{BatchTimes, Settlement};

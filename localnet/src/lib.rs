//! The whole system in one process, on the embedded chain.
//!
//! | module | what |
//! |---|---|
//! | [`home`] | a data directory: where everything lies, and which rollup it is |
//! | [`registration`] | a node put into the registry |
//! | [`system`] | sequencer and indexer over one data directory |
//! | [`demo`] | a crawl from WARC files to verified proof files |
//! | [`pipeline`] | a crowd of nodes through every stage, measured |

pub mod demo;
pub mod home;
pub mod pipeline;
pub mod registration;
pub mod system;

pub use demo::{Demo, DemoError, Observer, Summary};
pub use home::{Home, HomeError, Rollup};
pub use pipeline::{Pipeline, PipelineError};
pub use registration::RegistrationError;
pub use system::{System, SystemError};

//! The whole system in one process, on the embedded chain.
//!
//! | module | what |
//! |---|---|
//! | [`home`] | a data directory: where everything lies, and which rollup it is |
//! | [`system`] | sequencer and indexer over one data directory |
//! | [`demo`] | a crawl from WARC files to verified proof files |

pub mod demo;
pub mod home;
pub mod system;

pub use demo::{Demo, DemoError, Observer, Summary};
pub use home::{Home, HomeError, Rollup};
pub use system::{System, SystemError};

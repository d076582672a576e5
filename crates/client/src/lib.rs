//! A crawl node's side: WARC files into receipts, receipts to the sequencer. A buyer's side: proofs checked.
//!
//! | module | what |
//! |---|---|
//! | [`key`] | the file with the key that signs a node's receipts |
//! | [`warc`] | reads WARC files: one receipt per fetch, and a report of everything else |
//! | [`spool`] | receipts and signed bundles on disk, with what became of them |
//! | [`connect`] | reaching a sequencer, with or without TLS |
//! | [`submit`] | signs bundles, and sends them until each is acknowledged |
//! | [`watch`] | finds files that a crawler has finished |
//! | [`node`] | all of that, for as long as a node runs |
//! | [`status`] | how a sequencer does |
//! | [`verify`] | checks proof files |

mod bundling;
mod clock;
pub mod connect;
pub mod key;
pub mod node;
#[cfg(test)]
mod samples;
pub mod spool;
pub mod status;
pub mod submit;
pub mod verify;
pub mod warc;
pub mod watch;

pub use bundling::BundlingError;
pub use key::{NodeKey, ReceiptKeyFile};
pub use spool::Spool;

//! A crawl node's side: WARC files into receipts, receipts to the sequencer. A buyer's side: proofs checked.
//!
//! | module | what |
//! |---|---|
//! | [`warc`] | reads WARC files: one receipt per fetch, and a report of everything else |
//! | [`submit`] | bundles receipts and sends them until each bundle is acknowledged |
//! | [`journal`] | what was sent and acknowledged, so that nothing is submitted twice |
//! | [`verify`] | checks proof files |

mod bundling;
pub mod journal;
#[cfg(test)]
mod samples;
pub mod submit;
pub mod verify;
pub mod warc;

pub use bundling::BundlingError;
pub use journal::Journal;

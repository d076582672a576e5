//! A crawl node's side: WARC files into receipts. A buyer's side: proofs checked.

pub mod bars;
mod bundling;
pub mod journal;
#[cfg(test)]
mod samples;
pub mod submit;
pub mod verify;
pub mod warc;

pub use bundling::BundlingError;
pub use journal::Journal;

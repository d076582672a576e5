//! The indexer on an embedded chain with the settlement program: what it serves, and what it refuses.

mod blobs;
mod commitment;
mod fork;
mod history;
mod hostile;
mod nodes;
mod outage;
mod random;
mod refuse;
mod serve;
mod settled;
#[path = "../support/mod.rs"]
mod support;
mod tampered;
mod verify;

//! The committed program file in the Solana virtual machine: what it accepts, and that it refuses everything else for
//! the reason it should.
//!
//! `CAIRN_PROGRAM_SO` names another file to test.

mod bonds;
mod every_error;
mod hostile;
mod hostile_registry;
mod initialize;
mod pause;
mod queue;
mod queue_deadline;
mod registry;
mod set_blob_location;
mod set_registry;
mod set_sequencer;
mod statement;
mod submit_batch;
mod words;

//! The committed program files in the Solana virtual machine, mostly that for the profile `dev`: what it accepts, and that it refuses everything else for
//! the reason it should.
//!
//! `CAIRN_PROGRAM_SO` names another file to test, `CAIRN_PRODUCTION_PROGRAM_SO` another for `production`.

mod abandon_batches;
mod bonds;
mod close_and_restore;
mod compute_units;
mod every_error;
mod hostile;
mod hostile_registry;
mod initialize;
mod instructions;
mod orders;
mod pause;
mod production;
mod proofs;
mod queue;
mod queue_deadline;
mod registry;
mod set_blob_location;
mod set_registry;
mod set_sequencer;
mod settle_batch;
mod statement;
mod submit_batch;
mod verify_inclusion;
mod words;

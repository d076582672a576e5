//! The committed program file in the Solana virtual machine: what it accepts, and that it refuses everything else for
//! the reason it should.
//!
//! `CAIRN_PROGRAM_SO` names another file to test.

mod every_error;
mod hostile;
mod initialize;
mod set_sequencer;
mod statement;
mod submit_batch;
mod words;

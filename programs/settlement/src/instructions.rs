//! One file for each instruction.

mod initialize;
mod set_sequencer;
mod submit_batch;

pub use initialize::*;
pub use set_sequencer::*;
pub use submit_batch::*;

//! The whole sequencer, over gRPC, on the embedded chain with the real program.

use cairn_sequencer::{Parts, objects};

mod bench;
mod chain;
mod intake;
mod nodes;
#[path = "../../src/samples.rs"]
#[allow(dead_code)]
mod samples;
mod sealing;
mod server;
mod tls;

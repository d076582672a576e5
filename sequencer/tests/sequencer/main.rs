//! The whole sequencer, over gRPC, on the embedded chain with the real program.

use cairn_sequencer::Parts;

mod air;
mod bench;
mod chain;
mod cluster;
mod intake;
mod nodes;
#[path = "../../src/samples.rs"]
#[allow(dead_code)]
mod samples;
mod sealing;
mod server;
mod tls;

//! The signature circuit against the native verifier, an oracle of plain arithmetic, and attackers.

mod attack;
mod challenge_attacks;
mod cost;
mod equation_attacks;
#[path = "../circuits/forgery.rs"]
mod forgery;
mod oracle;
mod point_attacks;
mod samples;
mod scalar_attacks;
mod verdicts;

//! Everything that proves, in one binary, at most two heavy tests at once.

mod aggregation_attacks;
mod batch_attacks;
mod final_attacks;
mod forgery;
mod gate_attacks;
mod heavy;
mod pins;
mod queue_attacks;
mod samples;
mod scene;
mod segment_attacks;
mod segment_twin;
mod state_attacks;
mod whole_batch;

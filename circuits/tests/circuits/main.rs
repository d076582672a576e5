//! Everything that proves, in one binary, at most two heavy tests at once.

mod aggregation_attacks;
mod batch_attacks;
mod forgery;
mod heavy;
mod pins;
mod samples;
mod segment_attacks;
mod segment_twin;
mod whole_batch;

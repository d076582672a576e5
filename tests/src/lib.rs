//! What the cross-component tests share.
pub mod program_code;
pub mod settlement;
pub mod units;
pub mod vectors;

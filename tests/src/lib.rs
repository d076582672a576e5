//! What the cross-component tests share.
pub mod settlement;
pub mod units;
pub mod vectors;

//! The instructions, and what their callers hand in.

mod admin;
mod change_node;
mod initialize;
mod keys;
mod register_node;
mod submit_batch;

pub use admin::*;
pub use change_node::*;
pub use initialize::*;
pub use keys::*;
pub use register_node::*;
pub use submit_batch::*;

//! The instructions, and what their callers hand in.

mod abandon_batches;
mod admin;
mod change_node;
mod close_batch;
mod initialize;
mod keys;
mod prove;
mod register_node;
mod restore_batch;
mod settle_batch;
mod submit_batch;
mod verify_inclusion;

pub use abandon_batches::*;
pub use admin::*;
pub use change_node::*;
pub use close_batch::*;
pub use initialize::*;
pub use keys::*;
pub use prove::*;
pub use register_node::*;
pub use restore_batch::*;
pub use settle_batch::*;
pub use submit_batch::*;
pub use verify_inclusion::*;

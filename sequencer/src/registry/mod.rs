//! Who may sign: the registration queue, followed on chain and consumed by batches.
//!
//! [`pending`] holds the entries that are in no sealed batch and says how many of them a batch consumes; [`follow`] brings
//! new ones from the chain, once they are final.

pub mod follow;
pub mod pending;

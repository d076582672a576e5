//! What `make constants` writes.

pub(crate) mod dev;
pub(crate) mod production;

//! The root of a full Merkle tree in a circuit.
//!
//! **What it proves**: the output is the root of the binary tree of `H_node` over all `2^depth` given slots, its native
//! twin being `cairn_types::tree::root`. **What it does not**: that empty slots are zero or come last; who fills the slots
//! constrains that, and with zeros in them inner nodes come out as the protocol's empty subtrees by themselves.

use super::sponge::node;
use crate::plonk::{Builder, DigestTarget};

/// Constrains the root over `slots`: `slots.len() - 1` rows.
///
/// # Panics
/// When the number of slots is not a power of two.
pub fn root(builder: &mut Builder, slots: &[DigestTarget]) -> DigestTarget {
    assert!(slots.len().is_power_of_two(), "{} slots are not a full tree", slots.len());
    let mut level = slots.to_vec();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|pair| node(builder, pair[0], pair[1])).collect();
    }
    level[0]
}

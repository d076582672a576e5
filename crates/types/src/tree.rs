//! Merkle trees of fixed depth whose occupied slots are a prefix.

use crate::Digest;
pub use crate::empty::EMPTY;
pub use crate::hash::node;
use crate::limits::ACCOUNTS_DEPTH;
use alloc::vec::Vec;

/// Root of the tree of depth `depth` over `leaves`, the rest of its slots being empty.
///
/// # Panics
/// When there are more than `2^depth` leaves or the depth is over [`ACCOUNTS_DEPTH`].
#[must_use]
pub fn root(depth: usize, leaves: &[Digest]) -> Digest {
    levels(depth, leaves).pop().and_then(|top| top.first().copied()).unwrap_or(EMPTY[depth])
}

/// Siblings from the slot `index` up to the root, `depth` of them.
///
/// # Panics
/// As [`root`], and when `index` is not an occupied slot.
#[must_use]
pub fn path(depth: usize, leaves: &[Digest], index: usize) -> Vec<Digest> {
    assert!(index < leaves.len(), "slot {index} is not occupied");
    let levels = levels(depth, leaves);
    (0..depth).map(|level| levels[level].get((index >> level) ^ 1).copied().unwrap_or(EMPTY[level])).collect()
}

/// The root that `leaf` in slot `index` and its `siblings` give. `None` when the index has no such slot.
#[must_use]
pub fn fold(leaf: Digest, index: u64, siblings: &[Digest]) -> Option<Digest> {
    let depth = u32::try_from(siblings.len()).ok()?;
    if index.checked_shr(depth).unwrap_or(0) != 0 {
        return None;
    }
    Some(siblings.iter().enumerate().fold(leaf, |digest, (level, sibling)| {
        if (index >> level) & 1 == 0 { node(&digest, sibling) } else { node(sibling, &digest) }
    }))
}

/// The occupied nodes of each level, from the leaves to the root.
fn levels(depth: usize, leaves: &[Digest]) -> Vec<Vec<Digest>> {
    assert!(depth <= ACCOUNTS_DEPTH && leaves.len() <= 1 << depth, "{} leaves at depth {depth}", leaves.len());
    let mut levels = Vec::with_capacity(depth + 1);
    levels.push(leaves.to_vec());
    for level in 0..depth {
        let above = levels[level].chunks(2).map(|pair| node(&pair[0], pair.get(1).unwrap_or(&EMPTY[level]))).collect();
        levels.push(above);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u64) -> Vec<Digest> {
        (1..=count).map(|n| Digest::constant([n, 0, 0, n])).collect()
    }

    #[test]
    fn table_of_empty_subtrees_is_what_hashing_gives() {
        assert_eq!(EMPTY[0], Digest::ZERO);
        for level in 0..ACCOUNTS_DEPTH {
            assert_eq!(EMPTY[level + 1], node(&EMPTY[level], &EMPTY[level]), "level {}", level + 1);
        }
    }

    #[test]
    fn every_path_of_every_size_leads_to_the_root() {
        for count in 0..=16 {
            let leaves = leaves(count);
            let root = root(4, &leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                assert_eq!(fold(*leaf, index as u64, &path(4, &leaves, index)), Some(root));
            }
        }
    }

    #[test]
    fn an_index_outside_the_tree_has_no_root() {
        let leaves = leaves(5);
        let siblings = path(4, &leaves, 2);
        assert_eq!(fold(leaves[2], 2 + 16, &siblings), None);
        assert_eq!(fold(leaves[2], u64::MAX, &siblings), None);
    }

    #[test]
    fn trailing_zero_leaves_change_no_root_but_order_does() {
        let mut padded = leaves(5);
        padded.push(Digest::ZERO);
        assert_eq!(root(4, &padded), root(4, &leaves(5)));
        let mut swapped = leaves(5);
        swapped.swap(0, 1);
        assert_ne!(root(4, &swapped), root(4, &leaves(5)));
    }
}

//! The `History` account.

use super::reader::Reader;
use super::{AccountError, HISTORY, layout};
use crate::Address;
use alloc::vec::Vec;
use cairn_types::history::{Hash, MAX_SIZE, PEAKS};

/// Roots that a `History` keeps: those of its last sizes. A path that was made within that many settled batches leads to one.
pub const KEPT_ROOTS: usize = 64;

/// The tree of a rollup's settled batches, as the chain has it: SHA-256, as in RFC 6962, one leaf for each batch in the order
/// of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The rollup it belongs to.
    pub rollup: Address,
    /// Batches settled so far.
    pub size: u64,
    /// Root of the tree; of the empty tree, before the first batch.
    pub root: Hash,
    /// At height `h`, where bit `h` of the size is set, the root of the complete subtree of 2^`h` leaves. The highest is the
    /// leftmost.
    pub peaks: [Hash; PEAKS],
    /// The last [`KEPT_ROOTS`] sizes and the roots of the tree at them, oldest first; fewer in a young tree. The empty tree
    /// is not among them: nothing leads to its root.
    pub kept: Vec<(u64, Hash)>,
}

impl History {
    /// Reads an account that belongs to the program.
    ///
    /// # Errors
    /// When the bytes are not a `History`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(HISTORY, data)?;
        let rollup = reader.address("rollup")?;
        let size = reader.word("size")?;
        if size > MAX_SIZE {
            return Err(reader.invalid("size", "it is over 2^32 - 1"));
        }
        let root = reader.bytes("root")?;
        let mut peaks = [[0; 32]; PEAKS];
        for peak in &mut peaks {
            *peak = reader.bytes("peaks")?;
        }
        let mut kept = Vec::new();
        for place in 0..KEPT_ROOTS as u64 {
            // The last size up to this one that falls on this place, in a tree that has been there.
            let behind = (size % KEPT_ROOTS as u64 + KEPT_ROOTS as u64 - place) % KEPT_ROOTS as u64;
            match size.checked_sub(behind) {
                Some(expected) if expected > 0 => {
                    if reader.word("kept size")? != expected {
                        return Err(reader.invalid("kept size", "it is not the last size that falls on its place"));
                    }
                    kept.push((expected, reader.bytes("kept root")?));
                }
                _ => reader.zeros("kept", layout::KEPT_ROOT)?,
            }
        }
        kept.sort_unstable_by_key(|(size, _)| *size);
        if kept.last().is_some_and(|(_, last)| *last != root) {
            return Err(reader.invalid("root", "it is not the last of the kept roots"));
        }
        Ok(Self { rollup, size, root, peaks, kept })
    }

    /// The root at a size, where it is still kept.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.kept.iter().find(|(kept, _)| *kept == size).map(|(_, root)| *root)
    }
}

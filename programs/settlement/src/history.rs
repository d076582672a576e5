//! The tree of a rollup's settled batches, in its account.

use crate::fail::refusal;
use crate::syscalls::Syscalls;
use anchor_lang::bytemuck::{Pod, Zeroable};
use anchor_lang::prelude::*;
use cairn_interface::{HISTORY, KEPT_ROOTS, SettlementError, layout};
use cairn_types::history::{Hash, PEAKS, SettledBatch, append, root};

/// A root that is kept, of the tree of `size` leaves.
#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct KeptRoot {
    pub size: u64,
    pub root: Hash,
}

/// The root at size `s` is kept at place `s % 64`.
#[account]
pub struct History {
    pub rollup: [u8; 32],
    pub size: u64,
    pub root: Hash,
    pub peaks: [Hash; PEAKS],
    pub kept: [KeptRoot; KEPT_ROOTS],
}

const _: () = {
    assert!(size_of::<KeptRoot>() == layout::KEPT_ROOT);
    assert!(layout::DISCRIMINATOR + size_of::<History>() == HISTORY.size);
};

impl History {
    /// Makes it the empty tree of the rollup at this address.
    pub fn begin(&mut self, rollup: [u8; 32]) {
        self.rollup = rollup;
        self.root = root::<Syscalls>(0, &self.peaks);
    }

    /// Appends a batch that has just been settled.
    #[inline(never)]
    pub fn append(&mut self, batch: &SettledBatch) -> Result<()> {
        let leaf = batch.leaf::<Syscalls>();
        let full = |_| refusal(SettlementError::HistoryFull);
        self.size = append::<Syscalls>(self.size, &mut self.peaks, leaf).map_err(full)?;
        self.root = root::<Syscalls>(self.size, &self.peaks);
        if let Some(place) = self.kept.get_mut((self.size % KEPT_ROOTS as u64) as usize) {
            *place = KeptRoot { size: self.size, root: self.root };
        }
        Ok(())
    }

    /// The root at a size other than zero, where it is kept.
    pub fn root_at(&self, size: u64) -> Option<&Hash> {
        let kept = self.kept.get((size % KEPT_ROOTS as u64) as usize)?;
        (size > 0 && kept.size == size).then_some(&kept.root)
    }
}

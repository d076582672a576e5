//! The tagged sponge over the Poseidon permutation.

use crate::{RATE, WIDTH, poseidon};

/// Four words that stand for `words`, which must be canonical, under `tag`.
///
/// The state starts as `[0; 8 ‖ tag, 0, 0, 0]`. Each block of eight words overwrites lanes 0 to 7, a short last block
/// being filled with zeros, and is followed by one permutation; the result is lanes 0 to 3 after the last. Under one tag
/// only one number of words may ever be hashed: that is the caller's to see to, and why a tag goes with a kind.
#[must_use]
pub fn sponge(tag: u64, words: &[u64]) -> [u64; 4] {
    let mut state = [0; WIDTH];
    state[RATE] = tag;
    for block in words.chunks(RATE) {
        state[..RATE].fill(0);
        state[..block.len()].copy_from_slice(block);
        poseidon(&mut state);
    }
    [state[0], state[1], state[2], state[3]]
}

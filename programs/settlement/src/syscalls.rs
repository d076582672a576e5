//! What the runtime does faster than the program's own instructions: hashes, and moving bytes.
//!
//! The only place of this crate with `unsafe`. Elsewhere than on Solana, where this crate is checked and never runs, the
//! same in software.
#![allow(unsafe_code, reason = "system calls take pointers")]

use cairn_types::history::{Hash, Sha256};
use cairn_verifier::Keccak;

/// The runtime's hash functions.
pub enum Syscalls {}

impl Sha256 for Syscalls {
    fn hash(parts: &[&[u8]]) -> Hash {
        anchor_lang::solana_program::hash::hashv(parts).to_bytes()
    }
}

impl Keccak for Syscalls {
    #[cfg(target_os = "solana")]
    #[inline(always)]
    fn hash(parts: &[&[u8]], digest: &mut [u64; 4]) {
        // SAFETY: a slice of slices is what the runtime reads, as many as it is told, and the digest has the 32 bytes that it
        // writes.
        unsafe {
            solana_define_syscall::definitions::sol_keccak256(
                parts.as_ptr().cast(),
                parts.len() as u64,
                digest.as_mut_ptr().cast(),
            );
        }
    }

    #[cfg(not(target_os = "solana"))]
    fn hash(parts: &[&[u8]], digest: &mut [u64; 4]) {
        cairn_verifier::NativeKeccak::hash(parts, digest);
    }
}

/// Copies `from` to the beginning of `to`, if it is long enough.
pub fn copy(to: &mut [u8], from: &[u8]) -> Option<()> {
    let to = to.get_mut(..from.len())?;
    #[cfg(target_os = "solana")]
    // SAFETY: both are as long as the copy, and a mutable slice overlaps no other.
    unsafe {
        solana_define_syscall::definitions::sol_memcpy_(to.as_mut_ptr(), from.as_ptr(), from.len() as u64);
    }
    #[cfg(not(target_os = "solana"))]
    to.copy_from_slice(from);
    Some(())
}

/// Fills with zeros.
pub fn clear(bytes: &mut [u8]) {
    #[cfg(target_os = "solana")]
    // SAFETY: the slice is as long as what is written.
    unsafe {
        solana_define_syscall::definitions::sol_memset_(bytes.as_mut_ptr(), 0, bytes.len() as u64);
    }
    #[cfg(not(target_os = "solana"))]
    bytes.fill(0);
}

//! The hash function of Merkle trees and transcript, which every host brings its own of.

/// Keccak-256.
pub trait Keccak {
    /// Writes the digest of the parts, one after the other, as little-endian words.
    fn hash(parts: &[&[u8]], digest: &mut [u64; 4]);
}

/// Keccak-256 in software.
#[cfg(feature = "native")]
#[derive(Clone, Copy, Debug)]
pub enum NativeKeccak {}

#[cfg(feature = "native")]
impl Keccak for NativeKeccak {
    fn hash(parts: &[&[u8]], digest: &mut [u64; 4]) {
        use tiny_keccak::Hasher;
        let mut hasher = tiny_keccak::Keccak::v256();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize(bytemuck::bytes_of_mut(digest));
    }
}

#[cfg(target_endian = "big")]
compile_error!("words are hashed as they lie in memory, which has to be little-endian");

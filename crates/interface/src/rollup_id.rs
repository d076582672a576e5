//! The identity of a rollup, which bundles, headers and acknowledgements carry.
//!
//! `rollup_id = SHA-256("cairn v1 rollup" ‖ genesis hash ‖ program id ‖ Rollup address ‖ profile)`, as four
//! little-endian words with the top bit cleared. The profile is one byte, its code.
//!
//! A program cannot read its cluster's genesis hash. It is therefore an argument of `initialize`, kept in the `Rollup`
//! account; the program computes the id from it, and a host checks it against the genesis hash that its own RPC
//! reports before it signs anything for that rollup.

use crate::{Address, Profile};
use cairn_types::Digest;

const CONTEXT: &[u8; 15] = b"cairn v1 rollup";

/// Length of [`rollup_id_preimage`], in bytes.
pub const ROLLUP_ID_PREIMAGE_BYTES: usize = CONTEXT.len() + 3 * 32 + 1;

/// The bytes whose SHA-256 is the rollup's identity.
#[must_use]
pub fn rollup_id_preimage(
    genesis_hash: &[u8; 32],
    program: &Address,
    rollup: &Address,
    profile: Profile,
) -> [u8; ROLLUP_ID_PREIMAGE_BYTES] {
    let mut preimage = [0; ROLLUP_ID_PREIMAGE_BYTES];
    let (context, rest) = preimage.split_at_mut(CONTEXT.len());
    context.copy_from_slice(CONTEXT);
    for (chunk, part) in rest.chunks_mut(32).zip([&genesis_hash[..], &program.0, &rollup.0, &[profile.code()]]) {
        chunk.copy_from_slice(part);
    }
    preimage
}

/// The identity, given the SHA-256 of [`rollup_id_preimage`].
#[must_use]
pub fn rollup_id_of_hash(sha256: [u8; 32]) -> Digest {
    Digest::from_byte_digest(sha256)
}

/// The identity of the rollup at address `rollup`.
#[cfg(feature = "derive")]
#[must_use]
pub fn rollup_id(genesis_hash: &[u8; 32], program: &Address, rollup: &Address, profile: Profile) -> Digest {
    use sha2::{Digest as _, Sha256};
    rollup_id_of_hash(Sha256::digest(rollup_id_preimage(genesis_hash, program, rollup, profile)).into())
}

#[cfg(all(test, feature = "derive"))]
mod tests {
    use super::*;

    #[test]
    fn every_part_changes_the_id() {
        let (genesis, program, rollup) = ([1; 32], Address([2; 32]), Address([3; 32]));
        let id = rollup_id(&genesis, &program, &rollup, Profile::Dev);
        let others = [
            rollup_id(&[4; 32], &program, &rollup, Profile::Dev),
            rollup_id(&genesis, &Address([4; 32]), &rollup, Profile::Dev),
            rollup_id(&genesis, &program, &Address([4; 32]), Profile::Dev),
            rollup_id(&genesis, &program, &rollup, Profile::Production),
        ];
        assert!(others.iter().all(|other| *other != id));
        assert!(id.words().iter().all(|word| word >> 63 == 0));
    }

    #[test]
    fn the_preimage_is_its_parts_in_order() {
        let preimage = rollup_id_preimage(&[1; 32], &Address([2; 32]), &Address([3; 32]), Profile::Production);
        assert_eq!(&preimage[..15], b"cairn v1 rollup");
        assert_eq!(preimage[15..47], [1; 32]);
        assert_eq!(preimage[47..79], [2; 32]);
        assert_eq!(preimage[79..111], [3; 32]);
        assert_eq!(preimage[111..], [2]);
    }
}

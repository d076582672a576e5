//! `verify_inclusion`, for other programs: that a receipt is in a settled batch.
//!
//! A caller passes what it expects of the receipt, rollup, batch number, node and leaf, and the path to show it with. The
//! call succeeds or fails; there is nothing to read afterwards. The only account is the `Batch`, read. A program that makes
//! the call has to check that the program it calls is the settlement program: [`crate::PROGRAM_ID`], or the id of its own
//! deployment.
//!
//! A batch whose account was closed has none to be read: anyone restores it first.

use crate::Address;
use cairn_types::{INCLUSION_PATH_BYTES, InclusionPath, LEAF_WORDS, Leaf};

/// First bytes of the call's data.
pub const VERIFY_INCLUSION: [u8; 8] = [0x38, 0xda, 0x8c, 0xf2, 0x5b, 0x05, 0x6a, 0xdc];

/// What the arguments are expected to say, before the path.
const EXPECTED_BYTES: usize = 32 + 8 + 4 + LEAF_WORDS * 8;
/// Bytes of the arguments.
pub const INCLUSION_BYTES: usize = EXPECTED_BYTES + INCLUSION_PATH_BYTES;
/// Bytes of the call's data.
pub const VERIFY_INCLUSION_BYTES: usize = VERIFY_INCLUSION.len() + INCLUSION_BYTES;

/// Compute units that a `verify_inclusion` takes at most: twenty permutations, and room.
pub const VERIFY_INCLUSION_COMPUTE_UNITS: u32 = 620_000;

/// What a caller expects of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The `Rollup` account. Its identity, which the receipt and its bundle carry, follows from it.
    pub rollup: Address,
    /// The batch's number.
    pub number: u64,
    /// The node that signed the bundle.
    pub node_index: u32,
    /// The receipt's leaf. A caller that goes by the receipt's content has to derive it from the receipt's bytes.
    pub leaf: Leaf,
}

impl Inclusion {
    /// The data of the call that shows it with the path of these bytes.
    #[must_use]
    pub fn call(&self, path: &[u8; INCLUSION_PATH_BYTES]) -> [u8; VERIFY_INCLUSION_BYTES] {
        let words = self.leaf.words().map(u64::to_le_bytes);
        let parts = [
            &VERIFY_INCLUSION[..],
            &self.rollup.0,
            &self.number.to_le_bytes(),
            &self.node_index.to_le_bytes(),
            words.as_flattened(),
            path,
        ];
        let mut data = [0; VERIFY_INCLUSION_BYTES];
        let mut rest = &mut data[..];
        for part in parts {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
        data
    }

    /// Reads the arguments of a call: the data after the first eight bytes. `None` when a word of leaf or path is not canonical.
    #[must_use]
    pub fn parse(arguments: &[u8; INCLUSION_BYTES]) -> Option<(Self, InclusionPath)> {
        let (rollup, rest) = arguments.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (node_index, rest) = rest.split_first_chunk()?;
        let (leaf, path) = rest.split_first_chunk::<{ LEAF_WORDS * 8 }>()?;
        let mut words = [0; LEAF_WORDS];
        for (word, bytes) in words.iter_mut().zip(leaf.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let expected = Self {
            rollup: Address(*rollup),
            number: u64::from_le_bytes(*number),
            node_index: u32::from_le_bytes(*node_index),
            leaf: Leaf::from_words(words).ok()?,
        };
        Some((expected, InclusionPath::from_bytes(path).ok()?))
    }
}

#[cfg(feature = "derive")]
mod instruction {
    use super::Inclusion;
    use crate::{AccountMeta, Address, Instruction, batch_address};
    use alloc::vec;
    use cairn_types::InclusionPath;

    /// Checks that a receipt is in a settled batch. Anyone may call it; programs do, by CPI.
    #[must_use]
    pub fn verify_inclusion(program: &Address, expected: &Inclusion, path: &InclusionPath) -> Instruction {
        let batch = batch_address(program, &expected.rollup, expected.number);
        Instruction {
            program_id: *program,
            accounts: vec![AccountMeta { address: batch, is_signer: false, is_writable: false }],
            data: expected.call(&path.to_bytes()).to_vec(),
        }
    }
}

#[cfg(feature = "derive")]
pub use instruction::verify_inclusion;

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_types::Digest;

    fn path() -> InclusionPath {
        InclusionPath {
            leaf_index: 1,
            leaf_path: core::array::from_fn(|n| Digest::constant([n as u64, 2, 3, 4])),
            sequence: 5,
            count: 6,
            time_min: 7,
            time_max: 8,
            bytes: 9,
            bundle_index: 10,
            bundle_path: core::array::from_fn(|n| Digest::constant([11, n as u64, 12, 13])),
        }
    }

    #[test]
    fn a_call_says_what_it_was_made_from() {
        let leaf = Leaf::from_words([1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let expected = Inclusion { rollup: Address([3; 32]), number: 77, node_index: 9, leaf };
        let call = expected.call(&path().to_bytes());
        let (discriminator, arguments) = call.split_first_chunk().unwrap();
        assert_eq!(*discriminator, VERIFY_INCLUSION);
        let arguments: &[u8; INCLUSION_BYTES] = arguments.try_into().unwrap();
        assert_eq!(Inclusion::parse(arguments), Some((expected, path())));
        for at in [44, 44 + 56, EXPECTED_BYTES + 2] {
            let mut changed = *arguments;
            changed[at..at + 8].fill(0xff);
            assert_eq!(Inclusion::parse(&changed), None, "word at {at}");
        }
    }

    #[cfg(feature = "derive")]
    #[test]
    fn the_discriminator_is_the_hash_of_the_name() {
        use sha2::{Digest as _, Sha256};
        assert_eq!(Sha256::digest("global:verify_inclusion")[..8], VERIFY_INCLUSION);
    }
}

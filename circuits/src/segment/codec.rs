//! The inputs of a segment in bytes, for a prover on another machine: borsh, read with every bound checked.

use super::{AccountInputs, BundleInputs, EntryInputs, SegmentInputs, SegmentShape};
use crate::plonk::F;
use cairn_types::limits::{ACCOUNTS_DEPTH, MAX_NODES};
use cairn_types::{LEAF_WORDS, ReceiptSignature};
use plonky2::field::types::Field64;

/// Why bytes are not the inputs of a segment.
#[derive(Debug, thiserror::Error)]
pub enum InputsError {
    /// More than the largest segment has.
    #[error("the inputs of a segment are {0} bytes, at most {max} are possible", max = SegmentInputs::MAX_BYTES)]
    TooLong(usize),
    /// Not borsh, or followed by other bytes.
    #[error("the inputs of a segment do not decode")]
    Encoding(#[source] borsh::io::Error),
    /// More of something than a segment holds.
    #[error("{actual} {what} in a segment, which holds {most}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        actual: usize,
        /// How many there may be.
        most: usize,
    },
    /// A word that is no field element.
    #[error("a word of {0} is not below the field's order")]
    Word(&'static str),
    /// A node outside the account tree.
    #[error("node {0} is outside the account tree")]
    Node(u64),
}

const WORD: usize = 8;
/// A length before a vector's elements.
const LENGTH: usize = 4;
const ACCOUNT: usize = WORD * (8 + 4 * ACCOUNTS_DEPTH);
const ENTRY: usize = 4 + WORD * (1 + 5) + ACCOUNT;

impl SegmentInputs {
    /// The longest encoding, in bytes: that of a full segment.
    pub const MAX_BYTES: usize = {
        let shape = SegmentShape::FULL;
        let leaves = (WORD * LEAF_WORDS) << shape.receipts_depth;
        let bundle = WORD + ACCOUNT + 1 + ReceiptSignature::BYTES + LENGTH + leaves;
        WORD * (4 + 4 + 5) + LENGTH + shape.bundles() * bundle + LENGTH + shape.entries * ENTRY
    };

    /// The encoding.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// Reads an encoding, all of it, of inputs that fit a segment: what is returned can be assigned without a panic. Whether
    /// it can be proved is for the circuit to say.
    ///
    /// # Errors
    /// The first bound that the bytes break.
    pub fn decode(bytes: &[u8]) -> Result<Self, InputsError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(InputsError::TooLong(bytes.len()));
        }
        // Elements take as many bytes encoded as in memory or more, so the limit above bounds what is allocated.
        let inputs: Self = borsh::from_slice(bytes).map_err(InputsError::Encoding)?;
        inputs.check()?;
        Ok(inputs)
    }

    fn check(&self) -> Result<(), InputsError> {
        let shape = SegmentShape::FULL;
        count("bundles", self.bundles.len(), shape.bundles())?;
        count("queue entries", self.entries.len(), shape.entries)?;
        words("the rollup's identity", &self.rollup_id)?;
        words("the state before", &self.state)?;
        words("the queue before", &self.queue)?;
        self.bundles.iter().try_for_each(BundleInputs::check)?;
        self.entries.iter().try_for_each(EntryInputs::check)
    }
}

impl BundleInputs {
    fn check(&self) -> Result<(), InputsError> {
        count("receipts of one bundle", self.leaves.len(), 1 << SegmentShape::FULL.receipts_depth)?;
        node(self.node_index)?;
        self.account.check()?;
        self.leaves.iter().try_for_each(|leaf| words("a leaf", leaf))
    }
}

impl EntryInputs {
    fn check(&self) -> Result<(), InputsError> {
        node(self.node_index)?;
        words("a queue entry's key", &self.key)?;
        self.account.check()
    }
}

impl AccountInputs {
    fn check(&self) -> Result<(), InputsError> {
        words("an account", &self.words)?;
        self.siblings.iter().try_for_each(|sibling| words("an account's path", sibling))
    }
}

const fn count(what: &'static str, actual: usize, most: usize) -> Result<(), InputsError> {
    if actual <= most { Ok(()) } else { Err(InputsError::Count { what, actual, most }) }
}

fn words(what: &'static str, words: &[u64]) -> Result<(), InputsError> {
    if words.iter().all(|word| *word < F::ORDER) { Ok(()) } else { Err(InputsError::Word(what)) }
}

const fn node(index: u64) -> Result<(), InputsError> {
    if index < MAX_NODES as u64 { Ok(()) } else { Err(InputsError::Node(index)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> SegmentInputs {
        let shape = SegmentShape::FULL;
        let bundle = BundleInputs {
            node_index: u64::from(MAX_NODES) - 1,
            signature: Some(ReceiptSignature::from_bytes([7; ReceiptSignature::BYTES])),
            leaves: vec![[F::ORDER - 1; LEAF_WORDS]; 1 << shape.receipts_depth],
            ..BundleInputs::default()
        };
        SegmentInputs {
            bundles: vec![bundle; shape.bundles()],
            entries: vec![EntryInputs::default(); shape.entries],
            ..SegmentInputs::default()
        }
    }

    #[test]
    fn the_longest_inputs_are_as_long_as_the_shape_says_and_read_back() {
        let bytes = full().encode();
        assert_eq!(bytes.len(), SegmentInputs::MAX_BYTES);
        assert_eq!(SegmentInputs::decode(&bytes).unwrap(), full());
        assert_eq!(SegmentInputs::decode(&SegmentInputs::default().encode()).unwrap(), SegmentInputs::default());
    }

    #[test]
    fn whatever_breaks_a_bound_is_refused() {
        let refused = |change: fn(&mut SegmentInputs)| {
            let mut inputs = SegmentInputs {
                bundles: full().bundles[..1].to_vec(),
                entries: full().entries[..1].to_vec(),
                ..SegmentInputs::default()
            };
            change(&mut inputs);
            SegmentInputs::decode(&inputs.encode()).unwrap_err()
        };
        let word = |change| assert!(matches!(refused(change), InputsError::Word(_)));
        word(|inputs| inputs.rollup_id[3] = F::ORDER);
        word(|inputs| inputs.state[0] = F::ORDER);
        word(|inputs| inputs.queue[4] = u64::MAX);
        word(|inputs| inputs.bundles[0].leaves[255][7] = F::ORDER);
        word(|inputs| inputs.bundles[0].account.words[0] = F::ORDER);
        word(|inputs| inputs.bundles[0].account.siblings[23][3] = F::ORDER);
        word(|inputs| inputs.entries[0].key[4] = F::ORDER);
        word(|inputs| inputs.entries[0].account.words[7] = F::ORDER);
        let count = |change| assert!(matches!(refused(change), InputsError::Count { .. }));
        count(|inputs| inputs.bundles = vec![BundleInputs::default(); 33]);
        count(|inputs| inputs.entries = vec![EntryInputs::default(); 33]);
        count(|inputs| inputs.bundles[0].leaves.push([0; LEAF_WORDS]));
        let node = |change| assert!(matches!(refused(change), InputsError::Node(_)));
        node(|inputs| inputs.bundles[0].node_index = MAX_NODES.into());
        node(|inputs| inputs.entries[0].node_index = u64::MAX);
    }

    #[test]
    fn lengths_that_lie_cut_off_bytes_and_bytes_too_many_are_refused() {
        let mut bytes = full().encode();
        for cut in [0, 1, 100, 5_000, bytes.len() - 1] {
            assert!(matches!(SegmentInputs::decode(&bytes[..cut]), Err(InputsError::Encoding(_))), "{cut}");
        }
        bytes[104..108].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(SegmentInputs::decode(&bytes), Err(InputsError::Encoding(_))));
        bytes.push(0);
        assert!(matches!(SegmentInputs::decode(&bytes), Err(InputsError::TooLong(_))));
        let mut small = SegmentInputs::default().encode();
        small.push(0);
        assert!(matches!(SegmentInputs::decode(&small), Err(InputsError::Encoding(_))));
    }
}

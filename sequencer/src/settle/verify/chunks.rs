//! A proof in chunks, and which of them an account does not have.
//!
//! The word that a proof is ground for is not compared and not written here: it goes with the first step.

use std::ops::Range;

use cairn_chain::{POW_WITNESS, PROOF_CHUNK_BYTES, ProofAccount};
use cairn_types::Digest;

use super::decide::Held;

/// A proof, to be compared with what the account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is about.
    pub statement: Digest,
    /// The proof.
    pub bytes: Vec<u8>,
}

impl Wanted {
    /// Chunks of the proof.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.bytes.len().div_ceil(PROOF_CHUNK_BYTES) as u64
    }

    /// Where the account's `held` bytes differ, chunk by chunk, and what belongs there.
    pub fn missing<'a>(&'a self, held: &'a [u8]) -> impl Iterator<Item = (u32, Vec<u8>)> + 'a {
        (0..self.bytes.len()).step_by(PROOF_CHUNK_BYTES).filter_map(|start| {
            let range = start..self.bytes.len().min(start + PROOF_CHUNK_BYTES);
            let written = self.written(range.clone());
            let differs = held.get(range.clone()).is_none_or(|held| blank(range.clone(), held.to_vec()) != written);
            differs.then_some((u32::try_from(start).unwrap_or(u32::MAX), written))
        })
    }

    /// The word that goes with the first step, and where.
    #[must_use]
    pub fn last_word(&self) -> Option<(u32, &[u8])> {
        Some((u32::try_from(POW_WITNESS.start).ok()?, self.bytes.get(POW_WITNESS)?))
    }

    fn written(&self, range: Range<usize>) -> Vec<u8> {
        blank(range.clone(), self.bytes[range].to_vec())
    }

    /// What `account` holds, beside this proof.
    #[must_use]
    pub fn held(&self, account: &ProofAccount) -> Held {
        if account.statement != self.statement {
            return Held::Other;
        }
        if account.verified.complete {
            return Held::Verified;
        }
        if account.verified.transcript {
            return Held::Begun { whole: account.bytes == self.bytes };
        }
        Held::Written { whole: self.missing(&account.bytes).next().is_none() }
    }
}

/// The bytes at `range` of a proof, without the word that goes with the first step.
fn blank(range: Range<usize>, mut bytes: Vec<u8>) -> Vec<u8> {
    for at in POW_WITNESS {
        if let Some(byte) = at.checked_sub(range.start).and_then(|at| bytes.get_mut(at)) {
            *byte = 0;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use cairn_chain::{Address, Verified};

    use super::*;

    const BYTES: usize = 8 * PROOF_CHUNK_BYTES + 24;

    fn wanted() -> Wanted {
        let bytes = (0..BYTES).map(|at| (at % 251) as u8 + 1).collect();
        Wanted { statement: Digest::from_byte_digest([1; 32]), bytes }
    }

    fn account(bytes: Vec<u8>) -> ProofAccount {
        ProofAccount {
            lamports: 1,
            authority: Address([1; 32]),
            payer: Address([1; 32]),
            statement: wanted().statement,
            circuit_id: [0; 32],
            verified: Verified::default(),
            bytes,
        }
    }

    #[test]
    fn what_is_missing_makes_everything_but_the_last_word() {
        let wanted = wanted();
        let mut held = vec![0; BYTES];
        assert_eq!(wanted.missing(&held).count() as u64, wanted.chunks());
        for (offset, bytes) in wanted.missing(&vec![0; BYTES]) {
            let offset = offset as usize;
            held[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        assert_eq!(wanted.missing(&held).next(), None);
        let differing: Vec<_> = (0..BYTES).filter(|at| held[*at] != wanted.bytes[*at]).collect();
        assert_eq!(differing, POW_WITNESS.collect::<Vec<_>>());
        let (offset, word) = wanted.last_word().unwrap();
        held[offset as usize..][..word.len()].copy_from_slice(word);
        assert_eq!(held, wanted.bytes);
    }

    #[test]
    fn every_byte_that_differs_has_its_chunk_written_again_but_for_the_last_word() {
        let wanted = wanted();
        for at in 0..BYTES {
            let mut held = wanted.bytes.clone();
            held[at] ^= 0x80;
            let missing: Vec<_> = wanted.missing(&held).map(|(offset, _)| offset as usize).collect();
            let chunk = at / PROOF_CHUNK_BYTES * PROOF_CHUNK_BYTES;
            let expected = if POW_WITNESS.contains(&at) { vec![] } else { vec![chunk] };
            assert_eq!(missing, expected, "byte {at}");
        }
        assert_eq!(wanted.missing(&[]).count() as u64, wanted.chunks(), "an account of another length has nothing");
    }

    #[test]
    fn an_account_is_judged_by_statement_then_progress_then_bytes() {
        let wanted = wanted();
        let whole = account(wanted.bytes.clone());
        let torn = account({
            let mut bytes = wanted.bytes.clone();
            bytes[0] ^= 1;
            bytes
        });
        let begun = |account: &ProofAccount| ProofAccount {
            verified: Verified { transcript: true, ..Verified::default() },
            ..account.clone()
        };
        let complete =
            ProofAccount { verified: Verified { complete: true, ..begun(&whole).verified }, ..whole.clone() };
        assert_eq!(wanted.held(&whole), Held::Written { whole: true });
        assert_eq!(wanted.held(&torn), Held::Written { whole: false });
        assert_eq!(wanted.held(&begun(&whole)), Held::Begun { whole: true });
        assert_eq!(wanted.held(&begun(&torn)), Held::Begun { whole: false });
        assert_eq!(wanted.held(&complete), Held::Verified);
        assert_eq!(wanted.held(&ProofAccount { statement: Digest::ZERO, ..complete }), Held::Other);
        // Frozen with another last word: it cannot be written any more.
        let mut ground = wanted.bytes.clone();
        ground[POW_WITNESS.start] ^= 1;
        assert_eq!(wanted.held(&begun(&account(ground))), Held::Begun { whole: false });
    }
}

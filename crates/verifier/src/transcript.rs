//! The Fiat-Shamir transcript: plonky2's duplex sponge over hashing.
//!
//! A state of twelve words; input overwrites the first eight, and is permuted as soon as there are eight words of it, or a
//! challenge is asked for. Challenges are the first eight words of a permuted state, the last of them first. The *permutation* takes
//! the words below the modulus of `H(state)`, `H(H(state))` and so on, three digests unless a word of them is not below.

use crate::layout::Hash;
use crate::{Keccak, Rejection};
use cairn_goldilocks::{RATE, WIDTH, is_canonical};
use core::marker::PhantomData;

pub(crate) struct Transcript<K> {
    state: [u64; WIDTH],
    /// Words of input that are not permuted yet.
    filled: usize,
    /// Challenges left.
    left: usize,
    keccak: PhantomData<K>,
}

impl<K: Keccak> Transcript<K> {
    pub(crate) fn new() -> Self {
        Self { state: [0; WIDTH], filled: 0, left: 0, keccak: PhantomData }
    }

    /// Takes a word in, which the caller knows to be canonical.
    #[inline(always)]
    pub(crate) fn observe(&mut self, word: u64) {
        self.state[self.filled] = word;
        self.filled += 1;
        self.left = 0;
        if self.filled == RATE {
            self.permute();
        }
    }

    /// Takes words in.
    ///
    /// # Errors
    /// When one is not canonical.
    pub(crate) fn observe_all(&mut self, words: &[u64]) -> Result<(), Rejection> {
        for word in words {
            if !is_canonical(*word) {
                return Err(Rejection::NonCanonical);
            }
            self.observe(*word);
        }
        Ok(())
    }

    /// Takes a digest in, seven bytes in a word.
    pub(crate) fn observe_hash(&mut self, hash: &Hash) {
        const SEVEN_BYTES: u64 = (1 << 56) - 1;
        let [a, b, c, d] = *hash;
        self.observe(a & SEVEN_BYTES);
        self.observe((a >> 56 | b << 8) & SEVEN_BYTES);
        self.observe((b >> 48 | c << 16) & SEVEN_BYTES);
        self.observe((c >> 40 | d << 24) & SEVEN_BYTES);
        self.observe(d >> 32);
    }

    /// Takes a Merkle cap in.
    pub(crate) fn observe_cap(&mut self, cap: &[Hash]) {
        for hash in cap {
            self.observe_hash(hash);
        }
    }

    /// A challenge in the base field.
    pub(crate) fn challenge(&mut self) -> u64 {
        if self.filled > 0 || self.left == 0 {
            self.permute();
        }
        self.left -= 1;
        self.state[self.left]
    }

    /// A challenge in the extension.
    pub(crate) fn challenge_element(&mut self) -> [u64; 2] {
        [self.challenge(), self.challenge()]
    }

    #[inline(never)]
    fn permute(&mut self) {
        self.filled = 0;
        self.left = RATE;
        let (mut digest, mut last) = ([0; 4], [0; 4]);
        K::hash(&[bytemuck::bytes_of(&self.state)], &mut digest);
        let mut lane = 0;
        loop {
            for word in digest {
                if is_canonical(word) {
                    self.state[lane] = word;
                    lane += 1;
                    if lane == WIDTH {
                        return;
                    }
                }
            }
            core::mem::swap(&mut digest, &mut last);
            K::hash(&[bytemuck::bytes_of(&last)], &mut digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_goldilocks::MODULUS;
    use core::sync::atomic::{AtomicU64, Ordering};

    /// Gives digests of consecutive words, the second of each but the third being one that is no element.
    enum Mocked {}

    static CALLS: AtomicU64 = AtomicU64::new(0);

    impl Keccak for Mocked {
        fn hash(_: &[&[u8]], digest: &mut [u64; 4]) {
            let call = CALLS.fetch_add(1, Ordering::SeqCst);
            let second = if call == 2 { 4 * call + 1 } else { MODULUS + call };
            *digest = [4 * call, second, 4 * call + 2, 4 * call + 3];
        }
    }

    #[test]
    fn words_that_are_no_elements_are_left_out_and_another_digest_makes_up_for_them() {
        let mut transcript = Transcript::<Mocked>::new();
        transcript.permute();
        assert_eq!(transcript.state, [0, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14]);
        assert_eq!(CALLS.load(Ordering::SeqCst), 4);
        let challenges: [u64; 8] = core::array::from_fn(|_| transcript.challenge());
        assert_eq!(challenges, [9, 8, 7, 6, 4, 3, 2, 0], "the last of them first");
        transcript.challenge();
        assert!(CALLS.load(Ordering::SeqCst) > 4, "then another permutation");
    }

    #[cfg(feature = "native")]
    #[test]
    fn a_digest_goes_in_as_five_words_of_its_bytes() {
        let mut transcript = Transcript::<crate::NativeKeccak>::new();
        let bytes: [u8; 32] = core::array::from_fn(|byte| 0xff - byte as u8);
        transcript.observe_hash(&bytemuck::cast(bytes));
        let mut expected = [0; 5];
        for (word, chunk) in expected.iter_mut().zip(bytes.chunks(7)) {
            *word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        assert_eq!(transcript.state[..5], expected);
        assert_eq!(transcript.filled, 5);
    }

    #[cfg(feature = "native")]
    #[test]
    fn every_word_of_input_and_its_place_decide_the_challenges() {
        let challenge = |words: &[u64]| {
            let mut transcript = Transcript::<crate::NativeKeccak>::new();
            transcript.observe_all(words).expect("canonical");
            transcript.challenge()
        };
        let words: [u64; 17] = core::array::from_fn(|word| word as u64);
        let honest = challenge(&words);
        for place in 0..words.len() {
            let mut changed = words;
            changed[place] += 1;
            assert_ne!(challenge(&changed), honest, "word {place}");
        }
        assert_ne!(challenge(&words[..16]), honest);
        let mut transcript = Transcript::<crate::NativeKeccak>::new();
        assert_eq!(transcript.observe_all(&[MODULUS - 1, MODULUS]), Err(Rejection::NonCanonical));
    }
}

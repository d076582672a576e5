//! A proof as words at fixed offsets: no lengths, nothing optional, nothing after it.
//!
//! In this order, an extension element being two words and a hash four:
//!
//! | part | words |
//! |---|---|
//! | caps of wires, products, quotient | 3 × 8 hashes |
//! | openings at zeta: constants, sigmas, wires, Z, partial products, quotient | 2 × 274 or so |
//! | Z at g·zeta | 2 × 3 |
//! | caps of the two folded codewords | 2 × 8 hashes |
//! | final polynomial | 2 × 16 |
//! | grinding nonce, and a zero | 2 |
//! | queries | each: four rows, four paths, and twice 16 values with their path |
//!
//! The statement is not among them; it is given beside the proof.

use crate::Rejection;
use crate::parameters::{
    ARITY, ARITY_BITS, CAP, CAP_HEIGHT, CHALLENGES, CONSTANTS, DEGREE_BITS, FINAL_BITS, FOLDS, OPENED,
    PARTIAL_PRODUCTS, Parameters, QUOTIENT, ROUTED, WIRES,
};
use core::marker::PhantomData;

/// A digest.
pub type Hash = [u64; 4];
/// An element of the extension.
pub type Element = [u64; 2];

const CAP_WORDS: usize = 4 * CAP;
/// Where the openings at zeta begin.
pub(crate) const OPENINGS: usize = 3 * CAP_WORDS;
const NEXT_OPENINGS: usize = OPENINGS + 2 * OPENED;
const FOLD_CAPS: usize = NEXT_OPENINGS + 2 * CHALLENGES;
const FINAL_POLYNOMIAL: usize = FOLD_CAPS + FOLDS * CAP_WORDS;
/// The word of the grinding nonce. It is the last that a proof is made with, and should be the last to go on chain: until
/// then no step succeeds.
pub const NONCE: usize = FINAL_POLYNOMIAL + (2 << FINAL_BITS);
const QUERIES: usize = NONCE + 2;

/// Words of a query's four rows.
pub(crate) const ROWS: usize = OPENED;
// An odd number of words would be followed by a zero, which would have to be checked.
const _: () = assert!(ROWS.is_multiple_of(2));
/// Words of the rows, tree by tree: constants and sigmas, wires, products, quotient.
pub(crate) const ROW_WORDS: [usize; 4] = [CONSTANTS + ROUTED, WIRES, CHALLENGES * (1 + PARTIAL_PRODUCTS), QUOTIENT];
/// Where among the rows' words `Z` begins.
pub(crate) const Z_IN_ROWS: usize = ROW_WORDS[0] + ROW_WORDS[1];

/// Sizes that follow from a profile's parameters.
pub(crate) struct Sizes<P>(PhantomData<P>);

impl<P: Parameters> Sizes<P> {
    /// log2 of the points that polynomials are committed on.
    pub(crate) const DOMAIN_BITS: usize = DEGREE_BITS + P::RATE_BITS;
    /// Hashes of a path in the trees of rows.
    pub(crate) const ROW_PATH: usize = Self::DOMAIN_BITS - CAP_HEIGHT;
    /// Hashes of a path in the tree of a folded codeword.
    pub(crate) const fn fold_path(fold: usize) -> usize {
        Self::ROW_PATH - ARITY_BITS * (fold + 1)
    }
    /// Where the values of a fold begin in a query.
    const fn fold(fold: usize) -> usize {
        let mut at = ROWS + 4 * 4 * Self::ROW_PATH;
        let mut before = 0;
        while before < fold {
            at += 2 * ARITY + 4 * Self::fold_path(before);
            before += 1;
        }
        at
    }
    const QUERY: usize = Self::fold(FOLDS);
    /// Words of a proof.
    pub(crate) const PROOF: usize = QUERIES + P::QUERIES * Self::QUERY;
}

/// Bytes of a proof.
#[must_use]
pub const fn proof_bytes<P: Parameters>() -> usize {
    8 * Sizes::<P>::PROOF
}

/// A proof's words, as many as there have to be.
pub(crate) struct Proof<'a, P> {
    words: &'a [u64],
    profile: PhantomData<P>,
}

/// One query's words.
pub(crate) struct Query<'a, P> {
    words: &'a [u64],
    profile: PhantomData<P>,
}

impl<'a, P: Parameters> Proof<'a, P> {
    pub(crate) fn new(words: &'a [u64]) -> Result<Self, Rejection> {
        if words.len() == Sizes::<P>::PROOF { Ok(Self { words, profile: PhantomData }) } else { Err(Rejection::Length) }
    }

    /// The caps of wires, products and quotient, which are 0 to 2.
    pub(crate) fn cap(&self, which: usize) -> &'a [Hash; CAP] {
        hashes(self.words, which * CAP_WORDS)
    }

    /// All that is opened at zeta, in the order of rows.
    pub(crate) fn openings(&self) -> &'a [Element; OPENED] {
        elements(self.words, OPENINGS)
    }

    /// `Z` of each repetition at g·zeta.
    pub(crate) fn next_openings(&self) -> &'a [Element; CHALLENGES] {
        elements(self.words, NEXT_OPENINGS)
    }

    /// The cap of a folded codeword.
    pub(crate) fn fold_cap(&self, fold: usize) -> &'a [Hash; CAP] {
        hashes(self.words, FOLD_CAPS + fold * CAP_WORDS)
    }

    /// The final polynomial's coefficients, from the constant one up.
    pub(crate) fn final_polynomial(&self) -> &'a [Element; 1 << FINAL_BITS] {
        elements(self.words, FINAL_POLYNOMIAL)
    }

    /// The words of openings: at zeta, then at g·zeta.
    pub(crate) fn opening_words(&self) -> &'a [u64] {
        &self.words[OPENINGS..FOLD_CAPS]
    }

    /// The grinding nonce, and the zero after it.
    pub(crate) fn nonce(&self) -> [u64; 2] {
        [self.words[NONCE], self.words[NONCE + 1]]
    }

    pub(crate) fn query(&self, query: usize) -> Query<'a, P> {
        let at = QUERIES + query * Sizes::<P>::QUERY;
        Query { words: &self.words[at..at + Sizes::<P>::QUERY], profile: PhantomData }
    }
}

impl<'a, P: Parameters> Query<'a, P> {
    /// The rows of all four trees at the query's point.
    pub(crate) fn rows(&self) -> &'a [u64; ROWS] {
        array(self.words, 0)
    }

    /// The path of a row.
    pub(crate) fn row_path(&self, tree: usize) -> &'a [Hash] {
        path(self.words, ROWS + tree * 4 * Sizes::<P>::ROW_PATH, Sizes::<P>::ROW_PATH)
    }

    /// The values that a fold joins.
    pub(crate) fn values(&self, fold: usize) -> &'a [Element; ARITY] {
        elements(self.words, Sizes::<P>::fold(fold))
    }

    /// Their path.
    pub(crate) fn value_path(&self, fold: usize) -> &'a [Hash] {
        path(self.words, Sizes::<P>::fold(fold) + 2 * ARITY, Sizes::<P>::fold_path(fold))
    }
}

/// `N` words; they are there, since the proof has its length.
#[inline(always)]
fn array<const N: usize>(words: &[u64], at: usize) -> &[u64; N] {
    words[at..].first_chunk().expect("a proof has its length")
}

#[inline(always)]
fn elements<const N: usize>(words: &[u64], at: usize) -> &[Element; N] {
    words[at..].as_chunks().0.first_chunk().expect("a proof has its length")
}

#[inline(always)]
fn hashes<const N: usize>(words: &[u64], at: usize) -> &[Hash; N] {
    words[at..].as_chunks().0.first_chunk().expect("a proof has its length")
}

#[inline(always)]
fn path(words: &[u64], at: usize, length: usize) -> &[Hash] {
    words[at..at + 4 * length].as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dev, Production};

    #[test]
    fn sizes_are_those_that_hosts_and_chain_agreed_on() {
        assert_eq!(proof_bytes::<Production>(), 103_040);
        assert_eq!(proof_bytes::<Dev>(), 76_096);
        assert_eq!(OPENED, 274);
    }

    #[test]
    fn parts_follow_one_another_without_gaps() {
        fn check<P: Parameters>() {
            let mut words = [0; 16_384];
            for (place, word) in words.iter_mut().enumerate() {
                *word = place as u64;
            }
            let words = &words[..Sizes::<P>::PROOF];
            let proof = Proof::<P>::new(words).expect("the right length");
            let mut next = 0;
            let mut take = |part: &[u64]| {
                for word in part {
                    assert_eq!(*word, next);
                    next += 1;
                }
            };
            (0..3).for_each(|cap| take(proof.cap(cap).as_flattened()));
            take(proof.openings().as_flattened());
            take(proof.next_openings().as_flattened());
            (0..FOLDS).for_each(|fold| take(proof.fold_cap(fold).as_flattened()));
            take(proof.final_polynomial().as_flattened());
            take(&proof.nonce());
            for query in 0..P::QUERIES {
                let query = proof.query(query);
                take(query.rows());
                (0..4).for_each(|tree| take(query.row_path(tree).as_flattened()));
                for fold in 0..FOLDS {
                    take(query.values(fold).as_flattened());
                    take(query.value_path(fold).as_flattened());
                }
            }
            assert_eq!(next as usize, words.len());
            assert_eq!(ROW_WORDS.iter().sum::<usize>(), ROWS);
            assert!(Proof::<P>::new(&words[1..]).is_err());
        }
        check::<Production>();
        check::<Dev>();
    }
}

//! The field `GF(p^5) = GF(p)[z] / (z^5 - 3)` that the curve is defined over.

mod roots;

use crate::word;
use cairn_goldilocks::{Goldilocks, MODULUS, is_canonical};
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

/// `c0 + c1 z + c2 z^2 + c3 z^3 + c4 z^4` with `z^5 = 3`, as five canonical words, `c0` first.
///
/// All arithmetic takes the same time for all values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quintic([u64; 5]);

/// A word of an element is not below the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("word {index} is {word:#x}, which is not canonical: it must be below {MODULUS:#x}")]
pub struct NonCanonicalWord {
    /// Which of the five.
    pub index: usize,
    /// Its value.
    pub word: u64,
}

impl Quintic {
    /// The neutral element of addition.
    pub const ZERO: Self = Self([0; 5]);
    /// The neutral element of multiplication.
    pub const ONE: Self = Self([1, 0, 0, 0, 0]);
    /// `z^5`.
    pub const NON_RESIDUE: u32 = 3;

    /// The element with these coefficients, that of one first.
    ///
    /// # Errors
    /// [`NonCanonicalWord`] when a word is not below the modulus.
    pub fn new(words: [u64; 5]) -> Result<Self, NonCanonicalWord> {
        match words.iter().position(|word| !is_canonical(*word)) {
            None => Ok(Self(words)),
            Some(index) => Err(NonCanonicalWord { index, word: words[index] }),
        }
    }

    /// The element with these coefficients modulo `p`. For constants; what arrives from outside goes through
    /// [`Quintic::new`].
    #[must_use]
    pub const fn from_residues(words: [u64; 5]) -> Self {
        let [a, b, c, d, e] = words;
        Self([word::canonical(a), word::canonical(b), word::canonical(c), word::canonical(d), word::canonical(e)])
    }

    /// The element's 40 bytes: five little-endian words.
    ///
    /// # Errors
    /// [`NonCanonicalWord`] when a word is not below the modulus.
    pub fn from_bytes(bytes: &[u8; 40]) -> Result<Self, NonCanonicalWord> {
        Self::new(words_of_bytes(bytes))
    }

    /// The coefficients, canonical, that of one first.
    #[must_use]
    pub const fn words(self) -> [u64; 5] {
        self.0
    }

    /// Five little-endian words.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 40] {
        bytes_of_words(&self.0)
    }

    /// Twice the element.
    #[must_use]
    #[inline]
    pub const fn double(self) -> Self {
        let [a, b, c, d, e] = self.0;
        Self([word::add(a, a), word::add(b, b), word::add(c, c), word::add(d, d), word::add(e, e)])
    }

    /// Half of the element.
    #[must_use]
    pub const fn half(self) -> Self {
        let [a, b, c, d, e] = self.0;
        Self([word::half(a), word::half(b), word::half(c), word::half(d), word::half(e)])
    }

    /// The element times a small number.
    #[must_use]
    #[inline]
    pub const fn scale(self, small: u32) -> Self {
        let [a, b, c, d, e] = self.0;
        Self([
            word::scale(a, small),
            word::scale(b, small),
            word::scale(c, small),
            word::scale(d, small),
            word::scale(e, small),
        ])
    }

    /// The element times `small * z`.
    ///
    /// `small` is at most `(2^32 - 1) / 3`.
    #[must_use]
    #[inline]
    pub(crate) const fn scale_z(self, small: u32) -> Self {
        let [a, b, c, d, e] = self.0;
        Self([
            word::scale(e, small * Self::NON_RESIDUE),
            word::scale(a, small),
            word::scale(b, small),
            word::scale(c, small),
            word::scale(d, small),
        ])
    }

    /// The product; `*` is the same.
    #[must_use]
    #[inline]
    pub(crate) const fn multiply(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let [b0, b1, b2, b3, b4] = other.0;
        // What passes z^4 comes back three times.
        let (t1, t2, t3, t4) =
            (word::triple_lazily(b1), word::triple_lazily(b2), word::triple_lazily(b3), word::triple_lazily(b4));
        Self([
            dot(&[a0, a1, a2, a3, a4], &[b0, t4, t3, t2, t1]),
            dot(&[a0, a1, a2, a3, a4], &[b1, b0, t4, t3, t2]),
            dot(&[a0, a1, a2, a3, a4], &[b2, b1, b0, t4, t3]),
            dot(&[a0, a1, a2, a3, a4], &[b3, b2, b1, b0, t4]),
            dot(&[a0, a1, a2, a3, a4], &[b4, b3, b2, b1, b0]),
        ])
    }

    /// The element's square.
    #[must_use]
    #[inline]
    pub const fn square(self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let (d0, d1, d2, d3) =
            (word::double_lazily(a0), word::double_lazily(a1), word::double_lazily(a2), word::double_lazily(a3));
        let (t3, t4) = (word::triple_lazily(a3), word::triple_lazily(a4));
        Self([
            dot(&[a0, d1, d2], &[a0, t4, t3]),
            dot(&[d0, d2, a3], &[a1, t4, t3]),
            dot(&[d0, a1, d3], &[a2, a1, t4]),
            dot(&[d0, d1, a4], &[a3, a2, t4]),
            dot(&[d0, d1, a2], &[a4, a3, a2]),
        ])
    }

    /// The element squared `times` times.
    #[must_use]
    pub fn square_times(mut self, times: u32) -> Self {
        for _ in 0..times {
            self = self.square();
        }
        self
    }

    /// Whether the element is zero.
    #[must_use]
    pub fn is_zero(self) -> Choice {
        self.ct_eq(&Self::ZERO)
    }
}

/// The sum of the products of two rows.
#[inline(always)]
const fn dot<const N: usize>(a: &[u64; N], b: &[u64; N]) -> u64 {
    let mut sum = word::Sum::ZERO;
    let mut index = 0;
    while index < N {
        sum.add_product(a[index], b[index]);
        index += 1;
    }
    sum.reduce()
}

/// Five words, little-endian.
pub(crate) fn words_of_bytes(bytes: &[u8; 40]) -> [u64; 5] {
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_le_bytes(words[index]))
}

/// Five words, little-endian.
pub(crate) fn bytes_of_words(words: &[u64; 5]) -> [u8; 40] {
    let mut bytes = [0; 40];
    for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
    bytes
}

impl From<Goldilocks> for Quintic {
    fn from(element: Goldilocks) -> Self {
        Self([element.word(), 0, 0, 0, 0])
    }
}

impl From<u32> for Quintic {
    fn from(number: u32) -> Self {
        Self([number.into(), 0, 0, 0, 0])
    }
}

impl Add for Quintic {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(core::array::from_fn(|index| word::add(self.0[index], other.0[index])))
    }
}

impl Sub for Quintic {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(core::array::from_fn(|index| word::subtract(self.0[index], other.0[index])))
    }
}

impl Neg for Quintic {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Quintic {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        self.multiply(&other)
    }
}

impl AddAssign for Quintic {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quintic {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Quintic {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl ConstantTimeEq for Quintic {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for Quintic {
    #[inline]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(core::array::from_fn(|index| u64::conditional_select(&a.0[index], &b.0[index], choice)))
    }
}

impl Zeroize for Quintic {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

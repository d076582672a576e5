//! Elements of the prime field of order `p = 2^64 - 2^32 + 1`.

use crate::{MODULUS, word};
use core::fmt;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A field element. The word inside is always canonical, so that equality of words is equality of elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Goldilocks(u64);

/// The word is not below [`MODULUS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonCanonical(pub u64);

impl fmt::Display for NonCanonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} is not a canonical field element: it must be below {MODULUS:#x}", self.0)
    }
}

impl core::error::Error for NonCanonical {}

impl Goldilocks {
    /// The neutral element of addition.
    pub const ZERO: Self = Self(0);
    /// The neutral element of multiplication.
    pub const ONE: Self = Self(1);

    /// The element with the canonical representative `word`.
    ///
    /// # Errors
    /// [`NonCanonical`] when `word` is not below [`MODULUS`].
    pub const fn new(word: u64) -> Result<Self, NonCanonical> {
        if word < MODULUS { Ok(Self(word)) } else { Err(NonCanonical(word)) }
    }

    /// The residue of any integer. For constants and for values that are this crate's own; bytes from
    /// outside go through [`Goldilocks::new`].
    #[must_use]
    pub const fn from_residue(word: u64) -> Self {
        Self(word::canonical(word))
    }

    /// The canonical representative.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The element's square.
    #[must_use]
    pub fn square(self) -> Self {
        Self(word::canonical(word::multiply(self.0, self.0)))
    }

    /// The element to the power of `exponent`; anything to the power of zero is one.
    #[must_use]
    pub fn power(self, exponent: u64) -> Self {
        let mut result = 1;
        for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
            result = word::multiply(result, result);
            if (exponent >> bit) & 1 == 1 {
                result = word::multiply(result, self.0);
            }
        }
        Self(word::canonical(result))
    }

    /// The multiplicative inverse, or `None` for zero: the power of `p - 2`, in binary 31 ones, a zero, and 32 ones.
    /// Runs of ones are doubled and joined, which takes nine products besides the squares.
    #[must_use]
    #[inline(never)]
    pub fn inverse(self) -> Option<Self> {
        if self.0 == 0 {
            return None;
        }
        // `ones_n` is the power whose exponent has n ones.
        let ones_2 = word::multiply(word::square(self.0), self.0);
        let ones_3 = word::multiply(word::square(ones_2), self.0);
        let ones_6 = word::multiply(squares(ones_3, 3), ones_3);
        let ones_12 = word::multiply(squares(ones_6, 6), ones_6);
        let ones_24 = word::multiply(squares(ones_12, 12), ones_12);
        let ones_30 = word::multiply(squares(ones_24, 6), ones_6);
        let ones_31 = word::multiply(word::square(ones_30), self.0);
        let all_but_one = word::multiply(squares(ones_31, 32), ones_31);
        Some(Self(word::canonical(word::multiply(word::square(all_but_one), self.0))))
    }
}

/// A residue of the product of two residues, not reduced: for powers and products of which only the last is looked at.
#[must_use]
#[inline(always)]
pub fn multiply_residues(a: u64, b: u64) -> u64 {
    word::multiply(a, b)
}

/// Squares `count` times.
#[inline(always)]
fn squares(word: u64, count: u32) -> u64 {
    (0..count).fold(word, |word, _| word::square(word))
}

impl TryFrom<u64> for Goldilocks {
    type Error = NonCanonical;

    fn try_from(word: u64) -> Result<Self, NonCanonical> {
        Self::new(word)
    }
}

impl From<u32> for Goldilocks {
    fn from(word: u32) -> Self {
        Self(u64::from(word))
    }
}

impl From<Goldilocks> for u64 {
    fn from(element: Goldilocks) -> Self {
        element.0
    }
}

impl Add for Goldilocks {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(word::canonical(word::add_canonical(self.0, other.0)))
    }
}

impl Neg for Goldilocks {
    type Output = Self;

    fn neg(self) -> Self {
        if self.0 == 0 { self } else { Self(MODULUS.wrapping_sub(self.0)) }
    }
}

impl Sub for Goldilocks {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Goldilocks {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(word::canonical(word::multiply(self.0, other.0)))
    }
}

impl AddAssign for Goldilocks {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Goldilocks {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Goldilocks {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: [u64; 9] = [0, 1, 7, 0xffff_ffff, 1 << 32, 1 << 63, 0x0123_4567_89ab_cdef, MODULUS - 2, MODULUS - 1];

    fn element(word: u64) -> Goldilocks {
        Goldilocks::new(word).expect("canonical")
    }

    #[test]
    fn words_from_the_modulus_upwards_are_refused() {
        assert_eq!(Goldilocks::new(MODULUS - 1).map(Goldilocks::word), Ok(MODULUS - 1));
        for word in [MODULUS, MODULUS + 1, u64::MAX] {
            assert_eq!(Goldilocks::new(word), Err(NonCanonical(word)));
        }
    }

    #[test]
    fn results_are_canonical_and_match_integer_arithmetic() {
        let modulus = u128::from(MODULUS);
        for a in SAMPLES {
            for b in SAMPLES {
                let (wide_a, wide_b) = (u128::from(a), u128::from(b));
                let word = |value: u128| u64::try_from(value % modulus).expect("below the modulus");
                assert_eq!((element(a) + element(b)).word(), word(wide_a + wide_b));
                assert_eq!((element(a) - element(b)).word(), word(wide_a + modulus - wide_b));
                assert_eq!((element(a) * element(b)).word(), word(wide_a * wide_b));
            }
            assert_eq!(element(a) + -element(a), Goldilocks::ZERO);
            assert_eq!(element(a).square(), element(a) * element(a));
        }
    }

    #[test]
    fn every_sample_but_zero_times_its_inverse_is_one() {
        assert_eq!(Goldilocks::ZERO.inverse(), None);
        for word in &SAMPLES[1..] {
            let inverse = element(*word).inverse().expect("not zero");
            assert_eq!(element(*word) * inverse, Goldilocks::ONE);
            assert_eq!(inverse, element(*word).power(MODULUS - 2));
        }
    }

    #[test]
    fn seven_generates_the_whole_multiplicative_group() {
        // The prime factors of p - 1 = 2^32 * 3 * 5 * 17 * 257 * 65537.
        for factor in [2, 3, 5, 17, 257, 65537] {
            assert_ne!(element(7).power((MODULUS - 1) / factor), Goldilocks::ONE);
        }
        assert_eq!(element(7).power(MODULUS - 1), Goldilocks::ONE);
        assert_eq!(element(7).power(0), Goldilocks::ONE);
    }
}

//! The quadratic extension `F_p[X] / (X^2 - 7)`: where plonky2 draws its challenges.

use crate::{Goldilocks, word};
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `real + imaginary * X` with `X^2 = 7`. Seven generates the field's multiplicative group, hence is no square.
///
/// The words inside are lazy, any representatives of their residues: sums and products are not reduced before somebody
/// looks. Equality is that of elements.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct Quadratic([u64; 2]);

impl Quadratic {
    /// `X^2`, called `W` in plonky2.
    pub const NON_RESIDUE: Goldilocks = Goldilocks::from_residue(7);
    /// The neutral element of addition.
    pub const ZERO: Self = Self([0, 0]);
    /// The neutral element of multiplication.
    pub const ONE: Self = Self([1, 0]);

    /// `real + imaginary * X`.
    #[must_use]
    pub const fn new(real: Goldilocks, imaginary: Goldilocks) -> Self {
        Self([real.word(), imaginary.word()])
    }

    /// The element whose coefficients are the residues of any two words.
    #[must_use]
    #[inline(always)]
    pub const fn from_residues(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// Some representatives of the coefficients: for tables of this crate's functions, which take any.
    #[must_use]
    #[inline(always)]
    pub const fn residues(self) -> [u64; 2] {
        self.0
    }

    /// The coefficient of one.
    #[must_use]
    pub const fn real(self) -> Goldilocks {
        Goldilocks::from_residue(self.0[0])
    }

    /// The coefficient of `X`.
    #[must_use]
    pub const fn imaginary(self) -> Goldilocks {
        Goldilocks::from_residue(self.0[1])
    }

    /// Both coefficients as canonical words.
    #[must_use]
    pub const fn words(self) -> [u64; 2] {
        [word::canonical(self.0[0]), word::canonical(self.0[1])]
    }

    /// Whether the element is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        let [real, imaginary] = self.words();
        real == 0 && imaginary == 0
    }

    /// The square: two squarings and a product.
    #[must_use]
    #[inline(always)]
    pub fn square(self) -> Self {
        let [real, imaginary] = self.0;
        let cross = word::multiply(real, imaginary);
        Self([word::add(word::square(real), word::multiply_7(word::square(imaginary))), word::add(cross, cross)])
    }

    /// The seventh power, Poseidon's s-box.
    #[must_use]
    #[inline(never)]
    pub fn power_7(self) -> Self {
        let square = self.square();
        (self * square) * square.square()
    }

    /// The element to the power of `2^exponent`.
    #[must_use]
    pub fn power_of_2(self, exponent: usize) -> Self {
        (0..exponent).fold(self, |power, _| power.square())
    }

    /// The product with an element of the base field, given by any representative.
    #[must_use]
    #[inline(always)]
    pub fn scale(self, factor: u64) -> Self {
        Self([word::multiply(self.0[0], factor), word::multiply(self.0[1], factor)])
    }

    /// The sum with an element of the base field, given by any representative.
    #[must_use]
    #[inline(always)]
    pub fn add_base(self, summand: u64) -> Self {
        Self([word::add(self.0[0], summand), self.0[1]])
    }

    /// The product with the root of the extension, `X`.
    #[must_use]
    #[inline(always)]
    pub fn times_x(self) -> Self {
        Self([word::multiply_7(self.0[1]), self.0[0]])
    }

    /// Seven times the element.
    #[must_use]
    #[inline(always)]
    pub fn times_7(self) -> Self {
        Self([word::multiply_7(self.0[0]), word::multiply_7(self.0[1])])
    }

    /// The other root of the element's minimal polynomial: the Frobenius map `x -> x^p`.
    #[must_use]
    #[inline(always)]
    pub fn conjugate(self) -> Self {
        Self([self.0[0], word::subtract(0, self.0[1])])
    }

    /// The product with the conjugate, which lies in the base field; zero for zero only.
    #[must_use]
    #[inline(always)]
    pub fn norm(self) -> Goldilocks {
        let [real, imaginary] = self.0;
        Goldilocks::from_residue(word::subtract(word::square(real), word::multiply_7(word::square(imaginary))))
    }

    /// The multiplicative inverse, or `None` for zero.
    #[must_use]
    pub fn inverse(self) -> Option<Self> {
        let scale = self.norm().inverse()?;
        Some(self.conjugate().scale(scale.word()))
    }
}

impl PartialEq for Quadratic {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for Quadratic {}

impl From<Goldilocks> for Quadratic {
    fn from(real: Goldilocks) -> Self {
        Self::new(real, Goldilocks::ZERO)
    }
}

impl Add for Quadratic {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self([word::add(self.0[0], other.0[0]), word::add(self.0[1], other.0[1])])
    }
}

impl Neg for Quadratic {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Sub for Quadratic {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self([word::subtract(self.0[0], other.0[0]), word::subtract(self.0[1], other.0[1])])
    }
}

impl Mul for Quadratic {
    type Output = Self;

    /// Karatsuba's three products.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        let (real, imaginary) = (word::multiply(a, c), word::multiply(b, d));
        let cross = word::multiply(word::add(a, b), word::add(c, d));
        Self([word::add(real, word::multiply_7(imaginary)), word::subtract(word::subtract(cross, real), imaginary)])
    }
}

impl AddAssign for Quadratic {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quadratic {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Quadratic {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODULUS;

    fn element(real: u64, imaginary: u64) -> Quadratic {
        Quadratic::from_residues([real, imaginary])
    }

    #[test]
    fn the_square_of_x_is_seven() {
        assert_eq!(element(0, 1) * element(0, 1), element(7, 0));
        assert_eq!(element(3, 5).times_x(), element(3, 5) * element(0, 1));
    }

    #[test]
    fn products_match_the_schoolbook_formula_for_canonical_and_other_words() {
        let words = [0, 1, 0xffff_ffff, 0xdead_beef_0000_0001, MODULUS - 1, MODULUS, u64::MAX];
        let base = Goldilocks::from_residue;
        for a in words {
            for b in words {
                for c in words {
                    let d = a >> 3;
                    let product = element(a, b) * element(c, d);
                    assert_eq!(product.real(), base(a) * base(c) + base(7) * base(b) * base(d));
                    assert_eq!(product.imaginary(), base(a) * base(d) + base(b) * base(c));
                    assert_eq!(element(a, b).scale(c), element(a, b) * element(c, 0));
                    assert_eq!(element(a, b).add_base(c), element(a, b) + element(c, 0));
                }
                let value = element(a, b);
                assert_eq!(value.square(), value * value);
                assert_eq!(value.power_7(), value.square() * value.square() * value.square() * value);
                assert_eq!(value.power_of_2(3), value.square().square().square());
                assert_eq!(value.times_7(), value.scale(7));
                assert_eq!(value - value, Quadratic::ZERO);
                assert_eq!(value + -value, Quadratic::ZERO);
            }
        }
    }

    #[test]
    fn an_element_times_its_inverse_is_one_and_zero_has_none() {
        assert_eq!(Quadratic::ZERO.inverse(), None);
        assert_eq!(element(MODULUS, MODULUS).inverse(), None, "zero by another name");
        for value in [element(1, 0), element(0, 1), element(MODULUS - 1, 3), element(1 << 40, 1 << 63)] {
            assert_eq!(value * value.inverse().expect("not zero"), Quadratic::ONE);
        }
    }
}

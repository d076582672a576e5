//! The quadratic extension `F_p[X] / (X^2 - 7)`: where plonky2 draws its challenges.

use crate::Goldilocks;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `real + imaginary * X` with `X^2 = 7`. Seven generates the field's multiplicative group, hence is no square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quadratic {
    /// The coefficient of one.
    pub real: Goldilocks,
    /// The coefficient of `X`.
    pub imaginary: Goldilocks,
}

impl Quadratic {
    /// `X^2`, called `W` in plonky2.
    pub const NON_RESIDUE: Goldilocks = Goldilocks::from_residue(7);
    /// The neutral element of addition.
    pub const ZERO: Self = Self::new(Goldilocks::ZERO, Goldilocks::ZERO);
    /// The neutral element of multiplication.
    pub const ONE: Self = Self::new(Goldilocks::ONE, Goldilocks::ZERO);

    /// `real + imaginary * X`.
    #[must_use]
    pub const fn new(real: Goldilocks, imaginary: Goldilocks) -> Self {
        Self { real, imaginary }
    }

    /// The other root of the element's minimal polynomial: the Frobenius map `x -> x^p`.
    #[must_use]
    pub fn conjugate(self) -> Self {
        Self::new(self.real, -self.imaginary)
    }

    /// The product with the conjugate, which lies in the base field; zero for zero only.
    #[must_use]
    pub fn norm(self) -> Goldilocks {
        self.real.square() - Self::NON_RESIDUE * self.imaginary.square()
    }

    /// The multiplicative inverse, or `None` for zero.
    #[must_use]
    pub fn inverse(self) -> Option<Self> {
        let scale = self.norm().inverse()?;
        Some(self.conjugate() * Self::from(scale))
    }
}

impl From<Goldilocks> for Quadratic {
    fn from(real: Goldilocks) -> Self {
        Self::new(real, Goldilocks::ZERO)
    }
}

impl Add for Quadratic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.real + other.real, self.imaginary + other.imaginary)
    }
}

impl Neg for Quadratic {
    type Output = Self;

    fn neg(self) -> Self {
        Self::new(-self.real, -self.imaginary)
    }
}

impl Sub for Quadratic {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Quadratic {
    type Output = Self;

    /// Karatsuba's three products.
    fn mul(self, other: Self) -> Self {
        let real = self.real * other.real;
        let imaginary = self.imaginary * other.imaginary;
        let cross = (self.real + self.imaginary) * (other.real + other.imaginary);
        Self::new(real + Self::NON_RESIDUE * imaginary, cross - real - imaginary)
    }
}

impl AddAssign for Quadratic {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quadratic {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Quadratic {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODULUS;

    fn element(real: u64, imaginary: u64) -> Quadratic {
        let new = |word| Goldilocks::new(word).expect("canonical");
        Quadratic::new(new(real), new(imaginary))
    }

    #[test]
    fn the_square_of_x_is_seven() {
        assert_eq!(element(0, 1) * element(0, 1), element(7, 0));
    }

    #[test]
    fn products_match_the_schoolbook_formula() {
        let words = [0, 1, 0xffff_ffff, 0xdead_beef_0000_0001, MODULUS - 1];
        let base = |word| Goldilocks::new(word).expect("canonical");
        for a in words {
            for b in words {
                for c in words {
                    let d = a >> 3;
                    let product = element(a, b) * element(c, d);
                    assert_eq!(product.real, base(a) * base(c) + base(7) * base(b) * base(d));
                    assert_eq!(product.imaginary, base(a) * base(d) + base(b) * base(c));
                }
            }
        }
    }

    #[test]
    fn an_element_times_its_inverse_is_one_and_zero_has_none() {
        assert_eq!(Quadratic::ZERO.inverse(), None);
        for value in [element(1, 0), element(0, 1), element(MODULUS - 1, 3), element(1 << 40, 1 << 63)] {
            assert_eq!(value * value.inverse().expect("not zero"), Quadratic::ONE);
        }
    }
}

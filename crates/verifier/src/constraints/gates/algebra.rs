//! Elements of the extension, *as wires have them*: two wires each. At a point outside the trace each wire is an element of the
//! extension itself, so that these are elements of an algebra over it, with the extension's rule for products.

use super::Row;
use crate::layout::Element;
use cairn_goldilocks::Quadratic;
use core::ops::{Add, Mul, Sub};

/// `a + b Y` with `Y^2 = 7`.
#[derive(Clone, Copy)]
pub(super) struct Algebra {
    pub(super) a: Quadratic,
    pub(super) b: Quadratic,
}

impl Algebra {
    pub(super) const ZERO: Self = Self { a: Quadratic::ZERO, b: Quadratic::ZERO };
    pub(super) const ONE: Self = Self { a: Quadratic::ONE, b: Quadratic::ZERO };

    /// The element in two wires, the first at `wire`.
    #[inline(always)]
    pub(super) fn of(row: &Row<'_>, wire: usize) -> Self {
        Self { a: row.wire(wire), b: row.wire(wire + 1) }
    }

    /// The product with an element of the base algebra.
    #[inline(always)]
    pub(super) fn scale(self, factor: Quadratic) -> Self {
        Self { a: self.a * factor, b: self.b * factor }
    }

    /// The product with an element of the base field.
    #[inline(always)]
    pub(super) fn scale_base(self, factor: u64) -> Self {
        Self { a: self.a.scale(factor), b: self.b.scale(factor) }
    }

    /// Both coefficients, as a constraint each.
    #[inline(always)]
    pub(super) fn write(self, terms: &mut [Element; 2]) {
        *terms = [self.a.residues(), self.b.residues()];
    }
}

impl Add for Algebra {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { a: self.a + other.a, b: self.b + other.b }
    }
}

impl Sub for Algebra {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { a: self.a - other.a, b: self.b - other.b }
    }
}

impl Mul for Algebra {
    type Output = Self;

    /// Karatsuba's three products.
    #[inline(never)]
    fn mul(self, other: Self) -> Self {
        let (a, b) = (self.a * other.a, self.b * other.b);
        let cross = (self.a + self.b) * (other.a + other.b);
        Self { a: a + b.times_7(), b: cross - a - b }
    }
}

//! Group elements in fractional coordinates, in which nothing is divided: the complete addition for double-odd
//! curves of eprint 2020/1558 and 2022/274.

use super::{Affine, B1};
use crate::quintic::Quintic;
use core::ops::{Add, Neg, Sub};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// An element of the group as `x = X / Z`, `u = U / T`; neither `Z` nor `T` is ever zero.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub(super) x: Quintic,
    pub(super) z: Quintic,
    pub(super) u: Quintic,
    pub(super) t: Quintic,
}

impl Point {
    /// The neutral element.
    pub const NEUTRAL: Self = Self { x: Quintic::ZERO, z: Quintic::ONE, u: Quintic::ZERO, t: Quintic::ONE };

    /// The coordinates without denominators: one inversion.
    #[must_use]
    pub fn to_affine(self) -> Affine {
        let inverse = (self.z * self.t).invert_or_zero();
        Affine { x: self.x * self.t * inverse, u: self.u * self.z * inverse }
    }

    /// All points without denominators, for one inversion and six products each.
    #[must_use]
    pub fn all_to_affine(points: &[Self]) -> Vec<Affine> {
        // Products of all denominators before each, then of their inverses from the last backwards.
        let mut product = Quintic::ONE;
        let mut before = Vec::with_capacity(points.len());
        for point in points {
            before.push(product);
            product *= point.z * point.t;
        }
        let mut inverse = product.invert_or_zero();
        let mut affine = vec![Affine::NEUTRAL; points.len()];
        for ((point, before), affine) in points.iter().zip(before).zip(&mut affine).rev() {
            let own = inverse * before;
            *affine = Affine { x: point.x * point.t * own, u: point.u * point.z * own };
            inverse *= point.z * point.t;
        }
        affine
    }

    /// The encoding, `w = T / U`, and zero for the neutral element.
    #[must_use]
    pub fn encode(self) -> Quintic {
        self.t * self.u.invert_or_zero()
    }

    /// Whether the element is encoded as `w`, which must not be zero: a product in place of an inversion.
    #[must_use]
    pub(crate) fn has_encoding(self, w: Quintic) -> bool {
        // For the neutral element the right side is zero and T is not.
        self.t == w * self.u
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_neutral(self) -> Choice {
        self.u.is_zero()
    }
}

impl Add for Point {
    type Output = Self;

    /// Complete addition: 10 products.
    #[inline]
    fn add(self, other: Self) -> Self {
        let t1 = self.x * other.x;
        let t2 = self.z * other.z;
        let t3 = self.u * other.u;
        let t4 = self.t * other.t;
        let t5 = (self.x + self.z) * (other.x + other.z) - t1 - t2;
        let t6 = (self.u + self.t) * (other.u + other.t) - t3 - t4;
        finish(t1, t2, t3, t4, t5, t6)
    }
}

impl Add<Affine> for Point {
    type Output = Self;

    /// Complete addition: 8 products.
    #[inline]
    fn add(self, other: Affine) -> Self {
        let t1 = self.x * other.x;
        let t3 = self.u * other.u;
        let t5 = self.x + other.x * self.z;
        let t6 = self.u + other.u * self.t;
        finish(t1, self.z, t3, self.t, t5, t6)
    }
}

/// What both additions end with: 4 products. `t1` to `t4` are the products of the `X`, `Z`, `U` and `T`, `t5` and `t6` the
/// crosswise sums of `X` with `Z` and of `U` with `T`.
#[inline]
fn finish(t1: Quintic, t2: Quintic, t3: Quintic, t4: Quintic, t5: Quintic, t6: Quintic) -> Point {
    let bt2 = t2.scale_z(B1);
    let t7 = t1 + bt2;
    let t8 = t4 * t7;
    let t9 = t3 * (t5.scale_z(2 * B1) + t7.double());
    let t10 = (t4 + t3.double()) * (t5 + t7);
    Point { x: (t10 - t8).scale_z(B1), z: t8 - t9, u: t6 * (bt2 - t1), t: t8 + t9 }
}

impl Neg for Point {
    type Output = Self;

    fn neg(self) -> Self {
        Self { u: -self.u, ..self }
    }
}

impl Sub for Point {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl ConstantTimeEq for Point {
    fn ct_eq(&self, other: &Self) -> Choice {
        (self.u * other.t).ct_eq(&(other.u * self.t))
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Point {}

impl ConditionallySelectable for Point {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: Quintic::conditional_select(&a.x, &b.x, choice),
            z: Quintic::conditional_select(&a.z, &b.z, choice),
            u: Quintic::conditional_select(&a.u, &b.u, choice),
            t: Quintic::conditional_select(&a.t, &b.t, choice),
        }
    }
}

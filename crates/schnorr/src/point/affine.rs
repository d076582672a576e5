//! Group elements as pairs `(x, u)`.

use super::{B, B1, Point};
use crate::quintic::Quintic;
use core::ops::{Add, Neg};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// An element of the group by its coordinates `(x, u)`, `u = x / y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Affine {
    pub(super) x: Quintic,
    pub(super) u: Quintic,
}

/// No element of the group has this encoding, or these coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no element of the group is encoded so")]
pub struct NotAPoint;

impl Affine {
    /// The neutral element `N`.
    pub const NEUTRAL: Self = Self { x: Quintic::ZERO, u: Quintic::ZERO };

    /// The conventional generator, the element encoded as `w = 4`.
    pub const GENERATOR: Self = Self {
        x: Quintic::from_residues([
            12883135586176881569,
            4356519642755055268,
            5248930565894896907,
            2165973894480315022,
            2448410071095648785,
        ]),
        u: Quintic::from_residues([13835058052060938241, 0, 0, 0, 0]),
    };

    /// The element with these coordinates.
    ///
    /// # Errors
    /// [`NotAPoint`] when they are not on the curve, or on it but outside the group.
    pub fn new(x: Quintic, u: Quintic) -> Result<Self, NotAPoint> {
        let point = Self { x, u };
        // y = x / u turns the curve equation into x = u^2 (x^2 + 2x + b). Elements but N are those with x no square.
        let on_curve = u.square() * (x.square() + x.double() + B) == x;
        let inside = bool::from(u.is_zero()) || !bool::from(x.is_square());
        if on_curve && inside { Ok(point) } else { Err(NotAPoint) }
    }

    /// The first coordinate.
    #[must_use]
    pub const fn x(self) -> Quintic {
        self.x
    }

    /// The second coordinate, `x / y`, zero for the neutral element alone.
    #[must_use]
    pub const fn u(self) -> Quintic {
        self.u
    }

    /// The encoding, `w = 1 / u`, and zero for the neutral element.
    #[must_use]
    pub fn encode(self) -> Quintic {
        self.u.invert_or_zero()
    }

    /// The element encoded as `w`. Encodings are public: this takes the time it takes.
    ///
    /// # Errors
    /// [`NotAPoint`] when none is; half of all field elements encode one.
    pub fn decode(w: Quintic) -> Result<Self, NotAPoint> {
        if bool::from(w.is_zero()) {
            return Ok(Self::NEUTRAL);
        }
        // With y = w x the curve equation, divided by x, is x^2 - (w^2 - 2) x + b = 0. The product of its roots is b, no
        // square, so that one of them is a square and the other, which is wanted, is none.
        let e = w.square() - Quintic::from(2);
        let discriminant = e.square() - B.scale(4);
        let root = Option::<Quintic>::from(discriminant.square_root()).ok_or(NotAPoint)?;
        let first = (e + root).half();
        let x = if bool::from(first.is_square()) { first - root } else { first };
        Ok(Self { x, u: w.invert_or_zero() })
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_neutral(self) -> Choice {
        self.u.is_zero()
    }
}

impl From<Affine> for Point {
    fn from(point: Affine) -> Self {
        Self { x: point.x, z: Quintic::ONE, u: point.u, t: Quintic::ONE }
    }
}

impl Add for Affine {
    type Output = Self;

    /// Complete addition in `(x, u)`: [`Point`]'s formula for denominators of one. Neither denominator below is ever zero.
    fn add(self, other: Self) -> Self {
        let t1 = self.x * other.x;
        let t3 = self.u * other.u;
        let t5 = self.x + other.x;
        let t6 = self.u + other.u;
        let t7 = t1 + B;
        let t9 = t3 * (t5.scale_z(2 * B1) + t7.double());
        let t10 = (Quintic::ONE + t3.double()) * (t5 + t7);
        let (z, t) = (t7 - t9, t7 + t9);
        let inverse = (z * t).invert_or_zero();
        Self { x: (t10 - t7).scale_z(B1) * t * inverse, u: t6 * (B - t1) * z * inverse }
    }
}

impl Neg for Affine {
    type Output = Self;

    fn neg(self) -> Self {
        Self { x: self.x, u: -self.u }
    }
}

impl ConstantTimeEq for Affine {
    fn ct_eq(&self, other: &Self) -> Choice {
        // One element, one u.
        self.u.ct_eq(&other.u)
    }
}

impl ConditionallySelectable for Affine {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self { x: Quintic::conditional_select(&a.x, &b.x, choice), u: Quintic::conditional_select(&a.u, &b.u, choice) }
    }
}

//! The group: ecGFp5 of eprint 2022/274, `y^2 = x (x^2 + 2x + 263z)` over `GF(p^5)`.
//!
//! Half of the curve's points, those that are no doubles, form a group of prime order once `N = (0, 0)` is taken as its
//! neutral element. Points are `(x, u)` with `u = x / y`, and `u = 0` for `N`. An element is encoded as `w = y / x = 1 / u`,
//! and `N` as zero: five words, one name for each element, no cofactor, and one addition formula without exceptions.

mod affine;
mod double;
mod fixed;
mod fractional;
mod product;

pub use affine::{Affine, NotAPoint};
pub use fractional::Point;

pub(crate) use product::difference;

use crate::quintic::Quintic;

/// `a = 2` of the curve equation is written out in the formulas; `b` is this times `z`.
const B1: u32 = 263;

/// `b = 263z` of the curve equation.
pub const B: Quintic = Quintic::from_residues([0, B1 as u64, 0, 0, 0]);

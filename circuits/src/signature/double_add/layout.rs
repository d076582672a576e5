//! Which wire of the double-and-add gate is which.

use std::ops::Range;

/// Double-and-add steps in one row: an even number, since steps alternate between the two tables.
pub const STEPS_PER_ROW: usize = 4;
const _: () = assert!(STEPS_PER_ROW.is_multiple_of(2));

/// Wires of an element of `GF(p^5)`.
const FIVE: usize = 5;
/// Wires of what is not routed in a step: two slopes.
const SLOPES: usize = 2 * FIVE;

/// Constraints of a step: two slopes, x, two bits.
const STEP_CONSTRAINTS: usize = 3 * FIVE + 2;
/// Constraints of a row: its steps, y after it, two accumulators.
pub const CONSTRAINTS: usize = STEPS_PER_ROW * STEP_CONSTRAINTS + FIVE + 2;

/// Columns: routed wires first, then bits and slopes.
pub struct Columns;

impl Columns {
    pub const X_BEFORE: usize = 0;
    pub const Y_BEFORE: usize = Self::X_BEFORE + FIVE;
    pub const Y_AFTER: usize = Self::Y_BEFORE + FIVE;
    /// `-K`, an odd point: x, y.
    pub const MINUS_KEY: usize = Self::Y_AFTER + FIVE;
    /// `(G - K) - G - (-K)`, coordinate by coordinate.
    pub const MIXED: usize = Self::MINUS_KEY + 2 * FIVE;
    /// `(C - K) - C`, coordinate by coordinate.
    pub const OFFSET_MINUS_KEY: usize = Self::MIXED + 2 * FIVE;
    /// `(C + G - K) - (C + G) - (C - K) + C`, coordinate by coordinate.
    pub const OFFSET_MIXED: usize = Self::OFFSET_MINUS_KEY + 2 * FIVE;
    pub const SCALAR_BEFORE: usize = Self::OFFSET_MIXED + 2 * FIVE;
    pub const SCALAR_AFTER: usize = Self::SCALAR_BEFORE + 1;
    pub const CHALLENGE_BEFORE: usize = Self::SCALAR_AFTER + 1;
    pub const CHALLENGE_AFTER: usize = Self::CHALLENGE_BEFORE + 1;
    const X_AFTER_STEP: usize = Self::CHALLENGE_AFTER + 1;
    const BITS: usize = Self::X_AFTER_STEP + STEPS_PER_ROW * FIVE;
    const SLOPES: usize = Self::BITS + 2 * STEPS_PER_ROW;
    /// One past the last column.
    pub const END: usize = Self::SLOPES + STEPS_PER_ROW * SLOPES;

    /// x after a step; after the last one that of the row.
    pub const fn x_after(step: usize) -> usize {
        Self::X_AFTER_STEP + step * FIVE
    }
    /// The scalar's bit of a step.
    pub const fn scalar_bit(step: usize) -> usize {
        Self::BITS + 2 * step
    }
    /// The challenge's bit of a step.
    pub const fn challenge_bit(step: usize) -> usize {
        Self::BITS + 2 * step + 1
    }
    /// Slope of the line through the point and the table's.
    pub const fn first_slope(step: usize) -> usize {
        Self::SLOPES + step * SLOPES
    }
    /// Slope of the line through the point and that sum.
    pub const fn second_slope(step: usize) -> usize {
        Self::SLOPES + step * SLOPES + FIVE
    }
    /// All columns that a generator needs: what is before the row, the tables, and the bits.
    pub fn inputs() -> impl Iterator<Item = usize> {
        let accumulators = [Self::SCALAR_BEFORE, Self::CHALLENGE_BEFORE];
        let points: Range<usize> = Self::X_BEFORE..Self::Y_AFTER;
        points.chain(Self::MINUS_KEY..Self::SCALAR_BEFORE).chain(accumulators).chain(Self::BITS..Self::SLOPES)
    }
}

const _: () = assert!(Columns::BITS <= 80, "what is connected to other rows must be routed");
const _: () = assert!(Columns::END <= 135, "plonky2's standard width");
const _: () = assert!(CONSTRAINTS <= 123, "no more than the Poseidon gate has, so that proofs do not grow");

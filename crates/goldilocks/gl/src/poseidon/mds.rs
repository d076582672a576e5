//! Poseidon's matrix as a cyclic convolution of small integers.
//!
//! The matrix is circulant but for an 8 added at its first diagonal element. A product with a circulant is a
//! product of polynomials modulo `x^12 - 1`, and with `y = x^3` that splits:
//!
//! ```text
//! x^12 - 1 = (y - 1)(y + 1)(y^2 + 1)
//! ```
//!
//! so it is three products of three terms, modulo `x^3 - 1`, `x^3 + 1` and, with complex integers, `x^3 - i`.
//! The matrix was chosen so that its transform, given below, consists of small powers of two and ones.
//! Going back divides by four and by two; both are taken out of the transformed matrix beforehand, where
//! they divide evenly. Hence a spectrum that is multiplied once more is first multiplied by four and two.
//!
//! Intermediate values may be negative; they live modulo `2^64`, and what comes out is an integer below it.

use super::{WIDTH, half};
use core::num::Wrapping;

/// A vector of integers, one for each lane.
pub(super) type Lanes = [Wrapping<u64>; WIDTH];

/// The matrix's first row, without the diagonal: row `r` is this one rotated by `r` places.
const FIRST_ROW: [u64; WIDTH] = [17, 15, 41, 16, 2, 28, 13, 13, 39, 18, 34, 20];

/// What the matrix adds to lane 0 besides the circulant, given that lane.
#[inline(always)]
pub(super) fn diagonal(lane_0: Wrapping<u64>) -> Wrapping<u64> {
    lane_0 << 3
}

/// The product of the matrix with one half of each of the state's words.
#[inline(always)]
pub(super) fn multiply<const WHICH: bool>(state: &[u64; WIDTH]) -> Lanes {
    Spectrum::of_product::<WHICH>(state).lanes(half::<WHICH>(state[0]))
}

/// A vector in the frequency domain: three values each at `y = 1`, `y = -1` and `y = i`.
pub(super) struct Spectrum {
    one: [Wrapping<u64>; 3],
    minus_one: [Wrapping<u64>; 3],
    real: [Wrapping<u64>; 3],
    imaginary: [Wrapping<u64>; 3],
}

impl Spectrum {
    /// The product of the circulant with one half of each of the state's words.
    #[inline(never)]
    pub(super) fn of_product<const WHICH: bool>(state: &[u64; WIDTH]) -> Self {
        let first = Values::of::<WHICH>(state, 0);
        let second = Values::of::<WHICH>(state, 1);
        let third = Values::of::<WHICH>(state, 2);
        let mut spectrum = Self {
            one: [first.one, second.one, third.one],
            minus_one: [first.minus_one, second.minus_one, third.minus_one],
            real: [first.real, second.real, third.real],
            imaginary: [first.imaginary, second.imaginary, third.imaginary],
        };
        spectrum.multiply();
        spectrum
    }

    /// Multiplies by the circulant. A product is kept scaled: a quarter of its values at `1` and `-1`, half
    /// of that at `i`.
    #[inline(always)]
    fn multiply(&mut self) {
        // At y = 1: 16 + 32 x + 16 x^2, modulo x^3 - 1.
        let [a, b, c] = self.one;
        let sum = a + b + c;
        self.one = [(sum + c) << 4, (sum + a) << 4, (sum + b) << 4];

        // At y = -1: -1 - 8 x + 2 x^2, modulo x^3 + 1.
        let [a, b, c] = self.minus_one;
        self.minus_one = [(((c << 2) - b) << 1) - a, -((((a << 2) + c) << 1) + b), ((a - (b << 2)) << 1) - c];

        // At y = i: (2 + i) + (-4 - i) x + (16 - i) x^2, modulo x^3 - i.
        let ([a, b, c], [d, e, f]) = (self.real, self.imaginary);
        self.real = [
            ((((f - (e << 2)) << 1) + a) << 1) + b + c - d,
            ((b - (((f << 2) + a) << 1)) << 1) + c + d - e,
            ((((((a << 2) - b) << 1) + c) << 1) + d) + e - f,
        ];
        self.imaginary = [
            ((((((b << 2) - c) << 1) + d) << 1) + a) + e + f,
            (((((c << 2) - d) << 1) + e) << 1) + b + f - a,
            (((((d << 2) - e) << 1) + f) << 1) + c - a - b,
        ];
    }

    /// Multiplies a product of [`Spectrum::multiply`] once more, after `change` is added to its lane 0.
    #[inline(never)]
    pub(super) fn multiply_again(&mut self, change: Wrapping<u64>) {
        let ([a, b, c], [d, e, f]) = (self.one, self.minus_one);
        self.one = [(a << 2) + change, b << 2, c << 2];
        self.minus_one = [(d << 2) + change, e << 2, f << 2];
        let ([a, b, c], [d, e, f]) = (self.real, self.imaginary);
        // A constant polynomial has the same value everywhere, and that value is real.
        self.real = [(a << 1) + change, b << 1, c << 1];
        self.imaginary = [d << 1, e << 1, f << 1];
        self.multiply();
    }

    /// Lane 0 of a product, without the diagonal.
    #[inline(always)]
    pub(super) fn lane_0(&self) -> Wrapping<u64> {
        self.one[0] + self.minus_one[0] + self.real[0]
    }

    /// All lanes of a product; `lane_0` is what lane 0 was before it.
    #[inline(never)]
    pub(super) fn lanes(&self, lane_0: Wrapping<u64>) -> Lanes {
        let ([a, b, c], [d, e, f]) = (self.one, self.minus_one);
        let ([even_0, even_1, even_2], [odd_0, odd_1, odd_2]) = ([a + d, b + e, c + f], [a - d, b - e, c - f]);
        let ([real_0, real_1, real_2], [imaginary_0, imaginary_1, imaginary_2]) = (self.real, self.imaginary);
        [
            even_0 + real_0 + diagonal(lane_0),
            even_1 + real_1,
            even_2 + real_2,
            odd_0 + imaginary_0,
            odd_1 + imaginary_1,
            odd_2 + imaginary_2,
            even_0 - real_0,
            even_1 - real_1,
            even_2 - real_2,
            odd_0 - imaginary_0,
            odd_1 - imaginary_1,
            odd_2 - imaginary_2,
        ]
    }
}

/// The values of one cubic polynomial in `y`.
struct Values {
    one: Wrapping<u64>,
    minus_one: Wrapping<u64>,
    real: Wrapping<u64>,
    imaginary: Wrapping<u64>,
}

impl Values {
    /// Of the polynomial whose coefficients are every third lane, from `lane` on.
    #[inline(always)]
    fn of<const WHICH: bool>(state: &[u64; WIDTH], lane: usize) -> Self {
        let (a, b) = (half::<WHICH>(state[lane]), half::<WHICH>(state[lane + 3]));
        let (c, d) = (half::<WHICH>(state[lane + 6]), half::<WHICH>(state[lane + 9]));
        let (even, odd) = (a + c, b + d);
        Self { one: even + odd, minus_one: even - odd, real: a - c, imaginary: b - d }
    }
}

/// The product of the matrix with canonical words, by the definition: for constants, at compile time.
pub(super) const fn multiply_words(words: &[u64; WIDTH]) -> [u64; WIDTH] {
    let mut product = [0; WIDTH];
    let mut row = 0;
    while row < WIDTH {
        let mut sum = 8 * (row == 0) as u128 * words[row] as u128;
        let mut i = 0;
        while i < WIDTH {
            sum += FIRST_ROW[i] as u128 * words[(i + row) % WIDTH] as u128;
            i += 1;
        }
        product[row] = (sum % crate::MODULUS as u128) as u64;
        row += 1;
    }
    product
}

#[cfg(test)]
pub(super) fn reference(state: &[crate::Goldilocks; WIDTH]) -> [crate::Goldilocks; WIDTH] {
    multiply_words(&state.map(crate::Goldilocks::word)).map(crate::Goldilocks::from_residue)
}

#[cfg(test)]
mod tests {
    use super::super::{HIGH, LOW};
    use super::*;

    /// The product as plain integers, for inputs small enough not to need a modulus.
    fn integers(lanes: &[u64; WIDTH]) -> Lanes {
        multiply_words(lanes).map(Wrapping)
    }

    const ZERO: Lanes = [Wrapping(0); WIDTH];

    #[test]
    fn every_unit_vector_gives_its_column_of_the_matrix_in_both_halves() {
        for lane in 0..WIDTH {
            let mut unit = [0; WIDTH];
            unit[lane] = 1;
            let column = integers(&unit);
            assert_eq!(multiply::<LOW>(&unit), column, "column {lane}");
            assert_eq!(multiply::<HIGH>(&unit), ZERO);
            unit[lane] = 1 << 32;
            assert_eq!(multiply::<HIGH>(&unit), column, "column {lane}");
            assert_eq!(multiply::<LOW>(&unit), ZERO);
        }
    }

    #[test]
    fn three_rounds_of_the_largest_halves_stay_below_the_bound_of_a_join() {
        // Every row of the matrix sums to at most 264, and a round constant of 32 bits comes on top.
        let sums = integers(&[1; WIDTH]);
        assert_eq!(sums.iter().map(|sum| sum.0).max(), Some(264));
        assert!(0xffff_ffff_u64 * 264 * 264 * 264 + 0xffff_ffff < 1 << 62);
    }

    #[test]
    fn products_on_end_in_the_frequency_domain_are_products_on_end() {
        let state: [u64; WIDTH] = core::array::from_fn(|i| 0xffff_ffff - 0x0123_4567 * i as u64);
        let mut expected = integers(&state);
        let mut spectrum = Spectrum::of_product::<LOW>(&state);
        assert_eq!(spectrum.lane_0() + diagonal(Wrapping(state[0])), expected[0]);

        for replaced in [Wrapping(99), Wrapping(0xffff_ffff)] {
            expected[0] = replaced;
            expected = integers(&expected.map(|lane| lane.0));
            spectrum.multiply_again(replaced - spectrum.lane_0());
            assert_eq!(spectrum.lanes(replaced), expected);
        }
    }
}

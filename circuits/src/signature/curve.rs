//! The curve as the signature circuit needs it: constants, and chords of affine points.
//!
//! ecGFp5 (eprint 2022/274) is `y^2 = x (x^2 + 2x + 263z)` over `GF(p^5) = GF(p)[z]/(z^5 - 3)`. It has `2n` points with `n`
//! an odd prime: those of order dividing `n`, called *even* here because they are the doubles, and their sums with `N = (0, 0)`, called
//! *odd*. The two are told apart by x, which is a square on even points and none on odd ones (and zero on `N`), because `263z` is
//! no square (Pornin, "Double-odd elliptic curves", eprint 2020/1558, section 3). The protocol's group is the odd points with the
//! sum `P + Q + N`: its neutral element `N` is an affine point, and its points are written as `w = y/x`.
//!
//! Everything about the circuit being free of exceptional cases rests on that: a chord through an even and an odd point
//! is never vertical nor a tangent, since their x differ.

use crate::plonk::F;
use plonky2::field::extension::quintic::QuinticExtension;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::Field;

/// An element of `GF(p^5)`; plonky2's own representation has the same `z`.
pub type Quintic = QuinticExtension<F>;

/// The curve's coefficient of `x^2`.
pub(super) const A: u64 = 2;
/// The curve's coefficient of `x` is this many `z`.
pub(super) const B_Z: u64 = 263;

/// An affine point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// First coordinate.
    pub x: Quintic,
    /// Second coordinate.
    pub y: Quintic,
}

const fn quintic(words: [u64; 5]) -> Quintic {
    let [a, b, c, d, e] = words;
    QuinticExtension([
        GoldilocksField(a),
        GoldilocksField(b),
        GoldilocksField(c),
        GoldilocksField(d),
        GoldilocksField(e),
    ])
}

const fn point(x: [u64; 5], y: [u64; 5]) -> Point {
    Point { x: quintic(x), y: quintic(y) }
}

/// The group's generator `G`, whose w is 4, as the odd point it is.
#[rustfmt::skip]
pub const GENERATOR: Point = point(
    [12883135586176881569, 4356519642755055268, 5248930565894896907, 2165973894480315022, 2448410071095648785],
    [14639054205878357634, 17426078571020221072, 2548978194165003307, 8663895577921260088, 9793640284382595140],
);

/// `C`: the even point whose w is 6, the least integer above the generator's that is the w of a point. Nobody knows its logarithm
/// to base `G`, and there was no choice in it.
#[rustfmt::skip]
pub const OFFSET: Point = point(
    [18302510698446776402, 17729651944266842638, 15960204292602706522, 12542721954394237888, 4530494479486775587],
    [17581343843607736807, 14144191318528134223, 3527505408543317527, 1469355448707090044, 8736222807506069201],
);

/// `C + G + N`, the even point that is the offset and the generator.
#[rustfmt::skip]
pub const OFFSET_GENERATOR: Point = point(
    [15462898182370498484, 3297491940221325032, 9401905788663480735, 10845748952144912081, 2895407163596876893],
    [2366613564494279662, 3892328375572663676, 2337190151577986454, 12128242752225908821, 17092124790374749781],
);

/// Where the chain of rows starts: the even point `S` with `2^320 S + (4^159 + ... + 4 + 1) C` neutral.
#[rustfmt::skip]
pub const START: Point = point(
    [15178998173323405067, 11386402228738479004, 130826622294120598, 5237581991314768732, 16743866903787574869],
    [6008728148408724547, 4122742570922011617, 6328103330455663056, 9027986176613355815, 10085605335793309249],
);

/// The odd point whose double is [`OFFSET`].
#[rustfmt::skip]
pub const HALF_OFFSET: Point = point(
    [15352342327072541496, 13489207316558646698, 13185676099238555152, 11203916704841725716, 15955493785954274438],
    [5419604884734947164, 14707213779336959111, 12572806611129000387, 15315891856953457793, 9224212161351306504],
);

/// The odd point whose double is [`OFFSET_GENERATOR`].
#[rustfmt::skip]
pub const HALF_OFFSET_GENERATOR: Point = point(
    [9157137761225528316, 878003750881634474, 6137946804901924077, 18358376307163833833, 7993169754362502410],
    [14257066208150162612, 2982180811779520756, 4109844146899089562, 4459864179237527229, 2685787924184645371],
);

/// The curve's coefficient of `x`.
pub(super) fn b() -> Quintic {
    quintic([0, B_Z, 0, 0, 0])
}

/// Numerator over denominator, and zero where there is no quotient: whoever asks for it there is refused by constraints.
pub(super) fn quotient(numerator: Quintic, denominator: Quintic) -> Quintic {
    denominator.try_inverse().map_or(Quintic::ZERO, |inverse| numerator * inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plonky2::field::ops::Square;

    fn is_square(x: Quintic) -> bool {
        cairn_schnorr::quintic::Quintic::new(words(x)).unwrap().is_square().into()
    }

    fn words(x: Quintic) -> [u64; 5] {
        use plonky2::field::types::PrimeField64;
        x.0.map(|word| word.to_canonical_u64())
    }

    fn chord(one: Point, other: Point) -> Point {
        assert_ne!(one.x, other.x);
        third(one, other, quotient(other.y - one.y, other.x - one.x))
    }

    fn double(one: Point) -> Point {
        let rise = one.x.square() * quintic([3, 0, 0, 0, 0]) + one.x * quintic([2 * A, 0, 0, 0, 0]) + b();
        third(one, one, quotient(rise, one.y.double()))
    }

    fn third(one: Point, other: Point, slope: Quintic) -> Point {
        let x = slope.square() - quintic([A, 0, 0, 0, 0]) - one.x - other.x;
        Point { x, y: slope * (one.x - x) - one.y }
    }

    const N: Point = point([0; 5], [0; 5]);

    #[test]
    fn the_constants_are_on_the_curve_and_of_the_parity_they_claim() {
        let even = [OFFSET, OFFSET_GENERATOR, START];
        let odd = [GENERATOR, HALF_OFFSET, HALF_OFFSET_GENERATOR];
        for (point, parity) in even.map(|point| (point, true)).into_iter().chain(odd.map(|point| (point, false))) {
            let Point { x, y } = point;
            assert_eq!(y.square(), x * (x.square() + x * quintic([A, 0, 0, 0, 0]) + b()));
            assert_eq!(is_square(x), parity);
        }
        assert!(!is_square(b()), "the two classes are told apart by x");
    }

    #[test]
    fn the_generator_has_w_4_and_the_offset_the_next_integer_that_is_a_w() {
        assert_eq!(GENERATOR.y, GENERATOR.x * quintic([4, 0, 0, 0, 0]));
        assert_eq!(OFFSET.y, OFFSET.x * quintic([6, 0, 0, 0, 0]));
        // w is one of a point where x^2 + (2 - w^2) x + b has a root.
        let decodes = |w: u64| {
            let half = quintic([w * w, 0, 0, 0, 0]) - quintic([A, 0, 0, 0, 0]);
            is_square(half.square() - b() * quintic([4, 0, 0, 0, 0]))
        };
        assert_eq!([4, 5, 6].map(decodes), [true, false, true]);
    }

    #[test]
    fn the_other_constants_are_the_sums_and_halves_they_claim() {
        assert_eq!(chord(chord(GENERATOR, OFFSET), N), OFFSET_GENERATOR);
        assert_eq!(double(HALF_OFFSET), OFFSET);
        assert_eq!(double(HALF_OFFSET_GENERATOR), OFFSET_GENERATOR);
    }

    #[test]
    fn the_chain_of_zero_digits_ends_one_step_short_of_the_neutral_point() {
        let mut at = START;
        for _ in 0..159 {
            at = chord(double(double(at)), OFFSET);
        }
        let last = double(double(at));
        assert_eq!((last.x, last.y), (OFFSET.x, -OFFSET.y), "the last step would add the opposite");
    }
}

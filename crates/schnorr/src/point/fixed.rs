//! Multiples by secret scalars: table look-ups read every entry, and every scalar takes the same steps.

use super::{Affine, Point};
use crate::scalar::Scalar;
use std::sync::LazyLock;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Bits of a digit, and the multiples a table needs for a signed one.
const DIGIT_BITS: usize = 5;
const MULTIPLES: usize = 1 << (DIGIT_BITS - 1);
/// Digits of a scalar.
const DIGITS: usize = 320 / DIGIT_BITS;

/// `GENERATOR_MULTIPLES[i][j]` is `(j + 1) 2^(5i)` times the generator: 1,024 points, 80 KiB, made once.
static GENERATOR_MULTIPLES: LazyLock<Vec<[Affine; MULTIPLES]>> = LazyLock::new(|| {
    let mut base = Point::from(Affine::GENERATOR);
    let mut points = Vec::with_capacity(DIGITS * MULTIPLES);
    for _ in 0..DIGITS {
        points.extend(base.multiples::<MULTIPLES>());
        base = base.double_times(DIGIT_BITS as u32);
    }
    Point::all_to_affine(&points).as_chunks().0.to_vec()
});

impl Point {
    /// Once to `N` times the element.
    pub(super) fn multiples<const N: usize>(self) -> [Self; N] {
        let mut multiples = [self; N];
        for index in 1..N {
            // Entry i is (i + 1) times the element.
            multiples[index] = if index % 2 == 1 { multiples[index / 2].double() } else { multiples[index - 1] + self };
        }
        multiples
    }

    /// `scalar` times the generator, in the same time for every scalar.
    #[must_use]
    pub fn multiply_generator(scalar: &Scalar) -> Self {
        let digits = scalar.signed_digits::<DIGITS>(DIGIT_BITS);
        GENERATOR_MULTIPLES.iter().zip(digits).fold(Self::NEUTRAL, |sum, (window, digit)| sum + select(window, digit))
    }

    /// `scalar` times the element, in the same time for every scalar.
    #[must_use]
    pub fn multiply(self, scalar: &Scalar) -> Self {
        let window: [Affine; MULTIPLES] =
            Self::all_to_affine(&self.multiples::<MULTIPLES>()).try_into().expect("as many as there were");
        scalar
            .signed_digits::<DIGITS>(DIGIT_BITS)
            .into_iter()
            .rev()
            .fold(Self::NEUTRAL, |sum, digit| sum.double_times(DIGIT_BITS as u32) + select(&window, digit))
    }
}

/// `digit` times the element whose multiples are given, by a look at each of them.
fn select(window: &[Affine; MULTIPLES], digit: i32) -> Affine {
    let sign = digit >> 31;
    let size = (digit ^ sign).wrapping_sub(sign) as u32;
    let mut chosen = Affine::NEUTRAL;
    for (multiple, entry) in (1_u32..).zip(window) {
        chosen.conditional_assign(entry, multiple.ct_eq(&size));
    }
    let negated = -chosen;
    chosen.conditional_assign(&negated, Choice::from((sign & 1) as u8));
    chosen
}

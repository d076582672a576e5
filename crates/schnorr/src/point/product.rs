//! The difference of two multiples that a signature's verification needs. Everything in it is public, and it takes the time
//! it takes.

use super::{Affine, Point};
use crate::scalar::Scalar;
use std::sync::LazyLock;

/// Bits of a digit of the challenge.
const KEY_BITS: usize = 5;
const KEY_MULTIPLES: usize = 1 << (KEY_BITS - 1);
/// Digits of a challenge of 240 bits, and one for the carry.
const KEY_DIGITS: usize = Scalar::CHALLENGE_BITS / KEY_BITS + 1;

/// Bits of a digit of the response, twice as many: every second step of the key's has one.
const GENERATOR_BITS: usize = 2 * KEY_BITS;
const GENERATOR_MULTIPLES: usize = 1 << (GENERATOR_BITS - 1);
/// Digits of the response that the loop over the challenge reaches; those beyond have a table of their own.
const LOW_DIGITS: usize = Scalar::CHALLENGE_BITS / GENERATOR_BITS;

/// One to 512 times the generator, and the same of `2^240` times the generator: 80 KiB, made once.
static TABLES: LazyLock<[Vec<Affine>; 2]> = LazyLock::new(|| {
    let low = Point::from(Affine::GENERATOR);
    let high = low.double_times(Scalar::CHALLENGE_BITS as u32);
    [low, high].map(|base| Point::all_to_affine(&base.multiples::<GENERATOR_MULTIPLES>()))
});

/// `response * G - challenge * key`, for a challenge below `2^240`.
///
/// Straus's method: one row of 240 doublings for all. The response's 79 bits above them are taken along by a second
/// table, in step with its lowest ones.
pub(crate) fn difference(response: &Scalar, challenge: &Scalar, key: Affine) -> Point {
    debug_assert!((Scalar::CHALLENGE_BITS..320).all(|bit| !challenge.bit(bit)));
    let [low, high] = &*TABLES;
    let response: [i32; 320 / GENERATOR_BITS] = response.signed_digits(GENERATOR_BITS);
    let challenge: [i32; 320 / KEY_BITS] = challenge.signed_digits(KEY_BITS);
    let key = Point::from(-key).multiples::<KEY_MULTIPLES>();
    let mut sum = Point::NEUTRAL;
    for step in (0..KEY_DIGITS).rev() {
        if step + 1 < KEY_DIGITS {
            sum = sum.double_times(KEY_BITS as u32);
        }
        match challenge[step] {
            0 => {}
            digit if digit < 0 => sum = sum - key[digit.unsigned_abs() as usize - 1],
            digit => sum = sum + key[digit as usize - 1],
        }
        if step % 2 == 0 {
            let index = step / 2;
            if index < LOW_DIGITS {
                sum = add_digit(sum, low, response[index]);
            }
            if let Some(digit) = response.get(LOW_DIGITS + index) {
                sum = add_digit(sum, high, *digit);
            }
        }
    }
    sum
}

/// `sum` and `digit` times the element whose multiples are given.
#[inline]
fn add_digit(sum: Point, multiples: &[Affine], digit: i32) -> Point {
    match digit {
        0 => sum,
        digit if digit < 0 => sum + -multiples[digit.unsigned_abs() as usize - 1],
        digit => sum + multiples[digit as usize - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_difference_is_that_of_two_plain_multiples(
            response in any::<[u64; 10]>(),
            challenge in prop_oneof![
                any::<[u64; 4]>(),
                prop::sample::select(vec![[0; 4], [1, 0, 0, 0], [u64::MAX; 4], [0, 0, 0, 1 << 59]]),
            ],
            secret in any::<[u64; 10]>(),
        ) {
            let wide = |words: [u64; 10]| Scalar::from_wide_bytes(words.map(u64::to_le_bytes).as_flattened().try_into().expect("80"));
            let (response, challenge) = (wide(response), Scalar::from_challenge(&challenge));
            let key = Point::multiply_generator(&wide(secret)).to_affine();
            let expected = Point::multiply_generator(&response) - Point::from(key).multiply(&challenge);
            prop_assert_eq!(difference(&response, &challenge, key), expected);
        }
    }
}

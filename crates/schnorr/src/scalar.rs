//! Scalars: integers modulo the prime order of the group.

use crate::quintic::{bytes_of_words, words_of_bytes};
use core::ops::{Add, Mul, Neg, Sub};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

/// The order `n` of the group, a prime of 319 bits, as little-endian words:
/// 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241.
pub const ORDER: [u64; 5] =
    [0xe80f_d996_948b_ffe1, 0xe888_5c39_d724_a09c, 0x7fff_ffe6_cfb8_0639, 0x7fff_fff1_0000_0016, 0x7fff_fffd_8000_0007];

/// `-1 / n` modulo `2^64`, for Montgomery's reduction.
const ORDER_FACTOR: u64 = {
    // Newton's iteration doubles the good bits of an inverse; n itself has three.
    let mut inverse = ORDER[0];
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(ORDER[0].wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse.wrapping_neg()
};

/// `2^640` modulo `n`, the square of Montgomery's radix: doubled up from one.
const RADIX_SQUARED: Scalar = {
    let mut power = Scalar([1, 0, 0, 0, 0]);
    let mut exponent = 0;
    while exponent < 640 {
        power = power.plus(&power);
        exponent += 1;
    }
    power
};

/// An integer modulo [`ORDER`], always below it. All arithmetic takes the same time for all values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scalar([u64; 5]);

/// The integer is not below the order of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scalar is not below the order of the group: only its smallest representative is accepted")]
pub struct ScalarTooLarge;

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self([0; 5]);
    /// One.
    pub const ONE: Self = Self([1, 0, 0, 0, 0]);
    /// How many bits a scalar has.
    pub const BITS: usize = 319;
    /// How many bits [`Scalar::from_challenge`] yields.
    pub const CHALLENGE_BITS: usize = 240;

    /// The scalar of these little-endian words.
    ///
    /// # Errors
    /// [`ScalarTooLarge`] for the order and beyond.
    pub fn from_words(words: [u64; 5]) -> Result<Self, ScalarTooLarge> {
        let (_, below) = subtract(&words, &ORDER);
        if below { Ok(Self(words)) } else { Err(ScalarTooLarge) }
    }

    /// The scalar of 40 little-endian bytes.
    ///
    /// # Errors
    /// [`ScalarTooLarge`] for the order and beyond.
    pub fn from_bytes(bytes: &[u8; 40]) -> Result<Self, ScalarTooLarge> {
        Self::from_words(words_of_bytes(bytes))
    }

    /// The residue of 80 little-endian bytes. If these are uniform, the scalar is, but for one part in `2^320`.
    #[must_use]
    pub fn from_wide_bytes(bytes: &[u8; 80]) -> Self {
        let half = |at: usize| core::array::from_fn(|index| bytes[40 * at + index]);
        let (mut low, mut high): ([u8; 40], [u8; 40]) = (half(0), half(1));
        // high * 2^640 / 2^320, and low after two subtractions, for 2^320 < 3n.
        let result = Self(words_of_bytes(&low)).reduced().reduced()
            + Self(words_of_bytes(&high)).reduced().reduced().montgomery(&RADIX_SQUARED);
        low.zeroize();
        high.zeroize();
        result
    }

    /// The scalar of a challenge: the low 60 bits of each of its four words, end to end, the first word lowest.
    /// 240 bits are below the order whatever they are.
    #[must_use]
    pub const fn from_challenge(challenge: &[u64; 4]) -> Self {
        let [a, b, c, d] = *challenge;
        let (a, b, c, d) = (low_60(a), low_60(b), low_60(c), low_60(d));
        Self([a | b << 60, b >> 4 | c << 56, c >> 8 | d << 52, d >> 12, 0])
    }

    /// Little-endian words.
    #[must_use]
    pub const fn words(self) -> [u64; 5] {
        self.0
    }

    /// 40 little-endian bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 40] {
        bytes_of_words(&self.0)
    }

    /// The bit of weight `2^index`; no bit from 320 upwards is set.
    #[must_use]
    pub const fn bit(self, index: usize) -> bool {
        index < 320 && (self.0[index / 64] >> (index % 64)) & 1 == 1
    }

    /// The scalar in words of 60 bits, lowest first; the last has 19.
    #[must_use]
    pub const fn words_of_60_bits(self) -> [u64; 6] {
        let [a, b, c, d, e] = self.0;
        [
            low_60(a),
            low_60(a >> 60 | b << 4),
            low_60(b >> 56 | c << 8),
            low_60(c >> 52 | d << 12),
            low_60(d >> 48 | e << 16),
            e >> 44,
        ]
    }

    /// Whether the scalar is zero.
    #[must_use]
    pub fn is_zero(self) -> Choice {
        self.0.ct_eq(&[0; 5])
    }

    /// Digits in `-2^(bits - 1) + 1 ..= 2^(bits - 1)`, lowest first, such that the sum of `digit * 2^(bits * index)` is the
    /// scalar. `bits` is 2 to 12, and `bits * N` at least 320.
    pub(crate) fn signed_digits<const N: usize>(&self, bits: usize) -> [i32; N] {
        debug_assert!(bits * N >= 320 && (2..=12).contains(&bits));
        let bound = 1_i32 << bits;
        let mut carry = 0;
        core::array::from_fn(|index| {
            let (at, shift) = (bits * index / 64, bits * index % 64);
            let word = |at: usize| self.0.get(at).copied().unwrap_or(0);
            // Shifted twice, for 64 is too far for one shift.
            let window = word(at) >> shift | (word(at + 1) << 1) << (63 - shift);
            let digit = (window as i32 & (bound - 1)) + carry;
            // One if the digit is above half of the bound.
            carry = ((bound >> 1) - digit) >> 31 & 1;
            digit - (carry << bits)
        })
    }

    /// The scalar less the order, if that is not negative.
    const fn reduced(self) -> Self {
        let (rest, below) = subtract(&self.0, &ORDER);
        let keep = (below as u64).wrapping_neg();
        let mut words = [0; 5];
        let mut index = 0;
        while index < 5 {
            words[index] = (self.0[index] & keep) | (rest[index] & !keep);
            index += 1;
        }
        Self(words)
    }

    const fn plus(&self, other: &Self) -> Self {
        // Both below 2^319: there is no carry out.
        let mut words = [0; 5];
        let mut carry = false;
        let mut index = 0;
        while index < 5 {
            let (sum, over) = self.0[index].overflowing_add(other.0[index]);
            let (sum, over_again) = sum.overflowing_add(carry as u64);
            words[index] = sum;
            carry = over | over_again;
            index += 1;
        }
        Self(words).reduced()
    }

    /// `self * other / 2^320`.
    fn montgomery(&self, other: &Self) -> Self {
        let mut sum = [0; 6];
        for digit in other.0 {
            // Below 2n before, hence below 2^320 + 2^64 (n + n) and six words after each addition.
            add_multiple(&mut sum, &self.0, digit);
            let factor = sum[0].wrapping_mul(ORDER_FACTOR);
            add_multiple(&mut sum, &ORDER, factor);
            // The lowest word is zero now.
            sum.copy_within(1.., 0);
            sum[5] = 0;
        }
        Self([sum[0], sum[1], sum[2], sum[3], sum[4]]).reduced()
    }
}

const fn low_60(word: u64) -> u64 {
    word & ((1 << 60) - 1)
}

/// `a - b` and whether it is negative.
const fn subtract(a: &[u64; 5], b: &[u64; 5]) -> ([u64; 5], bool) {
    let mut words = [0; 5];
    let mut borrow = false;
    let mut index = 0;
    while index < 5 {
        let (difference, under) = a[index].overflowing_sub(b[index]);
        let (difference, under_again) = difference.overflowing_sub(borrow as u64);
        words[index] = difference;
        borrow = under | under_again;
        index += 1;
    }
    (words, borrow)
}

/// `sum += number * factor`.
#[inline(always)]
fn add_multiple(sum: &mut [u64; 6], number: &[u64; 5], factor: u64) {
    let mut carry = 0;
    for (word, digit) in sum.iter_mut().zip(number) {
        (*word, carry) = digit.carrying_mul_add(factor, *word, carry);
    }
    sum[5] = sum[5].wrapping_add(carry);
}

impl Add for Scalar {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.plus(&other)
    }
}

impl Neg for Scalar {
    type Output = Self;

    fn neg(self) -> Self {
        // n - 0 = n is not below n.
        Self(subtract(&ORDER, &self.0).0).reduced()
    }
}

impl Sub for Scalar {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Scalar {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.montgomery(&RADIX_SQUARED).montgomery(&other)
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for Scalar {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(core::array::from_fn(|index| u64::conditional_select(&a.0[index], &b.0[index], choice)))
    }
}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One less than the order.
    const LAST: [u64; 5] = [ORDER[0] - 1, ORDER[1], ORDER[2], ORDER[3], ORDER[4]];

    fn scalar() -> impl Strategy<Value = Scalar> {
        prop_oneof![
            any::<[u64; 5]>().prop_map(|words| Scalar(words).reduced().reduced()),
            prop::sample::select(vec![Scalar::ZERO, Scalar::ONE, Scalar(LAST)]),
        ]
    }

    /// Double and add, from the top.
    fn slow_product(a: Scalar, b: Scalar) -> Scalar {
        (0..320).rev().fold(Scalar::ZERO, |sum, bit| sum + sum + if b.bit(bit) { a } else { Scalar::ZERO })
    }

    #[test]
    fn the_order_and_what_follows_it_are_refused() {
        assert_eq!(Scalar::from_words(LAST).map(Scalar::words), Ok(LAST));
        assert_eq!(Scalar::from_words(ORDER), Err(ScalarTooLarge));
        assert_eq!(Scalar::from_bytes(&[0xff; 40]), Err(ScalarTooLarge));
        let mut words = ORDER;
        for index in 0..5 {
            words[index] += 1;
            assert_eq!(Scalar::from_words(words), Err(ScalarTooLarge));
            words[index] -= 1;
        }
    }

    #[test]
    fn a_challenge_uses_sixty_bits_of_each_word() {
        let top = !((1_u64 << 60) - 1);
        assert_eq!(Scalar::from_challenge(&[top; 4]), Scalar::ZERO);
        for (word, weight) in [0_usize, 60, 120, 180].into_iter().enumerate() {
            for bit in [0, 3, 59] {
                let mut challenge = [top; 4];
                challenge[word] |= 1 << bit;
                let scalar = Scalar::from_challenge(&challenge);
                let set: Vec<_> = (0..320).filter(|index| scalar.bit(*index)).collect();
                assert_eq!(set, [weight + bit]);
            }
        }
    }

    proptest! {
        #[test]
        fn scalars_are_a_field(a in scalar(), b in scalar(), c in scalar()) {
            prop_assert_eq!(a + b, b + a);
            prop_assert_eq!((a + b) - b, a);
            prop_assert_eq!(a + -a, Scalar::ZERO);
            prop_assert_eq!(a * b, slow_product(a, b));
            prop_assert_eq!((a * b) * c, a * (b * c));
            prop_assert_eq!(a * (b + c), a * b + a * c);
            prop_assert_eq!(a * Scalar::ONE, a);
            for result in [a + b, a - b, -a, a * b] {
                prop_assert_eq!(Scalar::from_bytes(&result.to_bytes()), Ok(result));
            }
        }

        #[test]
        fn wide_bytes_are_reduced_bit_by_bit(bytes in any::<[[u8; 40]; 2]>()) {
            let mut wide = [0; 80];
            wide[..40].copy_from_slice(&bytes[0]);
            wide[40..].copy_from_slice(&bytes[1]);
            let expected = wide.iter().rev().fold(Scalar::ZERO, |sum, byte| {
                sum * Scalar([256, 0, 0, 0, 0]) + Scalar([u64::from(*byte), 0, 0, 0, 0])
            });
            prop_assert_eq!(Scalar::from_wide_bytes(&wide), expected);
        }

        #[test]
        fn signed_digits_add_up(a in scalar()) {
            let add_up = |digits: &[i32], bits: usize| digits.iter().rev().fold(Scalar::ZERO, |mut sum, digit| {
                (0..bits).for_each(|_| sum = sum + sum);
                let size = Scalar([u64::from(digit.unsigned_abs()), 0, 0, 0, 0]);
                assert!(digit.unsigned_abs() <= 1 << (bits - 1));
                if *digit < 0 { sum - size } else { sum + size }
            });
            prop_assert_eq!(add_up(&a.signed_digits::<64>(5), 5), a);
            prop_assert_eq!(add_up(&a.signed_digits::<32>(10), 10), a);
        }

        #[test]
        fn words_of_sixty_bits_hold_every_bit(a in scalar()) {
            let words = a.words_of_60_bits();
            for bit in 0..360 {
                prop_assert_eq!(words[bit / 60] >> (bit % 60) & 1 == 1, a.bit(bit));
            }
            prop_assert!(words[5] < 1 << 19 && words.iter().all(|word| *word < 1 << 60));
        }
    }
}

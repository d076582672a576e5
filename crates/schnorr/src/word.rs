//! Branch-free arithmetic on canonical words, integers below `p = 2^64 - 2^32 + 1`.
//!
//! `cairn_goldilocks` has the same operations, but promises nothing about time: a compiler may turn its comparisons
//! into jumps. Secret scalars steer what is added and multiplied here, so every correction is a mask.
//! All of it rests on `2^64 = 2^32 - 1` and `2^96 = -1` modulo `p`.

use cairn_goldilocks::MODULUS;

/// `2^64` modulo `p`.
const EPSILON: u64 = 0xffff_ffff;

/// All ones for `true`, zero for `false`.
#[inline(always)]
const fn mask(condition: bool) -> u64 {
    (condition as u64).wrapping_neg()
}

/// The canonical representative of any word.
#[inline(always)]
pub(crate) const fn canonical(word: u64) -> u64 {
    // word + EPSILON carries exactly when word >= p, and is then word - p.
    let (shifted, carry) = word.overflowing_add(EPSILON);
    let carry = mask(carry);
    (shifted & carry) | (word & !carry)
}

/// `a + b` for canonical words.
#[inline(always)]
pub(crate) const fn add(a: u64, b: u64) -> u64 {
    subtract(a, MODULUS.wrapping_sub(b))
}

/// `a - b` for a canonical `a` and a `b` of at most `p`.
#[inline(always)]
pub(crate) const fn subtract(a: u64, b: u64) -> u64 {
    let (difference, borrow) = a.overflowing_sub(b);
    // Adding p to a wrapped difference is subtracting EPSILON from it.
    difference.wrapping_sub(mask(borrow) & EPSILON)
}

/// Half of a canonical word.
#[inline(always)]
pub(crate) const fn half(a: u64) -> u64 {
    // An odd word is halved as (a + p) / 2 = (a - 1) / 2 + (p + 1) / 2.
    (a >> 1).wrapping_add(mask(a & 1 == 1) & (MODULUS / 2 + 1))
}

/// `a + b` for a canonical `b`, as any word with that residue: for a product that follows, which does not mind.
#[inline(always)]
const fn add_lazily(a: u64, b: u64) -> u64 {
    // A wrapped sum is below p, and so leaves room for EPSILON.
    let (sum, carry) = a.overflowing_add(b);
    sum.wrapping_add(mask(carry) & EPSILON)
}

/// Twice a canonical word, as any word with that residue.
#[inline(always)]
pub(crate) const fn double_lazily(a: u64) -> u64 {
    add_lazily(a, a)
}

/// Three times a canonical word, as any word with that residue.
#[inline(always)]
pub(crate) const fn triple_lazily(a: u64) -> u64 {
    add_lazily(double_lazily(a), a)
}

/// `a * small` as a canonical word.
#[inline(always)]
pub(crate) const fn scale(a: u64, small: u32) -> u64 {
    let product = (a as u128).wrapping_mul(small as u128);
    // The high half is below 2^32, and so its share below 2^64: one carry to fold, after which nothing is left to carry.
    let share = ((product >> 64) as u64).wrapping_mul(EPSILON);
    let (sum, carry) = (product as u64).overflowing_add(share);
    canonical(sum.wrapping_add(mask(carry) & EPSILON))
}

/// `a * b` for any two words, canonical.
#[inline(always)]
pub(crate) const fn multiply(a: u64, b: u64) -> u64 {
    let mut sum = Sum::ZERO;
    sum.add_product(a, b);
    sum.reduce()
}

/// A sum of products, not reduced: 192 bits, room for 2^64 of them.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    low: u64,
    high: u64,
    top: u64,
}

impl Sum {
    pub(crate) const ZERO: Self = Self { low: 0, high: 0, top: 0 };

    /// Adds `a * b` for any two words.
    #[inline(always)]
    pub(crate) const fn add_product(&mut self, a: u64, b: u64) {
        let product = (a as u128).wrapping_mul(b as u128);
        let (low, carry) = self.low.overflowing_add(product as u64);
        // The high half of a product is at most 2^64 - 2, and takes the carry.
        let (high, carry) = self.high.overflowing_add(((product >> 64) as u64).wrapping_add(carry as u64));
        *self = Self { low, high, top: self.top.wrapping_add(carry as u64) };
    }

    /// The residue of at most `2^8` products, canonical.
    #[inline(always)]
    pub(crate) const fn reduce(self) -> u64 {
        let Self { low, high, top } = self;
        // 2^96 = -1 and 2^128 = -2^32: both shares are taken off together, below 2^41.
        let off = (high >> 32).wrapping_add(top << 32);
        let (word, borrow) = low.overflowing_sub(off);
        let word = word.wrapping_sub(mask(borrow) & EPSILON);
        // At most (2^32 - 1)^2, so that a carry out of the sum leaves room for another EPSILON.
        let share = (high & EPSILON).wrapping_mul(EPSILON);
        let (sum, carry) = word.overflowing_add(share);
        canonical(sum.wrapping_add(mask(carry) & EPSILON))
    }
}

/// `a^(2^times)` for a canonical word.
pub(crate) const fn square_times(mut a: u64, times: u32) -> u64 {
    let mut done = 0;
    while done < times {
        a = multiply(a, a);
        done += 1;
    }
    a
}

/// `a^(2^n - 1)` for `n` = 1, 31 and 32: what the exponents below are made of.
fn runs(a: u64) -> (u64, u64) {
    let join = |high: u64, low: u64, bits: u32| multiply(square_times(high, bits), low);
    let two = join(a, a, 1);
    let three = join(two, a, 1);
    let six = join(three, three, 3);
    let seven = join(six, a, 1);
    let fourteen = join(seven, seven, 7);
    let fifteen = join(fourteen, a, 1);
    let thirty = join(fifteen, fifteen, 15);
    let thirty_one = join(thirty, a, 1);
    (thirty_one, join(thirty_one, a, 1))
}

/// The multiplicative inverse, and zero for zero: `a^(p - 2)`.
pub(crate) fn invert_or_zero(a: u64) -> u64 {
    // p - 2 = (2^31 - 1) 2^33 + (2^32 - 1).
    let (thirty_one, thirty_two) = runs(a);
    multiply(square_times(thirty_one, 33), thirty_two)
}

/// `a^((p - 1) / 2)`: one for a square, minus one for a non-square, zero for zero.
pub(crate) fn legendre(a: u64) -> u64 {
    // (p - 1) / 2 = (2^32 - 1) 2^31.
    square_times(runs(a).1, 31)
}

/// `ROOTS[i] = 7^((2^32 - 1) 2^i)`, a primitive root of unity of order `2^(32 - i)`.
const ROOTS: [u64; 32] = {
    // 7 generates the multiplicative group, whose order is 2^32 (2^32 - 1).
    let mut root = 7;
    let mut bit = 1;
    while bit < 32 {
        root = multiply(multiply(root, root), 7);
        bit += 1;
    }
    let mut roots = [0; 32];
    let mut index = 0;
    while index < 32 {
        roots[index] = root;
        root = multiply(root, root);
        index += 1;
    }
    roots
};

/// A square root of `a` if it has one, else some other word: the caller squares it to see. Tonelli and Shanks, with the
/// same steps for every input.
pub(crate) fn square_root_candidate(a: u64) -> u64 {
    let (thirty_one, _) = runs(a);
    // root^2 = a * remainder throughout; the remainder's order, a power of two, is halved until it is one.
    let mut root = multiply(thirty_one, a);
    let mut remainder = multiply(multiply(thirty_one, thirty_one), a);
    for order in (1..32_u32).rev() {
        let odd = mask(square_times(remainder, order - 1) == MODULUS - 1);
        let step = ROOTS[32 - order as usize];
        let half_step = ROOTS[31 - order as usize];
        remainder = (multiply(remainder, step) & odd) | (remainder & !odd);
        root = (multiply(root, half_step) & odd) | (root & !odd);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_goldilocks::Goldilocks;
    use proptest::prelude::*;

    fn element(word: u64) -> Goldilocks {
        Goldilocks::from_residue(word)
    }

    fn any_word() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            prop::sample::select(vec![0, 1, EPSILON, EPSILON + 1, 1 << 63, MODULUS - 1, MODULUS, u64::MAX]),
        ]
    }

    proptest! {
        #[test]
        fn every_operation_agrees_with_the_field_of_the_hash(a in any_word(), b in any_word(), small in any::<u32>()) {
            let (x, y) = (canonical(a), canonical(b));
            prop_assert_eq!(x, element(a).word());
            prop_assert_eq!(add(x, y), (element(x) + element(y)).word());
            prop_assert_eq!(subtract(x, y), (element(x) - element(y)).word());
            prop_assert_eq!(multiply(a, b), (element(a) * element(b)).word());
            prop_assert_eq!(scale(a, small), (element(a) * Goldilocks::from(small)).word());
            prop_assert_eq!(add(half(x), half(x)), x);
            prop_assert_eq!(invert_or_zero(x), element(x).inverse().map_or(0, Goldilocks::word));
            prop_assert_eq!(legendre(x), element(x).power((MODULUS - 1) / 2).word());
        }

        #[test]
        fn a_sum_of_products_is_reduced_once_for_all(words in prop::collection::vec((any_word(), any_word()), 0..256)) {
            let mut sum = Sum::ZERO;
            let mut expected = Goldilocks::ZERO;
            for (a, b) in words {
                sum.add_product(a, b);
                expected += element(a) * element(b);
            }
            prop_assert_eq!(sum.reduce(), expected.word());
        }

        #[test]
        fn a_square_has_a_root_and_a_non_square_has_none(a in any_word()) {
            let a = canonical(a);
            let root = square_root_candidate(a);
            prop_assert_eq!(multiply(root, root) == a, legendre(a) != MODULUS - 1);
        }
    }
}

//! Sums of products that are reduced once, at the end.
//!
//! A product of two words is four products of 32-bit halves. Here those are added up as 64-bit integers, in three places of
//! weight `1`, `2^32` and `2^64`, and what overflows is counted, so that a term costs about twenty instructions on sBPF
//! where a reduced product and a sum cost thirty. An element of the extension is two such sums. On sBPF eight terms are a block of
//! assembly; the portable twin is the definition.

use crate::Quadratic;
use crate::word::{self, EPSILON};

/// Terms of a block.
const BLOCK: usize = 8;
/// Terms of a sum, at most: a counter has twelve bits, and a term overflows the middle place twice.
pub const MAX_TERMS: usize = 2_040;

/// A sum under way: `low + 2^32 middle + 2^64 high`, and how often each has overflowed.
#[derive(Clone, Copy, Default)]
struct Sum {
    low: u64,
    middle: u64,
    high: u64,
    /// Overflows of `low`, from bit 0; of `middle`, from bit 12; of `high`, from bit 24.
    overflows: u64,
}

impl Sum {
    const OF_MIDDLE: u32 = 12;
    const OF_HIGH: u32 = 24;

    /// Adds a product of lazy words.
    #[inline(always)]
    fn add(&mut self, a: u64, b: u64) {
        let ([a_low, a_high], [b_low, b_high]) = ([a & EPSILON, a >> 32], [b & EPSILON, b >> 32]);
        let mut overflows = self.overflows;
        let mut add = |place: &mut u64, product: u64, shift: u32| {
            *place = place.wrapping_add(product);
            if *place < product {
                overflows = overflows.wrapping_add(1 << shift);
            }
        };
        add(&mut self.low, a_low.wrapping_mul(b_low), 0);
        add(&mut self.middle, a_high.wrapping_mul(b_low), Self::OF_MIDDLE);
        add(&mut self.middle, a_low.wrapping_mul(b_high), Self::OF_MIDDLE);
        add(&mut self.high, a_high.wrapping_mul(b_high), Self::OF_HIGH);
        self.overflows = overflows;
    }

    /// The sum's residue. An overflow is worth `2^64 = EPSILON`, `2^96 = -1` and `2^128 = -2^32`.
    #[inline(always)]
    fn residue(&self) -> u64 {
        const COUNT: u64 = 0xfff;
        let of_low = self.overflows & COUNT;
        let of_middle = (self.overflows >> Self::OF_MIDDLE) & COUNT;
        let of_high = self.overflows >> Self::OF_HIGH;
        let sum = word::add(word::reduce(self.low, self.high), word::reduce(self.middle << 32, self.middle >> 32));
        let sum = word::add(sum, of_low.wrapping_mul(EPSILON));
        word::subtract(sum, of_middle.wrapping_add(of_high << 32))
    }
}

/// `sum of coefficients[i] * words[i]`, over as many terms as both have. Words may be any representatives.
///
/// # Panics
/// When there are more than [`MAX_TERMS`].
#[must_use]
#[inline(never)]
pub fn dot(coefficients: &[[u64; 2]], words: &[u64]) -> Quadratic {
    let terms = coefficients.len().min(words.len());
    assert!(terms <= MAX_TERMS);
    let (coefficients, words) = (&coefficients[..terms], &words[..terms]);
    let (coefficient_blocks, last_coefficients) = coefficients.as_chunks::<BLOCK>();
    let (word_blocks, last_words) = words.as_chunks::<BLOCK>();
    let mut sums = [Sum::default(); 2];
    for (part, sum) in sums.iter_mut().enumerate() {
        for (coefficients, words) in coefficient_blocks.iter().zip(word_blocks) {
            block::words(sum, coefficients, part, words);
        }
        for (coefficient, word) in last_coefficients.iter().zip(last_words) {
            sum.add(coefficient[part], *word);
        }
    }
    Quadratic::from_residues([sums[0].residue(), sums[1].residue()])
}

/// `sum of coefficients[i] * values[i]`, over as many terms as both have.
///
/// # Panics
/// When there are more than [`MAX_TERMS`].
#[must_use]
#[inline(never)]
pub fn dot_quadratic(coefficients: &[[u64; 2]], values: &[[u64; 2]]) -> Quadratic {
    let terms = coefficients.len().min(values.len());
    assert!(terms <= MAX_TERMS);
    let (coefficients, values) = (&coefficients[..terms], &values[..terms]);
    let (coefficient_blocks, last_coefficients) = coefficients.as_chunks::<BLOCK>();
    let (value_blocks, last_values) = values.as_chunks::<BLOCK>();
    let part = |part: usize, of_value: usize| {
        let mut sum = Sum::default();
        for (coefficients, values) in coefficient_blocks.iter().zip(value_blocks) {
            block::parts(&mut sum, coefficients, part, values, of_value);
        }
        for (coefficient, value) in last_coefficients.iter().zip(last_values) {
            sum.add(coefficient[part], value[of_value]);
        }
        sum.residue()
    };
    Quadratic::from_residues([word::add(part(0, 0), word::multiply_7(part(1, 1))), word::add(part(0, 1), part(1, 0))])
}

/// Eight terms at a time.
#[cfg(not(target_arch = "bpf"))]
mod block {
    use super::{BLOCK, Sum};

    pub(super) fn words(sum: &mut Sum, coefficients: &[[u64; 2]; BLOCK], part: usize, words: &[u64; BLOCK]) {
        for (coefficient, word) in coefficients.iter().zip(words) {
            sum.add(coefficient[part], *word);
        }
    }

    pub(super) fn parts(
        sum: &mut Sum,
        coefficients: &[[u64; 2]; BLOCK],
        part: usize,
        values: &[[u64; 2]; BLOCK],
        of_value: usize,
    ) {
        for (coefficient, value) in coefficients.iter().zip(values) {
            sum.add(coefficient[part], value[of_value]);
        }
    }
}

/// Eight terms at a time, all in registers but for what is read. A word's halves are two loads of four bytes.
#[cfg(target_arch = "bpf")]
#[allow(unsafe_code)]
mod block {
    use super::{BLOCK, Sum};
    use core::arch::asm;

    /// One term: the factors' low and high halves are at these offsets of `r7` and `r8`. `r5`, `r6`, `r9` are the three
    /// places, `r0` the counters, `r1` to `r4` are destroyed.
    macro_rules! term {
        ($a_low:literal, $a_high:literal, $b_low:literal, $b_high:literal) => {
            concat!(
                "r1 = *(u32 *)(r7 + ",
                $a_low,
                ")\n",
                "r2 = *(u32 *)(r7 + ",
                $a_high,
                ")\n",
                "r3 = *(u32 *)(r8 + ",
                $b_low,
                ")\n",
                "r4 = r3\n",
                "r4 *= r1\n",
                "r3 *= r2\n",
                "r5 += r4\n",
                "if r5 >= r4 goto +1\n",
                "r0 += 1\n",
                "r6 += r3\n",
                "if r6 >= r3 goto +1\n",
                "r0 += 4096\n",
                "r3 = *(u32 *)(r8 + ",
                $b_high,
                ")\n",
                "r1 *= r3\n",
                "r2 *= r3\n",
                "r6 += r1\n",
                "if r6 >= r1 goto +1\n",
                "r0 += 4096\n",
                "r9 += r2\n",
                "if r9 >= r2 goto +1\n",
                "r0 += 16777216\n",
            )
        };
    }

    /// Adds the products of eight words, 8 bytes apart, with eight parts of coefficients, 16 bytes apart.
    #[inline(always)]
    pub(super) fn words(sum: &mut Sum, coefficients: &[[u64; 2]; BLOCK], part: usize, words: &[u64; BLOCK]) {
        let parts = coefficients.as_flattened()[part & 1..].as_ptr();
        // SAFETY: reads 64 bytes at `words`, which has them, and 8 of every 16 bytes from `parts` on, 120 in all, which
        // are within `coefficients` for either part. Writes to the named registers only.
        unsafe {
            asm!(
                term!("0", "4", "0", "4"),
                term!("8", "12", "16", "20"),
                term!("16", "20", "32", "36"),
                term!("24", "28", "48", "52"),
                term!("32", "36", "64", "68"),
                term!("40", "44", "80", "84"),
                term!("48", "52", "96", "100"),
                term!("56", "60", "112", "116"),
                inout("r0") sum.overflows, inout("r5") sum.low, inout("r6") sum.middle, inout("r9") sum.high,
                in("r7") words.as_ptr(), in("r8") parts,
                out("r1") _, out("r2") _, out("r3") _, out("r4") _,
                options(nostack, readonly)
            );
        }
    }

    /// Adds the products of eight parts of values with eight parts of coefficients, both 16 bytes apart.
    #[inline(always)]
    pub(super) fn parts(
        sum: &mut Sum,
        coefficients: &[[u64; 2]; BLOCK],
        part: usize,
        values: &[[u64; 2]; BLOCK],
        of_value: usize,
    ) {
        let parts = coefficients.as_flattened()[part & 1..].as_ptr();
        let values = values.as_flattened()[of_value & 1..].as_ptr();
        // SAFETY: as above, for both.
        unsafe {
            asm!(
                term!("0", "4", "0", "4"),
                term!("16", "20", "16", "20"),
                term!("32", "36", "32", "36"),
                term!("48", "52", "48", "52"),
                term!("64", "68", "64", "68"),
                term!("80", "84", "80", "84"),
                term!("96", "100", "96", "100"),
                term!("112", "116", "112", "116"),
                inout("r0") sum.overflows, inout("r5") sum.low, inout("r6") sum.middle, inout("r9") sum.high,
                in("r7") values, in("r8") parts,
                out("r1") _, out("r2") _, out("r3") _, out("r4") _,
                options(nostack, readonly)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODULUS;

    const EDGES: [u64; 7] = [0, 1, EPSILON, 1 << 63, MODULUS - 1, MODULUS, u64::MAX];

    fn words(seed: u64) -> impl Iterator<Item = u64> {
        core::iter::successors(Some(seed), |word| {
            Some(word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f))
        })
        .map(|word| if word >> 61 == 0 { EDGES[(word % 7) as usize] } else { word ^ (word >> 29) })
    }

    fn check(coefficients: &[[u64; 2]], values: &[[u64; 2]]) {
        let mut scalars = [0; MAX_TERMS];
        let (mut by_words, mut by_values) = (Quadratic::ZERO, Quadratic::ZERO);
        for ((coefficient, value), scalar) in coefficients.iter().zip(values).zip(&mut scalars) {
            *scalar = value[0];
            by_words += Quadratic::from_residues(*coefficient).scale(value[0]);
            by_values += Quadratic::from_residues(*coefficient) * Quadratic::from_residues(*value);
        }
        let terms = coefficients.len().min(values.len());
        assert_eq!(dot(coefficients, &scalars[..terms]), by_words, "{terms} terms");
        assert_eq!(dot_quadratic(coefficients, values), by_values, "{terms} terms");
    }

    #[test]
    fn sums_of_any_length_are_those_of_reduced_products() {
        let mut drawn = words(1);
        let mut pair = || [drawn.next().expect("endless"), drawn.next().expect("endless")];
        let mut coefficients = [[0; 2]; 64];
        let mut values = [[0; 2]; 64];
        for terms in 0..64 {
            for place in 0..terms {
                (coefficients[place], values[place]) = (pair(), pair());
            }
            check(&coefficients[..terms], &values[..terms]);
            check(&coefficients[..terms], &values[..terms / 2]);
        }
    }

    #[test]
    fn the_longest_sum_of_the_largest_words_does_not_overflow_its_counters() {
        check(&[[u64::MAX; 2]; MAX_TERMS], &[[u64::MAX; 2]; MAX_TERMS]);
    }

    #[test]
    #[should_panic(expected = "terms <= MAX_TERMS")]
    fn longer_sums_are_refused() {
        let _ = dot(&[[1; 2]; MAX_TERMS + 1], &[1; MAX_TERMS + 1]);
    }
}

//! Arithmetic on *lazy* words: any `u64` stands for its residue modulo `p`, canonical or not.
//!
//! Reducing only at the end is what makes field code cheap. On sBPF every executed instruction costs one
//! compute unit and a 128-bit product is a library call, so the two products are assembly there: a
//! multiplication takes 25 units and a squaring 20, against 59 through 128-bit integers. The portable form
//! below is the definition; the program's tests compare what both make of whole headers.
//!
//! All of it rests on `2^64 = 2^32 - 1` and `2^96 = -1` modulo `p`.

use crate::MODULUS;

/// `2^64` modulo `p`.
pub(crate) const EPSILON: u64 = 0xffff_ffff;

/// The canonical representative of a lazy word.
#[inline(always)]
pub(crate) const fn canonical(a: u64) -> u64 {
    if a >= MODULUS { a.wrapping_sub(MODULUS) } else { a }
}

/// `a + b` for a lazy `a` and a canonical `b`. At most one carry has to be folded back: the wrapped sum is
/// below `p`, and `p + EPSILON = 2^64`.
#[inline(always)]
pub(crate) const fn add_canonical(a: u64, b: u64) -> u64 {
    let sum = a.wrapping_add(b);
    if sum < b { sum.wrapping_add(EPSILON) } else { sum }
}

/// `low + 2^64 * high`, reduced to a lazy word.
#[inline(always)]
pub(crate) const fn reduce(low: u64, high: u64) -> u64 {
    let (top, rest) = (high >> 32, high & EPSILON);
    let mut word = low.wrapping_sub(top);
    if low < top {
        word = word.wrapping_sub(EPSILON);
    }
    // At most (2^32 - 1)^2, so that a carry out of the sum leaves room for another EPSILON.
    let rest = rest.wrapping_mul(EPSILON);
    let sum = word.wrapping_add(rest);
    if sum < rest { sum.wrapping_add(EPSILON) } else { sum }
}

/// `low + 2^32 * high` for integers below `2^62`, reduced to a lazy word.
#[inline(always)]
pub(crate) const fn join(low: u64, high: u64) -> u64 {
    // 2^64 * (high >> 32), folded: below 2^62, so this sum does not wrap.
    let base = low.wrapping_add((high >> 32).wrapping_mul(EPSILON));
    let shifted = high << 32;
    let sum = base.wrapping_add(shifted);
    if sum < shifted { sum.wrapping_add(EPSILON) } else { sum }
}

/// `a + b` for lazy words.
#[cfg_attr(target_arch = "bpf", allow(dead_code, reason = "the portable twin"))]
#[inline(always)]
pub(crate) const fn add_portable(a: u64, b: u64) -> u64 {
    let mut sum = a.wrapping_add(b);
    if sum < b {
        sum = sum.wrapping_add(EPSILON);
        // Only where both words were above the modulus.
        if sum < EPSILON {
            sum = sum.wrapping_add(EPSILON);
        }
    }
    sum
}

/// `a - b` for lazy words.
#[cfg_attr(target_arch = "bpf", allow(dead_code, reason = "the portable twin"))]
#[inline(always)]
pub(crate) const fn subtract_portable(a: u64, b: u64) -> u64 {
    let mut difference = a.wrapping_sub(b);
    if a < b {
        let borrowed = difference < EPSILON;
        difference = difference.wrapping_sub(EPSILON);
        if borrowed {
            difference = difference.wrapping_sub(EPSILON);
        }
    }
    difference
}

/// `7 a` for a lazy word, by its halves.
#[inline(always)]
pub(crate) const fn multiply_7(a: u64) -> u64 {
    join((a & EPSILON).wrapping_mul(7), (a >> 32).wrapping_mul(7))
}

/// The square of a lazy word, by [`multiply_portable`].
#[cfg_attr(target_arch = "bpf", allow(dead_code, reason = "the portable twin"))]
#[inline(always)]
pub(crate) const fn square_portable(a: u64) -> u64 {
    multiply_portable(a, a)
}

/// The product of two lazy words by 128-bit integers.
#[cfg_attr(target_arch = "bpf", allow(dead_code, reason = "the portable twin"))]
#[inline(always)]
pub(crate) const fn multiply_portable(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    reduce(product as u64, (product >> 64) as u64)
}

/// The seventh power of a lazy word, by [`multiply_portable`].
#[cfg_attr(target_arch = "bpf", allow(dead_code, reason = "the portable twin"))]
#[inline(always)]
pub(crate) const fn power_7_portable(a: u64) -> u64 {
    let square = multiply_portable(a, a);
    multiply_portable(multiply_portable(a, square), multiply_portable(square, square))
}

#[cfg(not(target_arch = "bpf"))]
pub(crate) use {
    add_portable as add, multiply_portable as multiply, power_7_portable as power_7, square_portable as square,
    subtract_portable as subtract,
};

#[cfg(target_arch = "bpf")]
pub(crate) use assembly::{add, multiply, power_7, square, subtract};

/// Register-only assembly: no memory, no stack, no branch out of the block. `wN = wM` copies the low half of a register
/// and clears the high half (on sBPF v0 and v3; v2 sign-extends, and this code must not run there).
///
/// Fragments take the numbers of the registers they work on. `{epsilon}` is a register that holds [`EPSILON`].
#[cfg(target_arch = "bpf")]
#[allow(unsafe_code)]
mod assembly {
    use super::EPSILON;
    use core::arch::asm;

    /// `low = reduce(low, high)`, as above. Destroys `high` and `spare`.
    macro_rules! reduce {
        ($low:literal, $high:literal, $spare:literal) => {
            concat!(
                "w",
                $spare,
                " = w",
                $high,
                "\n",
                "r",
                $high,
                " >>= 32\n",
                "r",
                $spare,
                " *= {epsilon}\n",
                "if r",
                $low,
                " >= r",
                $high,
                " goto +1\n",
                "r",
                $low,
                " -= {epsilon}\n",
                "r",
                $low,
                " -= r",
                $high,
                "\n",
                "r",
                $low,
                " += r",
                $spare,
                "\n",
                "if r",
                $low,
                " >= r",
                $spare,
                " goto +1\n",
                "r",
                $low,
                " += {epsilon}\n",
            )
        };
    }

    /// `product = (a0 + 2^32 a1)(b0 + 2^32 b1)`. Destroys all halves.
    macro_rules! product {
        ($product:literal = $a0:literal, $a1:literal * $b0:literal, $b1:literal) => {
            concat!(
                // Four partial products: low, two middle ones in a0 and b0, high in b1.
                "r",
                $product,
                " = r",
                $a0,
                "\n",
                "r",
                $product,
                " *= r",
                $b0,
                "\n",
                "r",
                $a0,
                " *= r",
                $b1,
                "\n",
                "r",
                $b0,
                " *= r",
                $a1,
                "\n",
                "r",
                $b1,
                " *= r",
                $a1,
                "\n",
                // A carry out of the middle is worth 2^32 in the high word.
                "r",
                $a0,
                " += r",
                $b0,
                "\n",
                "if r",
                $a0,
                " >= r",
                $b0,
                " goto +2\n",
                "r",
                $b1,
                " += {epsilon}\n",
                "r",
                $b1,
                " += 1\n",
                // The middle, distributed over low and high.
                "r",
                $b0,
                " = r",
                $a0,
                "\n",
                "r",
                $b0,
                " <<= 32\n",
                "r",
                $a0,
                " >>= 32\n",
                "r",
                $product,
                " += r",
                $b0,
                "\n",
                "if r",
                $product,
                " >= r",
                $b0,
                " goto +1\n",
                "r",
                $a0,
                " += 1\n",
                "r",
                $b1,
                " += r",
                $a0,
                "\n",
                reduce!($product, $b1, $b0),
            )
        };
    }

    /// `square = (a0 + 2^32 a1)^2`. Keeps the halves, destroys three other registers. The middle product counts twice,
    /// which its shifts take in: by 33 and 31 places instead of 32.
    macro_rules! square {
        ($square:literal = $a0:literal, $a1:literal; $middle:literal, $high:literal, $spare:literal) => {
            concat!(
                "r",
                $square,
                " = r",
                $a0,
                "\n",
                "r",
                $square,
                " *= r",
                $a0,
                "\n",
                "r",
                $middle,
                " = r",
                $a0,
                "\n",
                "r",
                $middle,
                " *= r",
                $a1,
                "\n",
                "r",
                $high,
                " = r",
                $a1,
                "\n",
                "r",
                $high,
                " *= r",
                $a1,
                "\n",
                "r",
                $spare,
                " = r",
                $middle,
                "\n",
                "r",
                $spare,
                " <<= 33\n",
                "r",
                $middle,
                " >>= 31\n",
                "r",
                $square,
                " += r",
                $spare,
                "\n",
                "if r",
                $square,
                " >= r",
                $spare,
                " goto +1\n",
                "r",
                $middle,
                " += 1\n",
                "r",
                $high,
                " += r",
                $middle,
                "\n",
                reduce!($square, $high, $spare),
            )
        };
    }

    /// `a + b` for lazy words: three instructions unless there is a carry. LLVM would make selections of the branches,
    /// and eight instructions.
    #[inline(always)]
    pub(crate) fn add(mut a: u64, b: u64) -> u64 {
        // SAFETY: as below.
        unsafe {
            asm!(
                "{a} += {b}",
                "if {a} >= {b} goto +3",
                "{a} += {epsilon}",
                "if {a} >= {epsilon} goto +1",
                "{a} += {epsilon}",
                a = inout(reg) a, b = in(reg) b, epsilon = in(reg) EPSILON,
                options(pure, nomem, nostack)
            );
        }
        a
    }

    /// `a - b` for lazy words.
    #[inline(always)]
    pub(crate) fn subtract(mut a: u64, b: u64) -> u64 {
        // SAFETY: as below.
        unsafe {
            asm!(
                "if {a} >= {b} goto +5",
                "{a} -= {b}",
                "if {a} >= {epsilon} goto +1",
                "{a} -= {epsilon}",
                "{a} -= {epsilon}",
                "goto +1",
                "{a} -= {b}",
                a = inout(reg) a, b = in(reg) b, epsilon = in(reg) EPSILON,
                options(pure, nomem, nostack)
            );
        }
        a
    }

    /// The square of a lazy word.
    #[inline(always)]
    pub(crate) fn square(a: u64) -> u64 {
        let square: u64;
        // SAFETY: as below.
        unsafe {
            asm!(
                "w2 = w1", "r1 >>= 32",
                square!(0 = 2, 1; 3, 4, 5),
                epsilon = in(reg) EPSILON,
                inout("r1") a => _, out("r0") square, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
                options(pure, nomem, nostack)
            );
        }
        square
    }

    /// The product of two lazy words.
    #[inline(always)]
    pub(crate) fn multiply(a: u64, b: u64) -> u64 {
        let product: u64;
        // SAFETY: only the named registers are written, and nothing else is read.
        unsafe {
            asm!(
                "w3 = w1", "r1 >>= 32", "w4 = w2", "r2 >>= 32",
                product!(5 = 3, 1 * 4, 2),
                epsilon = in(reg) EPSILON,
                inout("r1") a => _, inout("r2") b => _, out("r3") _, out("r4") _, out("r5") product,
                options(pure, nomem, nostack)
            );
        }
        product
    }

    /// The seventh power of a lazy word: its square, fourth power, cube, and the product of the last two. In one block,
    /// since moving values between blocks costs a fifth again.
    #[inline(always)]
    pub(crate) fn power_7(a: u64) -> u64 {
        let power: u64;
        // SAFETY: as above.
        unsafe {
            asm!(
                "w6 = w1", "r7 = r1", "r7 >>= 32",
                square!(0 = 6, 7; 2, 3, 4),
                "w4 = w0", "r0 >>= 32",
                square!(1 = 4, 0; 2, 3, 5),
                product!(2 = 6, 7 * 4, 0),
                "w5 = w1", "r1 >>= 32", "w4 = w2", "r2 >>= 32",
                product!(3 = 5, 1 * 4, 2),
                epsilon = in(reg) EPSILON,
                inout("r1") a => _, out("r0") _, out("r2") _, out("r3") power, out("r4") _, out("r5") _, out("r6") _,
                out("r7") _,
                options(pure, nomem, nostack)
            );
        }
        power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u64; 12] = [
        0,
        1,
        2,
        EPSILON - 1,
        EPSILON,
        EPSILON + 1,
        1 << 63,
        MODULUS - 1,
        MODULUS,
        MODULUS + 1,
        0xffff_ffff_0000_0000,
        u64::MAX,
    ];

    fn residue(a: u128) -> u64 {
        (a % u128::from(MODULUS)) as u64
    }

    #[test]
    fn products_of_all_edge_words_have_the_residue_of_the_integer_product() {
        for a in EDGES {
            for b in EDGES {
                let expected = residue(u128::from(a) * u128::from(b));
                assert_eq!(canonical(multiply(a, b)), expected, "{a:#x} * {b:#x}");
            }
            let seventh = (0..7).fold(1, |power, _| residue(u128::from(power) * u128::from(a)));
            assert_eq!(canonical(power_7(a)), seventh, "{a:#x}^7");
        }
    }

    #[test]
    fn sums_differences_squares_and_sevenfolds_of_all_edge_words_have_the_residues_of_the_integers() {
        let modulus = u128::from(MODULUS);
        for a in EDGES {
            for b in EDGES {
                let (wide_a, wide_b) = (u128::from(a), u128::from(b));
                assert_eq!(canonical(add(a, b)), residue(wide_a + wide_b), "{a:#x} + {b:#x}");
                assert_eq!(canonical(subtract(a, b)), residue(wide_a + 2 * modulus - wide_b), "{a:#x} - {b:#x}");
            }
            assert_eq!(canonical(square(a)), residue(u128::from(a) * u128::from(a)), "{a:#x}^2");
            assert_eq!(canonical(multiply_7(a)), residue(7 * u128::from(a)), "7 * {a:#x}");
        }
    }

    #[test]
    fn sums_with_a_canonical_word_have_the_residue_of_the_integer_sum() {
        for a in EDGES {
            for b in EDGES.into_iter().filter(|b| *b < MODULUS) {
                let expected = residue(u128::from(a) + u128::from(b));
                assert_eq!(canonical(add_canonical(a, b)), expected, "{a:#x} + {b:#x}");
            }
        }
    }

    #[test]
    fn reduction_agrees_with_division_on_all_edge_pairs() {
        for low in EDGES {
            for high in EDGES {
                let expected = residue((u128::from(high) << 64) | u128::from(low));
                assert_eq!(canonical(reduce(low, high)), expected, "{high:#x}:{low:#x}");
            }
        }
    }

    #[test]
    fn joining_halves_agrees_with_division_up_to_the_documented_bound() {
        const BOUND: u64 = (1 << 62) - 1;
        for low in EDGES.map(|word| word & BOUND) {
            for high in EDGES.map(|word| word & BOUND) {
                let expected = residue(u128::from(low) + (u128::from(high) << 32));
                assert_eq!(canonical(join(low, high)), expected, "{low:#x} + 2^32 * {high:#x}");
            }
        }
    }
}

//! Inverses, square roots and the Legendre symbol, all by way of the norm, which lies in the base field.

use super::Quintic;
use crate::word;
use cairn_goldilocks::MODULUS;
use subtle::{Choice, ConstantTimeEq, CtOption};

/// `FROBENIUS[k][i] = 3^(i k (p - 1) / 5)`: what `x -> x^(p^k)` multiplies coefficient `i` with, for
/// `(z^i)^p = z^i (z^5)^(i (p - 1) / 5)`.
const FROBENIUS: [[u64; 5]; 5] = {
    let mut root = 1;
    let mut bit = 64;
    while bit > 0 {
        bit -= 1;
        root = word::multiply(root, root);
        if (((MODULUS - 1) / 5) >> bit) & 1 == 1 {
            root = word::multiply(root, Quintic::NON_RESIDUE as u64);
        }
    }
    let mut table = [[1; 5]; 5];
    let mut k = 1;
    while k < 5 {
        let mut i = 1;
        while i < 5 {
            // The entry above times root^i.
            let mut value = table[k - 1][i];
            let mut times = 0;
            while times < i {
                value = word::multiply(value, root);
                times += 1;
            }
            table[k][i] = value;
            i += 1;
        }
        k += 1;
    }
    table
};

impl Quintic {
    /// The element to the power of `p^times`, which is linear over the base field.
    #[must_use]
    pub fn frobenius(self, times: usize) -> Self {
        let factors = &FROBENIUS[times % 5];
        Self(core::array::from_fn(|index| word::multiply(self.0[index], factors[index])))
    }

    /// `x^(p + p^2 + p^3 + p^4)`, the product of the element's other conjugates.
    fn other_conjugates(self) -> Self {
        let first = self.frobenius(1) * self.frobenius(2);
        first * first.frobenius(2)
    }

    /// The coefficient of one in a product that is known to lie in the base field.
    fn base_product(self, other: Self) -> u64 {
        (self * other).0[0]
    }

    /// The product of all five conjugates, an element of the base field; zero for zero only.
    #[must_use]
    pub fn norm(self) -> u64 {
        self.base_product(self.other_conjugates())
    }

    /// The multiplicative inverse, and zero for zero.
    #[must_use]
    pub fn invert_or_zero(self) -> Self {
        let others = self.other_conjugates();
        let inverse = word::invert_or_zero(self.base_product(others));
        Self(others.0.map(|coefficient| word::multiply(coefficient, inverse)))
    }

    /// The multiplicative inverse; none for zero.
    #[must_use]
    pub fn inverse(self) -> CtOption<Self> {
        CtOption::new(self.invert_or_zero(), !self.is_zero())
    }

    /// Whether the element is the square of another; zero is.
    #[must_use]
    pub fn is_square(self) -> Choice {
        // The norm is x^((p^5 - 1) / (p - 1)), an odd power.
        !word::legendre(self.norm()).ct_eq(&(MODULUS - 1))
    }

    /// One of the element's two square roots; none for a non-square. Which of the two is not said.
    #[must_use]
    pub fn square_root(self) -> CtOption<Self> {
        // With v = x^((p + 1) / 2) and e = (v v^(p^2))^p, x e^2 is the norm N of x: x e / sqrt(N) squares to x.
        // (p + 1) / 2 = (2^32 - 1) 2^31 + 1.
        let join = |high: Self, low: Self, bits: u32| high.square_times(bits) * low;
        let two = join(self, self, 1);
        let four = join(two, two, 2);
        let eight = join(four, four, 4);
        let sixteen = join(eight, eight, 8);
        let thirty_two = join(sixteen, sixteen, 16);
        let v = join(thirty_two, self, 31);
        let e = (v * v.frobenius(2)).frobenius(1);
        let candidate = self * e;
        let norm_root = word::square_root_candidate(candidate.base_product(e));
        let inverse = word::invert_or_zero(norm_root);
        let root = Self(candidate.0.map(|coefficient| word::multiply(coefficient, inverse)));
        CtOption::new(root, root.square().ct_eq(&self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element() -> impl Strategy<Value = Quintic> {
        prop_oneof![
            any::<[u64; 5]>().prop_map(Quintic::from_residues),
            prop::sample::select(vec![Quintic::ZERO, Quintic::ONE, -Quintic::ONE, Quintic::from(7)]),
            any::<[bool; 5]>().prop_map(|bits| Quintic::from_residues(bits.map(|bit| if bit {
                MODULUS - 1
            } else {
                0
            }))),
        ]
    }

    /// `x^e` for `e` in little-endian words, by the textbook.
    fn power(x: Quintic, exponent: &[u64]) -> Quintic {
        let mut result = Quintic::ONE;
        for word in exponent.iter().rev() {
            for bit in (0..64).rev() {
                result = result * result;
                if (word >> bit) & 1 == 1 {
                    result *= x;
                }
            }
        }
        result
    }

    /// The product of two polynomials, divided by `z^5 - 3`.
    fn schoolbook(a: Quintic, b: Quintic) -> Quintic {
        use cairn_goldilocks::Goldilocks;
        let base = Goldilocks::from_residue;
        let mut long = [Goldilocks::ZERO; 9];
        for (i, x) in a.words().into_iter().enumerate() {
            for (j, y) in b.words().into_iter().enumerate() {
                long[i + j] += base(x) * base(y);
            }
        }
        for index in (5..9).rev() {
            let over = long[index];
            long[index - 5] += base(3) * over;
        }
        Quintic::from_residues(core::array::from_fn(|index| long[index].word()))
    }

    #[test]
    fn the_fifth_power_of_z_is_three() {
        let z = Quintic::from_residues([0, 1, 0, 0, 0]);
        assert_eq!(z.square().square() * z, Quintic::from(3));
    }

    #[test]
    fn a_word_from_the_modulus_upwards_is_refused() {
        for index in 0..5 {
            let mut words = [MODULUS - 1; 5];
            assert!(Quintic::new(words).is_ok());
            for word in [MODULUS, u64::MAX] {
                words[index] = word;
                assert_eq!(Quintic::new(words), Err(NonCanonicalWord { index, word }));
            }
        }
    }

    use super::super::NonCanonicalWord;

    proptest! {
        #[test]
        fn products_and_squares_are_those_of_polynomials(a in element(), b in element(), c in element(), n in 0..1_u32 << 30) {
            prop_assert_eq!(a * b, schoolbook(a, b));
            prop_assert_eq!(a.square(), schoolbook(a, a));
            prop_assert_eq!((a * b) * c, a * (b * c));
            prop_assert_eq!(a * (b + c), a * b + a * c);
            prop_assert_eq!(a - b, a + -b);
            prop_assert_eq!(a.double(), a + a);
            prop_assert_eq!(a.half().double(), a);
            prop_assert_eq!(a.scale(n), a * Quintic::from(n));
            prop_assert_eq!(a.scale_z(n), schoolbook(a, Quintic::from_residues([0, n.into(), 0, 0, 0])));
        }

        #[test]
        fn the_frobenius_map_is_the_power_of_p(a in element()) {
            let mut expected = a;
            for times in 0..=5 {
                prop_assert_eq!(a.frobenius(times), expected);
                expected = power(expected, &[MODULUS]);
            }
        }

        #[test]
        fn an_element_times_its_inverse_is_one_and_zero_has_none(a in element()) {
            match Option::from(a.inverse()) {
                Some(inverse) => prop_assert_eq!(a * inverse, Quintic::ONE),
                None => prop_assert_eq!(a, Quintic::ZERO),
            }
        }

        #[test]
        fn squares_have_roots_and_their_multiples_by_seven_have_none(a in element()) {
            let square = a.square();
            prop_assert!(bool::from(square.is_square()));
            let root = Option::<Quintic>::from(square.square_root()).expect("a square");
            prop_assert!(root == a || root == -a);
            // Seven is no square below, and the degree is odd.
            let other = square * Quintic::from(7);
            prop_assert_eq!(bool::from(other.is_square()), a == Quintic::ZERO);
            prop_assert_eq!(bool::from(other.square_root().is_some()), a == Quintic::ZERO);
        }

        #[test]
        fn bytes_are_five_little_endian_words(a in element()) {
            let bytes = a.to_bytes();
            prop_assert_eq!(u64::from_le_bytes(bytes[8..16].try_into().expect("eight")), a.words()[1]);
            prop_assert_eq!(Quintic::from_bytes(&bytes), Ok(a));
        }
    }
}

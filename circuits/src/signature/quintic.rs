//! Arithmetic in `GF(p^5)` for all who evaluate constraints: at points, in a verifying circuit, and over plain targets.
//!
//! In a circuit, one operation `c0·a·b + c1·c` costs the same whatever its constants, so a product is 25 of them with an addend for
//! free, and a square 15; splitting products (Karatsuba) trades multiplications for additions that cost as much.

use super::curve::Quintic;
use crate::arithmetic::Lift;
use crate::plonk::{Builder, D, Extension, F};
use plonky2::field::extension::quintic::QuinticExtension;
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::Target;
use std::marker::PhantomData;

/// An element of `GF(p^5)`, coefficient of 1 first.
pub(super) type Five<V> = [V; 5];
/// A small constant factor and what it multiplies.
type Scaled<V> = (i64, V);

/// Operations on coefficients, and on elements by way of them.
pub(super) trait Coefficients {
    /// A coefficient.
    type Value: Copy;

    /// A constant.
    fn constant(&mut self, value: F) -> Self::Value;
    /// `c0·a·b`.
    fn times(&mut self, c0: i64, a: Self::Value, b: Self::Value) -> Self::Value;
    /// `c0·a·b + c1·c`.
    fn fused(&mut self, c0: i64, a: Self::Value, b: Self::Value, c: Scaled<Self::Value>) -> Self::Value;
    /// `c0·a + c1·c`.
    fn combine(&mut self, a: Scaled<Self::Value>, c: Scaled<Self::Value>) -> Self::Value;

    /// `sign·a·b + addend`.
    fn multiply(
        &mut self,
        sign: i64,
        a: Five<Self::Value>,
        b: Five<Self::Value>,
        addend: Option<Scaled<Five<Self::Value>>>,
    ) -> Five<Self::Value> {
        std::array::from_fn(|degree| {
            let terms = (0..5).map(|i| {
                let j = (degree + 5 - i) % 5;
                (sign * fold(i, j), a[i], b[j])
            });
            sum_of_products(self, terms, addend.map(|(scale, addend)| (scale, addend[degree])))
        })
    }

    /// `sign·a² + addend`.
    fn square(
        &mut self,
        sign: i64,
        a: Five<Self::Value>,
        addend: Option<Scaled<Five<Self::Value>>>,
    ) -> Five<Self::Value> {
        std::array::from_fn(|degree| {
            let pairs = (0..5).map(|i| (i, (degree + 5 - i) % 5)).filter(|(i, j)| i <= j);
            let terms = pairs.map(|(i, j)| (sign * fold(i, j) * if i == j { 1 } else { 2 }, a[i], a[j]));
            sum_of_products(self, terms, addend.map(|(scale, addend)| (scale, addend[degree])))
        })
    }

    /// `c0·a + c1·c`.
    fn combined(&mut self, a: Scaled<Five<Self::Value>>, c: Scaled<Five<Self::Value>>) -> Five<Self::Value> {
        std::array::from_fn(|index| self.combine((a.0, a.1[index]), (c.0, c.1[index])))
    }

    /// `c0·bit·a + c1·c`.
    fn switched(
        &mut self,
        c0: i64,
        bit: Self::Value,
        a: Five<Self::Value>,
        c: Scaled<Five<Self::Value>>,
    ) -> Five<Self::Value> {
        std::array::from_fn(|index| self.fused(c0, bit, a[index], (c.0, c.1[index])))
    }

    /// A constant element.
    fn constants(&mut self, value: Quintic) -> Five<Self::Value> {
        value.0.map(|coefficient| self.constant(coefficient))
    }
}

/// What `z^i·z^j` is multiplied by when it becomes `z^((i+j) mod 5)`: `z^5 = 3`.
const fn fold(i: usize, j: usize) -> i64 {
    if i + j < 5 { 1 } else { 3 }
}

fn sum_of_products<C: Coefficients + ?Sized>(
    c: &mut C,
    terms: impl Iterator<Item = (i64, C::Value, C::Value)>,
    addend: Option<Scaled<C::Value>>,
) -> C::Value {
    let mut sum = addend;
    for (scale, a, b) in terms {
        let value = match sum {
            Some(so_far) => c.fused(scale, a, b, so_far),
            None => c.times(scale, a, b),
        };
        sum = Some((1, value));
    }
    sum.expect("a coefficient has products").1
}

/// The field element of a small constant.
fn small(constant: i64) -> F {
    let magnitude = F::from_canonical_u64(constant.unsigned_abs());
    if constant < 0 { -magnitude } else { magnitude }
}

/// At one point of the extension field.
pub(super) struct AtPoint;

impl Coefficients for AtPoint {
    type Value = Extension;

    fn constant(&mut self, value: F) -> Extension {
        Extension::lift(value)
    }

    fn times(&mut self, c0: i64, a: Extension, b: Extension) -> Extension {
        a * b * Extension::lift(small(c0))
    }

    fn fused(&mut self, c0: i64, a: Extension, b: Extension, c: Scaled<Extension>) -> Extension {
        self.times(c0, a, b) + c.1 * Extension::lift(small(c.0))
    }

    fn combine(&mut self, a: Scaled<Extension>, c: Scaled<Extension>) -> Extension {
        a.1 * Extension::lift(small(a.0)) + c.1 * Extension::lift(small(c.0))
    }
}

/// At several points of the base field at once: what provers spend their time on.
pub(super) struct AtPacked<P>(PhantomData<P>);

impl<P> AtPacked<P> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// `constant·value` with additions where they suffice.
#[inline]
fn scaled<P: PackedField<Scalar = F>>(constant: i64, value: P) -> P {
    match constant {
        1 => value,
        -1 => -value,
        2 => value + value,
        -2 => -(value + value),
        3 => value + value + value,
        _ => value * small(constant),
    }
}

impl<P: PackedField<Scalar = F>> Coefficients for AtPacked<P> {
    type Value = P;

    fn constant(&mut self, value: F) -> P {
        P::from(value)
    }

    #[inline]
    fn times(&mut self, c0: i64, a: P, b: P) -> P {
        scaled(c0, a * b)
    }

    #[inline]
    fn fused(&mut self, c0: i64, a: P, b: P, (c1, c): Scaled<P>) -> P {
        scaled(c0, a * b) + scaled(c1, c)
    }

    #[inline]
    fn combine(&mut self, (c0, a): Scaled<P>, (c1, c): Scaled<P>) -> P {
        scaled(c0, a) + scaled(c1, c)
    }

    /// plonky2's own product reduces once for each coefficient, not for each product of coefficients.
    #[inline]
    fn multiply(&mut self, sign: i64, a: Five<P>, b: Five<P>, addend: Option<Scaled<Five<P>>>) -> Five<P> {
        let mut product = [P::ZEROS; 5];
        for lane in 0..P::WIDTH {
            let element = |five: &Five<P>| QuinticExtension(five.map(|coefficient| coefficient.as_slice()[lane]));
            let QuinticExtension(coefficients) = element(&a) * element(&b);
            for (packed, coefficient) in product.iter_mut().zip(coefficients) {
                packed.as_slice_mut()[lane] = coefficient;
            }
        }
        std::array::from_fn(|index| {
            let value = scaled(sign, product[index]);
            addend.map_or(value, |(scale, addend)| value + scaled(scale, addend[index]))
        })
    }

    #[inline]
    fn square(&mut self, sign: i64, a: Five<P>, addend: Option<Scaled<Five<P>>>) -> Five<P> {
        self.multiply(sign, a, a, addend)
    }
}

/// In a circuit that verifies a proof.
pub(super) struct InCircuit<'a>(pub(super) &'a mut Builder);

impl Coefficients for InCircuit<'_> {
    type Value = ExtensionTarget<D>;

    fn constant(&mut self, value: F) -> Self::Value {
        self.0.constant_extension(Extension::lift(value))
    }

    fn times(&mut self, c0: i64, a: Self::Value, b: Self::Value) -> Self::Value {
        let zero = self.0.zero_extension();
        self.0.arithmetic_extension(small(c0), F::ZERO, a, b, zero)
    }

    fn fused(&mut self, c0: i64, a: Self::Value, b: Self::Value, (c1, c): Scaled<Self::Value>) -> Self::Value {
        self.0.arithmetic_extension(small(c0), small(c1), a, b, c)
    }

    fn combine(&mut self, (c0, a): Scaled<Self::Value>, (c1, c): Scaled<Self::Value>) -> Self::Value {
        let one = self.0.one_extension();
        self.0.arithmetic_extension(small(c0), small(c1), a, one, c)
    }
}

/// Over targets of a circuit.
pub(super) struct OverTargets<'a>(pub(super) &'a mut Builder);

impl Coefficients for OverTargets<'_> {
    type Value = Target;

    fn constant(&mut self, value: F) -> Target {
        self.0.constant(value)
    }

    fn times(&mut self, c0: i64, a: Target, b: Target) -> Target {
        let zero = self.0.zero();
        self.0.arithmetic(small(c0), F::ZERO, a, b, zero)
    }

    fn fused(&mut self, c0: i64, a: Target, b: Target, (c1, c): Scaled<Target>) -> Target {
        self.0.arithmetic(small(c0), small(c1), a, b, c)
    }

    fn combine(&mut self, (c0, a): Scaled<Target>, (c1, c): Scaled<Target>) -> Target {
        let one = self.0.one();
        self.0.arithmetic(small(c0), small(c1), a, one, c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plonky2::field::ops::Square;
    use plonky2::field::types::Sample;

    /// Runs the defaults of [`Coefficients`], which circuits use, on numbers.
    struct Plain;

    impl Coefficients for Plain {
        type Value = F;
        fn constant(&mut self, value: F) -> F {
            value
        }
        fn times(&mut self, c0: i64, a: F, b: F) -> F {
            small(c0) * a * b
        }
        fn fused(&mut self, c0: i64, a: F, b: F, (c1, c): Scaled<F>) -> F {
            small(c0) * a * b + small(c1) * c
        }
        fn combine(&mut self, (c0, a): Scaled<F>, (c1, c): Scaled<F>) -> F {
            small(c0) * a + small(c1) * c
        }
    }

    #[test]
    fn products_and_squares_are_those_of_the_field() {
        for _ in 0..20 {
            let [a, b, c] = [Quintic::rand(), Quintic::rand(), Quintic::rand()];
            for (sign, scale) in [(1, 1), (1, -2), (-1, 1), (-1, -1)] {
                let signed = |x: Quintic, k: i64| x * Quintic::from(small(k));
                let product = signed(a * b, sign) + signed(c, scale);
                let square = signed(a.square(), sign) + signed(c, scale);
                let addend = Some((scale, c.0));
                assert_eq!(Plain.multiply(sign, a.0, b.0, addend), product.0);
                assert_eq!(Plain.square(sign, a.0, addend), square.0);
                let packed = &mut AtPacked::<F>::new();
                assert_eq!(packed.multiply(sign, a.0, b.0, addend), product.0);
                assert_eq!(packed.square(sign, a.0, addend), square.0);
            }
            assert_eq!(Plain.multiply(1, a.0, b.0, None), (a * b).0);
            assert_eq!(Plain.square(1, a.0, None), a.square().0);
        }
    }
}

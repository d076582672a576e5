//! One way to write a constraint for every evaluator plonky2 wants: extension field, packed base field, circuit.

use crate::plonk::{Builder, D, Extension, F};
use plonky2::field::extension::FieldExtension;
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field;
use plonky2::iop::ext_target::ExtensionTarget;
use std::marker::PhantomData;

/// Values that constraints are written over. Writing them once rules out that evaluators disagree.
pub(crate) trait Arithmetic {
    type Value: Copy;

    fn constant(&mut self, value: F) -> Self::Value;
    /// `a·b + k·c`.
    fn product_plus(&mut self, a: Self::Value, b: Self::Value, k: F, c: Self::Value) -> Self::Value;
    /// `k·a + c`.
    fn scaled_plus(&mut self, k: F, a: Self::Value, c: Self::Value) -> Self::Value;

    fn product(&mut self, a: Self::Value, b: Self::Value) -> Self::Value {
        self.product_plus(a, b, F::ZERO, a)
    }
    fn sum(&mut self, a: Self::Value, b: Self::Value) -> Self::Value {
        self.scaled_plus(F::ONE, a, b)
    }
    fn difference(&mut self, a: Self::Value, b: Self::Value) -> Self::Value {
        self.scaled_plus(F::NEG_ONE, b, a)
    }
}

/// Scalars into which base field constants embed.
pub(crate) trait Lift: Field {
    fn lift(value: F) -> Self;
}

impl Lift for F {
    fn lift(value: F) -> Self {
        value
    }
}

impl Lift for Extension {
    fn lift(value: F) -> Self {
        <Self as FieldExtension<D>>::from_basefield(value)
    }
}

/// Evaluation at points: one of the extension field, or several of the base field at once.
pub(crate) struct AtPoints<P>(PhantomData<P>);

impl<P> AtPoints<P> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: PackedField> Arithmetic for AtPoints<P>
where
    P::Scalar: Lift,
{
    type Value = P;

    fn constant(&mut self, value: F) -> P {
        P::from(P::Scalar::lift(value))
    }

    fn product_plus(&mut self, a: P, b: P, k: F, c: P) -> P {
        if k.is_zero() { a * b } else { a * b + c * P::Scalar::lift(k) }
    }

    fn scaled_plus(&mut self, k: F, a: P, c: P) -> P {
        if k == F::ONE {
            a + c
        } else if k == F::NEG_ONE {
            c - a
        } else {
            a * P::Scalar::lift(k) + c
        }
    }
}

/// Evaluation inside a circuit that verifies a proof.
pub(crate) struct InCircuit<'a>(pub(crate) &'a mut Builder);

impl Arithmetic for InCircuit<'_> {
    type Value = ExtensionTarget<D>;

    fn constant(&mut self, value: F) -> Self::Value {
        self.0.constant_extension(Extension::lift(value))
    }

    fn product_plus(&mut self, a: Self::Value, b: Self::Value, k: F, c: Self::Value) -> Self::Value {
        self.0.arithmetic_extension(F::ONE, k, a, b, c)
    }

    fn scaled_plus(&mut self, k: F, a: Self::Value, c: Self::Value) -> Self::Value {
        self.0.mul_const_add_extension(k, a, c)
    }
}

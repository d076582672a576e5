//! The double-and-add gate's polynomials, written once for all evaluators.

use super::layout::{Columns, STEPS_PER_ROW};
use crate::plonk::F;
use crate::signature::curve::{A, GENERATOR, OFFSET, OFFSET_GENERATOR, Quintic};
use crate::signature::quintic::{Coefficients, Five};
use crate::{Clause, Clauses};
use plonky2::field::types::Field;

/// Degree of the highest constraint: a slope times an x of the table, which is a wire times two bits.
pub(super) const DEGREE: usize = 4;

/// Constants of a table: what stands at each place, and what the scalar's bit adds.
struct Table<V> {
    /// The entry of two zero bits; `None` stands for (0, 0).
    base: Option<[Five<V>; 2]>,
    /// What the scalar's bit adds to it.
    generator: [Five<V>; 2],
}

fn coordinates<C: Coefficients>(c: &mut C, x: Quintic, y: Quintic) -> [Five<C::Value>; 2] {
    [c.constants(x), c.constants(y)]
}

/// Yields the gate's constraints, in one order, each zero when it holds. A clause that is left out yields zeros.
pub(super) fn constrain<C: Coefficients>(
    clauses: Clauses,
    c: &mut C,
    wire: impl Fn(usize) -> C::Value,
    mut out: impl FnMut(C::Value),
) {
    let zero = c.constant(F::ZERO);
    let a = c.constant(F::from_canonical_u64(A));
    let odd = Table { base: None, generator: coordinates(c, GENERATOR.x, GENERATOR.y) };
    let even = Table {
        base: Some(coordinates(c, OFFSET.x, OFFSET.y)),
        generator: coordinates(c, OFFSET_GENERATOR.x - OFFSET.x, OFFSET_GENERATOR.y - OFFSET.y),
    };

    let mut emit = |clause: Clause, value: C::Value| out(if clauses.enforce(clause) { value } else { zero });
    let five = |column: usize| -> Five<C::Value> { std::array::from_fn(|index| wire(column + index)) };
    let emit_five = |emit: &mut dyn FnMut(Clause, C::Value), clause: Clause, values: Five<C::Value>| {
        values.into_iter().for_each(|value| emit(clause, value));
    };

    let (mut x, mut y) = (five(Columns::X_BEFORE), five(Columns::Y_BEFORE));
    let (mut scalar, mut challenge) = (wire(Columns::SCALAR_BEFORE), wire(Columns::CHALLENGE_BEFORE));
    for step in 0..STEPS_PER_ROW {
        let (scalar_bit, challenge_bit) = (wire(Columns::scalar_bit(step)), wire(Columns::challenge_bit(step)));
        for (bit, accumulator) in [(scalar_bit, &mut scalar), (challenge_bit, &mut challenge)] {
            emit(Clause::SignatureBits, c.fused(1, bit, bit, (-1, bit)));
            *accumulator = c.combine((2, *accumulator), (1, bit));
        }

        // The table's point minus the point, coordinate by coordinate.
        let (table, key, mixed) = match step % 2 {
            0 => (&odd, Columns::MINUS_KEY, Columns::MIXED),
            _ => (&even, Columns::OFFSET_MINUS_KEY, Columns::OFFSET_MIXED),
        };
        let [run, rise] = [(0, x), (1, y)].map(|(coordinate, own)| {
            let (key, mixed) = (five(key + 5 * coordinate), five(mixed + 5 * coordinate));
            let from = match &table.base {
                None => (-1, own),
                Some(base) => (1, c.combined((1, base[coordinate]), (-1, own))),
            };
            let without = c.switched(1, challenge_bit, key, from);
            let with = c.switched(1, challenge_bit, mixed, (1, table.generator[coordinate]));
            c.switched(1, scalar_bit, with, (1, without))
        });

        // With P the point, T the table's and Q = P + T: `first` is the slope of P and T, `second` that of P and Q, and
        // first² = 2 + x_P + x_T + x_Q, second² = 2 + x_P + x_Q + x_after.
        let (first, second) = (five(Columns::first_slope(step)), five(Columns::second_slope(step)));
        let after = five(Columns::x_after(step));
        emit_five(&mut emit, Clause::SignatureSlopes, c.multiply(1, first, run, Some((-1, rise))));
        let triple = c.square(1, first, Some((-1, run)));
        let mut apart = c.combined((3, x), (-1, triple));
        apart[0] = c.combine((1, apart[0]), (1, a));
        let slopes = c.combined((1, first), (1, second));
        emit_five(&mut emit, Clause::SignatureSlopes, c.multiply(1, slopes, apart, Some((-2, y))));

        let fallen = c.combined((1, x), (-1, after));
        let expected = c.combined((1, fallen), (-1, triple));
        emit_five(&mut emit, Clause::SignatureSums, c.square(1, second, Some((1, expected))));
        y = c.multiply(1, second, fallen, Some((-1, y)));
        x = after;
    }
    let y_after = c.combined((1, y), (-1, five(Columns::Y_AFTER)));
    emit_five(&mut emit, Clause::SignatureSums, y_after);
    for (accumulated, after) in [(scalar, Columns::SCALAR_AFTER), (challenge, Columns::CHALLENGE_AFTER)] {
        emit(Clause::SignatureAccumulators, c.combine((1, accumulated), (-1, wire(after))));
    }
}

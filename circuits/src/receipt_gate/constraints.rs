//! The receipt gate's polynomials, written once for all evaluators.

use super::layout::{
    BYTES, COUNT, COUNTERS, Columns, FIRST_VERDICT, LENGTH_DIGITS, SLOTS_PER_ROW, STATUS_DIGITS, STATUS_SHIFT,
    VERDICTS_SHIFT,
};
use crate::arithmetic::Arithmetic;
use crate::plonk::F;
use crate::{Clause, Clauses};
use cairn_types::limits::COUNTER_BITS;
use plonky2::field::types::Field;

/// Degree of the highest constraint, that of an octal digit.
pub(super) const DEGREE: usize = 8;

/// Yields the gate's constraints, in one order, each zero when it holds. A clause that is left out yields zeros.
pub(super) fn constrain<A: Arithmetic>(
    clauses: Clauses,
    a: &mut A,
    wire: impl Fn(usize) -> A::Value,
    mut out: impl FnMut(A::Value),
) {
    let zero = a.constant(F::ZERO);
    let mut emit = |clause: Clause, value: A::Value| out(if clauses.enforce(clause) { value } else { zero });
    let mut growth = [zero; COUNTERS];

    for slot in 0..SLOTS_PER_ROW {
        let (time_before, occupied_before) = match slot {
            0 => (wire(Columns::TIME_BEFORE), wire(Columns::OCCUPIED_BEFORE)),
            _ => (wire(Columns::time(slot - 1)), wire(Columns::occupied(slot - 1))),
        };
        let occupied = wire(Columns::occupied(slot));
        let packed = wire(Columns::packed(slot));

        emit(Clause::OccupiedIsBit, a.product_plus(occupied, occupied, F::NEG_ONE, occupied));
        let risen = a.product_plus(occupied, occupied_before, F::NEG_ONE, occupied);
        emit(Clause::EmptySlotsLast, risen);

        let later = a.difference(wire(Columns::time(slot)), time_before);
        let digits = horner(a, 8, Columns::difference(slot).map(&wire));
        emit(Clause::TimesNonDecreasing, a.difference(digits, later));
        emit(Clause::EmptySlotIsBlank, a.product_plus(later, occupied, F::NEG_ONE, later));

        let length = horner(a, 8, Columns::length(slot).map(&wire));
        let status = horner(a, 8, Columns::status(slot).map(&wire));
        let verdicts = horner(a, 4, Columns::verdicts(slot).map(&wire));
        let low = a.scaled_plus(F::from_canonical_u64(1 << STATUS_SHIFT), status, length);
        let word = a.scaled_plus(F::from_canonical_u64(1 << VERDICTS_SHIFT), verdicts, low);
        emit(Clause::WordIsSplit, a.difference(word, packed));
        emit(Clause::EmptySlotIsBlank, a.product_plus(packed, occupied, F::NEG_ONE, packed));

        for lane in 0..4 {
            let masked = a.product_plus(
                occupied,
                wire(Columns::hash(slot, lane)),
                F::NEG_ONE,
                wire(Columns::digest(slot, lane)),
            );
            emit(Clause::EmptyDigestIsZero, masked);
        }

        for column in Columns::difference(slot) {
            emit(Clause::TimesNonDecreasing, octal(a, wire(column)));
        }
        for column in Columns::length(slot).take(LENGTH_DIGITS).chain(Columns::status(slot).take(STATUS_DIGITS)) {
            emit(Clause::WordRanges, octal(a, wire(column)));
        }
        for (clause, range) in [(Clause::WordRanges, Columns::length(slot)), (Clause::TierZero, Columns::status(slot))]
        {
            // The wire above the status' nine low bits would carry tier bits: a tier is refused here.
            let top = wire(range.end - 1);
            emit(clause, a.product_plus(top, top, F::NEG_ONE, top));
        }
        for (index, column) in Columns::verdicts(slot).enumerate() {
            let code = wire(column);
            emit(Clause::WordRanges, quaternary(a, code));
            let weight = verdict_weight(a, code);
            growth[FIRST_VERDICT + index] = a.sum(growth[FIRST_VERDICT + index], weight);
        }
        growth[COUNT] = a.sum(growth[COUNT], occupied);
        growth[BYTES] = a.sum(growth[BYTES], length);
    }

    for (index, grown) in growth.into_iter().enumerate() {
        let clause = match index {
            COUNT => Clause::Count,
            BYTES => Clause::Bytes,
            _ => Clause::Verdicts,
        };
        let expected = a.sum(wire(Columns::counter_before(index)), grown);
        emit(clause, a.difference(expected, wire(Columns::counter_after(index))));
    }
}

/// Zero exactly for 0 to 7: `y(y+6)(y+10)(y+12)` with `y = x(x-7)`, pairing the factors `x-i` and `x-(7-i)`.
fn octal<A: Arithmetic>(a: &mut A, x: A::Value) -> A::Value {
    let y = a.product_plus(x, x, -F::from_canonical_u64(7), x);
    let outer = a.product_plus(y, y, F::from_canonical_u64(6), y);
    let inner = a.product_plus(y, y, F::from_canonical_u64(22), y);
    a.product_plus(outer, inner, F::from_canonical_u64(120), outer)
}

/// Zero exactly for 0 to 3: `y(y+2)` with `y = x(x-3)`.
fn quaternary<A: Arithmetic>(a: &mut A, x: A::Value) -> A::Value {
    let y = a.product_plus(x, x, -F::from_canonical_u64(3), x);
    a.product_plus(y, y, F::TWO, y)
}

/// What a verdict adds to its packed counter: 0 for unknown, 1 for allowed, 2^21 for refused, 2^42 for conditional.
/// The cubic through these four points, in Newton's form.
fn verdict_weight<A: Arithmetic>(a: &mut A, x: A::Value) -> A::Value {
    let [c1, c2, c3] = verdict_polynomial();
    let (c1, c2) = (a.constant(c1), a.constant(c2));
    let inner = a.scaled_plus(c3, x, c2);
    let middle = a.product_plus(x, inner, F::ONE, c1);
    a.product(x, middle)
}

/// The weight of any code, also of one that the range check refuses.
pub(super) fn weight_at(code: F) -> F {
    verdict_weight(&mut crate::arithmetic::AtPoints::<F>::new(), code)
}

/// Coefficients of x, x², x³ of the polynomial that is 0, 1, 2^21, 2^42 at 0, 1, 2, 3.
fn verdict_polynomial() -> [F; 3] {
    let (one, refused, conditional) =
        (F::ONE, F::from_canonical_u64(1 << COUNTER_BITS), F::from_canonical_u64(1 << (2 * COUNTER_BITS)));
    // Forward differences at 0, then x, x(x-1)/2, x(x-1)(x-2)/6 expanded.
    let second = refused - one.double();
    let third = conditional - F::from_canonical_u64(3) * (refused - one);
    let (half, sixth) = (F::TWO.inverse(), F::from_canonical_u64(6).inverse());
    [
        one - second * half + F::TWO * third * sixth,
        second * half - F::from_canonical_u64(3) * third * sixth,
        third * sixth,
    ]
}

/// The number whose digits in `base` these are, least significant first.
fn horner<A: Arithmetic>(a: &mut A, base: u64, digits: impl DoubleEndedIterator<Item = A::Value>) -> A::Value {
    let base = F::from_canonical_u64(base);
    let mut digits = digits.rev();
    let first = digits.next().expect("a number has digits");
    digits.fold(first, |number, digit| a.scaled_plus(base, number, digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::AtPoints;
    use crate::receipt_gate::layout::VERDICTS;

    fn at(x: u64) -> F {
        F::from_canonical_u64(x)
    }

    #[test]
    fn digits_vanish_on_their_range_and_nowhere_near_it() {
        let a = &mut AtPoints::<F>::new();
        for x in 0..64 {
            assert_eq!(octal(a, at(x)).is_zero(), x < 8, "octal {x}");
            assert_eq!(quaternary(a, at(x)).is_zero(), x < 4, "quaternary {x}");
        }
        assert!(!octal(a, -F::ONE).is_zero());
    }

    #[test]
    fn verdicts_weigh_what_the_header_packs() {
        let a = &mut AtPoints::<F>::new();
        let weights = [0, 1, 1 << 21, 1 << 42].map(at);
        assert_eq!([0, 1, 2, 3].map(|code| verdict_weight(a, at(code))), weights);
    }

    #[test]
    fn only_verdict_constants_name_five_verdicts() {
        assert_eq!(COUNTERS, FIRST_VERDICT + VERDICTS);
    }
}

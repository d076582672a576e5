//! `CosetInterpolationGate`: a polynomial given by its values at a coset of 16 points has a certain value at another point.
//!
//! Barycentric interpolation, in a running sum and a running product; where their degree would be too high, wires carry them on.

use super::Row;
use super::algebra::Algebra;
use crate::layout::Element;
use crate::roots::{COSET_POWERS, COSET_WEIGHTS};
use cairn_goldilocks::{Goldilocks, Quadratic};

const POINTS: usize = 16;
const DEGREE: usize = 6;
/// Times that wires carry sum and product on.
const INTERMEDIATES: usize = (POINTS - 2) / (DEGREE - 1);
const SHIFT: usize = 0;
const VALUES: usize = 1;
const POINT: usize = VALUES + 2 * POINTS;
const VALUE: usize = POINT + 2;
const SUMS: usize = VALUE + 2;
const PRODUCTS: usize = SUMS + 2 * INTERMEDIATES;
const SHIFTED_POINT: usize = PRODUCTS + 2 * INTERMEDIATES;

#[inline(never)]
pub(super) fn coset_interpolation(row: &Row<'_>, terms: &mut [Element; 4 + 4 * INTERMEDIATES]) -> usize {
    let [point, carried @ .., value] = terms.as_chunks_mut().0 else { return 0 };
    let shifted = Algebra::of(row, SHIFTED_POINT);
    (Algebra::of(row, POINT) - shifted.scale(row.wire(SHIFT))).write(point);

    let (mut sum, mut product) = (Algebra::ZERO, Algebra::ONE);
    let mut carried = carried.as_chunks_mut::<2>().0.iter_mut().enumerate();
    for place in 0..POINTS {
        // The first run has one point more than the others.
        if place > 1
            && (place - 1) % (DEGREE - 1) == 0
            && let Some((at, [of_sum, of_product])) = carried.next()
        {
            let (claimed_sum, claimed_product) = (Algebra::of(row, SUMS + 2 * at), Algebra::of(row, PRODUCTS + 2 * at));
            (claimed_sum - sum).write(of_sum);
            (claimed_product - product).write(of_product);
            (sum, product) = (claimed_sum, claimed_product);
        }
        let weighted = Algebra::of(row, VALUES + 2 * place).scale_base(COSET_WEIGHTS[place]);
        let here = Quadratic::from(Goldilocks::from_residue(COSET_POWERS[place]));
        let distance = Algebra { a: shifted.a - here, ..shifted };
        sum = sum * distance + weighted * product;
        product = product * distance;
    }
    (Algebra::of(row, VALUE) - sum).write(value);
    terms.len()
}

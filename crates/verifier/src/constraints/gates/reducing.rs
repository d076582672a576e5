//! Gates that evaluate a polynomial at `alpha` by Horner's rule: each accumulator is the one before it times alpha, plus a
//! coefficient. The last accumulator is the output.

use super::Row;
use super::algebra::Algebra;
use crate::layout::Element;

const OUTPUT: usize = 0;
const ALPHA: usize = 2;
const OLD: usize = 4;
const COEFFICIENTS: usize = 6;

/// `ReducingGate`: coefficients in the base field, of a wire each.
#[inline(never)]
pub(super) fn reducing(row: &Row<'_>, terms: &mut [Element; 86]) -> usize {
    const COUNT: usize = 43;
    horner::<COUNT>(row, terms, COEFFICIENTS + COUNT, |place| Algebra {
        a: row.wire(COEFFICIENTS + place),
        ..Algebra::ZERO
    })
}

/// `ReducingExtensionGate`: coefficients in the extension.
#[inline(never)]
pub(super) fn reducing_extension(row: &Row<'_>, terms: &mut [Element; 64]) -> usize {
    const COUNT: usize = 32;
    horner::<COUNT>(row, terms, COEFFICIENTS + 2 * COUNT, |place| Algebra::of(row, COEFFICIENTS + 2 * place))
}

#[inline(always)]
fn horner<const COUNT: usize>(
    row: &Row<'_>,
    terms: &mut [Element],
    accumulators: usize,
    coefficient: impl Fn(usize) -> Algebra,
) -> usize {
    let alpha = Algebra::of(row, ALPHA);
    let mut before = Algebra::of(row, OLD);
    for (place, terms) in terms.as_chunks_mut().0.iter_mut().enumerate() {
        let here = Algebra::of(row, if place == COUNT - 1 { OUTPUT } else { accumulators + 2 * place });
        (before * alpha + coefficient(place) - here).write(terms);
        before = here;
    }
    terms.len()
}

//! Gates of products and sums: `output = first constant · x · y + second constant · z`, several in a row.

use super::Row;
use super::algebra::Algebra;
use crate::layout::Element;

/// `ArithmeticGate`, in the base field.
#[inline(never)]
pub(super) fn arithmetic(row: &Row<'_>, terms: &mut [Element; 20]) -> usize {
    let (of_product, of_addend) = (row.constant(0), row.constant(1));
    for (place, [x, y, addend, output]) in terms.iter_mut().zip(row.wires.as_chunks().0) {
        let [x, y, addend, output] =
            [x, y, addend, output].map(|wire| cairn_goldilocks::Quadratic::from_residues(*wire));
        *place = (output - (x * y * of_product + addend * of_addend)).residues();
    }
    terms.len()
}

/// `ArithmeticExtensionGate`, in the extension.
#[inline(never)]
pub(super) fn arithmetic_extension(row: &Row<'_>, terms: &mut [Element; 20]) -> usize {
    const WIRES: usize = 8;
    for (operation, place) in terms.as_chunks_mut().0.iter_mut().enumerate() {
        let [x, y, addend, output] = [0, 2, 4, 6].map(|wire| Algebra::of(row, WIRES * operation + wire));
        let computed = (x * y).scale(row.constant(0)) + addend.scale(row.constant(1));
        (output - computed).write(place);
    }
    terms.len()
}

/// `MulExtensionGate`: products in the extension, times a constant.
#[inline(never)]
pub(super) fn multiplication_extension(row: &Row<'_>, terms: &mut [Element; 26]) -> usize {
    const WIRES: usize = 6;
    for (operation, place) in terms.as_chunks_mut().0.iter_mut().enumerate() {
        let [x, y, output] = [0, 2, 4].map(|wire| Algebra::of(row, WIRES * operation + wire));
        (output - (x * y).scale(row.constant(0))).write(place);
    }
    terms.len()
}

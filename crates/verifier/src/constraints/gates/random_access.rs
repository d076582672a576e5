//! `RandomAccessGate`: an element of a list of 16 is the one at an index. Four lists, and two constants.

use super::Row;
use crate::layout::Element;
use cairn_goldilocks::Quadratic;

const BITS: usize = 4;
const ITEMS: usize = 1 << BITS;
const COPIES: usize = 4;
const EXTRA_CONSTANTS: usize = 2;
/// Wires of a copy that are routed: index, element, items.
const COPY: usize = 2 + ITEMS;
const CONSTANTS_AT: usize = COPIES * COPY;
const BITS_AT: usize = CONSTANTS_AT + EXTRA_CONSTANTS;
/// Constraints of a copy: its bits, its index, its element.
const CONSTRAINTS: usize = BITS + 2;

pub(super) fn random_access(row: &Row<'_>, terms: &mut [Element; COPIES * CONSTRAINTS + EXTRA_CONSTANTS]) -> usize {
    let (copies, constants) = terms.as_chunks_mut::<CONSTRAINTS>();
    for (copy, terms) in copies.iter_mut().enumerate() {
        one(row, copy, terms);
    }
    for (constant, place) in constants.iter_mut().enumerate() {
        *place = (row.constant(constant) - row.wire(CONSTANTS_AT + constant)).residues();
    }
    COPIES * CONSTRAINTS + EXTRA_CONSTANTS
}

#[inline(never)]
fn one(row: &Row<'_>, copy: usize, terms: &mut [Element; CONSTRAINTS]) {
    let [index, element, items] = [0, 1, 2].map(|wire| COPY * copy + wire);
    let bits: [Quadratic; BITS] = core::array::from_fn(|bit| row.wire(BITS_AT + BITS * copy + bit));
    for (place, bit) in terms.iter_mut().zip(bits) {
        *place = (bit.square() - bit).residues();
    }
    let computed = bits.iter().rev().fold(Quadratic::ZERO, |sum, bit| sum + sum + *bit);
    terms[BITS] = (computed - row.wire(index)).residues();

    // Each bit halves the list.
    let choose = |bit: Quadratic, pair: [Quadratic; 2]| pair[0] + bit * (pair[1] - pair[0]);
    let mut list: [Quadratic; ITEMS / 2] =
        core::array::from_fn(|place| choose(bits[0], [row.wire(items + 2 * place), row.wire(items + 2 * place + 1)]));
    let mut left = ITEMS / 2;
    for bit in &bits[1..] {
        left /= 2;
        for place in 0..left {
            list[place] = choose(*bit, [list[2 * place], list[2 * place + 1]]);
        }
    }
    terms[BITS + 1] = (list[0] - row.wire(element)).residues();
}

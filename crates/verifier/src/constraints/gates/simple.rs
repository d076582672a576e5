//! Gates without structure: constants, public inputs, and the sum of bits.

use super::Row;
use crate::layout::Element;
use cairn_goldilocks::Quadratic;

/// `ConstantGate`: each of the first wires is a constant.
pub(super) fn constant(row: &Row<'_>, terms: &mut [Element; 2]) -> usize {
    for (wire, place) in terms.iter_mut().enumerate() {
        *place = (row.constant(wire) - row.wire(wire)).residues();
    }
    terms.len()
}

/// `PublicInputGate`: the first wires are the digest of the public inputs.
pub(super) fn public_inputs(row: &Row<'_>, terms: &mut [Element; 4]) -> usize {
    for (wire, (place, word)) in terms.iter_mut().zip(row.public_inputs_hash).enumerate() {
        *place = (row.wire(wire) - Quadratic::from_residues([*word, 0])).residues();
    }
    terms.len()
}

/// `BaseSumGate` in base two: a sum, and 63 bits of it.
#[inline(never)]
pub(super) fn base_sum(row: &Row<'_>, terms: &mut [Element; 64]) -> usize {
    const LIMBS: usize = 1;
    let (sum, bits) = terms.split_first_mut().expect("there are 64");
    let mut computed = Quadratic::ZERO;
    for (bit, place) in bits.iter_mut().enumerate().rev() {
        let limb = row.wire(LIMBS + bit);
        computed = computed + computed + limb;
        *place = (limb.square() - limb).residues();
    }
    *sum = (computed - row.wire(0)).residues();
    terms.len()
}

//! The constraints of every gate of the circuit.
//!
//! Rows tell by *selectors* which gate they are of: gates are in groups, each group has a selector whose value in a row is the
//! number of the gate, or [`UNUSED`] if the row's gate is of another group. A gate's *filter* is zero in all rows but its own: the product of
//! the differences of the selector from the numbers of the group's other gates, and from [`UNUSED`].

mod algebra;
mod arithmetic;
mod interpolation;
mod poseidon;
mod random_access;
mod reducing;
mod simple;

use super::permutation::PRODUCT_TERMS;
use super::{Openings, Sums};
use crate::generated;
use crate::layout::Element;
use crate::parameters::{CONSTANTS, GATE_CONSTANTS, SELECTORS, WIRES};
use cairn_goldilocks::{Goldilocks, Quadratic};

/// Constraints of a gate, at most.
pub(crate) const MAX_CONSTRAINTS: usize = 123;
/// What a selector says in a row of another group's gate.
const UNUSED: u64 = u32::MAX as u64;
/// The gates that this crate knows, in the order of their numbers: what their names in plonky2 begin with.
#[cfg(test)]
const GATES: [&str; 13] = [
    "NoopGate",
    "ConstantGate { num_consts: 2 }",
    "PoseidonMdsGate(",
    "PublicInputGate",
    "BaseSumGate { num_limbs: 63 } + Base: 2",
    "ReducingExtensionGate { num_coeffs: 32 }",
    "ReducingGate { num_coeffs: 43 }",
    "ArithmeticExtensionGate { num_ops: 10 }",
    "ArithmeticGate { num_ops: 20 }",
    "MulExtensionGate { num_ops: 13 }",
    "RandomAccessGate { bits: 4, num_copies: 4, num_extra_constants: 2,",
    "CosetInterpolationGate { subgroup_bits: 4, degree: 6,",
    "PoseidonGate(",
];

/// What a gate's constraints are about.
pub(crate) struct Row<'a> {
    pub(crate) wires: &'a [Element; WIRES],
    pub(crate) constants: &'a [Element; GATE_CONSTANTS],
    pub(crate) public_inputs_hash: &'a [u64; 4],
}

impl Row<'_> {
    #[inline(always)]
    fn wire(&self, wire: usize) -> Quadratic {
        Quadratic::from_residues(self.wires[wire])
    }

    #[inline(always)]
    fn constant(&self, constant: usize) -> Quadratic {
        Quadratic::from_residues(self.constants[constant])
    }
}

/// Adds the terms of all gates.
#[inline(never)]
pub(crate) fn add(openings: &Openings<'_>, public_inputs_hash: &[u64; 4], sums: &mut Sums<'_>) {
    let constants: &[Element; CONSTANTS] = openings.constants;
    let (selectors, constants) = constants.split_first_chunk::<SELECTORS>().expect("selectors are before constants");
    let constants = constants.first_chunk().expect("constants are after selectors");
    let row = Row { wires: openings.wires, constants, public_inputs_hash };
    let mut terms = [[0; 2]; MAX_CONSTRAINTS];
    for (number, (_, selector, ..)) in generated::production::GATES.iter().enumerate() {
        let count = constraints(number, &row, &mut terms);
        if count > 0 {
            let filter = filter(number, Quadratic::from_residues(selectors[*selector]));
            sums.add::<PRODUCT_TERMS>(&filter, &terms[..count]);
        }
    }
}

/// Writes a gate's constraints, and says how many they are.
#[inline(never)]
fn constraints(gate: usize, row: &Row<'_>, terms: &mut [Element; MAX_CONSTRAINTS]) -> usize {
    match gate {
        1 => simple::constant(row, first(terms)),
        2 => poseidon::matrix(row, first(terms)),
        3 => simple::public_inputs(row, first(terms)),
        4 => simple::base_sum(row, first(terms)),
        5 => reducing::reducing_extension(row, first(terms)),
        6 => reducing::reducing(row, first(terms)),
        7 => arithmetic::arithmetic_extension(row, first(terms)),
        8 => arithmetic::arithmetic(row, first(terms)),
        9 => arithmetic::multiplication_extension(row, first(terms)),
        10 => random_access::random_access(row, first(terms)),
        11 => interpolation::coset_interpolation(row, first(terms)),
        12 => poseidon::permutation(row, terms),
        _ => 0,
    }
}

/// The places of a gate's `N` constraints.
#[inline(always)]
fn first<const N: usize>(terms: &mut [Element; MAX_CONSTRAINTS]) -> &mut [Element; N] {
    const { assert!(N <= MAX_CONSTRAINTS) };
    terms.first_chunk_mut().expect("no gate has more constraints than the most")
}

#[inline(never)]
fn filter(gate: usize, selector: Quadratic) -> Quadratic {
    let (_, _, begin, end, _) = generated::production::GATES[gate];
    let difference = |number: u64| Quadratic::from(Goldilocks::from_residue(number)) - selector;
    let others = (begin..end).filter(|other| *other != gate);
    others.fold(difference(UNUSED), |product, other| product * difference(other as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circuits_gates_are_those_that_are_implemented_in_order_and_selected_alike() {
        let (production, dev) = (generated::production::GATES, generated::dev::GATES);
        assert_eq!(production, dev);
        for (number, ((id, selector, begin, end, row), name)) in production.into_iter().zip(GATES).enumerate() {
            assert!(id.starts_with(name), "gate {number} is {id}");
            assert_eq!(row, number);
            assert!(selector < SELECTORS && (begin..end).contains(&number));
        }
    }
}

//! Poseidon's gates: the permutation, and its matrix alone.

use super::{MAX_CONSTRAINTS, Row};
use crate::layout::Element;
use crate::parameters::WIRES;
use cairn_goldilocks::{CLAIMED_INPUTS, Quadratic, WIDTH, poseidon_differences, poseidon_matrix};

const OUTPUT: usize = WIDTH;
const SWAP: usize = 2 * WIDTH;
const DELTA: usize = SWAP + 1;
/// Lanes that are swapped with as many after them.
const SWAPPED: usize = 4;
const SBOX_INPUTS: usize = DELTA + SWAPPED;
const _: () = assert!(SBOX_INPUTS + CLAIMED_INPUTS == WIRES);
const _: () = assert!(1 + SWAPPED + CLAIMED_INPUTS + WIDTH == MAX_CONSTRAINTS);

/// `PoseidonGate`: the output is the permutation of the input, whose first eight lanes are two digests that are swapped if `swap`
/// is one.
#[inline(never)]
pub(super) fn permutation(row: &Row<'_>, terms: &mut [Element; MAX_CONSTRAINTS]) -> usize {
    let [of_swap, rest @ ..] = terms;
    let (of_deltas, differences) = rest.split_first_chunk_mut::<SWAPPED>().expect("the deltas' come first");
    let swap = row.wire(SWAP);
    *of_swap = (swap.square() - swap).residues();
    let mut input: [Element; WIDTH] = *row.wires.first_chunk().expect("the input comes first");
    for (lane, place) in of_deltas.iter_mut().enumerate() {
        let (left, right, delta) = (row.wire(lane), row.wire(lane + SWAPPED), row.wire(DELTA + lane));
        *place = (swap * (right - left) - delta).residues();
        input[lane] = (left + delta).residues();
        input[lane + SWAPPED] = (right - delta).residues();
    }
    poseidon_differences(
        &input,
        row.wires[SBOX_INPUTS..].first_chunk().expect("s-boxes take the rest of the wires"),
        row.wires[OUTPUT..].first_chunk().expect("the output is before them"),
        differences.first_chunk_mut().expect("their constraints are the rest"),
    );
    MAX_CONSTRAINTS
}

/// `PoseidonMdsGate`: lanes in the extension, of two wires each; outputs are the matrix times inputs.
#[inline(never)]
pub(super) fn matrix(row: &Row<'_>, terms: &mut [Element; 2 * WIDTH]) -> usize {
    for coefficient in 0..2 {
        // The matrix is of the base field: it acts on each coefficient of each coefficient by itself.
        let lanes = |part: usize| {
            let mut lanes = core::array::from_fn(|lane| row.wires[2 * lane + coefficient][part]);
            poseidon_matrix(&mut lanes);
            lanes
        };
        let (real, imaginary) = (lanes(0), lanes(1));
        for lane in 0..WIDTH {
            let output = row.wire(2 * (WIDTH + lane) + coefficient);
            let computed = Quadratic::from_residues([real[lane], imaginary[lane]]);
            terms[2 * lane + coefficient] = (output - computed).residues();
        }
    }
    terms.len()
}

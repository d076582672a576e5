//! The second step: the openings at zeta satisfy the circuit.
//!
//! plonky2's vanishing polynomial combines, by powers of each alpha, that `Z` begins with one, that each partial product continues
//! the one before it, and the constraints of every gate, each gate's times its filter. It is to be zero on all rows, hence a
//! multiple of `x^n - 1`: the quotient polynomials say which.

mod gates;
mod permutation;

use crate::layout::Element;
use crate::parameters::{CHALLENGES, CHUNK, CONSTANTS, DEGREE_BITS, OPENED, PARTIAL_PRODUCTS, QUOTIENT, ROUTED, WIRES};
use crate::{Progress, Rejection};
use cairn_goldilocks::{Quadratic, dot, multiply_residues};
pub(crate) use gates::MAX_CONSTRAINTS;
use permutation::PRODUCT_TERMS;

/// Terms of the vanishing polynomial.
pub(crate) const TERMS: usize = PRODUCT_TERMS + MAX_CONSTRAINTS;

/// What is opened at zeta, by kind.
pub(crate) struct Openings<'a> {
    pub(crate) constants: &'a [Element; CONSTANTS],
    pub(crate) sigmas: &'a [Element; ROUTED],
    pub(crate) wires: &'a [Element; WIRES],
    pub(crate) zs: &'a [Element; CHALLENGES],
    pub(crate) partial_products: &'a [[Element; PARTIAL_PRODUCTS]; CHALLENGES],
    pub(crate) quotient: &'a [[Element; CHUNK]; CHALLENGES],
    /// `Z` at g·zeta.
    pub(crate) next_zs: &'a [Element; CHALLENGES],
}

impl<'a> Openings<'a> {
    fn new(at_zeta: &'a [Element; OPENED], next_zs: &'a [Element; CHALLENGES]) -> Self {
        const WIRES_AT: usize = CONSTANTS + ROUTED;
        const PRODUCTS_AT: usize = WIRES_AT + WIRES + CHALLENGES;
        const { assert!(PRODUCTS_AT + CHALLENGES * PARTIAL_PRODUCTS + QUOTIENT == OPENED) };
        Self {
            constants: part(at_zeta, 0),
            sigmas: part(at_zeta, CONSTANTS),
            wires: part(at_zeta, WIRES_AT),
            zs: part(at_zeta, WIRES_AT + WIRES),
            partial_products: parts(at_zeta, PRODUCTS_AT),
            quotient: parts(at_zeta, PRODUCTS_AT + CHALLENGES * PARTIAL_PRODUCTS),
            next_zs,
        }
    }
}

fn part<const N: usize>(openings: &[Element; OPENED], at: usize) -> &[Element; N] {
    openings[at..].first_chunk().expect("the parts are within the whole")
}

fn parts<const N: usize, const M: usize>(openings: &[Element; OPENED], at: usize) -> &[[Element; N]; M] {
    openings[at..].as_chunks().0.first_chunk().expect("the parts are within the whole")
}

/// Checks the openings.
///
/// # Errors
/// When they do not satisfy the circuit.
#[inline(never)]
pub(crate) fn check(
    progress: &mut Progress,
    at_zeta: &[Element; OPENED],
    next_zs: &[Element; CHALLENGES],
) -> Result<(), Rejection> {
    let openings = Openings::new(at_zeta, next_zs);
    draw_powers(progress);
    let zeta_n = Quadratic::from_residues(progress.zeta).power_of_2(DEGREE_BITS);
    let vanishing_of_rows = zeta_n - Quadratic::ONE;

    let mut sums = Sums { powers: &progress.term_powers, sums: [Quadratic::ZERO; CHALLENGES] };
    permutation::add(progress, &openings, vanishing_of_rows, &mut sums)?;
    gates::add(&openings, &progress.public_inputs_hash, &mut sums);

    for (sum, chunks) in sums.sums.into_iter().zip(openings.quotient) {
        let quotient =
            chunks.iter().rev().fold(Quadratic::ZERO, |value, chunk| value * zeta_n + Quadratic::from_residues(*chunk));
        if sum != vanishing_of_rows * quotient {
            return Err(Rejection::Constraints);
        }
    }
    Ok(())
}

#[inline(never)]
fn draw_powers(progress: &mut Progress) {
    for (powers, alpha) in progress.term_powers.iter_mut().zip(progress.alphas) {
        let mut power = 1;
        for place in powers {
            *place = power;
            power = multiply_residues(power, alpha);
        }
    }
}

/// The vanishing polynomial of each alpha, as far as it is summed up.
pub(crate) struct Sums<'a> {
    powers: &'a [[u64; TERMS]; CHALLENGES],
    sums: [Quadratic; CHALLENGES],
}

impl Sums<'_> {
    /// Adds terms, from the one numbered `FIRST` on.
    ///
    /// Few arguments, whichever of them the compiler passes as their fields: sBPF v0 has registers for five, and a sixth is
    /// written where v0 has a gap between stack frames.
    #[inline(never)]
    fn add<const FIRST: usize>(&mut self, filter: &Quadratic, terms: &[Element]) {
        for (sum, powers) in self.sums.iter_mut().zip(self.powers) {
            *sum += *filter * dot(terms, &powers[FIRST..]);
        }
    }
}

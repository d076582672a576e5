//! The permutation argument: wires that are to be equal are permuted among each other, and the product over all rows of
//! `(wire + beta · place + gamma) / (wire + beta · permuted place + gamma)` is one. `Z` runs up that product row by row, and partial
//! products run through a row, eight factors at a time.

use super::{Openings, Sums, TERMS};
use crate::layout::Element;
use crate::parameters::{CHALLENGES, CHUNK, DEGREE_BITS, PARTIAL_PRODUCTS, ROUTED};
use crate::{Progress, Rejection, generated};
use cairn_goldilocks::Quadratic;

const CHUNKS: usize = PARTIAL_PRODUCTS + 1;
/// Terms of the vanishing polynomial that are not of gates.
pub(crate) const PRODUCT_TERMS: usize = CHALLENGES * (1 + CHUNKS);
const _: () = assert!(CHUNKS * CHUNK == ROUTED && PRODUCT_TERMS < TERMS);

/// Adds the argument's terms.
///
/// # Errors
/// When zeta is one, where the first Lagrange polynomial cannot be evaluated like this.
#[inline(never)]
pub(crate) fn add(
    progress: &Progress,
    openings: &Openings<'_>,
    vanishing_of_rows: Quadratic,
    sums: &mut Sums<'_>,
) -> Result<(), Rejection> {
    let zeta = Quadratic::from_residues(progress.zeta);
    let first_row = {
        // (x^n - 1) / (n (x - 1))
        let denominator = (zeta - Quadratic::ONE).scale(1 << DEGREE_BITS);
        vanishing_of_rows * denominator.inverse().ok_or(Rejection::ZeroDenominator)?
    };
    let mut terms = [[0; 2]; PRODUCT_TERMS];
    let (begins, products) = terms.split_at_mut(CHALLENGES);
    for (place, z) in begins.iter_mut().zip(openings.zs) {
        *place = (first_row * (Quadratic::from_residues(*z) - Quadratic::ONE)).residues();
    }
    let mut places = [[0; 2]; ROUTED];
    for (place, shift) in places.iter_mut().zip(generated::production::K_IS) {
        *place = zeta.scale(shift).residues();
    }
    for (repetition, products) in products.as_chunks_mut::<CHUNKS>().0.iter_mut().enumerate() {
        add_products(progress, openings, &places, repetition, products);
    }
    sums.add::<0>(&Quadratic::ONE, &terms);
    Ok(())
}

/// That each partial product continues the one before it, in one repetition.
#[inline(never)]
fn add_products(
    progress: &Progress,
    openings: &Openings<'_>,
    places: &[Element; ROUTED],
    repetition: usize,
    terms: &mut [Element; CHUNKS],
) {
    let (beta, gamma) = (progress.betas[repetition], progress.gammas[repetition]);
    let mut before = Quadratic::from_residues(openings.zs[repetition]);
    let partial = &openings.partial_products[repetition];
    let [wires, places, sigmas] =
        [&openings.wires[..ROUTED], places, openings.sigmas].map(|values| values.as_chunks::<CHUNK>().0);
    for (chunk, term) in terms.iter_mut().enumerate() {
        let after = Quadratic::from_residues(*partial.get(chunk).unwrap_or(&openings.next_zs[repetition]));
        let (mut numerator, mut denominator) = (before, after);
        for ((wire, place), sigma) in wires[chunk].iter().zip(&places[chunk]).zip(&sigmas[chunk]) {
            let wire = Quadratic::from_residues(*wire).add_base(gamma);
            numerator *= wire + Quadratic::from_residues(*place).scale(beta);
            denominator *= wire + Quadratic::from_residues(*sigma).scale(beta);
        }
        *term = (numerator - denominator).residues();
        before = after;
    }
}

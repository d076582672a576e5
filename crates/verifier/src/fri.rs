//! The last step: each query opens all committed polynomials at one point of the domain, combines them into the value of the
//! codeword that FRI folds, and follows that to the final polynomial.

use crate::layout::{Element, Hash, Proof, Query, ROW_WORDS, ROWS, Sizes, Z_IN_ROWS};
use crate::parameters::{ARITY, ARITY_BITS, CAP, CHALLENGES, DEGREE_BITS, FINAL_BITS, FOLDS, MAX_QUERIES, Parameters};
use crate::roots::{COSET_POWERS, FOLD_ROOTS, INVERSE_ROOTS, INVERSE_SHIFT, ROOTS, SHIFT, SIXTEENTH};
use crate::{Keccak, Progress, Rejection};
use cairn_goldilocks::{Goldilocks, Quadratic, dot, is_canonical};

/// Checks queries, one bit each.
///
/// # Errors
/// When one does not hold.
#[inline(never)]
pub(crate) fn check<P: Parameters, K: Keccak>(
    progress: &Progress,
    proof: &Proof<'_, P>,
    queries: u32,
) -> Result<(), Rejection> {
    let mut denominators = [Denominators::default(); MAX_QUERIES];
    invert::<P>(progress, queries, &mut denominators)?;
    for (query, denominators) in denominators[..P::QUERIES].iter().enumerate() {
        if queries >> query & 1 == 1 {
            check_one::<P, K>(progress, proof, query, denominators)?;
        }
    }
    Ok(())
}

/// A query's point, and the norms of its distances from where polynomials are opened.
#[derive(Clone, Copy, Default)]
struct Denominators {
    point: Goldilocks,
    /// The norms of the distances; at last, their inverses.
    norms: [Goldilocks; 2],
    /// The product of all norms before.
    before: Goldilocks,
}

/// The distances of a query's point from zeta and from g·zeta.
fn distances(progress: &Progress, point: Goldilocks) -> [Quadratic; 2] {
    let point = Quadratic::from(point);
    let zeta = Quadratic::from_residues(progress.zeta);
    [point - zeta, point - zeta.scale(ROOTS[DEGREE_BITS])]
}

/// Inverts the norms of all queries' distances with one inversion.
#[inline(never)]
fn invert<P: Parameters>(
    progress: &Progress,
    queries: u32,
    denominators: &mut [Denominators; MAX_QUERIES],
) -> Result<(), Rejection> {
    let wanted = |query: usize| queries >> query & 1 == 1;
    let mut product = Goldilocks::ONE;
    for (query, place) in denominators[..P::QUERIES].iter_mut().enumerate().filter(|(query, _)| wanted(*query)) {
        place.point = point::<P>(progress.indices[query], SHIFT, &ROOTS);
        place.norms = distances(progress, place.point).map(Quadratic::norm);
        place.before = product;
        product = product * place.norms[0] * place.norms[1];
    }
    // A zero among them would make every inverse zero.
    let mut inverse = product.inverse().ok_or(Rejection::ZeroDenominator)?;
    for (_, place) in denominators[..P::QUERIES].iter_mut().enumerate().rev().filter(|(query, _)| wanted(*query)) {
        let both = inverse * place.before;
        inverse = inverse * place.norms[0] * place.norms[1];
        place.norms = [both * place.norms[1], both * place.norms[0]];
    }
    Ok(())
}

/// The point of the domain at `index`: the shift times a root of unity to the power of the index with its bits reversed. With
/// inverses of both, the point's inverse.
fn point<P: Parameters>(index: u64, shift: u64, roots: &[u64]) -> Goldilocks {
    let mut point = Goldilocks::from_residue(shift);
    // The lowest bit of the index is the highest of the exponent, where the root is of order two.
    for (bit, root) in roots[1..=Sizes::<P>::DOMAIN_BITS].iter().enumerate() {
        if index >> bit & 1 == 1 {
            point *= Goldilocks::from_residue(*root);
        }
    }
    point
}

#[inline(never)]
fn check_one<P: Parameters, K: Keccak>(
    progress: &Progress,
    proof: &Proof<'_, P>,
    number: usize,
    denominators: &Denominators,
) -> Result<(), Rejection> {
    let query = proof.query(number);
    let mut index = progress.indices[number];
    let caps = [&P::CONSTANTS_SIGMAS_CAP, proof.cap(0), proof.cap(1), proof.cap(2)];
    check_rows::<P, K>(&query, index, caps)?;

    let mut value = combine(progress, query.rows(), denominators);
    let mut point = denominators.point;
    let mut inverse = self::point::<P>(index, INVERSE_SHIFT, &INVERSE_ROOTS);
    for fold in 0..FOLDS {
        let (values, within) = (query.values(fold), (index as usize) % ARITY);
        index >>= ARITY_BITS;
        if !values.as_flattened().iter().all(|word| is_canonical(*word)) {
            return Err(Rejection::NonCanonical);
        }
        if Quadratic::from_residues(values[within]) != value {
            return Err(Rejection::Fold);
        }
        let words = bytemuck::cast_slice(values.as_flattened());
        let tree = Tree { path: query.value_path(fold), cap: proof.fold_cap(fold) };
        if !tree.has::<K>(words, index) {
            return Err(Rejection::ValuePath);
        }
        value = join(values, within, inverse, Quadratic::from_residues(progress.fold_betas[fold]));
        point = power_of_arity(point);
        inverse = power_of_arity(inverse);
    }
    if evaluate(proof.final_polynomial(), point) == value { Ok(()) } else { Err(Rejection::FinalPolynomial) }
}

/// Checks that the rows are canonical and in their trees.
#[inline(never)]
fn check_rows<P: Parameters, K: Keccak>(
    query: &Query<'_, P>,
    index: u64,
    caps: [&[Hash; CAP]; 4],
) -> Result<(), Rejection> {
    let mut rest = &query.rows()[..];
    if !rest.iter().all(|word| is_canonical(*word)) {
        return Err(Rejection::NonCanonical);
    }
    for (tree, cap) in caps.into_iter().enumerate() {
        let (row, after) = rest.split_at(ROW_WORDS[tree]);
        rest = after;
        if !(Tree { path: query.row_path(tree), cap }).has::<K>(bytemuck::cast_slice(row), index) {
            return Err(Rejection::RowPath);
        }
    }
    Ok(())
}

/// What is known of a tree: a path, and the cap that it leads to.
struct Tree<'a> {
    path: &'a [Hash],
    cap: &'a [Hash; CAP],
}

impl Tree<'_> {
    /// Whether a leaf is at `index` of the tree.
    #[inline(never)]
    fn has<K: Keccak>(&self, leaf: &[u8], mut index: u64) -> bool {
        // A node at a time and back again: copying a digest costs a tenth of hashing two.
        let (mut here, mut above) = ([0; 4], [0; 4]);
        K::hash(&[leaf], &mut here);
        let (pairs, last) = self.path.as_chunks::<2>();
        for [sibling, next] in pairs {
            node::<K>(index & 1 == 1, &here, sibling, &mut above);
            node::<K>(index & 2 == 2, &above, next, &mut here);
            index >>= 2;
        }
        for sibling in last {
            node::<K>(index & 1 == 1, &here, sibling, &mut above);
            here = above;
            index >>= 1;
        }
        self.cap.get(index as usize) == Some(&here)
    }
}

/// The node over a digest and its sibling.
#[inline(always)]
fn node<K: Keccak>(is_right: bool, digest: &Hash, sibling: &Hash, node: &mut Hash) {
    let (digest, sibling) = (bytemuck::bytes_of(digest), bytemuck::bytes_of(sibling));
    if is_right { K::hash(&[sibling, digest], node) } else { K::hash(&[digest, sibling], node) }
}

/// The value of the codeword that FRI folds: the differences of all rows from what is opened, divided by the distances from
/// where it is opened, combined by powers of alpha. What is opened at g·zeta comes before what is opened at zeta.
#[inline(never)]
fn combine(progress: &Progress, rows: &[u64; ROWS], denominators: &Denominators) -> Quadratic {
    let [at_zeta, at_next] = progress.combined.map(Quadratic::from_residues);
    let [from_zeta, from_next] = distances(progress, denominators.point);
    let [by_zeta, by_next] = denominators.norms;
    let here = (dot(&progress.powers, rows) - at_zeta) * from_zeta.conjugate().scale(by_zeta.word());
    let zs = &rows[Z_IN_ROWS..Z_IN_ROWS + CHALLENGES];
    let next = (dot(&progress.powers, zs) - at_next) * from_next.conjugate().scale(by_next.word());
    here * Quadratic::from_residues(progress.powers[CHALLENGES]) + next
}

/// The value at `beta` of the polynomial that has these values at the points of a coset. `inverse` is the inverse of the
/// point at place `within`. Values lie in pairs of opposite points, pairs of pairs of square roots of opposite points, and
/// so on, so that folding by two four times is folding by sixteen: `f(x) = e(x^2) + x o(x^2)` has
/// `2 e = f(x) + f(-x)` and `2 o = (f(x) - f(-x)) / x`, and what is wanted is `e + beta o` at `beta^2`.
#[inline(always)]
fn join(values: &[Element; ARITY], within: usize, inverse: Goldilocks, beta: Quadratic) -> Quadratic {
    let start = inverse * Goldilocks::from_residue(COSET_POWERS[REVERSED[within]]);
    fold_coset(values, beta.scale(start.word()))
}

/// [`join`], given beta divided by the coset's beginning.
#[inline(never)]
fn fold_coset(values: &[Element; ARITY], twist: Quadratic) -> Quadratic {
    let (mut eighth, mut fourth, mut half, mut whole) = ([[0; 2]; 8], [[0; 2]; 4], [[0; 2]; 2], [[0; 2]; 1]);
    fold_pairs(values, twist, &mut eighth);
    let twist = twist.square();
    fold_pairs(&eighth, twist, &mut fourth);
    let twist = twist.square();
    fold_pairs(&fourth, twist, &mut half);
    fold_pairs(&half, twist.square(), &mut whole);
    let [whole] = whole;
    Quadratic::from_residues(whole).scale(SIXTEENTH)
}

/// The numbers of four bits with their bits reversed: where the coset's points are among the powers of its root.
const REVERSED: [usize; ARITY] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

/// Twice the fold of each pair. `twist` is beta divided by the coset's beginning.
#[inline(always)]
fn fold_pairs(values: &[Element], twist: Quadratic, folded: &mut [Element]) {
    for ((place, [a, b]), root) in folded.iter_mut().zip(values.as_chunks().0).zip(FOLD_ROOTS) {
        let (a, b) = (Quadratic::from_residues(*a), Quadratic::from_residues(*b));
        *place = (a + b + (a - b) * twist.scale(root)).residues();
    }
}

fn power_of_arity(element: Goldilocks) -> Goldilocks {
    (0..ARITY_BITS).fold(element, |power, _| power.square())
}

/// The value of a polynomial at a point of the base field.
#[inline(never)]
fn evaluate(coefficients: &[Element; 1 << FINAL_BITS], point: Goldilocks) -> Quadratic {
    coefficients
        .iter()
        .rev()
        .fold(Quadratic::ZERO, |value, coefficient| value.scale(point.word()) + Quadratic::from_residues(*coefficient))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dev, NativeKeccak, Production};

    fn element(seed: u64) -> Quadratic {
        let word = |seed: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed << 7;
        Quadratic::from_residues([word(seed + 1), word(seed + 1_000)])
    }

    #[test]
    fn roots_have_their_orders_and_inverses() {
        let square = |word| Goldilocks::from_residue(word).square().word();
        assert_eq!(ROOTS[0], 1);
        assert_eq!(ROOTS[1], cairn_goldilocks::MODULUS - 1);
        for order in 1..ROOTS.len() {
            assert_eq!(square(ROOTS[order]), ROOTS[order - 1]);
            assert_eq!(
                Goldilocks::from_residue(ROOTS[order]).inverse().map(Goldilocks::word),
                Some(INVERSE_ROOTS[order])
            );
        }
        assert_eq!(Goldilocks::from_residue(SHIFT) * Goldilocks::from_residue(INVERSE_SHIFT), Goldilocks::ONE);
        assert_eq!(Goldilocks::from_residue(SIXTEENTH) * Goldilocks::from(16), Goldilocks::ONE);
    }

    #[test]
    fn points_of_the_domain_are_powers_of_its_root_in_the_order_of_reversed_bits() {
        fn check<P: Parameters>() {
            let bits = Sizes::<P>::DOMAIN_BITS;
            for index in [0u64, 1, 2, 5, (1 << bits) - 1, 0x1_2345] {
                let exponent = index.reverse_bits() >> (64 - bits);
                let expected = Goldilocks::from_residue(SHIFT) * Goldilocks::from_residue(ROOTS[bits]).power(exponent);
                assert_eq!(point::<P>(index, SHIFT, &ROOTS), expected);
                let inverse = point::<P>(index, INVERSE_SHIFT, &INVERSE_ROOTS);
                assert_eq!(inverse * expected, Goldilocks::ONE);
            }
        }
        check::<Dev>();
        check::<Production>();
    }

    #[test]
    fn joining_a_coset_evaluates_the_polynomial_that_has_its_values() {
        let coefficients: [Quadratic; ARITY] = core::array::from_fn(|power| element(power as u64));
        let evaluate = |at: Quadratic| coefficients.iter().rev().fold(Quadratic::ZERO, |sum, next| sum * at + *next);
        let start = Goldilocks::from_residue(0x1234_5678_9abc_def0);
        let reversed = |place: usize| place.reverse_bits() >> (usize::BITS as usize - ARITY_BITS);
        let point = |place| start * Goldilocks::from_residue(ROOTS[ARITY_BITS]).power(reversed(place) as u64);
        let values: [Element; ARITY] = core::array::from_fn(|place| evaluate(Quadratic::from(point(place))).residues());
        let beta = element(77);
        for place in 0..ARITY {
            let inverse = point(place).inverse().expect("not zero");
            assert_eq!(join(&values, place, inverse, beta), evaluate(beta), "from place {place}");
        }
        let mut changed = values;
        changed[9][1] ^= 1;
        assert_ne!(join(&changed, 0, point(0).inverse().expect("not zero"), beta), evaluate(beta));
    }

    /// Also those of an odd length, which no profile has today.
    #[test]
    fn a_path_of_any_length_leads_from_its_leaf_to_its_cap_and_from_no_other_place() {
        let hash = |parts: &[&[u8]]| {
            let mut digest = [0; 4];
            NativeKeccak::hash(parts, &mut digest);
            digest
        };
        let path: [Hash; 7] = core::array::from_fn(|height| {
            core::array::from_fn(|word| element((4 * height + word) as u64).residues()[0])
        });
        let leaf = [7; 33];
        for length in 0..=path.len() {
            let path = &path[..length];
            for index in 0..(CAP as u64) << length {
                let root = path.iter().enumerate().fold(hash(&[&leaf]), |here, (height, sibling)| {
                    let (here, sibling) = (bytemuck::bytes_of(&here), bytemuck::bytes_of(sibling));
                    if index >> height & 1 == 0 { hash(&[here, sibling]) } else { hash(&[sibling, here]) }
                });
                let place = (index >> length) as usize;
                let mut cap = [[1; 4]; CAP];
                cap[place] = root;
                let tree = Tree { path, cap: &cap };
                assert!(tree.has::<NativeKeccak>(&leaf, index), "{index} of {length}");
                assert!(!tree.has::<NativeKeccak>(&leaf[1..], index), "another leaf");
                for other in (0..length + 3).map(|bit| index ^ 1 << bit) {
                    assert!(!tree.has::<NativeKeccak>(&leaf, other), "{index} is not {other} of {length}");
                }
                assert!(!tree.has::<NativeKeccak>(&leaf, index + ((CAP as u64) << length)), "outside the cap");
                cap[place][3] ^= 1;
                assert!(!Tree { path, cap: &cap }.has::<NativeKeccak>(&leaf, index), "another cap");
            }
        }
    }
}

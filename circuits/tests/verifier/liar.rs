//! A prover that knows no witness. It commits to random polynomials, opens all of them truthfully but for one chunk of each quotient,
//! whose values it makes up so that the constraints hold at zeta; and it grinds. What is left to refuse it is that those
//! values belong to no polynomial of low degree, which it hides as far as it is told to.
//!
//! That the constraints hold is what plonky2's gates say of random wires, constants and products: the chain's
//! verifier has to come to the same sum.

use crate::transcript::{Cap, Transcript};
use cairn_circuits::plonk::{Common, D, Extension, F, FinalConfig, FinalData, FinalProof};
use cairn_circuits::verifier_constants::Selectors;
use plonky2::field::polynomial::{PolynomialCoeffs, PolynomialValues};
use plonky2::field::types::{Field, Sample};
use plonky2::fri::oracle::PolynomialBatch;
use plonky2::fri::prover::fri_proof;
use plonky2::hash::poseidon::PoseidonHash;
use plonky2::plonk::config::Hasher;
use plonky2::plonk::proof::{OpeningSet, Proof, ProofWithPublicInputs};
use plonky2::plonk::vars::EvaluationVars;
use plonky2::util::reducing::ReducingFactor;
use plonky2::util::timing::TimingTree;

type Batch = PolynomialBatch<F, FinalConfig, D>;

/// How far the lie is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// None: the quotient's openings are true, and the constraints do not hold.
    None,
    /// The first codeword is that of the polynomials, not of what was opened.
    Openings,
    /// The first codeword is what the openings give, the second one that of the polynomials.
    FirstFold,
    /// All codewords are what the openings give, and only the final polynomial is too short for them.
    FinalPolynomial,
}

/// A proof of `statement` that is no proof.
pub fn prove(circuit: &FinalData, statement: &[F; 4], lie: Lie) -> FinalProof {
    let common = &circuit.common;
    let challenges = common.config.num_challenges;
    let random = |columns: usize| (0..columns).map(|_| PolynomialCoeffs::new(F::rand_vec(common.degree()))).collect();
    let commit = |columns: usize| {
        let (rate, cap) = (common.config.fri_config.rate_bits, common.config.fri_config.cap_height);
        Batch::from_coeffs(random(columns), rate, false, cap, &mut TimingTree::default(), None)
    };
    let mut transcript = Transcript::begin(circuit, statement);
    let wires = commit(common.config.num_wires);
    let [betas, gammas] = transcript.wires(&wires.merkle_tree.cap);
    let products = commit(challenges * (1 + common.num_partial_products));
    let alphas = transcript.products(&products.merkle_tree.cap);
    let quotient = commit(challenges * common.quotient_degree_factor);
    let zeta = transcript.quotient(&quotient.merkle_tree.cap);

    let keys = &circuit.prover_only.constants_sigmas_commitment;
    let next = Extension::primitive_root_of_unity(common.degree_bits()) * zeta;
    let at = |batch: &Batch, point: Extension| -> Vec<Extension> {
        batch.polynomials.iter().map(|polynomial| polynomial.to_extension::<D>().eval(point)).collect()
    };
    let (keys_at, products_at) = (at(keys, zeta), at(&products, zeta));
    let mut openings = OpeningSet {
        constants: keys_at[..common.num_constants].to_vec(),
        plonk_sigmas: keys_at[common.num_constants..].to_vec(),
        wires: at(&wires, zeta),
        plonk_zs: products_at[..challenges].to_vec(),
        plonk_zs_next: at(&products, next)[..challenges].to_vec(),
        partial_products: products_at[challenges..].to_vec(),
        quotient_polys: at(&quotient, zeta),
        ..OpeningSet::default()
    };
    let truth = openings.clone();
    if lie != Lie::None {
        let vanishing = vanishing(common, zeta, statement, &openings, [&betas, &gammas, &alphas]);
        let power = zeta.exp_power_of_2(common.degree_bits());
        let on_rows = power - Extension::ONE;
        for (chunks, vanishing) in openings.quotient_polys.chunks_mut(common.quotient_degree_factor).zip(vanishing) {
            let rest = chunks[1..].iter().rev().fold(Extension::ZERO, |sum, chunk| (sum + *chunk) * power);
            chunks[0] = vanishing / on_rows - rest;
        }
    }
    transcript.openings(&openings);

    let batches = [keys, &wires, &products, &quotient];
    let opening_proof = low_degree(common, transcript, &batches, [zeta, next], [&truth, &openings], lie);
    let cap = |batch: &Batch| -> Cap { batch.merkle_tree.cap.clone() };
    let proof = Proof {
        wires_cap: cap(&wires),
        plonk_zs_partial_products_cap: cap(&products),
        quotient_polys_cap: cap(&quotient),
        openings,
        opening_proof,
    };
    ProofWithPublicInputs { proof, public_inputs: statement.to_vec() }
}

/// The vanishing polynomials at zeta, by plonky2's gates.
fn vanishing(
    common: &Common,
    zeta: Extension,
    statement: &[F; 4],
    openings: &OpeningSet<F, D>,
    [betas, gammas, alphas]: [&[F]; 3],
) -> Vec<Extension> {
    let vars = EvaluationVars {
        local_constants: &openings.constants,
        local_wires: &openings.wires,
        public_inputs_hash: &PoseidonHash::hash_no_pad(statement),
    };
    let gates = gate_constraints(common, vars);
    let rows = Extension::from_canonical_usize(common.degree());
    let first_row = (zeta.exp_power_of_2(common.degree_bits()) - Extension::ONE) / (rows * (zeta - Extension::ONE));
    let first = openings.plonk_zs.iter().map(|z| first_row * (*z - Extension::ONE));
    let mut terms: Vec<Extension> = first.collect();
    for repetition in 0..common.config.num_challenges {
        let (beta, gamma) = (Extension::from(betas[repetition]), Extension::from(gammas[repetition]));
        let products =
            &openings.partial_products[repetition * common.num_partial_products..][..common.num_partial_products];
        let mut before = openings.plonk_zs[repetition];
        let after = products.iter().copied().chain([openings.plonk_zs_next[repetition]]);
        let columns: Vec<usize> = (0..common.config.num_routed_wires).collect();
        for (columns, after) in columns.chunks(common.quotient_degree_factor).zip(after) {
            let product = |place: &dyn Fn(usize) -> Extension| -> Extension {
                columns.iter().map(|&column| openings.wires[column] + beta * place(column) + gamma).product()
            };
            let own = product(&|column| zeta * Extension::from(common.k_is[column]));
            let wired = product(&|column| openings.plonk_sigmas[column]);
            terms.push(before * own - after * wired);
            before = after;
        }
    }
    terms.extend(gates);
    let sum = |alpha: &F| terms.iter().rev().fold(Extension::ZERO, |sum, term| sum * Extension::from(*alpha) + *term);
    alphas.iter().map(sum).collect()
}

/// The sums over all gates of each of their constraints, selected as the circuit says.
fn gate_constraints(common: &Common, vars: EvaluationVars<'_, F, D>) -> Vec<Extension> {
    let selectors = Selectors::of(common);
    let mut sums = vec![Extension::ZERO; common.num_gate_constraints];
    for (index, gate) in common.gates.iter().enumerate() {
        let selector = selectors.selector_indices[index];
        let group = selectors.groups[selector].clone();
        let constraints = gate.0.eval_filtered(vars, index, selector, group, selectors.groups.len(), 0);
        sums.iter_mut().zip(constraints).for_each(|(sum, constraint)| *sum += constraint);
    }
    sums
}

/// What was opened, in the order in which it is combined: at zeta, and at g·zeta.
fn combined(openings: &OpeningSet<F, D>) -> [Vec<Extension>; 2] {
    let at_zeta = [
        &openings.constants[..],
        &openings.plonk_sigmas,
        &openings.wires,
        &openings.plonk_zs,
        &openings.partial_products,
        &openings.quotient_polys,
    ];
    [at_zeta.concat(), openings.plonk_zs_next.clone()]
}

/// The argument that the openings are those of polynomials, which some of them are not.
fn low_degree(
    common: &Common,
    mut transcript: Transcript,
    batches: &[&Batch; 4],
    points: [Extension; 2],
    [truth, told]: [&OpeningSet<F, D>; 2],
    lie: Lie,
) -> plonky2::fri::proof::FriProof<F, plonky2::hash::keccak::KeccakHash<32>, D> {
    let challenger = &mut transcript.challenger;
    let alpha = challenger.get_extension_challenge::<D>();
    let all = || batches.iter().flat_map(|batch| &batch.polynomials);
    let zs = || batches[2].polynomials.iter().take(common.config.num_challenges);
    let mut reduce = ReducingFactor::new(alpha);
    let mut polynomial = PolynomialCoeffs::empty();
    let divided = |composed: PolynomialCoeffs<Extension>, point| {
        let mut quotient = composed.divide_by_linear(point);
        quotient.coeffs.push(Extension::ZERO);
        quotient
    };
    // Each shift takes what came before beyond the powers that have just been used.
    let composed = reduce.reduce_polys_base::<F, D>(all());
    reduce.shift_poly(&mut polynomial);
    polynomial += divided(composed, points[0]);
    let composed = reduce.reduce_polys_base::<F, D>(zs());
    reduce.shift_poly(&mut polynomial);
    polynomial += divided(composed, points[1]);

    let (mut coefficients, shift) = (polynomial.lde(common.fri_params.config.rate_bits), F::coset_shift());
    let mut values = coefficients.coset_fft(shift.into());
    if matches!(lie, Lie::FirstFold | Lie::FinalPolynomial) {
        let [difference, same] = [0, 1].map(|point| {
            let [truth, told] = [truth, told].map(|openings| {
                let values = &combined(openings)[point];
                values.iter().rev().fold(Extension::ZERO, |sum, value| sum * alpha + *value)
            });
            truth - told
        });
        assert_eq!(same, Extension::ZERO, "nothing is made up at g·zeta");
        let scaled = alpha.exp_u64(common.config.num_challenges as u64) * difference;
        let mut x: Extension = shift.into();
        let generator: Extension = F::primitive_root_of_unity(common.fri_params.lde_bits()).into();
        for value in &mut values.values {
            *value += scaled / (x - points[0]);
            x *= generator;
        }
    }
    if lie == Lie::FinalPolynomial {
        coefficients = PolynomialValues::new(values.values.clone()).coset_ifft(shift.into());
    }
    let trees: Vec<_> = batches.iter().map(|batch| &batch.merkle_tree).collect();
    let timing = &mut TimingTree::default();
    fri_proof::<F, FinalConfig, D>(&trees, coefficients, values, challenger, &common.fri_params, None, None, timing)
}

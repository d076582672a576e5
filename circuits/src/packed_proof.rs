//! The last layer's proof as the words that a chain reads.
//!
//! plonky2's own encoding puts a length before every path, so nothing after it is aligned. Here each field element is a
//! word of eight bytes, little-endian and below the field's order; an element of the extension is two of them, a hash its
//! 32 bytes; there are no lengths, and each query is contiguous. `crates/verifier/src/layout.rs` says where what is. The
//! public inputs are not in it: whoever verifies brings the statement along.

use crate::plonk::{Common, D, Extension, F, FinalConfig, FinalProof};
use plonky2::field::extension::FieldExtension;
use plonky2::field::polynomial::PolynomialCoeffs;
use plonky2::field::types::{Field, Field64, PrimeField64};
use plonky2::fri::proof::{FriInitialTreeProof, FriProof, FriQueryRound, FriQueryStep};
use plonky2::hash::hash_types::BytesHash;
use plonky2::hash::keccak::KeccakHash;
use plonky2::hash::merkle_proofs::MerkleProof;
use plonky2::hash::merkle_tree::MerkleCap;
use plonky2::plonk::config::GenericHashOut;
use plonky2::plonk::proof::{OpeningSet, Proof, ProofWithPublicInputs};

type Hash = BytesHash<32>;
type Hasher = KeccakHash<32>;

/// Bytes of a word.
const WORD: usize = 8;
/// Words of a hash.
const HASH_WORDS: usize = 4;

/// The packed words of a proof, in bytes.
#[must_use]
pub fn pack(proof: &FinalProof) -> Vec<u8> {
    let Proof { wires_cap, plonk_zs_partial_products_cap, quotient_polys_cap, openings, opening_proof } = &proof.proof;
    let mut packed = Packer::default();
    for cap in [wires_cap, plonk_zs_partial_products_cap, quotient_polys_cap] {
        packed.hashes(&cap.0);
    }
    for values in [
        &openings.constants,
        &openings.plonk_sigmas,
        &openings.wires,
        &openings.plonk_zs,
        &openings.partial_products,
        &openings.quotient_polys,
        &openings.plonk_zs_next,
    ] {
        packed.extensions(values);
    }
    for cap in &opening_proof.commit_phase_merkle_caps {
        packed.hashes(&cap.0);
    }
    packed.extensions(&opening_proof.final_poly.coeffs);
    packed.elements(&[opening_proof.pow_witness]);
    packed.pad();
    for query in &opening_proof.query_round_proofs {
        let trees = &query.initial_trees_proof.evals_proofs;
        trees.iter().for_each(|(row, _)| packed.elements(row));
        packed.pad();
        trees.iter().for_each(|(_, path)| packed.hashes(&path.siblings));
        for step in &query.steps {
            packed.extensions(&step.evals);
            packed.hashes(&step.merkle_proof.siblings);
        }
    }
    packed.0
}

/// Bytes of a packed proof of a circuit.
#[must_use]
pub fn length(common: &Common) -> usize {
    let shape = Shape::of(common);
    let rows: usize = shape.rows.iter().sum();
    let steps: usize = shape.steps.iter().map(|&(values, path)| D * values + HASH_WORDS * path).sum();
    let query = even(rows) + HASH_WORDS * shape.rows.len() * shape.path + steps;
    let caps = HASH_WORDS * shape.cap * (shape.rows.len() - 1 + shape.steps.len());
    let head = even(caps + D * (shape.openings.iter().sum::<usize>() + shape.final_polynomial) + 1);
    WORD * (head + shape.queries * query)
}

/// Reads the packed words of a proof of `statement`; `None` unless they are those of exactly one proof of this circuit's
/// shape. Nothing is verified.
#[must_use]
pub fn unpack(common: &Common, statement: [u64; 4], bytes: &[u8]) -> Option<FinalProof> {
    if bytes.len() != length(common) {
        return None;
    }
    let shape = Shape::of(common);
    let mut packed = Unpacker { words: bytes, taken: 0 };
    let [wires_cap, plonk_zs_partial_products_cap, quotient_polys_cap] =
        [packed.cap(shape.cap)?, packed.cap(shape.cap)?, packed.cap(shape.cap)?];
    let mut openings = Vec::new();
    for count in shape.openings {
        openings.push(packed.extensions(count)?);
    }
    let openings: [Vec<Extension>; 7] = openings.try_into().ok()?;
    let [constants, plonk_sigmas, wires, plonk_zs, partial_products, quotient_polys, plonk_zs_next] = openings;
    let openings = OpeningSet {
        constants,
        plonk_sigmas,
        wires,
        plonk_zs,
        plonk_zs_next,
        partial_products,
        quotient_polys,
        lookup_zs: Vec::new(),
        lookup_zs_next: Vec::new(),
    };
    let commit_phase_merkle_caps = shape.steps.iter().map(|_| packed.cap(shape.cap)).collect::<Option<_>>()?;
    let final_poly = PolynomialCoeffs::new(packed.extensions(shape.final_polynomial)?);
    let pow_witness = packed.element()?;
    packed.padding()?;
    let query_round_proofs = (0..shape.queries).map(|_| packed.query(&shape)).collect::<Option<_>>()?;
    let opening_proof = FriProof { commit_phase_merkle_caps, query_round_proofs, final_poly, pow_witness };
    let proof: Proof<F, FinalConfig, D> =
        Proof { wires_cap, plonk_zs_partial_products_cap, quotient_polys_cap, openings, opening_proof };
    let public_inputs = statement.into_iter().map(canonical).collect::<Option<_>>()?;
    Some(ProofWithPublicInputs { proof, public_inputs })
}

/// How much of everything a proof has.
struct Shape {
    cap: usize,
    /// Openings in the order of the words.
    openings: [usize; 7],
    /// Columns of each tree.
    rows: [usize; 4],
    /// Siblings in each tree.
    path: usize,
    /// Evaluations and siblings of each folding.
    steps: Vec<(usize, usize)>,
    final_polynomial: usize,
    queries: usize,
}

impl Shape {
    fn of(common: &Common) -> Self {
        let (fri, challenges) = (&common.fri_params, common.config.num_challenges);
        let (constants, sigmas) = (common.num_constants, common.config.num_routed_wires);
        let (wires, products) = (common.config.num_wires, challenges * common.num_partial_products);
        let quotient = challenges * common.quotient_degree_factor;
        let mut height = fri.lde_bits();
        let path = height - fri.config.cap_height;
        let steps = fri.reduction_arity_bits.iter().map(|&bits| {
            height -= bits;
            (1 << bits, height - fri.config.cap_height)
        });
        let steps = steps.collect();
        Self {
            cap: 1 << fri.config.cap_height,
            openings: [constants, sigmas, wires, challenges, products, quotient, challenges],
            rows: [constants + sigmas, wires, challenges + products, quotient],
            path,
            steps,
            final_polynomial: fri.final_poly_len(),
            queries: fri.config.num_query_rounds,
        }
    }
}

const fn even(words: usize) -> usize {
    words.next_multiple_of(2)
}

fn canonical(word: u64) -> Option<F> {
    (word < F::ORDER).then(|| F::from_canonical_u64(word))
}

#[derive(Default)]
struct Packer(Vec<u8>);

impl Packer {
    fn elements(&mut self, elements: &[F]) {
        elements.iter().for_each(|element| self.0.extend(element.to_canonical_u64().to_le_bytes()));
    }

    fn extensions(&mut self, values: &[Extension]) {
        values.iter().for_each(|value| self.elements(&FieldExtension::<D>::to_basefield_array(value)));
    }

    fn hashes(&mut self, hashes: &[Hash]) {
        hashes.iter().for_each(|hash| self.0.extend(GenericHashOut::<F>::to_bytes(hash)));
    }

    /// A zero word, if that makes the number of words even.
    fn pad(&mut self) {
        self.0.resize(WORD * even(self.0.len() / WORD), 0);
    }
}

struct Unpacker<'a> {
    words: &'a [u8],
    taken: usize,
}

impl Unpacker<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.words.split_first_chunk::<N>()?;
        self.words = rest;
        self.taken += N / WORD;
        Some(*first)
    }

    fn element(&mut self) -> Option<F> {
        canonical(u64::from_le_bytes(self.bytes()?))
    }

    fn elements(&mut self, count: usize) -> Option<Vec<F>> {
        (0..count).map(|_| self.element()).collect()
    }

    fn extensions(&mut self, count: usize) -> Option<Vec<Extension>> {
        (0..count).map(|_| Some(Extension::from_basefield_array([self.element()?, self.element()?]))).collect()
    }

    fn hashes(&mut self, count: usize) -> Option<Vec<Hash>> {
        (0..count).map(|_| Some(BytesHash(self.bytes()?))).collect()
    }

    fn cap(&mut self, count: usize) -> Option<MerkleCap<F, Hasher>> {
        self.hashes(count).map(MerkleCap)
    }

    fn path(&mut self, count: usize) -> Option<MerkleProof<F, Hasher>> {
        self.hashes(count).map(|siblings| MerkleProof { siblings })
    }

    /// What [`Packer::pad`] wrote.
    fn padding(&mut self) -> Option<()> {
        (self.taken.is_multiple_of(2) || self.bytes()? == [0; WORD]).then_some(())
    }

    fn query(&mut self, shape: &Shape) -> Option<FriQueryRound<F, Hasher, D>> {
        let rows = shape.rows.iter().map(|&columns| self.elements(columns)).collect::<Option<Vec<_>>>()?;
        self.padding()?;
        let paths = shape.rows.iter().map(|_| self.path(shape.path)).collect::<Option<Vec<_>>>()?;
        let evals_proofs = rows.into_iter().zip(paths).collect();
        let step = |&(values, path): &(usize, usize)| {
            Some(FriQueryStep { evals: self.extensions(values)?, merkle_proof: self.path(path)? })
        };
        let steps = shape.steps.iter().map(step).collect::<Option<_>>()?;
        Some(FriQueryRound { initial_trees_proof: FriInitialTreeProof { evals_proofs }, steps })
    }
}

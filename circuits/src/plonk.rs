//! The one plonky2 instance that everything here uses: Goldilocks, its quadratic extension, Poseidon.

use cairn_types::Digest;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::CircuitData;
use plonky2::plonk::config::PoseidonGoldilocksConfig;
use plonky2::plonk::proof::ProofWithPublicInputs;

/// The base field, of order 2^64 - 2^32 + 1.
pub type F = GoldilocksField;
/// Degree of the extension in which challenges are drawn.
pub const D: usize = 2;
/// Hashes and extension of every layer.
pub type C = PoseidonGoldilocksConfig;
/// The extension field.
pub type Extension = QuadraticExtension<F>;
/// A circuit under construction.
pub type Builder = CircuitBuilder<F, D>;
/// A finished circuit, for proving and verifying.
pub type Circuit = CircuitData<F, C, D>;
/// A proof and its public inputs.
pub type Proof = ProofWithPublicInputs<F, C, D>;
/// A digest in a circuit.
pub type DigestTarget = [Target; 4];

/// The field elements of canonical words.
///
/// # Panics
/// In debug builds, when a word is not below the modulus; words come out of `cairn_types`, which checks them.
#[must_use]
pub fn elements<const N: usize>(words: [u64; N]) -> [F; N] {
    words.map(F::from_canonical_u64)
}

/// The digest that four elements are.
#[must_use]
pub fn digest_of(elements: [F; 4]) -> Digest {
    Digest::constant(elements.map(|element| element.to_canonical_u64()))
}

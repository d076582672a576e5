//! The one plonky2 instance that everything here uses: Goldilocks, its quadratic extension, Poseidon; and Keccak for the
//! one proof that a chain verifies.

use cairn_types::Digest;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::hash::keccak::KeccakHash;
use plonky2::hash::poseidon::PoseidonHash;
use plonky2::iop::target::Target;
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::circuit_data::{CircuitData, CommonCircuitData};
use plonky2::plonk::config::{GenericConfig, PoseidonGoldilocksConfig};
use plonky2::plonk::proof::ProofWithPublicInputs;

/// The base field, of order 2^64 - 2^32 + 1.
pub type F = GoldilocksField;
/// Degree of the extension in which challenges are drawn.
pub const D: usize = 2;
/// Hashes and extension of every layer that a circuit verifies.
pub type C = PoseidonGoldilocksConfig;

/// Hashes and extension of the last layer, which no circuit verifies: Keccak is what a chain computes cheaply. The public
/// inputs are hashed with Poseidon all the same, because the circuit itself does that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalConfig;

impl GenericConfig<D> for FinalConfig {
    type F = F;
    type FE = Extension;
    type Hasher = KeccakHash<32>;
    type InnerHasher = PoseidonHash;
}

/// Hashes and extension of some layer.
pub trait Config: GenericConfig<D, F = F, FE = Extension> + 'static {}

impl<K: GenericConfig<D, F = F, FE = Extension> + 'static> Config for K {}

/// The extension field.
pub type Extension = QuadraticExtension<F>;
/// A circuit under construction.
pub type Builder = CircuitBuilder<F, D>;
/// A finished circuit, for proving and verifying.
pub type Data<K> = CircuitData<F, K, D>;
/// The gates, parameters and shape of a circuit.
pub type Common = CommonCircuitData<F, D>;
/// A finished circuit of a layer that a circuit verifies.
pub type Circuit = Data<C>;
/// The last layer's finished circuit.
pub type FinalData = Data<FinalConfig>;
/// A proof and its public inputs.
pub type Proof = ProofWithPublicInputs<F, C, D>;
/// The last layer's proof and its public inputs.
pub type FinalProof = ProofWithPublicInputs<F, FinalConfig, D>;
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

//! A prover's side of the transcript, step by step, so that a test can put anything into it.

use cairn_circuits::plonk::{Common, D, Extension, F, FinalData, FinalProof};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::hash::keccak::KeccakHash;
use plonky2::hash::merkle_tree::MerkleCap;
use plonky2::hash::poseidon::PoseidonHash;
use plonky2::iop::challenger::Challenger;
use plonky2::plonk::config::Hasher;
use plonky2::plonk::proof::OpeningSet;

type Hash = KeccakHash<32>;
/// Where the search for a nonce begins: where plonky2's, which begins at parts of the whole range, finds none.
const FIRST_NONCE: u64 = 1 << 40;
pub type Cap = MerkleCap<F, Hash>;

/// The transcript so far.
#[derive(Clone)]
pub struct Transcript {
    pub challenger: Challenger<F, Hash>,
    repetitions: usize,
}

impl Transcript {
    /// What it begins with.
    pub fn begin(circuit: &FinalData, statement: &[F]) -> Self {
        let mut challenger = Challenger::new();
        circuit.common.fri_params.observe(&mut challenger);
        challenger.observe_hash::<Hash>(circuit.verifier_only.circuit_digest);
        challenger.observe_hash::<PoseidonHash>(PoseidonHash::hash_no_pad(statement));
        Self { challenger, repetitions: circuit.common.config.num_challenges }
    }

    /// Betas and gammas.
    pub fn wires(&mut self, cap: &Cap) -> [Vec<F>; 2] {
        self.challenger.observe_cap::<Hash>(cap);
        [(); 2].map(|()| self.challenger.get_n_challenges(self.repetitions))
    }

    /// Alphas.
    pub fn products(&mut self, cap: &Cap) -> Vec<F> {
        self.challenger.observe_cap::<Hash>(cap);
        self.challenger.get_n_challenges(self.repetitions)
    }

    /// Zeta.
    pub fn quotient(&mut self, cap: &Cap) -> Extension {
        self.challenger.observe_cap::<Hash>(cap);
        self.challenger.get_extension_challenge::<D>()
    }

    /// What is opened.
    pub fn openings(&mut self, openings: &OpeningSet<F, D>) {
        for values in [
            &openings.constants,
            &openings.plonk_sigmas,
            &openings.wires,
            &openings.plonk_zs,
            &openings.partial_products,
            &openings.quotient_polys,
            &openings.plonk_zs_next,
        ] {
            self.challenger.observe_extension_elements::<D>(values);
        }
    }

    /// All of a proof up to the nonce.
    pub fn of(circuit: &FinalData, proof: &FinalProof) -> Self {
        let mut transcript = Self::begin(circuit, &proof.public_inputs);
        let proof = &proof.proof;
        transcript.wires(&proof.wires_cap);
        transcript.products(&proof.plonk_zs_partial_products_cap);
        transcript.quotient(&proof.quotient_polys_cap);
        transcript.openings(&proof.openings);
        transcript.challenger.get_extension_challenge::<D>();
        for cap in &proof.opening_proof.commit_phase_merkle_caps {
            transcript.challenger.observe_cap::<Hash>(cap);
            transcript.challenger.get_extension_challenge::<D>();
        }
        transcript.challenger.observe_extension_elements::<D>(&proof.opening_proof.final_poly.coeffs);
        transcript
    }

    /// Whether the grinding accepts a nonce.
    pub fn accepts(&self, common: &Common, nonce: F) -> bool {
        let mut challenger = self.challenger.clone();
        challenger.observe_element(nonce);
        challenger.get_challenge().to_canonical_u64().leading_zeros() >= common.fri_params.config.proof_of_work_bits
    }

    /// A nonce that the grinding accepts.
    pub fn grind(&self, common: &Common) -> F {
        (FIRST_NONCE..u64::MAX).map(F::from_canonical_u64).find(|nonce| self.accepts(common, *nonce)).unwrap()
    }
}

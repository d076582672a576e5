//! Proving and verifying with a set of circuits.

use crate::plonk::{Circuit, F, Proof, digest_of};
use crate::segment::SegmentInputs;
use crate::{CircuitSet, Layer, Profile, pinned};
use anyhow::Error as Plonky2Error;
use cairn_types::{Digest, HEADER_WORDS};
use plonky2::field::types::Field;
use plonky2::iop::witness::PartialWitness;
use plonky2::plonk::proof::ProofWithPublicInputs;

/// A batch proof in bytes, at most: what is larger is refused unread.
pub const MAX_PROOF_BYTES: usize = 1 << 20;

/// Why a proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CircuitError {
    /// plonky2 refused the witness.
    #[error("the {layer} circuit refuses its inputs")]
    Refused {
        /// Which circuit.
        layer: Layer,
        /// plonky2's reason.
        #[source]
        source: Plonky2Error,
    },
}

/// Why a batch proof is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Over [`MAX_PROOF_BYTES`].
    #[error("a batch proof of {0} bytes is over the limit of {MAX_PROOF_BYTES}")]
    TooLong(usize),
    /// The proof says it is of another profile.
    #[error("the proof is of profile {found}, but this verifier accepts {expected}")]
    Profile {
        /// What it says.
        found: Profile,
        /// What is accepted.
        expected: Profile,
    },
    /// Not the canonical encoding of a proof of this circuit.
    #[error("the bytes are not the canonical encoding of a batch proof of profile {0}")]
    Encoding(Profile),
    /// The proof is of another statement.
    #[error("the proof is of the statement {proved}, not of {expected}")]
    Statement {
        /// What it proves.
        proved: Digest,
        /// What was asked for.
        expected: Digest,
    },
    /// plonky2's verifier refuses it.
    #[error("the proof does not verify")]
    Invalid(#[source] Plonky2Error),
}

impl CircuitSet {
    /// Proves a segment; inputs without bundles give the no-op.
    ///
    /// plonky2 notices inputs that break a clause only where a generator does: run the native twin first, and let the
    /// finished batch proof be verified.
    ///
    /// # Errors
    /// When plonky2 finds the inputs inconsistent.
    pub fn prove_segment(&self, inputs: &SegmentInputs) -> Result<Proof, CircuitError> {
        prove(Layer::Segment, &self.segment.circuit, |witness| self.segment.target.assign(witness, inputs))
    }

    /// Proves a node of `level` (1 to [`crate::LEVELS`]) over two proofs of the level below; without a right one, over the no-op.
    ///
    /// # Errors
    /// When a proof is not of the level below or the two break a clause.
    ///
    /// # Panics
    /// When `level` does not exist.
    pub fn prove_aggregation(&self, level: usize, left: &Proof, right: Option<&Proof>) -> Result<Proof, CircuitError> {
        let node = &self.levels[level - 1];
        let right = match right {
            Some(right) => right,
            None => self.no_op(level - 1)?,
        };
        prove(Layer::Aggregation(level), &node.circuit, |witness| node.target.assign(witness, left, right))
    }

    /// Proves a header over the proof of the last level.
    ///
    /// # Errors
    /// When the proof is not of the last level, or the header does not say what the proof says.
    pub fn prove_batch(&self, bundles: &Proof, header: &[u64; HEADER_WORDS]) -> Result<Proof, CircuitError> {
        prove(Layer::Batch, &self.batch.circuit, |witness| self.batch.target.assign(witness, bundles, header))
    }

    /// Verifies the bytes of a batch proof.
    ///
    /// # Errors
    /// When they are no proof of `statement` under this profile's keys.
    pub fn verify(&self, statement: &Digest, bytes: &[u8]) -> Result<(), VerifyError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(VerifyError::TooLong(bytes.len()));
        }
        let encoding = || VerifyError::Encoding(self.profile);
        let proof: Proof =
            ProofWithPublicInputs::from_bytes(bytes.to_vec(), &self.batch.circuit.common).map_err(|_| encoding())?;
        // plonky2 reads words that are not below the modulus and ignores what follows: one proof would have many encodings.
        if proof.to_bytes() != bytes {
            return Err(encoding());
        }
        let elements: [F; 4] = proof.public_inputs.as_slice().try_into().map_err(|_| encoding())?;
        let proved = digest_of(elements);
        if proved != *statement {
            return Err(VerifyError::Statement { proved, expected: *statement });
        }
        self.batch.circuit.verify(proof).map_err(VerifyError::Invalid)
    }

    /// The proof of nothing at a level (0 for segments), made once and kept.
    fn no_op(&self, level: usize) -> Result<&Proof, CircuitError> {
        let cell = &self.no_ops[level];
        if let Some(proof) = cell.get() {
            return Ok(proof);
        }
        let (layer, circuit) = match level {
            0 => (Layer::Segment, &self.segment.circuit),
            _ => (Layer::Aggregation(level), &self.levels[level - 1].circuit),
        };
        let fingerprint = &pinned::layer(self.profile, layer).fingerprint;
        let kept = self.cache.no_op(self.profile, layer, fingerprint, circuit);
        if let Some(proof) = kept.filter(|proof| is_blank(proof) && circuit.verify(proof.clone()).is_ok()) {
            return Ok(cell.get_or_init(|| proof));
        }
        let proof = match level {
            0 => self.prove_segment(&SegmentInputs::default())?,
            _ => self.prove_aggregation(level, self.no_op(level - 1)?, None)?,
        };
        if let Err(error) = self.cache.keep_no_op(self.profile, layer, fingerprint, &proof) {
            log::warn!("the no-op proof of the {layer} circuit is not kept for the next start: {error}");
        }
        Ok(cell.get_or_init(|| proof))
    }
}

/// Whether a proof says that it is of nothing.
fn is_blank(proof: &Proof) -> bool {
    proof.public_inputs.split_first().is_some_and(|(flag, rest)| flag.is_one() && rest.iter().all(Field::is_zero))
}

fn prove(
    layer: Layer,
    circuit: &Circuit,
    assign: impl FnOnce(&mut PartialWitness<F>) -> Result<(), Plonky2Error>,
) -> Result<Proof, CircuitError> {
    let refused = |source| CircuitError::Refused { layer, source };
    let mut witness = PartialWitness::new();
    assign(&mut witness).map_err(refused)?;
    circuit.prove(witness).map_err(refused)
}

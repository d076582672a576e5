//! Proving with a set of circuits.

use crate::plonk::{Config, D, Data, F, FinalProof, Proof};
use crate::segment::SegmentInputs;
use crate::{CircuitSet, Layer, packed_proof, pinned};
use anyhow::Error as Plonky2Error;
use cairn_types::HEADER_WORDS;
use plonky2::field::types::Field;
use plonky2::iop::witness::PartialWitness;
use plonky2::plonk::proof::ProofWithPublicInputs;

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

    /// Proves once more what a batch proof says, so that a chain can verify it.
    ///
    /// # Errors
    /// When the proof is none of the batch circuit.
    pub fn prove_final(&self, batch: &Proof) -> Result<FinalProof, CircuitError> {
        prove(Layer::Final, &self.last.circuit, |witness| self.last.target.assign(witness, batch))
    }

    /// As [`Self::prove_final`], in packed words.
    ///
    /// # Errors
    /// When the proof is none of the batch circuit.
    pub fn wrap(&self, batch: &Proof) -> Result<Vec<u8>, CircuitError> {
        self.prove_final(batch).map(|proof| packed_proof::pack(&proof))
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

fn prove<K: Config>(
    layer: Layer,
    circuit: &Data<K>,
    assign: impl FnOnce(&mut PartialWitness<F>) -> Result<(), Plonky2Error>,
) -> Result<ProofWithPublicInputs<F, K, D>, CircuitError> {
    let refused = |source| CircuitError::Refused { layer, source };
    let mut witness = PartialWitness::new();
    assign(&mut witness).map_err(refused)?;
    circuit.prove(witness).map_err(refused)
}

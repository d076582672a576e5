//! Proofs below and at the top of the proof tree that came from elsewhere: read and verified, layer by layer.

use crate::plonk::{Circuit, Proof};
use crate::{CircuitSet, Layer, MAX_PROOF_BYTES};
use anyhow::Error as Plonky2Error;
use plonky2::field::types::PrimeField64;
use plonky2::plonk::proof::ProofWithPublicInputs;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A segment or aggregation proof in bytes, at most: twice what the larger profile has.
pub const MAX_NODE_PROOF_BYTES: usize = 512 << 10;

/// Why a proof of some layer is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There is no such layer.
    #[error("there is no {0} layer")]
    Layer(Layer),
    /// Over the layer's limit.
    #[error("a {layer} proof of {actual} bytes is over the limit of {most}")]
    TooLong {
        /// Which circuit.
        layer: Layer,
        /// Bytes it has.
        actual: usize,
        /// Bytes it may have.
        most: usize,
    },
    /// Not the canonical encoding of a proof of this circuit.
    #[error("the bytes are not the canonical encoding of a {0} proof")]
    Encoding(Layer),
    /// The proof says something else in public than what was asked for.
    #[error("the {layer} proof is of another statement: its public input {index} is another")]
    Statement {
        /// Which circuit.
        layer: Layer,
        /// First public input that differs, or is missing.
        index: usize,
    },
    /// plonky2's verifier refuses it.
    #[error("the {layer} proof does not verify")]
    Invalid {
        /// Which circuit.
        layer: Layer,
        /// plonky2's reason.
        #[source]
        source: Plonky2Error,
    },
}

impl Layer {
    /// A proof of this layer in bytes, at most.
    #[must_use]
    pub const fn max_proof_bytes(self) -> usize {
        match self {
            Self::Segment | Self::Aggregation(_) => MAX_NODE_PROOF_BYTES,
            Self::Batch => MAX_PROOF_BYTES,
        }
    }
}

impl CircuitSet {
    /// The circuit of a layer.
    ///
    /// # Errors
    /// When there is no such layer.
    pub fn circuit(&self, layer: Layer) -> Result<&Circuit, NodeError> {
        let found = match layer {
            Layer::Segment => Some(&self.segment.circuit),
            Layer::Aggregation(level) => {
                level.checked_sub(1).and_then(|index| self.levels.get(index)).map(|level| &level.circuit)
            }
            Layer::Batch => Some(&self.batch.circuit),
        };
        found.ok_or(NodeError::Layer(layer))
    }

    /// Reads a proof of `layer`, which must be its one canonical encoding. Nothing is verified.
    ///
    /// # Errors
    /// When the bytes are too many or no such encoding.
    pub fn read_proof(&self, layer: Layer, bytes: &[u8]) -> Result<Proof, NodeError> {
        let circuit = self.circuit(layer)?;
        let most = layer.max_proof_bytes();
        if bytes.len() > most {
            return Err(NodeError::TooLong { layer, actual: bytes.len(), most });
        }
        let read = || ProofWithPublicInputs::from_bytes(bytes.to_vec(), &circuit.common).ok();
        // The reader is plonky2's: whatever it makes of foreign bytes, a service outlives it.
        let proof: Option<Proof> = catch_unwind(AssertUnwindSafe(read)).ok().flatten();
        proof
            .filter(|proof| {
                proof.public_inputs.len() == circuit.common.num_public_inputs && proof.to_bytes().as_slice() == bytes
            })
            .ok_or(NodeError::Encoding(layer))
    }

    /// Verifies that `proof` is one of `layer` whose public inputs are `stated`: [`crate::Statement`] as an array, or a
    /// header's digest.
    ///
    /// # Errors
    /// When it is of something else, or does not verify.
    pub fn verify_layer(&self, layer: Layer, proof: &Proof, stated: &[u64]) -> Result<(), NodeError> {
        let circuit = self.circuit(layer)?;
        let found: Vec<u64> = proof.public_inputs.iter().map(PrimeField64::to_canonical_u64).collect();
        if found != stated {
            let index = found.iter().zip(stated).take_while(|(found, stated)| found == stated).count();
            return Err(NodeError::Statement { layer, index });
        }
        let verified = catch_unwind(AssertUnwindSafe(|| circuit.verify(proof.clone())));
        let verified = verified.unwrap_or_else(|_| Err(anyhow::anyhow!("plonky2's verifier panicked")));
        verified.map_err(|source| NodeError::Invalid { layer, source })
    }
}

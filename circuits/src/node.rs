//! Proofs of any layer, and those that came from elsewhere: read and verified, layer by layer.

use crate::plonk::{Circuit, Proof};
use crate::{CircuitSet, Layer, MAX_PROOF_BYTES, VerifyError, proof_bytes};
use anyhow::Error as Plonky2Error;
use cairn_types::Digest;
use plonky2::field::types::PrimeField64;
use plonky2::plonk::proof::ProofWithPublicInputs;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A proof that a circuit verifies in bytes, at most: twice what the largest has.
pub const MAX_NODE_PROOF_BYTES: usize = 512 << 10;

/// A proof of some layer.
#[derive(Debug, Clone)]
pub enum LayerProof {
    /// One that the circuit above verifies.
    Node(Box<Proof>),
    /// The last one, in packed words.
    Final(Vec<u8>),
}

impl LayerProof {
    /// As it is sent: plonky2's encoding of the proof and its public inputs, or the packed words.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Node(proof) => proof.to_bytes(),
            Self::Final(words) => words.clone(),
        }
    }

    /// The proof that a circuit verifies.
    #[must_use]
    pub fn node(&self) -> Option<&Proof> {
        match self {
            Self::Node(proof) => Some(proof),
            Self::Final(_) => None,
        }
    }

    /// As [`Self::node`], taking it.
    #[must_use]
    pub fn into_node(self) -> Option<Proof> {
        match self {
            Self::Node(proof) => Some(*proof),
            Self::Final(_) => None,
        }
    }
}

impl From<Proof> for LayerProof {
    fn from(proof: Proof) -> Self {
        Self::Node(Box::new(proof))
    }
}

/// Why a proof of some layer is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// There is no such layer among those whose proofs a circuit verifies.
    #[error("there is no {0} layer whose proofs a circuit verifies")]
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
    /// The chain's verifier refuses it.
    #[error("the final proof does not verify")]
    Final(#[source] VerifyError),
}

impl Layer {
    /// A proof of this layer in bytes, at most.
    #[must_use]
    pub const fn max_proof_bytes(self) -> usize {
        match self {
            Self::Segment | Self::Aggregation(_) | Self::Batch => MAX_NODE_PROOF_BYTES,
            Self::Final => MAX_PROOF_BYTES,
        }
    }
}

impl CircuitSet {
    /// The circuit of a layer whose proofs a circuit verifies.
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
            Layer::Final => None,
        };
        found.ok_or(NodeError::Layer(layer))
    }

    /// Reads a proof of any layer, which must be its one canonical encoding. Nothing is verified.
    ///
    /// # Errors
    /// When the bytes are too many or no such encoding.
    pub fn read_proof(&self, layer: Layer, bytes: &[u8]) -> Result<LayerProof, NodeError> {
        match layer {
            // Its words are looked at when it is verified.
            Layer::Final if bytes.len() == proof_bytes(self.profile) => Ok(LayerProof::Final(bytes.to_vec())),
            Layer::Final => Err(NodeError::Encoding(layer)),
            _ => self.read_node(layer, bytes).map(LayerProof::from),
        }
    }

    /// Reads a proof of a layer whose proofs a circuit verifies.
    ///
    /// # Errors
    /// When the bytes are too many or no such encoding.
    pub fn read_node(&self, layer: Layer, bytes: &[u8]) -> Result<Proof, NodeError> {
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
    pub fn verify_layer(&self, layer: Layer, proof: &LayerProof, stated: &[u64]) -> Result<(), NodeError> {
        let proof = match (layer, proof) {
            (Layer::Final, LayerProof::Final(words)) => return self.verify_final(words, stated),
            (_, LayerProof::Node(proof)) => proof,
            (_, LayerProof::Final(_)) => return Err(NodeError::Encoding(layer)),
        };
        let circuit = self.circuit(layer)?;
        let found: Vec<u64> = proof.public_inputs.iter().map(PrimeField64::to_canonical_u64).collect();
        if found != stated {
            let index = found.iter().zip(stated).take_while(|(found, stated)| found == stated).count();
            return Err(NodeError::Statement { layer, index });
        }
        let verified = catch_unwind(AssertUnwindSafe(|| circuit.verify((**proof).clone())));
        let verified = verified.unwrap_or_else(|_| Err(anyhow::anyhow!("plonky2's verifier panicked")));
        verified.map_err(|source| NodeError::Invalid { layer, source })
    }

    fn verify_final(&self, words: &[u8], stated: &[u64]) -> Result<(), NodeError> {
        let statement: Option<Digest> = stated.try_into().ok().and_then(|words| Digest::from_words(words).ok());
        let statement = statement.ok_or(NodeError::Statement { layer: Layer::Final, index: 0 })?;
        self.verify(&statement, words).map_err(NodeError::Final)
    }
}

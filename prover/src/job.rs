//! One proof to be made: the same here and on another machine.

use crate::ProveError;
use cairn_circuits::plonk::Proof;
use cairn_circuits::{CircuitError, CircuitSet, Layer, LayerProof, SegmentInputs};
use cairn_types::HEADER_WORDS;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a proof of the tree is made from.
#[derive(Debug, Clone, Copy)]
pub enum Job<'a> {
    /// A leaf.
    Segment(&'a SegmentInputs),
    /// A node over two proofs of the level below; without a right one, over the no-op.
    Aggregation {
        /// From 1 to [`cairn_circuits::LEVELS`].
        level: usize,
        /// The left proof.
        left: &'a Proof,
        /// The right proof.
        right: Option<&'a Proof>,
    },
    /// The header.
    Batch {
        /// The proof of the last level.
        child: &'a Proof,
        /// The header's words.
        header: &'a [u64; HEADER_WORDS],
    },
    /// The batch proof in the form that a chain verifies.
    Final(&'a Proof),
}

impl Job<'_> {
    /// Which circuit proves it.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        match self {
            Self::Segment(_) => Layer::Segment,
            Self::Aggregation { level, .. } => Layer::Aggregation(*level),
            Self::Batch { .. } => Layer::Batch,
            Self::Final(_) => Layer::Final,
        }
    }

    /// Makes the proof: seconds. To be called inside the thread pool that plonky2's loops may use.
    ///
    /// # Errors
    /// When a circuit refuses the inputs, or plonky2 panics on them.
    pub fn prove(&self, circuits: &CircuitSet) -> Result<LayerProof, ProveError> {
        guarded(self.layer(), || match self {
            Self::Segment(inputs) => circuits.prove_segment(inputs).map(LayerProof::from),
            Self::Aggregation { level, left, right } => {
                circuits.prove_aggregation(*level, left, *right).map(LayerProof::from)
            }
            Self::Batch { child, header } => circuits.prove_batch(child, header).map(LayerProof::from),
            Self::Final(batch) => circuits.wrap(batch).map(LayerProof::Final),
        })
    }
}

/// plonky2 reports an unsatisfied circuit by panicking; a service must outlive that.
fn guarded(layer: Layer, prove: impl FnOnce() -> Result<LayerProof, CircuitError>) -> Result<LayerProof, ProveError> {
    match catch_unwind(AssertUnwindSafe(prove)) {
        Ok(result) => Ok(result?),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(ToString::to_string);
            let panic =
                text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unnamed panic".into());
            Err(ProveError::Defect { layer, panic })
        }
    }
}

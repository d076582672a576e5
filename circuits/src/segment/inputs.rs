//! What a segment's prover puts in: assignment of the free wires, and nothing that constraints compute.

use super::{BundleTarget, SegmentTarget};
use crate::plonk::F;
use anyhow::Result;
use cairn_types::{BundleData, Digest, LEAF_WORDS};
use plonky2::field::types::Field;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};

/// A bundle as words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BundleInputs {
    /// The node.
    pub node_index: u64,
    /// Its count of bundles.
    pub sequence: u64,
    /// Its leaves.
    pub leaves: Vec<[u64; LEAF_WORDS]>,
}

/// A segment as words. No bundles make a no-op.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentInputs {
    /// The rollup; zero for a no-op.
    pub rollup_id: [u64; 4],
    /// The bundles.
    pub bundles: Vec<BundleInputs>,
}

impl SegmentInputs {
    /// The words of bundles, which must be at most as many as the segment holds.
    #[must_use]
    pub fn of(rollup_id: &Digest, bundles: &[BundleData]) -> Self {
        let inputs = |bundle: &BundleData| BundleInputs {
            node_index: u64::from(bundle.node_index),
            sequence: bundle.sequence,
            leaves: bundle.records.iter().map(|record| record.leaf.words()).collect(),
        };
        Self { rollup_id: rollup_id.words(), bundles: bundles.iter().map(inputs).collect() }
    }
}

impl SegmentTarget {
    /// Assigns `inputs`; empty slots repeat the last time and are zero otherwise.
    ///
    /// # Errors
    /// When a wire already has another value, which honest callers never cause.
    ///
    /// # Panics
    /// When there are more bundles or receipts than the shape has.
    pub fn assign(&self, witness: &mut PartialWitness<F>, inputs: &SegmentInputs) -> Result<()> {
        assert!(inputs.bundles.len() <= self.bundles.len(), "{} bundles in one segment", inputs.bundles.len());
        witness.set_target_arr(&self.rollup_id, &inputs.rollup_id.map(F::from_canonical_u64))?;
        let empty = BundleInputs::default();
        for (index, target) in self.bundles.iter().enumerate() {
            target.assign(witness, inputs.bundles.get(index).unwrap_or(&empty))?;
        }
        Ok(())
    }
}

impl BundleTarget {
    fn assign(&self, witness: &mut PartialWitness<F>, inputs: &BundleInputs) -> Result<()> {
        assert!(inputs.leaves.len() <= self.leaves.len(), "{} receipts in one bundle", inputs.leaves.len());
        witness.set_target(self.node_index, F::from_canonical_u64(inputs.node_index))?;
        witness.set_target(self.sequence, F::from_canonical_u64(inputs.sequence))?;
        let mut blank = [0; LEAF_WORDS];
        for (index, (words, &flag)) in self.leaves.iter().zip(&self.flags).enumerate() {
            let leaf = inputs.leaves.get(index);
            let values = leaf.unwrap_or(&blank);
            witness.set_target_arr(words, &values.map(F::from_canonical_u64))?;
            witness.set_target(flag, F::from_bool(leaf.is_some()))?;
            blank[0] = values[0];
        }
        Ok(())
    }
}

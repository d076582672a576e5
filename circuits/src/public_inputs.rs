//! What a proof below the top says in public: the one layout for segments and all aggregation levels.

use crate::plonk::F;
use plonky2::iop::target::Target;

/// Verdict counters.
pub const VERDICTS: usize = 5;
/// Public inputs of a segment or aggregation proof.
pub const LENGTH: usize = 1 + 4 + 5 + VERDICTS + 4;

/// The statement about a run of bundles, in the order in which it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicInputs<T> {
    /// 1 for a proof about nothing, whose other values are all zero; 0 otherwise.
    pub no_op: T,
    /// Root of the subtree over the bundles' digests.
    pub root: [T; 4],
    /// Bundles.
    pub bundles: T,
    /// Receipts.
    pub receipts: T,
    /// Sum of content lengths.
    pub bytes: T,
    /// Earliest fetch time.
    pub time_min: T,
    /// Latest fetch time.
    pub time_max: T,
    /// Packed verdict counters.
    pub verdicts: [T; VERDICTS],
    /// The rollup.
    pub rollup_id: [T; 4],
}

impl<T: Copy> PublicInputs<T> {
    /// The values in order.
    pub fn to_array(&self) -> [T; LENGTH] {
        let [r0, r1, r2, r3] = self.root;
        let [v0, v1, v2, v3, v4] = self.verdicts;
        let [i0, i1, i2, i3] = self.rollup_id;
        [
            self.no_op,
            r0,
            r1,
            r2,
            r3,
            self.bundles,
            self.receipts,
            self.bytes,
            self.time_min,
            self.time_max,
            v0,
            v1,
            v2,
            v3,
            v4,
            i0,
            i1,
            i2,
            i3,
        ]
    }

    /// Reads values in order.
    pub fn from_array(values: [T; LENGTH]) -> Self {
        let [no_op, r0, r1, r2, r3, bundles, receipts, bytes, time_min, time_max, v0, v1, v2, v3, v4, i0, i1, i2, i3] =
            values;
        Self {
            no_op,
            root: [r0, r1, r2, r3],
            bundles,
            receipts,
            bytes,
            time_min,
            time_max,
            verdicts: [v0, v1, v2, v3, v4],
            rollup_id: [i0, i1, i2, i3],
        }
    }

    /// Reads a slice; `None` when its length is another.
    pub fn from_slice(values: &[T]) -> Option<Self> {
        values.try_into().ok().map(Self::from_array)
    }
}

/// The layout in a circuit.
pub type PublicInputsTarget = PublicInputs<Target>;
/// The layout as values.
pub type PublicInputsValue = PublicInputs<F>;

//! The layers of the proof tree, and plonky2's parameters for each of them in each profile.

use crate::SegmentShape;
use cairn_types::Profile;
use cairn_types::limits::BATCH_DEPTH;
use plonky2::fri::FriConfig;
use plonky2::fri::reduction_strategies::FriReductionStrategy;
use plonky2::plonk::circuit_data::CircuitConfig;
use std::fmt;

/// A kind of circuit in the proof tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Bundles and receipts.
    Segment,
    /// Two proofs into one; levels count from 1.
    Aggregation(usize),
    /// The header.
    Batch,
    /// The header's proof in the form that a chain verifies.
    Final,
}

/// Aggregation levels between segments and the batch.
pub const LEVELS: usize = BATCH_DEPTH - SegmentShape::FULL.bundles_depth;
/// Segments in a full batch.
pub const MAX_SEGMENTS: usize = 1 << LEVELS;

/// log2 of the hashes in a cap of proofs that a circuit verifies.
const CAP_BITS: usize = 4;
/// log2 of the hashes in a cap of the last layer's proof.
const FINAL_CAP_BITS: usize = 3;
/// log2 of the evaluations that a folding joins.
const FOLDING_BITS: usize = 4;
/// Conjectured bits of queries and grinding, at least.
const DEV_BITS: usize = 80;
/// The same for `production`.
const PRODUCTION_BITS: usize = 100;

impl Layer {
    /// Every layer, from the bottom up.
    pub fn all() -> impl Iterator<Item = Self> {
        let levels = (1..=LEVELS).map(Self::Aggregation);
        std::iter::once(Self::Segment).chain(levels).chain([Self::Batch, Self::Final])
    }

    /// plonky2's parameters for this layer.
    ///
    /// Production proves many segments and aggregations and verifies each in the circuit above, where a rate of 1/8 with
    /// more queries is cheapest for the prover. The header's proof has rate 1/32 and as few queries as make the circuit above it fit 2^12
    /// rows, which is what makes that one's proof small; at a rate below 1/128 it would not reach 80 proven bits.
    #[must_use]
    pub fn config(self, profile: Profile) -> CircuitConfig {
        match (profile, self) {
            // Fewer queries than plonky2's standard, and for segments one folding less, so that two such proofs are verified
            // in 2^13 rows with three challenges.
            (Profile::Dev, Self::Segment) => {
                folded(fri(3, 24, 16, DEV_BITS), FriReductionStrategy::ConstantArityBits(FOLDING_BITS, 7))
            }
            (Profile::Dev, Self::Aggregation(_) | Self::Batch) => fri(3, 27, 16, DEV_BITS),
            (Profile::Dev, Self::Final) => for_a_chain(fri(5, 14, 16, DEV_BITS)),
            (Profile::Production, Self::Segment | Self::Aggregation(_)) => fri(3, 48, 20, PRODUCTION_BITS),
            (Profile::Production, Self::Batch) => fri(5, 24, 23, PRODUCTION_BITS),
            (Profile::Production, Self::Final) => for_a_chain(fri(7, 18, 22, PRODUCTION_BITS)),
        }
    }
}

/// plonky2's standard with three challenges and other FRI parameters: rate `2^-rate_bits`, queries and bits of grinding, which
/// plonky2 refuses when they are conjectured to give less than `least_bits`.
fn fri(rate_bits: usize, num_query_rounds: usize, proof_of_work_bits: u32, least_bits: usize) -> CircuitConfig {
    CircuitConfig {
        num_challenges: 3,
        security_bits: least_bits,
        fri_config: FriConfig {
            rate_bits,
            cap_height: CAP_BITS,
            proof_of_work_bits,
            reduction_strategy: FriReductionStrategy::ConstantArityBits(FOLDING_BITS, 5),
            num_query_rounds,
        },
        ..CircuitConfig::standard_recursion_config()
    }
}

/// With another order of folding.
fn folded(config: CircuitConfig, reduction_strategy: FriReductionStrategy) -> CircuitConfig {
    CircuitConfig { fri_config: FriConfig { reduction_strategy, ..config.fri_config }, ..config }
}

/// What both profiles' last proofs have in common, so that one verifier reads both: eight hashes in a cap, two foldings
/// by 16, and a final polynomial of 16 coefficients.
fn for_a_chain(config: CircuitConfig) -> CircuitConfig {
    let config = folded(config, FriReductionStrategy::Fixed(vec![FOLDING_BITS; 2]));
    CircuitConfig { fri_config: FriConfig { cap_height: FINAL_CAP_BITS, ..config.fri_config }, ..config }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment => f.write_str("segment"),
            Self::Aggregation(level) => write!(f, "aggregation-{level}"),
            Self::Batch => f.write_str("batch"),
            Self::Final => f.write_str("final"),
        }
    }
}

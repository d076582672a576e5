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
}

/// Aggregation levels between segments and the batch.
pub const LEVELS: usize = BATCH_DEPTH - SegmentShape::FULL.bundles_depth;
/// Segments in a full batch.
pub const MAX_SEGMENTS: usize = 1 << LEVELS;

impl Layer {
    /// Every layer, from the bottom up.
    pub fn all() -> impl Iterator<Item = Self> {
        let levels = (1..=LEVELS).map(Self::Aggregation);
        std::iter::once(Self::Segment).chain(levels).chain(std::iter::once(Self::Batch))
    }

    /// plonky2's parameters for this layer.
    ///
    /// Production proves many segments and aggregations and verifies each in the circuit above, where a rate of 1/8 with
    /// more queries is cheapest for the prover; the one proof at the top has rate 1/32, which makes it small and cheap to verify.
    #[must_use]
    pub fn config(self, profile: Profile) -> CircuitConfig {
        let standard = CircuitConfig::standard_recursion_config();
        match (profile, self) {
            // Fewer queries and one folding less than standard, so that two such proofs are verified in 2^13 rows.
            (Profile::Dev, Self::Segment) => CircuitConfig {
                security_bits: 90,
                fri_config: FriConfig {
                    reduction_strategy: FriReductionStrategy::ConstantArityBits(4, 7),
                    num_query_rounds: 25,
                    ..standard.fri_config.clone()
                },
                ..standard
            },
            (Profile::Dev, _) => standard,
            (Profile::Production, Self::Segment | Self::Aggregation(_)) => with_fri(standard, 3, 48, 20),
            (Profile::Production, Self::Batch) => with_fri(standard, 5, 25, 21),
        }
    }
}

/// `standard` with three challenges and other FRI parameters: rate `2^-rate_bits`, queries and bits of grinding.
fn with_fri(
    standard: CircuitConfig,
    rate_bits: usize,
    num_query_rounds: usize,
    proof_of_work_bits: u32,
) -> CircuitConfig {
    CircuitConfig {
        num_challenges: 3,
        fri_config: FriConfig {
            rate_bits,
            cap_height: 4,
            proof_of_work_bits,
            reduction_strategy: FriReductionStrategy::ConstantArityBits(4, 5),
            num_query_rounds,
        },
        ..standard
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment => f.write_str("segment"),
            Self::Aggregation(level) => write!(f, "aggregation-{level}"),
            Self::Batch => f.write_str("batch"),
        }
    }
}

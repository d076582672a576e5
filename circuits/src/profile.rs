//! The two sets of parameters in which a batch can be proved. Every figure anyone reports names one of them.

use crate::SegmentShape;
use cairn_types::limits::BATCH_DEPTH;
use plonky2::fri::FriConfig;
use plonky2::fri::reduction_strategies::FriReductionStrategy;
use plonky2::plonk::circuit_data::CircuitConfig;
use std::fmt;
use std::str::FromStr;

/// Proof parameters of all layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// plonky2's standard recursion parameters: fast, for tests and trying things out.
    Dev,
    /// At least 100 bits conjectured and 80 proven in every layer; see [`crate::security`].
    Production,
}

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
}

impl Profile {
    /// Both profiles.
    pub const ALL: [Self; 2] = [Self::Dev, Self::Production];

    /// Name, as on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Production => "production",
        }
    }

    /// plonky2's parameters for a layer.
    ///
    /// Production proves many segments and aggregations and verifies each in the circuit above, where a rate of 1/8 with
    /// more queries is cheapest for the prover; the one proof at the top has rate 1/32, which makes it small and cheap to verify.
    #[must_use]
    pub fn config(self, layer: Layer) -> CircuitConfig {
        let standard = CircuitConfig::standard_recursion_config();
        match (self, layer) {
            // One folding less than standard, so that two such proofs are verified in 2^13 rows, not just over.
            (Self::Dev, Layer::Segment) => CircuitConfig {
                fri_config: FriConfig {
                    reduction_strategy: FriReductionStrategy::ConstantArityBits(4, 6),
                    ..standard.fri_config.clone()
                },
                ..standard
            },
            (Self::Dev, _) => standard,
            (Self::Production, Layer::Segment | Layer::Aggregation(_)) => with_fri(standard, 3, 48, 20),
            (Self::Production, Layer::Batch) => with_fri(standard, 5, 25, 21),
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

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile {0:?}: use \"dev\" or \"production\"")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| UnknownProfile(name.into()))
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

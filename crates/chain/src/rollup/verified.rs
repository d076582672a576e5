//! What the verifier's own record of its progress says, and what its steps cost.

use cairn_interface::{Profile, SETTLE_BATCH_COMPUTE_UNITS};
use cairn_verifier::{Dev, NONCE, Parameters, Production, Progress};
use std::ops::Range;

/// Where a proof has the word that it is ground for: it is written last, with the first step.
pub const POW_WITNESS: Range<usize> = 8 * NONCE..8 * (NONCE + 1);

/// How far the verification of a proof has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Whether the challenges are there. Since then nothing can be written.
    pub transcript: bool,
    /// Whether the constraints hold.
    pub constraints: bool,
    /// The queries that hold, the lowest bit being the first.
    pub queries: u32,
    /// Whether that is everything.
    pub complete: bool,
}

/// What steps cost in one transaction, in compute units with some room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepUnits {
    /// The transaction, and the word that is written before the first step.
    pub transaction: u32,
    /// The step of the transcript.
    pub transcript: u32,
    /// That of the constraints.
    pub constraints: u32,
    /// That of the queries, for each of them.
    pub query: u32,
    /// Settling.
    pub settle: u32,
}

/// The queries of a profile's proofs, one bit each.
#[must_use]
pub const fn all_queries(profile: Profile) -> u32 {
    match profile {
        Profile::Production => cairn_verifier::all_queries::<Production>(),
        Profile::Dev => cairn_verifier::all_queries::<Dev>(),
    }
}

/// The circuit whose proofs this version makes and its program verifies.
#[must_use]
pub const fn circuit_id(profile: Profile) -> [u8; 32] {
    match profile {
        Profile::Production => Production::CIRCUIT_ID,
        Profile::Dev => Dev::CIRCUIT_ID,
    }
}

/// What the steps cost: as recorded in `tests/compute-units.toml`, and a twentieth more, because every proof costs a little
/// differently. The profiles differ in how many queries there are, and little in what one costs.
pub const STEP_UNITS: StepUnits = StepUnits {
    transaction: 5_000,
    transcript: 166_000,
    constraints: 456_000,
    query: 46_000,
    settle: SETTLE_BATCH_COMPUTE_UNITS,
};

/// How far a verification has come.
pub(super) fn of(profile: Profile, progress: &[u8]) -> Verified {
    match profile {
        Profile::Production => read::<Production>(progress),
        Profile::Dev => read::<Dev>(progress),
    }
}

fn read<P: Parameters>(progress: &[u8]) -> Verified {
    // The account's parser has cut it to this length.
    let Ok(progress) = bytemuck::try_pod_read_unaligned::<Progress>(progress) else { return Verified::default() };
    Verified {
        transcript: progress.is_started(),
        constraints: progress.has_constraints(),
        queries: progress.queries(),
        complete: progress.is_verified::<P>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_verified_in_a_fresh_account_and_no_more_queries_are_asked_for_than_there_are() {
        for profile in [Profile::Dev, Profile::Production] {
            assert_eq!(of(profile, &[0; size_of::<Progress>()]), Verified::default());
            assert!(POW_WITNESS.end <= cairn_interface::proof_bytes(profile));
            assert_eq!(all_queries(profile).count_ones(), 32 - all_queries(profile).leading_zeros());
        }
    }
}

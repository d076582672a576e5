//! The steps of a verification, and all of them at once.

use crate::layout::Proof;
use crate::progress::all_queries;
use crate::{Keccak, Parameters, Progress, Rejection, challenges, constraints, fri};
use cairn_goldilocks::is_canonical;

/// A step. Each builds on those before it; queries may be checked in any order and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reads the proof but for its queries, draws all challenges, and checks the grinding.
    Transcript,
    /// Checks that the openings satisfy the circuit.
    Constraints,
    /// Checks queries, one bit each.
    Queries(u32),
}

/// Does a step. One that was done before is not done again and changes nothing.
///
/// # Errors
/// When the proof is refused; `progress` is then as before, but for what only that step uses.
#[inline(never)]
pub fn step<P: Parameters, K: Keccak>(
    progress: &mut Progress,
    proof: &[u64],
    statement: &[u64; 4],
    step: Step,
) -> Result<(), Rejection> {
    let proof = Proof::<P>::new(proof)?;
    match step {
        Step::Transcript if progress.is_started() => Ok(()),
        Step::Transcript => {
            if !statement.iter().all(|word| is_canonical(*word)) {
                return Err(Rejection::NonCanonical);
            }
            challenges::draw::<P, K>(progress, &proof, statement)?;
            progress.phase = Progress::TRANSCRIPT;
            progress.queries = 0;
            Ok(())
        }
        Step::Constraints if progress.has_constraints() => Ok(()),
        Step::Constraints if !progress.is_started() => Err(Rejection::OutOfOrder),
        Step::Constraints => {
            constraints::check(progress, proof.openings(), proof.next_openings())?;
            progress.phase = Progress::CONSTRAINTS;
            Ok(())
        }
        Step::Queries(_) if !progress.has_constraints() => Err(Rejection::OutOfOrder),
        Step::Queries(queries) if queries & !all_queries::<P>() != 0 => Err(Rejection::UnknownQuery),
        Step::Queries(queries) => {
            let missing = queries & !progress.queries();
            fri::check::<P, K>(progress, &proof, missing)?;
            progress.queries |= u64::from(missing);
            Ok(())
        }
    }
}

/// Verifies a proof from its bytes, which need not be aligned.
///
/// # Errors
/// When the proof is refused.
#[cfg(feature = "native")]
pub fn verify<P: Parameters, K: Keccak>(proof: &[u8], statement: &[u64; 4]) -> Result<(), Rejection> {
    extern crate alloc;
    if proof.len() != crate::proof_bytes::<P>() {
        return Err(Rejection::Length);
    }
    let words = bytemuck::pod_collect_to_vec::<u8, u64>(proof);
    let mut progress = alloc::boxed::Box::new(<Progress as bytemuck::Zeroable>::zeroed());
    for each in [Step::Transcript, Step::Constraints, Step::Queries(all_queries::<P>())] {
        step::<P, K>(&mut progress, &words, statement, each)?;
    }
    if progress.is_verified::<P>() { Ok(()) } else { Err(Rejection::OutOfOrder) }
}

/// [`verify`] for a profile that is known at run time only, with [`crate::NativeKeccak`].
///
/// # Errors
/// When the proof is refused.
#[cfg(feature = "native")]
pub fn verify_profile(
    profile: cairn_types::Profile,
    proof: &[u8],
    statement: &cairn_types::Digest,
) -> Result<(), Rejection> {
    let statement = statement.words();
    match profile {
        cairn_types::Profile::Production => verify::<crate::Production, crate::NativeKeccak>(proof, &statement),
        cairn_types::Profile::Dev => verify::<crate::Dev, crate::NativeKeccak>(proof, &statement),
    }
}

/// Bytes of a profile's proofs.
#[cfg(feature = "native")]
#[must_use]
pub const fn proof_bytes_of(profile: cairn_types::Profile) -> usize {
    match profile {
        cairn_types::Profile::Production => crate::proof_bytes::<crate::Production>(),
        cairn_types::Profile::Dev => crate::proof_bytes::<crate::Dev>(),
    }
}

/// The circuit of a profile's proofs, as the chain knows it.
#[cfg(feature = "native")]
#[must_use]
pub const fn circuit_id_of(profile: cairn_types::Profile) -> [u8; 32] {
    match profile {
        cairn_types::Profile::Production => crate::Production::CIRCUIT_ID,
        cairn_types::Profile::Dev => crate::Dev::CIRCUIT_ID,
    }
}

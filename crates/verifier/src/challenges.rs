//! The first step: the whole proof but its queries goes through the transcript, every challenge comes out of it, and the
//! openings are combined for the queries.

use crate::layout::Proof;
use crate::parameters::{DEGREE_BITS, OPENED, Parameters};
use crate::transcript::Transcript;
use crate::{Keccak, Progress, Rejection};
use cairn_goldilocks::{Quadratic, WIDTH, dot_quadratic, poseidon};

/// The digest of the public inputs: one permutation of Poseidon, whatever hashes the rest.
#[inline(never)]
fn public_inputs_hash(statement: &[u64; 4]) -> [u64; 4] {
    let mut state = [0; WIDTH];
    state[..4].copy_from_slice(statement);
    poseidon(&mut state);
    let [a, b, c, d, ..] = state;
    [a, b, c, d]
}

/// Draws the challenges.
///
/// # Errors
/// When a word is not canonical, or the nonce is wrong.
#[inline(never)]
pub(crate) fn draw<P: Parameters, K: Keccak>(
    progress: &mut Progress,
    proof: &Proof<'_, P>,
    statement: &[u64; 4],
) -> Result<(), Rejection> {
    let mut transcript = Transcript::<K>::new();
    transcript.observe_all(&P::FRI_TRANSCRIPT)?;
    transcript.observe_hash(&P::CIRCUIT_DIGEST);
    progress.public_inputs_hash = public_inputs_hash(statement);
    transcript.observe_all(&progress.public_inputs_hash)?;

    transcript.observe_cap(proof.cap(0));
    progress.betas = core::array::from_fn(|_| transcript.challenge());
    progress.gammas = core::array::from_fn(|_| transcript.challenge());
    transcript.observe_cap(proof.cap(1));
    progress.alphas = core::array::from_fn(|_| transcript.challenge());
    transcript.observe_cap(proof.cap(2));
    progress.zeta = transcript.challenge_element();
    transcript.observe_all(proof.opening_words())?;

    let alpha = transcript.challenge_element();
    for (fold, beta) in progress.fold_betas.iter_mut().enumerate() {
        transcript.observe_cap(proof.fold_cap(fold));
        *beta = transcript.challenge_element();
    }
    transcript.observe_all(proof.final_polynomial().as_flattened())?;

    let [nonce, padding] = proof.nonce();
    if padding != 0 {
        return Err(Rejection::Padding);
    }
    transcript.observe_all(&[nonce])?;
    if transcript.challenge().leading_zeros() < P::GRINDING_BITS {
        return Err(Rejection::ProofOfWork);
    }
    let domain = (1 << (DEGREE_BITS + P::RATE_BITS)) - 1;
    for index in &mut progress.indices[..P::QUERIES] {
        *index = transcript.challenge() & domain;
    }
    combine(progress, proof, Quadratic::from_residues(alpha));
    Ok(())
}

/// The powers of FRI's alpha, and the openings combined by them.
#[inline(never)]
fn combine<P: Parameters>(progress: &mut Progress, proof: &Proof<'_, P>, alpha: Quadratic) {
    let mut power = Quadratic::ONE;
    for place in &mut progress.powers {
        *place = power.residues();
        power *= alpha;
    }
    let openings: &[[u64; 2]; OPENED] = proof.openings();
    progress.combined = [
        dot_quadratic(&progress.powers, openings).residues(),
        dot_quadratic(&progress.powers, proof.next_openings()).residues(),
    ];
}

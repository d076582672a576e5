//! The permutation over the quadratic extension, with the inputs of s-boxes *claimed* instead of computed.
//!
//! plonky2's `PoseidonGate` has a wire for the input of every s-box from the second round on, so that each of its
//! constraints has the degree of one s-box: computed input less claimed one is zero. At a point outside the trace these
//! differences are elements of the extension, and a verifier needs each. plonky2 computes them by its fast partial rounds. Those
//! compute the same linear function of the s-boxes' outputs, whatever these are, so that the plain rounds of this crate
//! give the same differences.

use super::constants::{CLOSING, Halves, OPENING, PARTIAL};
use super::mds::{self, Spectrum};
use super::{HIGH, LAZY_ROUNDS, LOW, WIDTH, add_opening_constants, half, linear_layer};
use crate::{Quadratic, word};
use core::slice;

/// S-boxes whose inputs are claimed: of all rounds but the first.
pub const CLAIMED_INPUTS: usize = 3 * WIDTH + super::PARTIAL_ROUNDS + 4 * WIDTH;

/// A state over the extension, by coefficients: the linear layer is the same for both.
struct State {
    real: [u64; WIDTH],
    imaginary: [u64; WIDTH],
}

/// Claimed inputs, and where their differences go.
struct Claims<'a> {
    claimed: slice::Iter<'a, [u64; 2]>,
    differences: slice::IterMut<'a, [u64; 2]>,
}

impl Claims<'_> {
    /// Notes what `computed` differs by from the next claim, and goes on with the claim.
    #[inline(always)]
    fn take(&mut self, computed: Quadratic) -> Quadratic {
        // As many claims as places for differences are taken, and the arrays have as many.
        let (Some(claimed), Some(place)) = (self.claimed.next(), self.differences.next()) else { return computed };
        let claimed = Quadratic::from_residues(*claimed);
        *place = (computed - claimed).residues();
        claimed
    }
}

/// What the inputs of s-boxes and the output of the permutation of `input` differ by from what is claimed of them, each given
/// by any residues. In the order of rounds and lanes: [`CLAIMED_INPUTS`] inputs, then the output.
#[inline(never)]
pub fn poseidon_differences(
    input: &[[u64; 2]; WIDTH],
    claimed: &[[u64; 2]; CLAIMED_INPUTS],
    output: &[[u64; 2]; WIDTH],
    differences: &mut [[u64; 2]; CLAIMED_INPUTS + WIDTH],
) {
    let mut state = State { real: input.map(|lane| lane[0]), imaginary: input.map(|lane| lane[1]) };
    let (of_inputs, of_output) = differences.split_at_mut(CLAIMED_INPUTS);
    let mut claims = Claims { claimed: claimed.iter(), differences: of_inputs.iter_mut() };

    add_opening_constants(&mut state.real);
    for lane in 0..WIDTH {
        state.sbox(lane, |input| input);
    }
    for constants in &OPENING[1..] {
        state.linear_layer(constants);
        state.claimed_sbox_layer(&mut claims);
    }
    state.linear_layer(&Halves::ZERO);

    let (lazy, last) = PARTIAL.split_at(PARTIAL.len() - 1);
    for constants in lazy.as_chunks::<LAZY_ROUNDS>().0 {
        state.lazy_partial_rounds(constants, &mut claims);
    }
    state.real[0] = word::add_canonical(state.real[0], last[0]);
    state.sbox(0, |input| claims.take(input));

    for constants in &CLOSING {
        state.linear_layer(constants);
        state.claimed_sbox_layer(&mut claims);
    }
    state.linear_layer(&Halves::ZERO);
    for (lane, (place, claimed)) in of_output.iter_mut().zip(output).enumerate() {
        *place = (state.lane(lane) - Quadratic::from_residues(*claimed)).residues();
    }
}

impl State {
    #[inline(always)]
    fn lane(&self, lane: usize) -> Quadratic {
        Quadratic::from_residues([self.real[lane], self.imaginary[lane]])
    }

    /// The s-box of a lane, of what `input` makes of its value.
    #[inline(always)]
    fn sbox(&mut self, lane: usize, input: impl FnOnce(Quadratic) -> Quadratic) {
        [self.real[lane], self.imaginary[lane]] = input(self.lane(lane)).power_7().residues();
    }

    #[inline(always)]
    fn claimed_sbox_layer(&mut self, claims: &mut Claims<'_>) {
        for lane in 0..WIDTH {
            self.sbox(lane, |input| claims.take(input));
        }
    }

    /// The matrix, then the constants of the round that follows, which are of the base field.
    #[inline(always)]
    fn linear_layer(&mut self, constants: &Halves) {
        linear_layer(&mut self.real, constants);
        linear_layer(&mut self.imaginary, &Halves::ZERO);
    }

    /// As [`super::lazy_partial_rounds`], for both coefficients.
    #[inline(always)]
    fn lazy_partial_rounds(&mut self, constants: &[u64; LAZY_ROUNDS], claims: &mut Claims<'_>) {
        self.real[0] = word::add_canonical(self.real[0], constants[0]);
        self.sbox(0, |input| claims.take(input));
        let mut first = [self.real[0], self.imaginary[0]];
        let mut spectra = [Halved::of_product(&self.real), Halved::of_product(&self.imaginary)];
        for constant in &constants[1..] {
            let lane = [spectra[0].lane_0(first[0]), spectra[1].lane_0(first[1])];
            let input = Quadratic::from_residues(lane).add_base(*constant);
            first = claims.take(input).power_7().residues();
            spectra[0].multiply_again(first[0]);
            spectra[1].multiply_again(first[1]);
        }
        spectra[0].write(first[0], &mut self.real);
        spectra[1].write(first[1], &mut self.imaginary);
    }
}

/// One coefficient of a state in the frequency domain, by halves of its words.
struct Halved {
    low: Spectrum,
    high: Spectrum,
}

impl Halved {
    #[inline(never)]
    fn of_product(state: &[u64; WIDTH]) -> Self {
        Self { low: Spectrum::of_product::<LOW>(state), high: Spectrum::of_product::<HIGH>(state) }
    }

    /// Lane 0 of the product; `before` is what it was before it.
    #[inline(always)]
    fn lane_0(&self, before: u64) -> u64 {
        word::join(
            (self.low.lane_0() + mds::diagonal(half::<LOW>(before))).0,
            (self.high.lane_0() + mds::diagonal(half::<HIGH>(before))).0,
        )
    }

    /// Multiplies once more, with lane 0 replaced.
    #[inline(never)]
    fn multiply_again(&mut self, lane_0: u64) {
        self.low.multiply_again(half::<LOW>(lane_0) - self.low.lane_0());
        self.high.multiply_again(half::<HIGH>(lane_0) - self.high.lane_0());
    }

    #[inline(never)]
    fn write(&self, before: u64, state: &mut [u64; WIDTH]) {
        let (low, high) = (self.low.lanes(half::<LOW>(before)), self.high.lanes(half::<HIGH>(before)));
        for (lane, (low, high)) in state.iter_mut().zip(low.iter().zip(&high)) {
            *lane = word::join(low.0, high.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poseidon;

    /// The inputs of all claimed s-boxes of a permutation in the base field, by the definition.
    fn trace(mut state: [u64; WIDTH]) -> [[u64; 2]; CLAIMED_INPUTS] {
        use super::super::constants::ROUND_CONSTANTS;
        use crate::Goldilocks;
        let mut inputs = [[0; 2]; CLAIMED_INPUTS];
        let mut places = inputs.iter_mut();
        for (round, constants) in ROUND_CONSTANTS.iter().enumerate() {
            let lanes = if (4..26).contains(&round) { 1 } else { WIDTH };
            let mut lane = state.map(Goldilocks::from_residue);
            for (lane, constant) in lane.iter_mut().zip(constants) {
                *lane += Goldilocks::from_residue(*constant);
            }
            for lane in &mut lane[..lanes] {
                if round > 0 {
                    *places.next().expect("as many as s-boxes") = [lane.word(), 0];
                }
                *lane = lane.power(7);
            }
            state = mds::reference(&lane).map(Goldilocks::word);
        }
        assert!(places.next().is_none());
        inputs
    }

    const INPUT: [u64; WIDTH] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, u64::MAX];

    #[test]
    fn a_true_trace_has_no_differences_and_a_changed_claim_has_its_own() {
        let mut output = INPUT;
        poseidon(&mut output);
        let (input, output) = (INPUT.map(|lane| [lane, 0]), output.map(|lane| [lane, 0]));
        let mut differences = [[1; 2]; CLAIMED_INPUTS + WIDTH];
        let claimed = trace(INPUT);
        poseidon_differences(&input, &claimed, &output, &mut differences);
        for (place, difference) in differences.iter().enumerate() {
            assert!(Quadratic::from_residues(*difference).is_zero(), "claim {place}");
        }
        for changed in 0..CLAIMED_INPUTS {
            let mut claimed = claimed;
            claimed[changed][1] ^= 1;
            poseidon_differences(&input, &claimed, &output, &mut differences);
            assert!(!Quadratic::from_residues(differences[changed]).is_zero(), "claim {changed}");
            let later = differences[changed + 1..].iter().any(|later| !Quadratic::from_residues(*later).is_zero());
            assert!(later, "what follows from claim {changed}");
        }
    }
}

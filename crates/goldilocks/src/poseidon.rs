//! plonky2's Poseidon permutation: width 12, s-box `x^7`, 4 + 22 + 4 rounds.
//!
//! Not evaluated as plonky2 does it. Its *fast* partial rounds multiply by dense 64-bit constants, which on
//! sBPF costs half as much again as the plain rounds with their matrix of tiny constants. Three things make
//! the plain form quick:
//!
//! * a state is multiplied as two vectors of 32-bit halves, so that matrix products are integer sums without
//!   any reduction ([`mds`]);
//! * in a partial round only lane 0 meets the s-box. The others stay where they are, in the frequency domain
//!   of the matrix, for three rounds on end: 32 bits grow to 57 before anything has to be reduced;
//! * the constants of the other lanes are pushed through the matrix at compile time ([`constants`]), so that
//!   a partial round adds one.
//!
//! The definition, thirty rounds of constants, s-box and matrix, is the tests' reference.

mod constants;
mod mds;
mod trace;

use crate::word;
use constants::{CLOSING, Halves, OPENING, PARTIAL};
use core::num::Wrapping;
use mds::Spectrum;
pub use trace::{CLAIMED_INPUTS, poseidon_differences};

/// Lanes of the state.
pub const WIDTH: usize = 12;
/// Lanes that a sponge overwrites with input.
pub const RATE: usize = 8;
/// Lanes that a sponge keeps to itself.
pub const CAPACITY: usize = WIDTH - RATE;
/// Rounds with an s-box in every lane, half of them before and half after the partial ones.
pub const FULL_ROUNDS: usize = 8;
/// Rounds with an s-box in lane 0 only.
pub const PARTIAL_ROUNDS: usize = 22;

/// Partial rounds between two reductions: 32-bit halves grow by a factor of 264 in each.
const LAZY_ROUNDS: usize = 3;

/// Writes the statement out for each lane: loops over twelve lanes cost their counters.
macro_rules! each_lane {
    ($lane:ident => $body:expr) => {{
        each_lane!(@ $lane $body; 0 1 2 3 4 5 6 7 8 9 10 11);
    }};
    (@ $lane:ident $body:expr; $($i:literal)*) => {
        $({
            const $lane: usize = $i;
            $body
        })*
    };
}

/// Applies the permutation in place.
///
/// The words of `state` are to be canonical, and are again afterwards; others are taken for their residues.
pub fn poseidon(state: &mut [u64; WIDTH]) {
    add_opening_constants(state);
    for constants in &OPENING[1..] {
        sbox_layer(state);
        linear_layer(state, constants);
    }
    sbox_layer(state);
    linear_layer(state, &Halves::ZERO);

    let (lazy, last) = PARTIAL.split_at(PARTIAL_ROUNDS - 1);
    for constants in lazy.as_chunks::<LAZY_ROUNDS>().0 {
        lazy_partial_rounds(state, constants);
    }
    state[0] = word::power_7(word::add_canonical(state[0], last[0]));
    linear_layer(state, &CLOSING[0]);

    for constants in &CLOSING[1..] {
        sbox_layer(state);
        linear_layer(state, constants);
    }
    sbox_layer(state);
    linear_layer(state, &Halves::ZERO);

    each_lane!(I => state[I] = word::canonical(state[I]));
}

/// Multiplies residues by the permutation's matrix. The products are residues too.
pub fn poseidon_matrix(state: &mut [u64; WIDTH]) {
    linear_layer(state, &Halves::ZERO);
}

#[inline(never)]
fn sbox_layer(state: &mut [u64; WIDTH]) {
    each_lane!(I => state[I] = word::power_7(state[I]));
}

#[inline(always)]
fn add_opening_constants(state: &mut [u64; WIDTH]) {
    let constants = OPENING[0].words();
    each_lane!(I => state[I] = word::add_canonical(state[I], constants[I]));
}

/// The matrix, then the constants of the round that follows.
#[inline(never)]
fn linear_layer(state: &mut [u64; WIDTH], constants: &Halves) {
    let (low, high) = (mds::multiply::<LOW>(state), mds::multiply::<HIGH>(state));
    each_lane!(I => state[I] = word::join(
        low[I].0.wrapping_add(constants.low[I] as u64),
        high[I].0.wrapping_add(constants.high[I] as u64),
    ));
}

/// [`LAZY_ROUNDS`] partial rounds in the frequency domain. Between them lane 0 is taken out, goes through the
/// s-box, and is put back as the difference it has made.
#[inline(always)]
fn lazy_partial_rounds(state: &mut [u64; WIDTH], constants: &[u64; LAZY_ROUNDS]) {
    state[0] = word::power_7(word::add_canonical(state[0], constants[0]));
    let (mut low, mut high) = (Spectrum::of_product::<LOW>(state), Spectrum::of_product::<HIGH>(state));
    let mut first = state[0];
    for constant in &constants[1..] {
        let (kept_low, kept_high) = (low.lane_0(), high.lane_0());
        let lane = word::join(
            (kept_low + mds::diagonal(half::<LOW>(first))).0,
            (kept_high + mds::diagonal(half::<HIGH>(first))).0,
        );
        first = word::power_7(word::add_canonical(lane, *constant));
        low.multiply_again(half::<LOW>(first) - kept_low);
        high.multiply_again(half::<HIGH>(first) - kept_high);
    }
    let (low, high) = (low.lanes(half::<LOW>(first)), high.lanes(half::<HIGH>(first)));
    each_lane!(I => state[I] = word::join(low[I].0, high[I].0));
}

/// Which 32 bits of each word.
const LOW: bool = false;
const HIGH: bool = true;

/// One half of a word. Of a word in memory, that is a load of four bytes and nothing else.
#[inline(always)]
fn half<const WHICH: bool>(word: u64) -> Wrapping<u64> {
    Wrapping(if WHICH == HIGH { word >> 32 } else { word & word::EPSILON })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Goldilocks, MODULUS};
    use constants::ROUND_CONSTANTS;

    /// The definition: constants, s-box, matrix, thirty times.
    fn reference(state: [u64; WIDTH]) -> [u64; WIDTH] {
        let mut state = state.map(Goldilocks::from_residue);
        for (round, constants) in ROUND_CONSTANTS.iter().enumerate() {
            for (lane, constant) in state.iter_mut().zip(constants) {
                *lane += Goldilocks::from_residue(*constant);
            }
            let half = FULL_ROUNDS / 2;
            let full = !(half..half + PARTIAL_ROUNDS).contains(&round);
            for lane in &mut state[..if full { WIDTH } else { 1 }] {
                *lane = lane.power(7);
            }
            state = mds::reference(&state);
        }
        state.map(Goldilocks::word)
    }

    /// Known answers that plonky2 1.1.0 lists, made by the reference implementation of its authors.
    const KNOWN: [([u64; WIDTH], [u64; WIDTH]); 4] = [
        (
            [0; WIDTH],
            [
                0x3c18_a978_6cb0_b359,
                0xc405_5e33_64a2_46c3,
                0x7953_db0a_b488_08f4,
                0xc716_03f3_3a11_44ca,
                0xd770_9673_8969_96dc,
                0x46a8_4e87_642f_44ed,
                0xd032_6482_51ee_0b3c,
                0x1c68_7363_b207_df62,
                0xdf85_6556_3e80_45fe,
                0x40f5_b37f_f425_4dae,
                0xd070_f637_b431_067c,
                0x1792_b1c4_3421_09d7,
            ],
        ),
        (
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            [
                0xd64e_1e3e_fc5b_8e9e,
                0x5366_6633_020a_aa47,
                0xd402_8559_7c6a_8825,
                0x613a_4f81_e812_31d2,
                0x4147_54bf_ebd0_51f0,
                0xcb1f_8980_294a_023f,
                0x6eb2_a9e4_d54a_9d0f,
                0x1902_bc3a_f467_e056,
                0xf045_d5ea_fdc6_021f,
                0xe415_0f77_caaa_3be5,
                0xc9bf_d01d_39b5_0cce,
                0x5c0a_27fc_b0e1_459b,
            ],
        ),
        (
            [MODULUS - 1; WIDTH],
            [
                0xbe00_85cf_c57a_8357,
                0xd95a_f718_47d0_5c09,
                0xcf55_a13d_33c1_c953,
                0x9580_3a74_f453_0e82,
                0xfcd9_9eb3_0a13_5df1,
                0xe095_905e_913a_3029,
                0xde03_9246_1b42_919b,
                0x7d32_60e2_4e81_d031,
                0x10d3_d046_5d9d_eaa0,
                0xa875_7108_3dfc_2a47,
                0xe182_6368_1e99_58f8,
                0xe28e_96f1_ae5e_60d3,
            ],
        ),
        (
            [
                0x8ccb_bbea_4fe5_d2b7,
                0xc2af_59ee_9ec4_9970,
                0x90f7_e1a9_e658_446a,
                0xdcc0_630a_3ab8_b1b8,
                0x7ff8_256b_ca20_588c,
                0x5d99_a7ca_0c44_ecfb,
                0x4845_2b17_a70f_bee3,
                0xeb09_d654_690b_6c88,
                0x4a55_d3a3_9c67_6a88,
                0xc040_7a38_d228_5139,
                0xa234_bac9_3563_86d1,
                0xe163_3f2b_ad98_a52f,
            ],
            [
                0xa892_8010_5650_c4ec,
                0xab54_2d53_860d_12ed,
                0x5704_148e_9cca_b94f,
                0xd3a8_26d4_b62d_a9f5,
                0x8a7a_6ca8_7892_574f,
                0xc701_7e1c_ad1a_674e,
                0x1f06_6689_2231_8e34,
                0xa3b2_03bc_8102_676f,
                0xfcc7_81b0_ce38_2bf2,
                0x934c_69ff_3ed1_4ba5,
                0x5046_88a5_996e_8f13,
                0x401f_3f2e_d524_a2ba,
            ],
        ),
    ];

    /// A fixed sequence of words: what a test draws is the same in every run.
    fn words(seed: u64) -> impl Iterator<Item = u64> {
        core::iter::successors(Some(seed), |word| {
            Some(word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f))
        })
        .skip(1)
        .map(|word| word ^ (word >> 29))
    }

    #[test]
    fn known_answers_are_met() {
        for (mut state, expected) in KNOWN {
            poseidon(&mut state);
            assert_eq!(state, expected);
        }
    }

    #[test]
    fn the_definition_meets_the_known_answers_too() {
        for (state, expected) in KNOWN {
            assert_eq!(reference(state), expected);
        }
    }

    #[test]
    fn random_states_agree_with_the_definition() {
        let mut drawn = words(0x0ca1_2e00);
        for _ in 0..2_000 {
            let input: [u64; WIDTH] = core::array::from_fn(|_| drawn.next().expect("endless"));
            let mut state = input;
            poseidon(&mut state);
            assert_eq!(state, reference(input));
        }
    }

    #[test]
    fn states_of_extreme_words_agree_with_the_definition() {
        let extremes =
            [0, 1, word::EPSILON, word::EPSILON + 1, MODULUS - 1, MODULUS, u64::MAX, u64::MAX - word::EPSILON];
        let mut drawn = words(7);
        for _ in 0..500 {
            let input: [u64; WIDTH] = core::array::from_fn(|_| {
                let pick = drawn.next().expect("endless") >> 61;
                extremes[usize::try_from(pick).expect("three bits")]
            });
            let mut state = input;
            poseidon(&mut state);
            assert_eq!(state, reference(input), "input {input:x?}");
        }
    }

    #[test]
    fn the_matrix_alone_is_the_definitions() {
        let mut drawn = words(5);
        for _ in 0..200 {
            let input: [u64; WIDTH] = core::array::from_fn(|_| drawn.next().expect("endless"));
            let mut state = input;
            poseidon_matrix(&mut state);
            assert_eq!(state.map(Goldilocks::from_residue), mds::reference(&input.map(Goldilocks::from_residue)));
        }
    }

    #[test]
    fn results_are_canonical() {
        let mut state = [u64::MAX; WIDTH];
        for _ in 0..1_000 {
            poseidon(&mut state);
            assert!(state.iter().all(|word| crate::is_canonical(*word)));
        }
    }
}

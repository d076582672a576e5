//! `s·G - e·K` in a circuit: the chain of double-and-add rows, and its bits as words.
//!
//! **What it proves**: with s and e the numbers of the bits in the rows, all 0 or 1, the chain ends in the even point `s·G - e·K + N`
//! (see [`super::double_add`]); s is six words of 60 bits, the top one of 20; e is four words of 60 bits, and its bits above are zero.
//! **What it does not**: that s is below the order, or what e and the tables are.
//!
//! Accumulators restart from word to word: 60 bits never wrap the field.

use super::curve::START;
use super::double_add::{DoubleAddGate, DoubleAddRow, PointTarget, RunningTarget, STEPS_PER_ROW, TablesTarget};
use super::quintic::{Coefficients, OverTargets};
use crate::Clause;
use crate::gadgets::Enforcer;
use crate::plonk::Builder;
use plonky2::iop::target::Target;

/// Bits of a word.
pub(super) const WORD_BITS: usize = 60;
/// Words of the scalar.
pub(super) const SCALAR_WORDS: usize = 6;
/// Words of the challenge.
pub(super) const CHALLENGE_WORDS: usize = 4;
/// Bits of the scalar's top word.
const TOP_BITS: usize = BITS - (SCALAR_WORDS - 1) * WORD_BITS;
/// Steps of a chain.
pub(super) const BITS: usize = 320;
/// Bits of a challenge word's half that is in its field element's upper 32.
pub(super) const UPPER_BITS: usize = 28;

const _: () = assert!(WORD_BITS.is_multiple_of(STEPS_PER_ROW) && TOP_BITS.is_multiple_of(STEPS_PER_ROW));
const _: () = assert!(UPPER_BITS.is_multiple_of(STEPS_PER_ROW));

/// A chain in a circuit.
#[derive(Debug)]
pub struct ChainTarget {
    /// Its rows, the one of the highest bits first.
    pub rows: Vec<DoubleAddRow>,
    /// Where it ends.
    pub end: PointTarget,
    /// The scalar, lowest word first.
    pub scalar: [Target; SCALAR_WORDS],
    /// The challenge, lowest word first.
    pub challenge: [Target; CHALLENGE_WORDS],
    /// Of each word of the challenge, the upper 28 bits.
    pub challenge_upper: [Target; CHALLENGE_WORDS],
}

impl ChainTarget {
    /// Constrains a chain over `tables`.
    pub fn constrain(builder: &mut Builder, enforcer: &mut Enforcer, tables: &TablesTarget) -> Self {
        let gate = DoubleAddGate::new(enforcer.clauses());
        let zero = builder.zero();
        let start = [START.x, START.y].map(|coordinate| OverTargets(builder).constants(coordinate));
        let mut point = start.map(|coordinate| enforcer.bind(builder, Clause::SignatureStart, coordinate));
        let mut rows = Vec::with_capacity(BITS / STEPS_PER_ROW);
        let mut scalar = [zero; SCALAR_WORDS];
        let mut challenge = [zero; CHALLENGE_WORDS];
        let mut challenge_upper = [zero; CHALLENGE_WORDS];
        for word in (0..SCALAR_WORDS).rev() {
            let [scalar_start, challenge_start] = enforcer.bind(builder, Clause::SignatureWords, [zero; 2]);
            let mut running = RunningTarget { point, scalar: scalar_start, challenge: challenge_start };
            let bits = if word == SCALAR_WORDS - 1 { TOP_BITS } else { WORD_BITS };
            for row in 1..=bits / STEPS_PER_ROW {
                let placed = gate.place(builder, &running, tables);
                running = placed.after;
                if row * STEPS_PER_ROW == UPPER_BITS && word < CHALLENGE_WORDS {
                    challenge_upper[word] = running.challenge;
                }
                rows.push(placed);
            }
            point = running.point;
            scalar[word] = running.scalar;
            match challenge.get_mut(word) {
                Some(challenge) => *challenge = running.challenge,
                None => enforcer.zero(builder, Clause::ChallengeShort, running.challenge),
            }
        }
        Self { rows, end: point, scalar, challenge, challenge_upper }
    }

    /// The scalar's bits, lowest first.
    pub fn scalar_bits(&self) -> impl Iterator<Item = Target> {
        self.rows.iter().rev().flat_map(|row| row.scalar_bits.into_iter().rev())
    }

    /// The challenge's bits, lowest first, also those that must be zero.
    pub fn challenge_bits(&self) -> impl Iterator<Item = Target> {
        self.rows.iter().rev().flat_map(|row| row.challenge_bits.into_iter().rev())
    }
}

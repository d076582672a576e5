//! What fills the free wires around the chain: from a key's encoding its point, quotients, and the bits of a challenge.
//!
//! None of them fails for any input: what has no answer gets zeros, and constraints refuse it. A wire that already has a
//! value keeps it.

use super::chain::{CHALLENGE_WORDS, WORD_BITS};
use super::curve::{A, Quintic, b, quotient};
use super::quintic::Five;
use super::scalar::TOP_BITS;
use crate::plonk::{D, F};
use anyhow::Result;
use plonky2::field::extension::quintic::QuinticExtension;
use plonky2::field::ops::Square;
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::generator::{GeneratedValues, SimpleGenerator};
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartitionWitness, Witness, WitnessWrite};
use plonky2::plonk::circuit_data::CommonCircuitData;
use plonky2::util::serialization::{Buffer, IoResult, Read, Write};

fn get(witness: &PartitionWitness<F>, five: Five<Target>) -> Quintic {
    QuinticExtension(five.map(|target| witness.get_target(target)))
}

fn put(
    witness: &PartitionWitness<F>,
    out: &mut GeneratedValues<F>,
    targets: impl IntoIterator<Item = Target>,
    values: impl IntoIterator<Item = F>,
) -> Result<()> {
    for (target, value) in targets.into_iter().zip(values) {
        if witness.try_get_target(target).is_none() {
            out.set_target(target, value)?;
        }
    }
    Ok(())
}

/// A square root in `GF(p^5)`, if there is one.
pub(super) fn square_root(x: Quintic) -> Option<Quintic> {
    let words = x.0.map(|word| word.to_canonical_u64());
    let root = cairn_schnorr::quintic::Quintic::from_residues(words).square_root();
    Option::from(root)
        .map(|root: cairn_schnorr::quintic::Quintic| QuinticExtension(root.words().map(F::from_canonical_u64)))
}

/// x and its root of the even point whose `y/x` is `w`; zeros if there is none.
fn even_point(w: Quintic) -> (Quintic, Quintic) {
    let sum = w.square() - Quintic::from_canonical_u64(A);
    let discriminant = sum.square() - b() * Quintic::from_canonical_u64(4);
    let Some(apart) = square_root(discriminant) else {
        return (Quintic::ZERO, Quintic::ZERO);
    };
    let half = Quintic::TWO.inverse();
    [(sum + apart) * half, (sum - apart) * half]
        .into_iter()
        .find_map(|x| square_root(x).map(|root| (x, root)))
        .unwrap_or_default()
}

/// Finds the point of a key.
#[derive(Debug, Default)]
pub struct KeyGenerator {
    pub(super) w: Five<Target>,
    pub(super) x: Five<Target>,
    pub(super) root: Five<Target>,
}

impl SimpleGenerator<F, D> for KeyGenerator {
    fn id(&self) -> String {
        "CairnKeyGenerator".into()
    }

    fn dependencies(&self) -> Vec<Target> {
        self.w.to_vec()
    }

    fn run_once(&self, witness: &PartitionWitness<F>, out: &mut GeneratedValues<F>) -> Result<()> {
        let (x, root) = even_point(get(witness, self.w));
        put(witness, out, self.x, x.0)?;
        put(witness, out, self.root, root.0)
    }

    fn serialize(&self, out: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        [self.w, self.x, self.root].iter().try_for_each(|five| out.write_target_array(five))
    }

    fn deserialize(bytes: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        Ok(Self { w: bytes.read_target_array()?, x: bytes.read_target_array()?, root: bytes.read_target_array()? })
    }
}

/// Divides.
#[derive(Debug, Default)]
pub struct QuotientGenerator {
    pub(super) numerator: Five<Target>,
    pub(super) denominator: Five<Target>,
    pub(super) quotient: Five<Target>,
}

impl SimpleGenerator<F, D> for QuotientGenerator {
    fn id(&self) -> String {
        "CairnQuotientGenerator".into()
    }

    fn dependencies(&self) -> Vec<Target> {
        [self.numerator, self.denominator].concat()
    }

    fn run_once(&self, witness: &PartitionWitness<F>, out: &mut GeneratedValues<F>) -> Result<()> {
        let value = quotient(get(witness, self.numerator), get(witness, self.denominator));
        put(witness, out, self.quotient, value.0)
    }

    fn serialize(&self, out: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        [self.numerator, self.denominator, self.quotient].iter().try_for_each(|five| out.write_target_array(five))
    }

    fn deserialize(bytes: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        Ok(Self {
            numerator: bytes.read_target_array()?,
            denominator: bytes.read_target_array()?,
            quotient: bytes.read_target_array()?,
        })
    }
}

/// Splits a challenge into bits.
#[derive(Debug, Default)]
pub struct ChallengeGenerator {
    pub(super) challenge: [Target; CHALLENGE_WORDS],
    /// The chain's bits, lowest first; those past the challenge's words get zeros.
    pub(super) bits: Vec<Target>,
    pub(super) top_bits: [[Target; TOP_BITS]; CHALLENGE_WORDS],
    pub(super) inverses: [Target; CHALLENGE_WORDS],
}

impl SimpleGenerator<F, D> for ChallengeGenerator {
    fn id(&self) -> String {
        "CairnChallengeGenerator".into()
    }

    fn dependencies(&self) -> Vec<Target> {
        self.challenge.to_vec()
    }

    fn run_once(&self, witness: &PartitionWitness<F>, out: &mut GeneratedValues<F>) -> Result<()> {
        let elements = self.challenge.map(|target| witness.get_target(target).to_canonical_u64());
        let bit = |element: u64, bit: usize| F::from_canonical_u64(element >> bit & 1);
        let bits = elements.iter().flat_map(|&element| (0..WORD_BITS).map(move |index| bit(element, index)));
        put(witness, out, self.bits.iter().copied(), bits.chain(std::iter::repeat(F::ZERO)))?;
        for (index, element) in elements.into_iter().enumerate() {
            let top = (WORD_BITS..64).map(|index| bit(element, index));
            put(witness, out, self.top_bits[index], top)?;
            let missing = F::from_canonical_u64(element >> 32) - F::from_canonical_u64(u32::MAX.into());
            put(witness, out, [self.inverses[index]], [missing.try_inverse().unwrap_or_default()])?;
        }
        Ok(())
    }

    fn serialize(&self, out: &mut Vec<u8>, _: &CommonCircuitData<F, D>) -> IoResult<()> {
        out.write_target_array(&self.challenge)?;
        out.write_target_vec(&self.bits)?;
        self.top_bits.iter().try_for_each(|bits| out.write_target_array(bits))?;
        out.write_target_array(&self.inverses)
    }

    fn deserialize(bytes: &mut Buffer, _: &CommonCircuitData<F, D>) -> IoResult<Self> {
        let (challenge, bits) = (bytes.read_target_array()?, bytes.read_target_vec()?);
        let mut top_bits = [[Target::default(); TOP_BITS]; CHALLENGE_WORDS];
        for bits in &mut top_bits {
            *bits = bytes.read_target_array()?;
        }
        Ok(Self { challenge, bits, top_bits, inverses: bytes.read_target_array()? })
    }
}

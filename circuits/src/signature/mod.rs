//! A node's signature over a bundle's digest, in a circuit.
//!
//! **What it proves** (clause 3 of the protocol), where the slot is occupied: the key decodes to a point K of ecGFp5 other than the neutral one,
//! s is below the group's order, and with `e = H_challenge(R, key, message)`, four elements modulo `2^60`, the point `s·G - e·K` is not
//! neutral and is the one that R encodes. That is all of the signature's verification, its native twin being `cairn_schnorr::PublicKey::verify`:
//! R needs no decoding, since a point's encoding is unique and the circuit computes the point. In an empty slot it proves
//! nothing of key, message and signature; the key's place is taken by the generator's.
//!
//! **What it does not**: whose key it is, or that the message is a bundle's.

pub mod chain;
mod curve;
pub mod double_add;
mod generators;
pub mod key;
mod quintic;
pub mod scalar;

pub use curve::{GENERATOR, HALF_OFFSET, HALF_OFFSET_GENERATOR, OFFSET, OFFSET_GENERATOR, Point, Quintic, START};
pub use generators::{ChallengeGenerator, KeyGenerator, QuotientGenerator};

use crate::Clause;
use crate::gadgets::{Enforcer, select, sponge};
use crate::plonk::{Builder, DigestTarget, F};
use anyhow::Result;
use cairn_types::{Kind, ReceiptSignature};
use chain::{BITS, ChainTarget, SCALAR_WORDS, WORD_BITS};
use key::KeyTarget;
use plonky2::field::types::Field;
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use quintic::{Coefficients, OverTargets};
use scalar::ChallengeTarget;

/// The generator's encoding, which stands in for the key of an empty slot.
const GENERATOR_W: [u64; 5] = [4, 0, 0, 0, 0];

/// A signature in a circuit.
#[derive(Debug)]
pub struct SignatureTarget {
    /// The encoded nonce point R.
    pub nonce: [Target; 5],
    /// The key's point and tables.
    pub key: KeyTarget,
    /// `s·G - e·K`.
    pub chain: ChainTarget,
    /// How the challenge is split.
    pub challenge: ChallengeTarget,
    /// The word in which s differs from the order.
    pub order_flags: [Target; SCALAR_WORDS],
}

impl SignatureTarget {
    /// Constrains a signature by `key` over `message` where `occupied`, which is a bit, is 1.
    pub fn constrain(
        builder: &mut Builder,
        enforcer: &mut Enforcer,
        key: [Target; 5],
        message: DigestTarget,
        occupied: Target,
    ) -> Self {
        let nonce: [Target; 5] = builder.add_virtual_target_arr();
        let stand_in = GENERATOR_W.map(|word| builder.constant(F::from_canonical_u64(word)));
        let w = select(builder, occupied, key, stand_in);
        let key_point = KeyTarget::constrain(builder, enforcer, w);
        let chain = ChainTarget::constrain(builder, enforcer, &key_point.tables);
        let order_flags = scalar::below_order(builder, enforcer, chain.scalar);

        let words: Vec<Target> = nonce.into_iter().chain(key).chain(message).collect();
        let challenge = sponge::hash(builder, Kind::Challenge, &words);
        let challenge = enforcer.bind(builder, Clause::SignatureChallenge, challenge);
        let challenge = ChallengeTarget::constrain(
            builder,
            enforcer,
            challenge,
            chain.challenge,
            chain.challenge_upper,
            chain.challenge_bits().collect(),
        );

        // The chain ends in R + N, whose y/x is the opposite of R's.
        let [x, y] = chain.end;
        let residue = OverTargets(builder).multiply(1, nonce, x, Some((1, y)));
        for value in residue {
            enforcer.zero_if(builder, Clause::SignatureEquation, occupied, value);
        }
        Self { nonce, key: key_point, chain, challenge, order_flags }
    }

    /// Assigns a signature; an empty slot has none.
    ///
    /// # Errors
    /// When a wire already has another value, which honest callers never cause.
    pub fn assign(&self, witness: &mut PartialWitness<F>, signature: Option<&ReceiptSignature>) -> Result<()> {
        let bytes = signature.map_or([0; ReceiptSignature::BYTES], |signature| *signature.as_bytes());
        let (nonce, scalar) = bytes.split_at(40);
        for (&target, word) in self.nonce.iter().zip(nonce.as_chunks().0) {
            // Intake accepts canonical words only; of others the circuit proves what it can, which is nothing.
            witness.set_target(target, F::from_noncanonical_u64(u64::from_le_bytes(*word)))?;
        }
        let bit = |index: usize| u64::from(scalar[index / 8] >> (index % 8) & 1);
        for (index, target) in self.chain.scalar_bits().enumerate() {
            witness.set_target(target, F::from_canonical_u64(bit(index)))?;
        }
        let words = std::array::from_fn(|word| {
            let bits = (word * WORD_BITS..BITS.min((word + 1) * WORD_BITS)).rev();
            bits.fold(0, |number, index| number << 1 | bit(index))
        });
        let deciding = scalar::deciding_word(words);
        for (word, &flag) in self.order_flags.iter().enumerate() {
            witness.set_target(flag, F::from_bool(word == deciding))?;
        }
        Ok(())
    }
}

//! What any plonky2 proof of the same receipts has to pay: two Poseidon permutations for each (leaf and inner node), proved
//! bare, with the segment layer's parameters and rows, on the same threads. Signatures are measured in the same way.

use super::BenchError;
use crate::{LocalProver, Prover, workers};
use cairn_circuits::gadgets::Enforcer;
use cairn_circuits::plonk::{Builder, C, Circuit, F, elements};
use cairn_circuits::{Clauses, Layer, SegmentShape, SignatureTarget};
use cairn_schnorr::SigningKey;
use cairn_types::ReceiptSignature;
use plonky2::field::types::Field;
use plonky2::hash::hashing::PlonkyPermutation;
use plonky2::hash::poseidon::{PoseidonHash, PoseidonPermutation};
use plonky2::iop::target::Target;
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};

/// Permutations per receipt.
pub(super) const PERMUTATIONS_PER_RECEIPT: usize = 2;
/// Rows of a bare circuit that are left for public inputs and constants.
const SPARE_ROWS: usize = 64;
/// Proofs that are made at most; more would only take longer.
const PROOFS: usize = 4;
/// log2 of the rows of the circuit of bare signatures.
const SIGNATURES_DEGREE_BITS: usize = 14;

/// Time to prove the bare permutations that `receipts` need, with the segment layer's parameters and as many proofs at once as
/// segments; of many the time of a few, scaled.
///
/// # Errors
/// [`BenchError::Floor`].
pub fn floor(prover: &LocalProver, receipts: usize) -> Result<Duration, BenchError> {
    let permutations = PERMUTATIONS_PER_RECEIPT * receipts;
    let degree = prover.circuits().layers().next().map_or(1 << 14, |built| built.common.degree());
    let per_proof = degree - SPARE_ROWS;
    let mut builder = Builder::new(Layer::Segment.config(prover.profile()));
    let inputs = builder.add_virtual_targets(12);
    let mut state = PoseidonPermutation::new(inputs.iter().copied());
    for _ in 0..per_proof {
        state = builder.permute::<PoseidonHash>(state);
    }
    let circuit = builder.build::<C>();
    let proofs = permutations.div_ceil(per_proof).min(PROOFS);
    let time = bare(prover, &circuit, proofs, |index, witness| {
        inputs.iter().enumerate().try_for_each(|(lane, target)| {
            witness.set_target(*target, F::from_canonical_usize(index + lane)).map_err(|error| error.to_string())
        })
    })?;
    // Proofs come whole; the floor is of exactly the permutations asked for.
    Ok(time.mul_f64(permutations as f64 / (proofs * per_proof) as f64))
}

/// Time to prove one bare signature: that of proofs full of them, divided by their number.
pub(super) fn signature(prover: &LocalProver) -> Result<Duration, BenchError> {
    let slots = SegmentShape::FULL.bundles();
    let rows = prover.circuits().segment_rows().bundles.signature.div_ceil(slots);
    let count = ((1 << SIGNATURES_DEGREE_BITS) - SPARE_ROWS) / rows;
    let mut builder = Builder::new(Layer::Segment.config(prover.profile()));
    let enforcer = &mut Enforcer::new(Clauses::ALL);
    let occupied = builder.one();
    let signatures: Vec<_> = (0..count)
        .map(|_| {
            let (key, message): ([Target; 5], [Target; 4]) =
                (builder.add_virtual_target_arr(), builder.add_virtual_target_arr());
            let target = SignatureTarget::constrain(&mut builder, enforcer, key, message, occupied);
            (key, message, target)
        })
        .collect();
    let circuit = builder.build::<C>();
    let key = SigningKey::generate(&mut StdRng::seed_from_u64(1));
    let proofs = prover.at_once(Layer::Segment);
    let time = bare(prover, &circuit, proofs, |index, witness| {
        let mut assign = || -> Result<(), Box<dyn std::error::Error>> {
            for (number, (key_words, message_words, target)) in signatures.iter().enumerate() {
                let message = [index as u64, number as u64, 2, 3];
                let signature = ReceiptSignature::from_bytes(key.sign(&message).to_bytes());
                witness.set_target_arr(key_words, &elements(key.public_key().words()))?;
                witness.set_target_arr(message_words, &elements(message))?;
                target.assign(witness, Some(&signature))?;
            }
            Ok(())
        };
        assign().map_err(|error| error.to_string())
    })?;
    Ok(time.div_f64((proofs * count) as f64))
}

/// Time to make `proofs` proofs of a circuit.
fn bare(
    prover: &LocalProver,
    circuit: &Circuit,
    proofs: usize,
    assign: impl Fn(usize, &mut PartialWitness<F>) -> Result<(), String> + Sync,
) -> Result<Duration, BenchError> {
    let clock = Instant::now();
    workers::run(prover.pool(), prover.at_once(Layer::Segment), proofs, |index| {
        let mut witness = PartialWitness::new();
        assign(index, &mut witness)?;
        circuit.prove(witness).map(drop).map_err(|error| error.to_string())
    })
    .map_err(BenchError::Floor)?;
    Ok(clock.elapsed())
}

//! A segment says in public what native code says of the same receipts.

use crate::samples;
use crate::segment_attacks::{SMALL, full};
use cairn_circuits::SegmentInputs;
use cairn_circuits::plonk::{F, digest_of};
use cairn_circuits::public_inputs::{PublicInputs, PublicInputsValue};
use cairn_types::{Bundle, BundleData, Digest, tree};
use plonky2::field::types::{Field, PrimeField64};
use plonky2::iop::witness::PartialWitness;
use rand::Rng;

/// The largest canonical word.
const LARGEST: u64 = cairn_goldilocks::MODULUS - 1;

/// What native code says, over trees of the small shape.
fn native(bundles: &[BundleData]) -> PublicInputs<u64> {
    let rollup_id = samples::rollup_id();
    let of: Vec<_> = bundles.iter().map(|bundle| bundle.statement_and_totals(&rollup_id).unwrap()).collect();
    let digests: Vec<Digest> = bundles
        .iter()
        .zip(&of)
        .map(|(data, (statement, _))| {
            Bundle { receipts_root: tree::root(SMALL.receipts_depth, &data.leaf_digests()), ..*statement }.digest()
        })
        .collect();
    let verdicts = std::array::from_fn(|index| {
        let packed = of.iter().map(|(_, totals)| {
            let counts = totals.verdicts[index];
            u64::from(counts.allowed) + (u64::from(counts.refused) << 21) + (u64::from(counts.conditional) << 42)
        });
        packed.sum()
    });
    PublicInputs {
        no_op: 0,
        root: tree::root(SMALL.bundles_depth, &digests).words(),
        bundles: bundles.len() as u64,
        receipts: of.iter().map(|(bundle, _)| u64::from(bundle.count)).sum(),
        bytes: of.iter().map(|(bundle, _)| bundle.bytes).sum(),
        time_min: of.iter().map(|(bundle, _)| bundle.time_min).min().unwrap(),
        time_max: of.iter().map(|(bundle, _)| bundle.time_max).max().unwrap(),
        verdicts,
        rollup_id: rollup_id.words(),
    }
}

fn proved(inputs: &SegmentInputs) -> PublicInputsValue {
    let mut witness = PartialWitness::new();
    full().target.assign(&mut witness, inputs).unwrap();
    let proof = full().circuit.prove(witness).unwrap();
    full().circuit.verify(proof.clone()).unwrap();
    PublicInputs::from_slice(&proof.public_inputs).unwrap()
}

#[test]
fn random_segments_say_what_native_code_says() {
    for seed in 0..40 {
        let rng = &mut samples::rng(seed);
        let bundles: Vec<_> = (0..rng.gen_range(1..=2))
            .map(|sequence| {
                let receipts = rng.gen_range(1..=4);
                samples::bundle(rng, seed as u32, sequence, receipts)
            })
            .collect();
        let said = proved(&SegmentInputs::of(&samples::rollup_id(), &bundles));
        let native = native(&bundles);
        assert_eq!(said.to_array().map(|value| value.to_canonical_u64()), native.to_array(), "seed {seed}");
    }
}

#[test]
fn extreme_values_are_proved() {
    let mut inputs = crate::segment_attacks::honest();
    for bundle in &mut inputs.bundles {
        for leaf in &mut bundle.leaves {
            // Latest time, longest length, highest status, every verdict conditional, largest canonical words.
            *leaf = [(1 << 48) - 1, ((1 << 50) - 1) | 0x3ff << 53, LARGEST, 0, LARGEST, 0, 0, 0];
        }
    }
    inputs.bundles[0].leaves[0][0] = 0;
    let said = proved(&inputs);
    let number = F::from_canonical_u64;
    assert_eq!((said.time_min, said.time_max), (F::ZERO, number((1 << 48) - 1)));
    assert_eq!((said.receipts, said.bytes), (number(6), number(6 * ((1 << 40) - 1))));
    assert_eq!(said.verdicts, [number(6 << 42); 5]);
}

#[test]
fn a_segment_without_bundles_is_blank_but_for_its_flag() {
    let said = proved(&SegmentInputs::default());
    let expected = std::iter::once(F::ONE).chain([F::ZERO; 18]);
    assert!(said.to_array().into_iter().eq(expected), "{said:?}");
    assert_ne!(digest_of(said.root), tree::EMPTY[SMALL.bundles_depth]);
}

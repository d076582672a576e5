//! Whole batches through the real circuits of the `dev` profile.

use crate::heavy::seat;
use crate::samples;
use cairn_circuits::plonk::Proof;
use cairn_circuits::{CircuitSet, LEVELS, MAX_PROOF_BYTES, Profile, SegmentInputs, SegmentShape, VerifyError};
use cairn_types::{Batch, Digest};

fn set() -> &'static CircuitSet {
    CircuitSet::get(Profile::Dev, &|_| ()).unwrap()
}

/// Proves a batch without any scheduling.
fn prove(batch: &Batch) -> Proof {
    let segments = batch.bundles.chunks(SegmentShape::FULL.bundles());
    let mut proofs: Vec<Proof> = segments
        .map(|bundles| set().prove_segment(&SegmentInputs::of(&batch.header.rollup_id, bundles)).unwrap())
        .collect();
    for level in 1..=LEVELS {
        proofs = proofs.chunks(2).map(|pair| set().prove_aggregation(level, &pair[0], pair.get(1)).unwrap()).collect();
    }
    set().prove_batch(&proofs[0], &batch.header.words()).unwrap()
}

#[test]
fn the_proof_of_a_batch_is_of_its_headers_digest() {
    let _seat = seat();
    // A full bundle and smaller ones in one segment; one bundle more than a segment holds.
    for (seed, counts) in [(1, vec![256, 255, 1, 17, 2]), (2, vec![3; 17])] {
        let batch = samples::batch(seed, &counts);
        let proof = prove(&batch);
        set().verify(&batch.header.statement(), &proof.to_bytes()).unwrap();
    }
}

#[test]
fn a_proof_is_refused_when_anything_about_it_is_changed() {
    let _seat = seat();
    let batch = samples::batch(3, &[2, 1]);
    let statement = batch.header.statement();
    let bytes = prove(&batch).to_bytes();
    let verify = |bytes: &[u8]| set().verify(&statement, bytes);
    verify(&bytes).unwrap();

    let mut other = statement.words();
    other[0] ^= 1;
    let other = Digest::from_words(other).unwrap();
    assert!(matches!(set().verify(&other, &bytes), Err(VerifyError::Statement { proved, .. }) if proved == statement));

    // Every part of the encoding: caps, openings, queries, final polynomial, grinding, public inputs.
    for part in 0..64 {
        let mut changed = bytes.clone();
        changed[(bytes.len() - 1) * part / 63] ^= 1;
        assert!(verify(&changed).is_err(), "part {part}");
    }
    assert!(verify(&bytes[..bytes.len() - 1]).is_err());
    assert!(verify(&[]).is_err());
    assert!(matches!(verify(&[&bytes[..], &[0]].concat()), Err(VerifyError::Encoding(_))), "a byte too many");
    assert!(matches!(verify(&vec![0; MAX_PROOF_BYTES + 1]), Err(VerifyError::TooLong(_))));
}

#[test]
fn a_header_that_the_bundles_do_not_give_has_no_proof() {
    let _seat = seat();
    let batch = samples::batch(5, &[1]);
    let mut header = batch.header.words();
    header[cairn_types::header::word::BYTES] += 1;
    let mut proof = set().prove_segment(&SegmentInputs::of(&batch.header.rollup_id, &batch.bundles)).unwrap();
    for level in 1..=LEVELS {
        proof = set().prove_aggregation(level, &proof, None).unwrap();
    }
    assert!(set().prove_batch(&proof, &header).is_err());
}

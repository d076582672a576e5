//! Whole batches through the real circuits of the `dev` profile.

use crate::heavy::seat;
use crate::samples::{self, entry};
use crate::scene::key;
use cairn_circuits::plonk::Proof;
use cairn_circuits::{CircuitSet, LEVELS, Profile, SegmentInputs, SegmentShape, VerifyError, proof_bytes};
use cairn_types::header::word;
use cairn_types::state::PartialState;
use cairn_types::{Batch, Digest, EntryKind};
use std::sync::OnceLock;

pub fn set() -> &'static CircuitSet {
    CircuitSet::get(Profile::Dev, &|_| ()).unwrap()
}

/// The proof of all bundles and, in the last segment, all entries, without any scheduling.
fn aggregate(batch: &Batch, before: &PartialState) -> Proof {
    let (mut state, mut queue) = (before.clone(), batch.header.queue_from);
    let bundles: Vec<_> = batch.statements.iter().copied().zip(&batch.bundles).collect();
    let count = bundles.len().div_ceil(SegmentShape::FULL.bundles()).max(1);
    let mut shares: Vec<_> = bundles.chunks(SegmentShape::FULL.bundles()).collect();
    shares.resize(count, &[]);
    let mut proofs = Vec::new();
    for (index, share) in shares.into_iter().enumerate() {
        let entries = if index + 1 == count { &batch.entries[..] } else { &[] };
        let inputs = SegmentInputs::apply(&batch.header.rollup_id, share, entries, &mut state, &mut queue).unwrap();
        proofs.push(set().prove_segment(&inputs).unwrap());
    }
    for level in 1..=LEVELS {
        proofs = proofs.chunks(2).map(|pair| set().prove_aggregation(level, &pair[0], pair.get(1)).unwrap()).collect();
    }
    proofs.swap_remove(0)
}

fn prove((batch, before): &(Batch, PartialState)) -> Proof {
    set().prove_batch(&aggregate(batch, before), &batch.header.words()).unwrap()
}

#[test]
fn the_proof_of_a_batch_is_of_its_headers_digest() {
    let _seat = seat();
    // A full bundle and smaller ones in one segment; one bundle more than a segment holds; entries beside bundles and alone.
    let register = |count: u32| (0..count).map(|n| entry(EntryKind::Register, 100 + n, key(100))).collect::<Vec<_>>();
    let mixed = vec![
        entry(EntryKind::Rotate, 1, key(11)),
        entry(EntryKind::Register, 5, key(5)),
        entry(EntryKind::Deactivate, 2, [0; 5]),
        entry(EntryKind::Rotate, 5, key(55)),
    ];
    let more = SegmentShape::FULL.bundles() + 1;
    for (seed, counts, entries) in [
        (1, vec![256, 255, 1, 17, 2], mixed),
        (2, vec![3; more], register(SegmentShape::FULL.entries as u32)),
        (3, vec![], register(1)),
    ] {
        let sample = samples::batch(seed, &counts, entries);
        let proof = set().wrap(&prove(&sample)).unwrap();
        set().verify(&sample.0.header.statement(), &proof).unwrap();
    }
}

/// A batch and the proof of all its bundles, for several tests.
pub fn sample() -> &'static (Batch, Proof) {
    static SAMPLE: OnceLock<(Batch, Proof)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let (batch, before) = samples::batch(3, &[2, 1], vec![]);
        let proof = aggregate(&batch, &before);
        (batch, proof)
    })
}

#[test]
fn a_proof_is_refused_when_anything_about_it_is_changed() {
    let _seat = seat();
    let (batch, bundles) = sample();
    let statement = batch.header.statement();
    let bytes = set().wrap(&set().prove_batch(bundles, &batch.header.words()).unwrap()).unwrap();
    let verify = |bytes: &[u8]| set().verify(&statement, bytes);
    verify(&bytes).unwrap();

    let mut other = statement.words();
    other[0] ^= 1;
    let other = Digest::from_words(other).unwrap();
    assert!(matches!(set().verify(&other, &bytes), Err(VerifyError::Rejected(_))));

    // Every part of the encoding: caps, openings, final polynomial, grinding, queries.
    for part in 0..64 {
        let mut changed = bytes.clone();
        changed[(bytes.len() - 1) * part / 63] ^= 1;
        assert!(verify(&changed).is_err(), "part {part}");
    }
    assert_eq!(bytes.len(), proof_bytes(Profile::Dev));
    for other in [&bytes[..bytes.len() - 1], &[], &[&bytes[..], &[0]].concat()] {
        assert!(matches!(verify(other), Err(VerifyError::Length { .. })), "{} bytes", other.len());
    }
}

#[test]
fn a_header_that_the_bundles_do_not_give_has_no_proof() {
    let _seat = seat();
    let (batch, bundles) = sample();
    for at in [word::BYTES, word::NEW_STATE_ROOT, word::QUEUE_TO] {
        let mut header = batch.header.words();
        header[at] += 1;
        assert!(set().prove_batch(bundles, &header).is_err(), "word {at}");
    }
}

//! The engine through its public face, in the `dev` profile.

mod samples;

use cairn_circuits::SegmentShape;
use cairn_prover::bench::{self, Sample};
use cairn_prover::{BatchProof, LocalProver, Options, Profile, Progress, ProveError, Prover, Stage, VerifyError};
use cairn_types::state::StateError;
use cairn_types::{AccountError, Digest, EntryKind, SealError, SignatureError};
use samples::{NODE, Rollup, bundle, entry};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bundles in a segment.
const SEGMENT: u64 = SegmentShape::FULL.bundles() as u64;

/// Proving takes the whole machine: one test at a time.
fn seat() -> MutexGuard<'static, ()> {
    static SEAT: Mutex<()> = Mutex::new(());
    SEAT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prover(memory: Option<u64>) -> LocalProver {
    let options = Options { threads: NonZeroUsize::new(2), memory, ..Options::new(Profile::Dev) };
    LocalProver::start(options, &()).unwrap()
}

/// Notes every step.
#[derive(Default)]
struct Notes(Mutex<Vec<(Stage, usize, usize)>>);

impl Progress for Notes {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        self.0.lock().unwrap().push((stage, done, total));
    }
}

#[test]
fn a_batch_of_three_segments_is_proved_with_progress_and_verifies() {
    let _seat = seat();
    let prover = prover(None);
    // One bundle more than a segment holds, and more entries than fit beside it in the second.
    let bundles = (0..=SEGMENT).map(|sequence| bundle(sequence, 3)).collect();
    let entries = (0..33).map(|node| entry(EntryKind::Register, 100 + node)).collect();
    let (batch, before) = Rollup::default().seal(bundles, entries);
    let notes = Notes::default();
    let proof = prover.prove(&batch, &before, &notes).unwrap();
    assert_eq!((proof.profile, proof.statement), (Profile::Dev, batch.header.statement()));
    prover.verify(&proof).unwrap();

    let steps = notes.0.into_inner().unwrap();
    for (stage, total) in [(Stage::Segments, 3), (Stage::Aggregation, 5), (Stage::Batch, 1), (Stage::Final, 1)] {
        let done: Vec<_> = steps.iter().filter(|step| step.0 == stage).map(|step| (step.1, step.2)).collect();
        assert_eq!(done, (0..=total).map(|done| (done, total)).collect::<Vec<_>>(), "{stage:?}");
    }

    let kept: BatchProof = borsh::from_slice(&borsh::to_vec(&proof).unwrap()).unwrap();
    prover.verify(&kept).unwrap();
    let mut other = kept.clone();
    other.statement = Digest::ZERO;
    assert!(matches!(prover.verify(&other), Err(VerifyError::Rejected(_))));
    let mut other = kept;
    other.profile = Profile::Production;
    assert!(matches!(prover.verify(&other), Err(VerifyError::Profile { .. })));
}

#[test]
fn entries_alone_make_a_batch_that_is_proved() {
    let _seat = seat();
    let prover = prover(None);
    let (batch, before) = Rollup::default().seal(vec![], vec![entry(EntryKind::Register, 9)]);
    let proof = prover.prove(&batch, &before, &()).unwrap();
    prover.verify(&proof).unwrap();
}

#[test]
fn a_header_that_its_bundles_do_not_give_is_named_before_anything_is_proved() {
    let _seat = seat();
    let (mut batch, before) = Rollup::default().seal(vec![bundle(0, 3)], vec![]);
    batch.header.bytes += 1;
    let error = prover(None).prove(&batch, &before, &()).unwrap_err();
    assert!(matches!(error, ProveError::Header { word: 33, stated: 1_501, computed: 1_500 }), "{error}");
}

#[test]
fn a_bundle_that_breaks_a_clause_is_named_before_anything_is_proved() {
    let _seat = seat();
    let (mut batch, before) = Rollup::default().seal(vec![bundle(0, 3), bundle(1, 3)], vec![]);
    batch.bundles[1].records.swap(0, 2);
    let error = prover(None).prove(&batch, &before, &()).unwrap_err();
    assert!(matches!(error, ProveError::Batch(SealError::Bundle { index: 1, .. })), "{error}");
}

#[test]
fn statements_that_are_not_the_bundles_are_refused() {
    let _seat = seat();
    let (mut batch, before) = Rollup::default().seal(vec![bundle(0, 3), bundle(1, 3)], vec![]);
    batch.statements.swap(0, 1);
    let error = prover(None).prove(&batch, &before, &()).unwrap_err();
    assert!(matches!(error, ProveError::Statements), "{error}");
}

#[test]
fn a_state_that_is_not_the_headers_is_refused() {
    let _seat = seat();
    let prover = prover(None);
    let rollup = Rollup::default();
    let (batch, before) = rollup.seal(vec![bundle(0, 3)], vec![]);
    // Of another time, without the account, and with another account than the nodes say.
    let later = rollup.after(&batch, &before);
    let (_, elsewhere) = rollup.seal(vec![], vec![entry(EntryKind::Register, 9)]);
    for state in [later.open([NODE]), elsewhere] {
        let error = prover.prove(&batch, &state, &()).unwrap_err();
        assert!(matches!(error, ProveError::State(_) | ProveError::Batch(SealError::Unauthorised { .. })), "{error}");
    }
}

#[test]
fn a_bundle_signed_by_a_key_that_was_rotated_away_has_no_proof() {
    let _seat = seat();
    let rollup = Rollup::default();
    let (rotation, before) = rollup.seal(vec![], vec![entry(EntryKind::Rotate, NODE)]);
    // The bundle was acknowledged under the old key, and comes after the batch that consumed the rotation.
    let (mut batch, _) = rollup.seal(vec![bundle(0, 3)], vec![]);
    let after = rollup.after(&rotation, &before);
    let opened = after.open([NODE]);
    batch.header.old_state_root = opened.root();
    let error = prover(None).prove(&batch, &opened, &()).unwrap_err();
    let ProveError::Batch(SealError::Unauthorised { index: 0, source: StateError::Account { index: NODE, source } }) =
        error
    else {
        panic!("{error}")
    };
    assert_eq!(source, AccountError::Signature(SignatureError::Mismatch));
}

#[test]
fn a_cancelled_proof_stops_between_two_proofs() {
    struct AfterSegments(Mutex<usize>);
    impl Progress for AfterSegments {
        fn step(&self, stage: Stage, done: usize, _: usize) {
            if stage == Stage::Segments {
                *self.0.lock().unwrap() = done;
            }
        }
        fn cancelled(&self) -> bool {
            *self.0.lock().unwrap() == 1
        }
    }
    let _seat = seat();
    // So little memory that proofs are made one by one.
    let bundles = (0..=SEGMENT).map(|sequence| bundle(sequence, 1)).collect();
    let (batch, before) = Rollup::default().seal(bundles, vec![]);
    let error = prover(Some(1)).prove(&batch, &before, &AfterSegments(Mutex::new(0))).unwrap_err();
    assert!(matches!(error, ProveError::Cancelled), "{error}");
}

#[test]
fn the_bench_reports_every_figure_that_is_asked_of_it() {
    let _seat = seat();
    let options = Options { threads: NonZeroUsize::new(2), ..Options::new(Profile::Dev) };
    let sample = Sample { receipts: 300, bundle_receipts: 256 };
    let report = bench::prove(options, sample, &()).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for key in [
        "receipts_per_second",
        "rows_per_receipt",
        "segment_rows_per_receipt",
        "rows_per_signature",
        "milliseconds_per_signature",
        "floor_ratio",
        "peak_rss_bytes",
    ] {
        assert!(json[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {}", json[key]);
    }
    assert!(report.segment_rows_per_receipt <= 7.0, "{} rows per receipt", report.segment_rows_per_receipt);
    assert!(report.rows_per_signature <= 300.0, "{} rows per signature", report.rows_per_signature);
    let shares: f64 = report.rows.iter().map(|part| part.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    assert!(report.to_string().contains("receipts/s"));
}

#[test]
fn a_full_batch_takes_at_most_eight_rows_for_each_receipt() {
    let circuits = prover(None).circuits();
    let segments = circuits.layers().map(|built| (built.layer, built.common.degree()));
    let full = 512 / SegmentShape::FULL.bundles();
    let rows: usize = segments
        .map(|(layer, rows)| match layer {
            cairn_circuits::Layer::Segment => full * rows,
            cairn_circuits::Layer::Aggregation(level) => (full >> level) * rows,
            cairn_circuits::Layer::Batch | cairn_circuits::Layer::Final => rows,
        })
        .sum();
    assert!(rows <= 8 * 131_072, "{rows} rows");
}

#[test]
fn a_bench_of_what_is_no_batch_says_so() {
    let options = Options { threads: NonZeroUsize::new(2), ..Options::new(Profile::Dev) };
    for (receipts, bundle_receipts) in [(0, 256), (131_073, 256), (513, 1), (1, 0), (1, 257)] {
        assert!(
            bench::prove(options, Sample { receipts, bundle_receipts }, &()).is_err(),
            "{receipts} {bundle_receipts}"
        );
    }
}

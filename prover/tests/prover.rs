//! The engine through its public face, in the `dev` profile.

use cairn_prover::{BatchProof, LocalProver, Options, Profile, Progress, ProveError, Prover, Stage, VerifyError};
use cairn_types::{Batch, BundleData, Cursor, Digest, Leaf, Record};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Proving takes the whole machine: one test at a time.
fn seat() -> MutexGuard<'static, ()> {
    static SEAT: Mutex<()> = Mutex::new(());
    SEAT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prover(memory: Option<u64>) -> LocalProver {
    let options = Options { threads: NonZeroUsize::new(2), memory, ..Options::new(Profile::Dev) };
    LocalProver::start(options, &()).unwrap()
}

fn batch(bundles: u64) -> Batch {
    let rollup_id = Digest::from_byte_digest([3; 32]);
    let bundle = |sequence| {
        let record = |n: u64| Record {
            receipt: vec![n as u8],
            leaf: Leaf::from_words([1_000 + n, 500, n, 0, 1, 2, 3, n]).unwrap(),
        };
        BundleData { node_index: 1, sequence, records: (0..3).map(record).collect() }
    };
    Batch::seal(&Cursor::genesis(&rollup_id), rollup_id, (0..bundles).map(bundle).collect()).unwrap()
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
fn a_batch_of_two_segments_is_proved_with_progress_and_verifies() {
    let _seat = seat();
    let prover = prover(None);
    let batch = batch(18);
    let notes = Notes::default();
    let proof = prover.prove(&batch, &notes).unwrap();
    assert_eq!((proof.profile, proof.statement), (Profile::Dev, batch.header.statement()));
    prover.verify(&proof).unwrap();

    let steps = notes.0.into_inner().unwrap();
    for (stage, total) in [(Stage::Segments, 2), (Stage::Aggregation, 5), (Stage::Batch, 1)] {
        let done: Vec<_> = steps.iter().filter(|step| step.0 == stage).map(|step| (step.1, step.2)).collect();
        assert_eq!(done, (0..=total).map(|done| (done, total)).collect::<Vec<_>>(), "{stage:?}");
    }

    let kept: BatchProof = borsh::from_slice(&borsh::to_vec(&proof).unwrap()).unwrap();
    prover.verify(&kept).unwrap();
    let mut other = kept.clone();
    other.statement = Digest::ZERO;
    assert!(matches!(prover.verify(&other), Err(VerifyError::Statement { .. })));
    let mut other = kept;
    other.profile = Profile::Production;
    assert!(matches!(prover.verify(&other), Err(VerifyError::Profile { .. })));
}

#[test]
fn a_header_that_its_bundles_do_not_give_is_named_before_anything_is_proved() {
    let _seat = seat();
    let mut batch = batch(1);
    batch.header.bytes += 1;
    let error = prover(None).prove(&batch, &()).unwrap_err();
    assert!(matches!(error, ProveError::Header { word: 33, stated: 1_501, computed: 1_500 }), "{error}");
}

#[test]
fn a_bundle_that_breaks_a_clause_is_named_before_anything_is_proved() {
    let _seat = seat();
    let mut batch = batch(2);
    batch.bundles[1].records.swap(0, 2);
    let error = prover(None).prove(&batch, &()).unwrap_err();
    assert!(matches!(error, ProveError::Batch(_)), "{error}");
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
    let error = prover(Some(1)).prove(&batch(17), &AfterSegments(Mutex::new(0))).unwrap_err();
    assert!(matches!(error, ProveError::Cancelled), "{error}");
}

#[test]
fn the_bench_reports_every_figure_that_is_asked_of_it() {
    let _seat = seat();
    let options = Options { threads: NonZeroUsize::new(2), ..Options::new(Profile::Dev) };
    let report = cairn_prover::bench::prove(options, 300, &()).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for key in ["receipts_per_second", "rows_per_receipt", "floor_ratio", "peak_rss_bytes"] {
        assert!(json[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {}", json[key]);
    }
    assert!(json["rows_per_signature"].is_null());
    assert!(report.rows_per_receipt <= 7.0, "{} rows per receipt", report.rows_per_receipt);
    assert!(report.to_string().contains("receipts/s"));
}

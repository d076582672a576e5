//! Several make the proofs of one batch.

use crate::rig::{Serving, Until, Working, batch, proof, prover, settings, until};
use crate::samples::{Rollup, bundle, entry};
use cairn_circuits::{Layer, SegmentShape};
use cairn_prover::remote::{Connection, Event, Settings, Token};
use cairn_prover::{Progress, ProveError, Prover, Stage};
use cairn_types::EntryKind;
use std::sync::{Arc, Mutex};
use std::time::Instant;

type Step = (Stage, usize, usize);

/// Notes every step.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Step>>>);

impl Progress for Notes {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        self.0.lock().unwrap().push((stage, done, total));
    }
}

pub async fn two_workers_prove_one_batch() {
    // One bundle more than a segment holds, and more entries than fit beside it: the third segment has entries alone.
    let bundles = (0..=SegmentShape::FULL.bundles() as u64).map(|sequence| bundle(sequence, 3)).collect();
    let entries = (0..33).map(|node| entry(EntryKind::Register, 100 + node)).collect();
    let (batch, before) = Rollup::default().seal(bundles, entries);
    let token = Token::new("a-token-that-both-sides-know").unwrap();
    let serving = Serving::start(settings(), Some(token.clone())).await;
    let connection = Connection { token: Some(token), ..Connection::plain(&serving.url()) };
    let workers = ["one", "other"].map(|name| Working::start(name, connection.clone()));
    until("both are connected", || serving.coordinator.workers() == 2).await;

    let notes = Notes::default();
    let began = Instant::now();
    let proof = proof(serving.prove((batch.clone(), before), notes.clone())).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(proof.statement, batch.header.statement());
    prover().verify(&proof).unwrap();
    // A worker hears of its proof's use after the coordinator has it.
    until("every proof is some worker's", || workers.iter().map(Working::used).sum::<usize>() == 10).await;
    let used = workers.each_ref().map(Working::used);
    assert!(used.iter().all(|used| *used > 0), "{used:?}");
    println!("     10 proofs in {seconds:.1} s, {used:?} by each worker of one thread");

    let steps = std::mem::take(&mut *notes.0.lock().unwrap());
    for (stage, total) in [(Stage::Segments, 3), (Stage::Aggregation, 5), (Stage::Batch, 1), (Stage::Final, 1)] {
        let done: Vec<_> = steps.iter().filter(|step| step.0 == stage).map(|step| (step.1, step.2)).collect();
        assert_eq!(done, (0..=total).map(|done| (done, total)).collect::<Vec<_>>(), "{stage:?}");
    }
    for worker in workers {
        assert_eq!(worker.count(|event| matches!(event, Event::Failed { .. } | Event::Away { .. })), 0);
        worker.stop().await.unwrap();
    }
    assert_eq!(serving.coordinator.workers(), 0, "both have said goodbye");
    serving.stop().await;
}

pub async fn this_process_and_a_worker_share_one_batch() {
    let serving = Serving::start(Settings { local: true, ..settings() }, None).await;
    let worker = Working::start("one", Connection::plain(&serving.url()));
    until("the worker is connected", || serving.coordinator.workers() == 1).await;
    let until_aggregation = Until::default();
    let proving = serving.prove(batch(2), until_aggregation.clone());
    until("each has a segment", || serving.coordinator.load() == (0, 2)).await;
    until_aggregation.reached().await;
    assert!(matches!(proof(proving).await.unwrap_err(), ProveError::Cancelled));
    let segments =
        |event: &Event| matches!(event, Event::Proved { job, used: true, .. } if job.layer == Layer::Segment);
    until("the worker has proved one", || worker.count(segments) == 1).await;
    worker.stop().await.unwrap();
    serving.stop().await;
}

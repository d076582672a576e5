//! Sealing and proving: by size, by age, on request, and never in each other's way.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use cairn_prover::{BatchProof, Profile, Progress, ProveError, Prover, VerifyError};
use cairn_sequencer::seal::policy::MAX_UNSUBMITTED;
use cairn_sequencer::{BatchEvent, Config, SealLimits, Stage};
use cairn_types::Batch;
use cairn_types::state::PartialState;

use crate::bench::{Bench, Running};
use crate::samples::QuickProver;

/// A node.
const NODE: u32 = 5;

async fn bench(seal: impl FnOnce(SealLimits) -> SealLimits) -> Bench {
    let bench = Bench::new().await;
    Bench { config: Config { seal: seal(bench.config.seal), ..bench.config.clone() }, ..bench }
}

#[tokio::test]
async fn a_full_batch_is_sealed_at_once_and_the_rest_waits() {
    let bench = bench(|limits| SealLimits { receipts: 5, ..limits }).await;
    let mut running = bench.start().await;
    let mut acknowledged = Vec::new();
    for sequence in 0..5 {
        acknowledged.push(running.submit(bench.request(NODE, sequence, 2)).await.unwrap());
    }
    assert!(running.sequencer.wait_for(Stage::Submitted, 3).await);
    let status = running.sequencer.status().borrow().clone();
    assert_eq!((status.bundles_unsealed(), status.stage(Stage::Sealed).batches), (1, 3));
    assert_eq!(running.sequencer.seal_now().await.unwrap(), 4);
    assert!(running.sequencer.wait_for(Stage::Submitted, 4).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&acknowledged).await, 5);
}

#[tokio::test]
async fn an_old_batch_is_sealed_however_small_also_when_it_grew_old_while_stopped() {
    let bench = bench(|limits| SealLimits { age: Duration::from_millis(300), ..limits }).await;
    let mut running = bench.start().await;
    let first = running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    let second = running.submit(bench.request(NODE, 1, 1)).await.unwrap();
    running.stop().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let running = bench.start().await;
    assert!(running.sequencer.wait_for(Stage::Submitted, 3).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&[first, second]).await, 2);
}

#[tokio::test]
async fn nothing_to_seal_seals_nothing() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    assert_eq!(running.sequencer.seal_now().await.unwrap(), 1, "the batch that registers nodes, and no other");
    running.stop().await.unwrap();
}

/// Proves when it is let.
struct HeldProver(Mutex<mpsc::Receiver<()>>);

impl Prover for HeldProver {
    fn profile(&self) -> Profile {
        Profile::Dev
    }

    fn prove(&self, batch: &Batch, before: &PartialState, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
        let gate = self.0.lock().unwrap();
        loop {
            match gate.recv_timeout(Duration::from_millis(5)) {
                Ok(()) => return QuickProver.prove(batch, before, progress),
                Err(_) if progress.cancelled() => return Err(ProveError::Cancelled),
                Err(_) => {}
            }
        }
    }

    fn verify(&self, proof: &BatchProof) -> Result<(), VerifyError> {
        QuickProver.verify(proof)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proving_holds_up_neither_intake_nor_sealing_nor_publishing() {
    let (release, gate) = mpsc::channel();
    let bench = Bench {
        prover: Arc::new(HeldProver(Mutex::new(gate))),
        ..bench(|limits| SealLimits { bundles: 1, ..limits }).await
    };
    let mut running = bench.start().await;
    let mut events = running.sequencer.events();
    let mut acknowledged = Vec::new();
    for sequence in 0..4 {
        acknowledged.push(running.submit(bench.request(NODE, sequence, 1)).await.unwrap());
    }
    assert!(running.sequencer.wait_for(Stage::Published, 5).await);
    assert_eq!(running.sequencer.status().borrow().stage(Stage::Proved).batches, 0);
    for _ in 0..5 {
        release.send(()).unwrap();
    }
    assert!(running.sequencer.wait_for(Stage::Submitted, 5).await);

    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(match event {
            BatchEvent::Sealed(batch) => (batch.number, "sealed"),
            BatchEvent::Published { batch, .. } => (batch.number, "published"),
            BatchEvent::Proving(batch) => (batch.number, "proving"),
            BatchEvent::ProvingProgress { batch, .. } => (batch.number, "progress"),
            BatchEvent::Proved { batch, .. } => (batch.number, "proved"),
            BatchEvent::Sent { batch, attempt: 0, sends: 1, .. } => (batch.number, "sent"),
            BatchEvent::Sent { batch, .. } => panic!("batch {} was sent again", batch.number),
            BatchEvent::Confirmed { batch, .. } => (batch.number, "confirmed"),
            BatchEvent::Submitted { batch, signature, compute_units, .. } => {
                assert!(signature.is_some() && compute_units.is_some());
                (batch.number, "submitted")
            }
            BatchEvent::Retrying { number, reason, .. } => panic!("batch {number}: {reason}"),
            BatchEvent::Uploading { .. } | BatchEvent::Settled { .. } | BatchEvent::ProofAccountClosed { .. } => {
                panic!("nobody settles here: {event:?}")
            }
        });
    }
    for number in 1..5 {
        let words: Vec<_> = seen.iter().filter(|(batch, _)| *batch == number).map(|(_, word)| *word).collect();
        let expected =
            ["sealed", "published", "proving", "progress", "progress", "proved", "sent", "confirmed", "submitted"];
        assert_eq!(words, expected);
    }
    running.stop().await.unwrap();
    bench.world.assert_holds(&acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealing_waits_for_submissions_and_intake_does_not() {
    let (release, gate) = mpsc::channel();
    let bench = Bench {
        prover: Arc::new(HeldProver(Mutex::new(gate))),
        ..bench(|limits| SealLimits { bundles: 1, ..limits }).await
    };
    let mut running = bench.start().await;
    let mut acknowledged = Vec::new();
    for sequence in 0..MAX_UNSUBMITTED + 5 {
        acknowledged.push(running.submit(bench.request(NODE, sequence, 1)).await.unwrap());
    }
    // Batch 0 registers the nodes, hence one bundle more than five is left.
    assert_held(&running, MAX_UNSUBMITTED, 6).await;
    running.stop().await.unwrap();
    let mut running = bench.start_at_once().await;
    assert_held(&running, MAX_UNSUBMITTED, 6).await;

    release.send(()).unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 1).await);
    assert_held(&running, MAX_UNSUBMITTED + 1, 5).await;
    acknowledged.push(running.submit(bench.request(NODE, MAX_UNSUBMITTED + 5, 1)).await.unwrap());
    assert_held(&running, MAX_UNSUBMITTED + 1, 6).await;

    let batches = MAX_UNSUBMITTED + 7;
    for _ in 1..batches {
        release.send(()).unwrap();
    }
    assert_eq!(running.sequencer.seal_now().await.unwrap(), batches);
    assert!(running.sequencer.wait_for(Stage::Submitted, batches).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&acknowledged).await, acknowledged.len());
}

/// `sealed` batches are sealed and, asked or not, no further one for a while, though `unsealed` bundles wait.
async fn assert_held(running: &Running, sealed: u64, unsealed: u64) {
    assert!(running.sequencer.wait_for(Stage::Published, sealed).await);
    let asked = tokio::time::timeout(Duration::from_millis(300), running.sequencer.seal_now()).await;
    assert!(asked.is_err(), "answered {asked:?}");
    let status = running.sequencer.status().borrow().clone();
    assert_eq!((status.stage(Stage::Sealed).batches, status.bundles_unsealed()), (sealed, unsealed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_gives_up_the_proof_in_hand_and_the_next_start_makes_it() {
    let (release, gate) = mpsc::channel();
    let bench = Bench { prover: Arc::new(HeldProver(Mutex::new(gate))), ..Bench::new().await };
    let mut running = bench.start().await;
    let acknowledged = running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Published, 2).await);
    running.stop().await.unwrap();

    for _ in 0..2 {
        release.send(()).unwrap();
    }
    let running = bench.start().await;
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    running.stop().await.unwrap();
    bench.world.assert_holds(&[acknowledged]).await;
}

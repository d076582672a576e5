//! Sealing and proving: by size, by age, on request, and never in each other's way.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use cairn_prover::{BatchProof, Profile, Progress, ProveError, Prover, VerifyError};
use cairn_sequencer::{BatchEvent, Config, SealLimits, Stage};
use cairn_types::Batch;

use crate::bench::Bench;
use crate::samples::QuickProver;

/// A node.
const NODE: u32 = 7;

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
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    let status = running.sequencer.status().borrow().clone();
    assert_eq!((status.bundles_unsealed(), status.stage(Stage::Sealed).batches), (1, 2));
    assert_eq!(running.sequencer.seal_now().await.unwrap(), 3);
    assert!(running.sequencer.wait_for(Stage::Submitted, 3).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&acknowledged).await, 5);
}

#[tokio::test]
async fn an_old_batch_is_sealed_however_small_also_when_it_grew_old_while_stopped() {
    let bench = bench(|limits| SealLimits { age: Duration::from_millis(300), ..limits }).await;
    let mut running = bench.start().await;
    let first = running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 1).await);
    let second = running.submit(bench.request(NODE, 1, 1)).await.unwrap();
    running.stop().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let running = bench.start().await;
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&[first, second]).await, 2);
}

#[tokio::test]
async fn nothing_to_seal_seals_nothing() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    assert_eq!(running.sequencer.seal_now().await.unwrap(), 0);
    running.stop().await.unwrap();
}

/// Proves when it is let.
struct HeldProver(Mutex<mpsc::Receiver<()>>);

impl Prover for HeldProver {
    fn profile(&self) -> Profile {
        Profile::Dev
    }

    fn prove(&self, batch: &Batch, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
        let gate = self.0.lock().unwrap();
        loop {
            match gate.recv_timeout(Duration::from_millis(5)) {
                Ok(()) => return QuickProver.prove(batch, progress),
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
    assert!(running.sequencer.wait_for(Stage::Published, 4).await);
    assert_eq!(running.sequencer.status().borrow().stage(Stage::Proved).batches, 0);
    for _ in 0..4 {
        release.send(()).unwrap();
    }
    assert!(running.sequencer.wait_for(Stage::Submitted, 4).await);

    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(match event {
            BatchEvent::Sealed(batch) => (batch.number, "sealed"),
            BatchEvent::Published { batch, .. } => (batch.number, "published"),
            BatchEvent::Proving(batch) => (batch.number, "proving"),
            BatchEvent::ProvingProgress { batch, .. } => (batch.number, "progress"),
            BatchEvent::Proved { batch, .. } => (batch.number, "proved"),
            BatchEvent::Submitted { batch, signature, compute_units, .. } => {
                assert!(signature.is_some() && compute_units.is_some());
                (batch.number, "submitted")
            }
            BatchEvent::Retrying { number, reason, .. } => panic!("batch {number}: {reason}"),
        });
    }
    for number in 0..4 {
        let words: Vec<_> = seen.iter().filter(|(batch, _)| *batch == number).map(|(_, word)| *word).collect();
        assert_eq!(words, ["sealed", "published", "proving", "progress", "progress", "proved", "submitted"]);
    }
    running.stop().await.unwrap();
    bench.world.assert_holds(&acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_gives_up_the_proof_in_hand_and_the_next_start_makes_it() {
    let (release, gate) = mpsc::channel();
    let bench = Bench { prover: Arc::new(HeldProver(Mutex::new(gate))), ..Bench::new().await };
    let mut running = bench.start().await;
    let acknowledged = running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Published, 1).await);
    running.stop().await.unwrap();

    release.send(()).unwrap();
    let running = bench.start().await;
    assert!(running.sequencer.wait_for(Stage::Submitted, 1).await);
    running.stop().await.unwrap();
    bench.world.assert_holds(&[acknowledged]).await;
}

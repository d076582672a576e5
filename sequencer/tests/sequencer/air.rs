//! Several headers on their way at once, over a chain that takes its time: dropped, expired, lost, refused, taken up again
//! by the next process.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cairn_chain::Signature;
use cairn_proto::{Acknowledgement, BundleStage, BundleStatus, v1};
use cairn_sequencer::store::{Identity, Purpose, Store};
use cairn_sequencer::{BatchEvent, Config, SealLimits, Stage};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::bench::{Bench, Running};
use crate::cluster::{Cluster, Fault, NEVER};

/// A node.
const NODE: u32 = 5;
/// No test takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time until something is confirmed.
const CONFIRMS: Duration = Duration::from_millis(40);
/// Batches that the tests bring into the air: the nodes' registrations are batch 0, and final.
const IN_AIR: u64 = 3;

/// A sequencer whose every bundle is a batch, and a chain on which nothing becomes final any more.
struct Flight {
    bench: Bench,
    cluster: Arc<Cluster>,
    running: Running,
    events: Receiver<BatchEvent>,
    acknowledged: Vec<Acknowledgement>,
}

impl Flight {
    /// Submits bundles, without waiting for their batches.
    async fn begin(faults: &[Fault]) -> Self {
        let (bench, cluster) = Bench::on_cluster().await;
        let seal = SealLimits { bundles: 1, ..bench.config.seal };
        let bench = Bench { config: Config { seal, ..bench.config.clone() }, ..bench };
        let mut running = bench.start_settled().await;
        cluster.pace(CONFIRMS, NEVER);
        cluster.sent();
        cluster.faults(faults);
        let events = running.sequencer.events();
        let mut acknowledged = Vec::new();
        for sequence in 0..IN_AIR {
            acknowledged.push(running.submit(bench.request(NODE, sequence, 2)).await.unwrap());
        }
        Self { bench, cluster, running, events, acknowledged }
    }

    /// The same, and waits until all of them are confirmed.
    async fn confirmed() -> Self {
        let flight = Self::begin(&[]).await;
        assert!(flight.running.sequencer.wait_for(Stage::Confirmed, 1 + IN_AIR).await);
        flight
    }

    /// Everything becomes final; the chain has every bundle once.
    async fn land(mut self) {
        self.cluster.pace(Duration::ZERO, Duration::ZERO);
        assert!(self.running.sequencer.wait_for(Stage::Submitted, 1 + IN_AIR).await);
        assert!(self.cluster.is_calm(), "every fault happened");
        let events = self.events();
        for number in 1..=IN_AIR {
            assert_eq!(
                events.iter().filter(|event| is_final(event, number)).count(),
                1,
                "batch {number} is final once"
            );
        }
        self.running.stop().await.unwrap();
        assert_eq!(self.bench.world.assert_holds(&self.acknowledged).await, self.acknowledged.len());
        let identity = Identity { rollup_id: self.bench.world.rollup_id, circuit_digest: [3; 32] };
        let store = Store::open(&self.bench.store(), &identity).unwrap();
        assert_eq!(store.outbox().unwrap(), []);
        for number in 1..=IN_AIR {
            let times = store.times(number).unwrap();
            let known = [times.sealed, times.published, times.proved, times.signed, times.confirmed, times.finalized];
            assert!(known.iter().all(Option::is_some) && known.is_sorted(), "{times:?}");
        }
    }

    /// Events until now.
    fn events(&mut self) -> Vec<BatchEvent> {
        let mut events = Vec::new();
        loop {
            match self.events.try_recv() {
                Ok(event) => events.push(event),
                Err(TryRecvError::Empty) => return events,
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn stage_of(&mut self, sequence: u64) -> BundleStage {
        let request = v1::GetBundleRequest { node_index: NODE, sequence };
        let reply = self.running.client.get_bundle(request).await.unwrap().into_inner();
        BundleStatus::try_from(reply).unwrap().stage
    }

    fn signatures(&self) -> BTreeSet<[u8; 64]> {
        self.cluster.sent().into_iter().map(|Signature(bytes)| bytes).collect()
    }
}

fn is_final(event: &BatchEvent, number: u64) -> bool {
    matches!(event, BatchEvent::Submitted { batch, .. } if batch.number == number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_batches_are_in_the_air_and_none_is_called_submitted_before_it_is_final() {
    let mut flight = Flight::confirmed().await;
    let status = flight.running.client.status(v1::StatusRequest {}).await.unwrap().into_inner();
    let batches = |stage: Option<v1::Stage>| stage.unwrap().batches;
    assert_eq!((batches(status.confirmed), batches(status.submitted)), (1 + IN_AIR, 1));
    for sequence in 0..IN_AIR {
        assert_eq!(flight.stage_of(sequence).await, BundleStage::Proved);
    }
    let events = flight.events();
    let mut shown = Vec::new();
    for event in &events {
        match event {
            BatchEvent::Sent { batch, attempt: 0, sends: 1, .. } => shown.push(("sent", batch.number)),
            BatchEvent::Confirmed { batch, slot: Some(_), after: Some(_) } => shown.push(("confirmed", batch.number)),
            BatchEvent::Sent { .. } | BatchEvent::Confirmed { .. } | BatchEvent::Submitted { .. } => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    let each = (1..=IN_AIR).flat_map(|number| [("sent", number), ("confirmed", number)]);
    assert_eq!(shown, each.collect::<Vec<_>>(), "a batch is sent when the one before it is confirmed");
    assert_eq!(flight.signatures().len() as u64, IN_AIR);
    flight.land().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_process_takes_up_what_is_in_the_outbox() {
    let mut flight = Flight::confirmed().await;
    let sent = flight.signatures();
    flight.running.stop().await.unwrap();
    let identity = Identity { rollup_id: flight.bench.world.rollup_id, circuit_digest: [3; 32] };
    let store = Store::open(&flight.bench.store(), &identity).unwrap();
    let outbox = store.outbox().unwrap();
    let purposes: Vec<_> = outbox.iter().map(|(purpose, _)| *purpose).collect();
    assert_eq!(purposes, (1..=IN_AIR).map(Purpose::SubmitBatch).collect::<Vec<_>>());
    assert_eq!(outbox.iter().map(|(_, intent)| intent.signature).collect::<BTreeSet<_>>(), sent);
    drop(store);
    // Nobody saw it, but all of it was dropped meanwhile.
    flight.cluster.fork(IN_AIR as usize).await;

    flight.running = flight.bench.start_at_once().await;
    flight.events = flight.running.sequencer.events();
    assert!(flight.running.sequencer.wait_for(Stage::Confirmed, 1 + IN_AIR).await);
    assert_eq!(flight.signatures(), sent, "the same bytes, and no others");
    flight.land().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_batches_that_a_fork_drops_are_sent_again_as_they_were() {
    let mut flight = Flight::confirmed().await;
    let sent = flight.signatures();
    flight.events();
    flight.cluster.fork(2).await;
    let mut again = BTreeSet::new();
    while again.len() < 2 {
        match tokio::time::timeout(PATIENCE, flight.events.recv()).await.unwrap().unwrap() {
            BatchEvent::Confirmed { batch, .. } => _ = again.insert(batch.number),
            BatchEvent::Submitted { .. } => panic!("nothing is final"),
            _ => {}
        }
    }
    assert_eq!(again, [2, 3].into());
    let resent = flight.signatures();
    assert!(resent.len() == 2 && resent.is_subset(&sent));
    assert!(flight.running.sequencer.wait_for(Stage::Confirmed, 1 + IN_AIR).await);
    flight.land().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_batch_whose_blockhash_expires_is_signed_anew_with_those_after_it() {
    let mut flight = Flight::confirmed().await;
    let sent = flight.signatures();
    flight.events();
    flight.cluster.outlive_blockhashes();
    flight.cluster.fork(2).await;
    // Batch 1 is final, and the height with it.
    flight.cluster.pace(CONFIRMS, Duration::ZERO);
    assert!(flight.running.sequencer.wait_for(Stage::Submitted, 1 + IN_AIR).await);
    let anew: Vec<_> =
        flight.events().into_iter().filter(|event| matches!(event, BatchEvent::Sent { attempt: 1, .. })).collect();
    assert_eq!(anew.len(), 2, "{anew:?}");
    assert_eq!(flight.signatures().difference(&sent).count(), 2);
    flight.running.stop().await.unwrap();
    assert_eq!(flight.bench.world.assert_holds(&flight.acknowledged).await, flight.acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_unanswered_and_refused_transactions_are_sent_until_they_arrive() {
    let flight = Flight::begin(&[Fault::Lagging, Fault::Unanswered, Fault::Lose, Fault::Lagging]).await;
    flight.cluster.silence(4);
    assert!(flight.running.sequencer.wait_for(Stage::Confirmed, 1 + IN_AIR).await);
    assert_eq!(flight.signatures().len() as u64, IN_AIR, "the same bytes each time");
    flight.land().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_finally_failed_is_followed_by_another() {
    let mut flight = Flight::begin(&[Fault::Fail]).await;
    assert!(flight.running.sequencer.wait_for(Stage::Confirmed, 1 + IN_AIR).await);
    let attempts: Vec<_> = flight.events().iter().filter_map(attempt).collect();
    assert_eq!(attempts, [(1, 0), (1, 1), (2, 0), (3, 0)]);
    assert_eq!(flight.signatures().len() as u64, IN_AIR + 1);
    flight.land().await;
}

fn attempt(event: &BatchEvent) -> Option<(u64, u32)> {
    match event {
        BatchEvent::Sent { batch, attempt, .. } => Some((batch.number, *attempt)),
        _ => None,
    }
}

//! A sequencer that dies before or after any of its writes, and one that takes up where it left off.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cairn_proto::refusal::Refusal;
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::{Acknowledgement, v1};
use tokio_util::sync::CancellationToken;

use crate::samples::{NODES, QuickProver, World, authority, receipt_key, request_for, signed, signing_key};
use crate::sequencer::check_rollup;
use crate::store::{Change, Identity, Side, Store};
use crate::{Config, LogStatus, SealLimits, Sequencer, Stage};

/// Bundles of the scenario: (node, sequence), in the order in which they are submitted.
const BUNDLES: [(u32, u64); 5] = [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2)];
/// The bundle from which on its node signs with another key.
const ROTATES_BEFORE: usize = 4;
/// Queue entries of the scenario: the registrations, and a rotation.
const ENTRIES: u64 = NODES as u64 + 1;
/// No scenario takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(folder: &Path) -> Config {
    let local = Config::local(folder.join("log"));
    Config {
        seal: SealLimits { bundles: 2, entry_age: Duration::from_millis(10), ..local.seal },
        chain_poll: Duration::from_millis(20),
        settle: false,
        grace: Duration::from_secs(10),
        ..local
    }
}

fn open(world: &World, config: &Config) -> Arc<Store> {
    let identity = Identity { rollup_id: world.rollup_id, circuit_digest: [3; 32] };
    Arc::new(Store::open(&config.store, &identity).unwrap())
}

/// Submits every bundle, in order, until one is not acknowledged. Before the last, its node's key is rotated, if that has
/// not happened yet.
async fn submit_all(sequencer: &Sequencer, world: &World) -> Vec<Acknowledgement> {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = SequencerClient::connect(format!("http://{}", sequencer.address())).await else {
        return acknowledged;
    };
    for (place, (node_index, sequence)) in BUNDLES.into_iter().enumerate() {
        let mut request: v1::SubmitBundleRequest = request_for(&world.rollup_id, node_index, sequence, 2);
        if place >= ROTATES_BEFORE {
            rotate(world, node_index).await;
            request = signed(request, &signing_key(100 + node_index));
        }
        match submit(&mut client, request).await {
            Some(acknowledgement) => acknowledged.push(acknowledgement),
            None => return acknowledged,
        }
    }
    acknowledged
}

/// Submits a bundle, again as long as its node is waiting for the queue or its new key; `None` when the sequencer dies.
async fn submit(
    client: &mut SequencerClient<tonic::transport::Channel>,
    request: v1::SubmitBundleRequest,
) -> Option<Acknowledgement> {
    loop {
        match client.submit_bundle(request.clone()).await {
            Ok(reply) => return Some(reply.into_inner().try_into().unwrap()),
            Err(status) => {
                let waits = matches!(Refusal::of(&status), Some(Refusal::Pending { .. }));
                // Until the rotation is seen, the old key counts.
                if !waits && status.code() != tonic::Code::Unauthenticated {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

async fn rotate(world: &World, node_index: u32) {
    let (authority, key) = (authority(node_index), receipt_key(100 + node_index));
    let node = world.rollup.node(&authority.address()).await.unwrap().unwrap();
    if node.receipt_key != key {
        world.rollup.rotate_key(&authority, &key).await.unwrap();
    }
}

/// All bundles and entries are on chain.
fn done(status: &LogStatus) -> bool {
    let submitted = status.stage(Stage::Submitted).batches == status.stage(Stage::Sealed).batches;
    let all = status.bundles_sealed == BUNDLES.len() as u64 && status.queue_consumed == ENTRIES;
    submitted && all
}

/// Seals what is left, and waits until everything is on chain; `false` when the sequencer dies.
async fn finish(sequencer: &Sequencer) -> bool {
    sequencer.seal_now().await.is_ok() && sequencer.wait_until(done).await
}

/// Runs the scenario on a store that dies at a write. Returns what was acknowledged, and the changes that were reached
/// if it did not die.
async fn run_into(
    world: &World,
    config: &Config,
    write: usize,
    side: Side,
) -> (Vec<Acknowledgement>, Option<Vec<Change>>) {
    let store = open(world, config);
    let faults = store.faults();
    faults.crash_at(write, side);
    let stop = CancellationToken::new();
    let parts = world.parts(Arc::new(QuickProver));
    let rollup = check_rollup(config, &parts).await.unwrap();
    let sequencer = match Sequencer::start_on(store, config.clone(), parts, rollup, stop.clone()).await {
        Ok(sequencer) => sequencer,
        // The queue is read before anything is served.
        Err(error) => {
            assert!(faults.crashed(), "{error}");
            return (Vec::new(), None);
        }
    };
    let acknowledged = submit_all(&sequencer, world).await;
    let done = finish(&sequencer).await;
    stop.cancel();
    let ended = sequencer.join().await;
    assert_eq!(ended.is_err(), faults.crashed(), "{ended:?}");
    assert!(done || faults.crashed());
    (acknowledged, (!faults.crashed()).then(|| faults.changes()))
}

async fn scenario(write: usize, side: Side) -> Option<Vec<Change>> {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let config = config(folder.path());
    let (before, reached) = run_into(&world, &config, write, side).await;

    // After the crash, everything is submitted again.
    let stop = CancellationToken::new();
    let sequencer = Sequencer::start(config, world.parts(Arc::new(QuickProver)), stop.clone()).await.unwrap();
    let after = submit_all(&sequencer, &world).await;
    assert_eq!(after.len(), BUNDLES.len(), "write {write} {side:?}");
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(*new, Acknowledgement { duplicate: true, ..*old }, "write {write} {side:?}");
    }
    assert!(finish(&sequencer).await);
    stop.cancel();
    sequencer.join().await.unwrap();
    assert_eq!(world.assert_holds(&after).await, BUNDLES.len());
    assert_eq!(world.rollup.rollup().await.unwrap().tip.queue, world.rollup.queue().await.unwrap().end);
    reached
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_any_two_writes_loses_and_repeats_nothing() {
    for side in [Side::Before, Side::After] {
        let mut write = 0;
        let changes = loop {
            let ended = tokio::time::timeout(PATIENCE, scenario(write, side)).await;
            if let Some(changes) = ended.unwrap_or_else(|_| panic!("write {write} {side:?} hangs")) {
                break changes;
            }
            write += 1;
        };
        // The crash was tried at every one of these.
        assert_eq!(changes.len(), write);
        for change in [
            Change::Enqueue,
            Change::Append,
            Change::Seal,
            Change::Publish,
            Change::KeepProof,
            Change::Prove,
            Change::Intend,
            Change::Submit,
        ] {
            assert!(changes.contains(&change), "{change:?} was never reached");
        }
    }
}

//! A sequencer that dies before or after any of its writes, and one that takes up where it left off.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::{Acknowledgement, v1};
use tokio_util::sync::CancellationToken;

use crate::samples::{QuickProver, World, request_for};
use crate::store::{Change, Identity, Side, Store};
use crate::{Config, SealLimits, Sequencer, Stage};

/// Bundles of the scenario: (node, sequence), in the order in which they are submitted.
const BUNDLES: [(u32, u64); 4] = [(1, 0), (2, 0), (1, 1), (2, 1)];
/// Batches that they make.
const BATCHES: u64 = 2;
/// No scenario takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(folder: &Path) -> Config {
    let local = Config::local(folder.join("log"));
    Config {
        seal: SealLimits { bundles: 2, ..local.seal },
        chain_poll: Duration::from_millis(20),
        grace: Duration::from_millis(500),
        ..local
    }
}

fn open(world: &World, config: &Config) -> Arc<Store> {
    let identity = Identity { rollup_id: world.rollup_id, circuit_digest: [3; 32] };
    Arc::new(Store::open(&config.store, &identity).unwrap())
}

/// Submits every bundle, in order, until one is not acknowledged.
async fn submit_all(sequencer: &Sequencer, world: &World) -> Vec<Acknowledgement> {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = SequencerClient::connect(format!("http://{}", sequencer.address())).await else {
        return acknowledged;
    };
    for (node_index, sequence) in BUNDLES {
        let request: v1::SubmitBundleRequest = request_for(&world.rollup_id, node_index, sequence, 2);
        match client.submit_bundle(request).await {
            Ok(reply) => acknowledged.push(reply.into_inner().try_into().unwrap()),
            Err(_) => return acknowledged,
        }
    }
    acknowledged
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
    let started =
        Sequencer::start_on(store, config.clone(), world.parts(Arc::new(QuickProver)), world.rollup_id, stop.clone());
    let sequencer = started.await.unwrap();
    let acknowledged = submit_all(&sequencer, world).await;
    let done = sequencer.wait_for(Stage::Submitted, BATCHES).await;
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
    assert!(sequencer.wait_for(Stage::Submitted, BATCHES).await);
    stop.cancel();
    sequencer.join().await.unwrap();
    assert_eq!(world.assert_holds(&after).await, BUNDLES.len());
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

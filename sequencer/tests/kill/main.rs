//! `kill -9` at any moment loses no acknowledged bundle and duplicates none.
//!
//! This program starts itself as the sequencer, in a process of its own, submits to it from several nodes, kills it at
//! random moments, starts it again, and in the end compares what was acknowledged with what the chain and the published
//! data say. The processes share nothing but the folder.

use cairn_sequencer::Parts;

mod child;
mod nodes;
#[path = "../../src/samples.rs"]
#[allow(dead_code)]
mod samples;

use std::time::{Duration, Instant};

use nodes::Nodes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Gives the moments of another run again.
const SEED: &str = "CAIRN_KILL_TEST_SEED";
/// Kills in a run, more where these were too soon for a bundle each.
const KILLS: u32 = 12;
const MOST_KILLS: u32 = 200;
/// The sequencer lives this long before it is killed, in milliseconds after it listens.
const LIFE_MS: std::ops::Range<u64> = 5..400;
/// Bundles that go into one batch.
const BATCH: u32 = 3;
/// Bundles in one life. Nothing settles here, and so many batches may wait: however fast the machine is, all lives together
/// fill no more than half of them, and leave the rest to batches that are sealed for their age.
const BUNDLES: u32 = cairn_interface::MAX_PENDING_CEILING * BATCH / 2 / KILLS;
/// Time for a sequencer to catch up in the end.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match child::folder_of_this_process() {
        Some(folder) => runtime.block_on(child::run(&folder)),
        None => {
            runtime.block_on(killed_at_any_moment_nothing_acknowledged_is_lost_or_doubled());
            println!("test killed_at_any_moment_nothing_acknowledged_is_lost_or_doubled ... ok");
        }
    }
}

async fn killed_at_any_moment_nothing_acknowledged_is_lost_or_doubled() {
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |text| text.parse().unwrap());
    println!("{SEED}={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    // Makes chain and rollup, and lets go of them: the child has them from here on.
    let rollup_id = samples::World::open(folder.path()).await.rollup_id;
    let mut nodes = Nodes::new(rollup_id);

    let mut kills = 0;
    while kills < KILLS || nodes.acknowledged().len() <= KILLS as usize {
        assert!(kills < MOST_KILLS, "no life was long enough");
        let mut child = child::Child::start(folder.path());
        let life = Duration::from_millis(random.gen_range(LIFE_MS));
        let address = child.address.clone();
        nodes.submit_until_gone(&address, BUNDLES, child.kill_after(life)).await;
        kills += 1;
    }

    let mut child = child::Child::start(folder.path());
    let total = nodes.settle(&child.address, Instant::now() + PATIENCE).await;
    child.kill();

    let world = samples::World::open(folder.path()).await;
    assert_eq!(world.assert_holds(&nodes.acknowledged()).await, total);
    let batches = world.rollup.rollup().await.unwrap().tip.batches;
    println!("{kills} kills, {total} bundles in {batches} batches, {} acknowledgements", nodes.acknowledged().len());
}

//! The whole path on a real validator: registration, receipts, batches, proofs, transactions, up to `finalized`, and to
//! proof files that verify against what two RPC servers say. Once undisturbed, and once with the validator killed.
//!
//! Runs with the binary that `CAIRN_TEST_VALIDATOR` names; `make test-validator` finds one.

mod scene;
mod servers;
mod table;

use cairn_sequencer::Stage;
use scene::Scene;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Mutex;

/// One validator at a time: each keeps a core busy.
static TURN: Mutex<()> = Mutex::const_new(());

fn binary() -> Option<PathBuf> {
    let named = std::env::var_os("CAIRN_TEST_VALIDATOR").filter(|named| !named.is_empty()).map(PathBuf::from);
    if named.is_none() {
        println!("validator run skipped: no binary");
    }
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_is_final_on_a_validator_and_verifies_against_two_servers() {
    let Some(binary) = binary() else { return };
    let _turn = TURN.lock().await;
    let mut scene = Scene::start(&binary).await;
    scene.register().await;
    let crawl = scene.submit(&["site.warc.gz", "again.warc.gz"]).await;
    let batches = scene.seal().await;
    scene.settled(batches).await;
    scene.check(&crawl, batches).await;
    assert_eq!(scene.restarts(), 0, "undisturbed");
    scene.end("undisturbed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_is_killed_on_the_way_loses_nothing_and_doubles_nothing() {
    let Some(binary) = binary() else { return };
    let _turn = TURN.lock().await;
    let mut scene = Scene::start(&binary).await;
    scene.register().await;
    let crawl = scene.submit(&["site.warc.gz", "again.warc.gz"]).await;
    // Acknowledged, and in no batch yet.
    scene.kill("after the acknowledgement").await;
    let batches = scene.seal().await;
    // Its transaction went out, and is not final.
    scene.sent(batches - 1).await;
    scene.kill("with a transaction in the air").await;
    assert!(scene.status().stage(Stage::Submitted).batches < batches, "not final yet");
    scene.settled(batches).await;
    scene.check(&crawl, batches).await;
    assert_eq!(scene.restarts(), 2);
    scene.end("killed twice").await;
}

/// How long anything may take before the test gives up: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(1_800);

//! Batches settled by the program that ships, with real proofs of the profile `dev`.
//!
//! Two batches are proved and submitted once; each test takes a copy of store and chain from there.

use cairn_sequencer::Parts;

mod bench;
#[path = "../sequencer/cluster.rs"]
#[allow(dead_code)]
mod cluster;
mod mortal;
#[path = "../../src/samples.rs"]
#[allow(dead_code)]
mod samples;

use std::sync::Arc;
use std::time::Duration;

use bench::{BATCHES, Bench, Prepared};
use cairn_chain::Commitment;
use cairn_sequencer::store::StoredProof;
use cairn_sequencer::{BatchEvent, RunError, Settlement, Stage};
use cluster::{Cluster, Fault, NEVER};
use mortal::Mortal;
use tokio::sync::broadcast::Receiver;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let prepared = Prepared::new().await;
        macro_rules! run {
            ($($test:ident),*) => {$(
                $test(prepared.copy().await).await;
                println!("test {} ... ok", stringify!($test));
            )*};
        }
        macro_rules! run_on_cluster {
            ($($test:ident),*) => {$(
                let (bench, cluster) = prepared.copy_on_cluster().await;
                $test(bench, cluster).await;
                println!("test {} ... ok", stringify!($test));
            )*};
        }
        run_on_cluster!(what_is_lost_or_dropped_by_a_fork_is_done_again, what_somebody_else_settles_is_recorded);
        run!(
            proofs_are_verified_on_chain_and_the_rent_comes_back,
            killed_before_and_after_every_transaction_it_goes_on_from_what_the_account_holds,
            a_proof_that_the_program_rejects_stops_the_sequencer
        );
    });
}

/// What happened until now, batch by batch, and what came back.
fn spent(events: &mut Receiver<BatchEvent>) -> (Vec<Settlement>, Vec<(u64, u64)>) {
    let (mut settled, mut closed) = (Vec::new(), Vec::new());
    while let Ok(event) = events.try_recv() {
        match event {
            BatchEvent::Settled { batch, settlement, times } => {
                assert_eq!(batch.number, settled.len() as u64);
                assert!(times.settled.is_some());
                settled.push(settlement);
            }
            BatchEvent::ProofAccountClosed { lamports_refunded, lamports_fees } => {
                closed.push((lamports_refunded, lamports_fees));
            }
            _ => {}
        }
    }
    (settled, closed)
}

async fn proofs_are_verified_on_chain_and_the_rent_comes_back(bench: Bench) {
    let before = bench.balance().await;
    let running = bench.start(true).await;
    let mut events = running.sequencer.events();
    assert!(running.sequencer.wait_for(Stage::Settled, BATCHES).await);
    let account = bench.proof_account().await.expect("it rests, and is there");
    running.sequencer.reclaim_rent().await.unwrap();
    assert_eq!(running.sequencer.status().borrow().proof_account_lamports, 0);
    let (settled, closed) = spent(&mut events);
    running.stop().await.unwrap();

    let rollup = bench.world.rollup.rollup().await.unwrap();
    assert_eq!((rollup.settled, rollup.tip.batches), (rollup.tip, BATCHES));
    assert_eq!(bench.proof_account().await, None);
    println!("{settled:?} {closed:?}");
    let [first, second] = settled[..] else { panic!("{settled:?}") };
    assert_eq!((first.lamports_locked, second.lamports_locked), (account.lamports, 0), "one account serves both");
    let chunks = account.bytes.len().div_ceil(cairn_chain::PROOF_CHUNK_BYTES) as u64;
    for each in [first, second] {
        assert_eq!(each.upload_transactions, chunks + 1, "the chunks, and one to open or to reset");
        assert!((1..=3).contains(&each.verify_transactions) && each.verify_compute_units > 100_000, "{each:?}");
    }
    let [(refunded, fee)] = closed[..] else { panic!("{closed:?}") };
    assert_eq!(refunded, account.lamports);
    assert_eq!(
        before - bench.balance().await,
        first.lamports_fees + second.lamports_fees + fee,
        "nothing else is gone"
    );
}

async fn killed_before_and_after_every_transaction_it_goes_on_from_what_the_account_holds(bench: Bench) {
    let before = bench.balance().await;
    let mortal = Arc::new(Mortal::new(Arc::clone(bench.world.rollup.chain())));
    let bench = bench.through(mortal.clone());
    let mut lives = 0;
    loop {
        lives += 1;
        mortal.revive();
        let running = bench.start(true).await;
        let alive = async {
            assert!(running.sequencer.wait_for(Stage::Settled, BATCHES).await);
            running.sequencer.reclaim_rent().await.unwrap();
        };
        let done = tokio::select! {
            () = alive => true,
            () = mortal.died() => false,
        };
        running.stop().await.unwrap();
        if done {
            break;
        }
        assert!(lives < 200, "it gets nowhere");
    }
    // Open, reset, two verifications, and close: each was lost once, and its answer once.
    assert!(mortal.deaths_at_single_transactions() >= 2 * 5, "{lives} lives");
    let rollup = bench.world.rollup.rollup().await.unwrap();
    assert_eq!(rollup.settled, rollup.tip);
    assert_eq!(bench.proof_account().await, None);
    let gone = before - bench.balance().await;
    assert!(gone < 5_000_000, "{gone} lamports are gone: fees, and no rent");
}

/// Time until something is confirmed on the slow cluster.
const CONFIRMS: Duration = Duration::from_millis(40);
/// Transactions that a fork drops: the steps of the last proof, and some of its chunks.
const DROPPED: usize = 25;

async fn what_is_lost_or_dropped_by_a_fork_is_done_again(bench: Bench, cluster: Arc<Cluster>) {
    let all_confirmed = async || loop {
        let rollup = bench.world.rollup.rollup_at(Commitment::Confirmed).await.unwrap();
        if rollup.settled.batches == BATCHES {
            break;
        }
        tokio::time::sleep(CONFIRMS).await;
    };
    cluster.pace(CONFIRMS, NEVER);
    cluster.faults(&[Fault::Unanswered, Fault::Lose, Fault::Lose, Fault::Unanswered]);
    let running = bench.start(true).await;
    all_confirmed().await;
    assert!(cluster.is_calm(), "every fault happened");
    cluster.fork(DROPPED).await;
    let rollup = bench.world.rollup.rollup_at(Commitment::Confirmed).await.unwrap();
    assert_eq!(rollup.settled.batches, BATCHES - 1);
    all_confirmed().await;
    assert_eq!(running.sequencer.status().borrow().stage(Stage::Settled).batches, 0, "nothing is final");
    cluster.pace(Duration::ZERO, Duration::ZERO);
    assert!(running.sequencer.wait_for(Stage::Settled, BATCHES).await);
    running.sequencer.reclaim_rent().await.unwrap();
    running.stop().await.unwrap();
}

async fn what_somebody_else_settles_is_recorded(bench: Bench, cluster: Arc<Cluster>) {
    let other = bench.twin();
    let watching = bench.start(false).await;
    let mut events = watching.sequencer.events();
    let working = other.start(true).await;
    assert!(working.sequencer.wait_for(Stage::Settled, BATCHES).await);
    assert!(watching.sequencer.wait_for(Stage::Settled, BATCHES).await);
    let (settled, closed) = spent(&mut events);
    assert_eq!((settled, closed), (vec![Settlement::default(); BATCHES as usize], vec![]));
    watching.stop().await.unwrap();
    working.stop().await.unwrap();
    // Told to leave it to others from now on, it closes what it has, unasked. It has it until that is final.
    let before = bench.balance().await;
    let lamports = other.proof_account().await.unwrap().lamports;
    cluster.pace(Duration::ZERO, NEVER);
    let resting = other.start(false).await;
    assert!(resting.sequencer.wait_until(|status| status.proof_account_lamports > 0).await);
    cluster.pace(Duration::ZERO, Duration::ZERO);
    assert!(resting.sequencer.wait_until(|status| status.proof_account_lamports == 0).await);
    resting.stop().await.unwrap();
    assert_eq!(other.proof_account().await, None);
    assert_eq!(bench.balance().await + 5_000, before + lamports, "but for one fee");
}

async fn a_proof_that_the_program_rejects_stops_the_sequencer(bench: Bench) {
    let store = bench.store();
    let proof = store.proof(0).unwrap().unwrap();
    let mut bytes = proof.bytes.clone();
    // The last hash of the last path.
    *bytes.last_mut().unwrap() ^= 1;
    store.keep_proof(0, &StoredProof { bytes, ..proof }).unwrap();
    drop(store);
    let running = bench.start(true).await;
    let error = running.sequencer.join().await.unwrap_err();
    assert!(matches!(error, RunError::Stage { stage: Stage::Settled, .. }), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("rejects the proof of batch 0") && cause.contains("--settle false"), "{cause}");
    let settled = bench.world.rollup.rollup_at(Commitment::Confirmed).await.unwrap().settled.batches;
    assert_eq!(settled, 0);
}

//! The same against Solana's own test validator, where there is one: `CAIRN_TEST_VALIDATOR` names the binary.

use crate::server::SOL;
use crate::support::{FETCH_TIME, Sealer, receipt_key, signing_key};
use cairn_chain::{
    AccountWatch, Address, Chain as _, Commitment, DEV_PROGRAM_ID, Keypair, NewNode, NewRollup, RollupClient,
    RollupError, RpcChain, RpcOptions, ServerState, Signature,
};
use cairn_interface::{DEFAULT_MAX_PENDING, Profile, Registry, SettlementError};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Validator {
    process: Child,
    _ledger: tempfile::TempDir,
    url: String,
}

impl Drop for Validator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start() -> Option<Validator> {
    let binary = std::env::var_os("CAIRN_TEST_VALIDATOR")?;
    let ledger = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/settlement-dev.so");
    let port = free_port();
    let process = Command::new(binary)
        .args(["--quiet", "--limit-ledger-size", "10000", "--bind-address", "127.0.0.1"])
        .args(["--rpc-port", &port.to_string(), "--faucet-port", &free_port().to_string()])
        .args(["--gossip-port", &free_port().to_string()])
        .arg("--ledger")
        .arg(ledger.path())
        .args(["--bpf-program", &DEV_PROGRAM_ID.to_string()])
        .arg(program)
        .stdout(Stdio::null())
        .spawn()
        .expect("CAIRN_TEST_VALIDATOR does not start");
    Some(Validator { process, _ledger: ledger, url: format!("http://127.0.0.1:{port}") })
}

/// The validator, with a preferred server before it that is gone.
async fn connect(url: &str) -> RpcChain {
    let started = Instant::now();
    let options = RpcOptions::new([crate::fake::dead().await, url.to_owned()]);
    loop {
        match RpcChain::connect_with(options.clone()).await {
            Ok(chain) if chain.tip(Commitment::Finalized).await.is_ok_and(|tip| tip.block_height > 0) => return chain,
            other => assert!(started.elapsed() < Duration::from_secs(120), "no validator: {:?}", other.err()),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn woken(watch: &mut AccountWatch, why: &str) {
    tokio::time::timeout(Duration::from_secs(60), watch.changed()).await.expect(why);
}

/// An account is paid into, and whoever watches it is woken.
async fn watch(chain: &RpcChain) {
    let account = Keypair::generate().address();
    let mut watch = chain.watch(&[account], Commitment::Confirmed);
    woken(&mut watch, "the validator has no websocket").await;
    for amount in 1..=3 {
        let started = Instant::now();
        chain.airdrop(&account, SOL).await.unwrap();
        woken(&mut watch, "nothing is notified").await;
        let woken = started.elapsed();
        while chain.account(&account, Commitment::Confirmed).await.unwrap().map(|it| it.lamports) != Some(amount * SOL)
        {
            assert!(started.elapsed() < Duration::from_secs(60));
        }
        println!(
            "watch: woken {:.3} s, confirmed {:.3} s after the airdrop",
            woken.as_secs_f32(),
            started.elapsed().as_secs_f32()
        );
    }
}

async fn fund(chain: &RpcChain, to: Address) {
    chain.airdrop(&to, 10 * SOL).await.unwrap();
    let started = Instant::now();
    while chain.account(&to, Commitment::Finalized).await.unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(90), "the airdrop does not arrive");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_real_validator_takes_the_same_life_of_a_node() {
    let Some(validator) = start() else {
        eprintln!("validator run skipped: CAIRN_TEST_VALIDATOR names no solana-test-validator");
        return;
    };
    let chain = Arc::new(connect(&validator.url).await);
    watch(&chain).await;
    let fees = chain.recent_fees(&[DEV_PROGRAM_ID]).await.unwrap();
    println!("recent fees: {} slots, at most {:?}", fees.len(), fees.iter().max());
    let (admin, sequencer, authority) = (Keypair::generate(), Keypair::generate(), Keypair::generate());
    for key in [&admin, &sequencer, &authority] {
        fund(&chain, key.address()).await;
    }
    let client = RollupClient::of_admin(chain.clone(), DEV_PROGRAM_ID, &admin.address(), 1);
    let new = NewRollup {
        id: 1,
        sequencer: sequencer.address(),
        acknowledgement_key: Keypair::generate().address(),
        profile: Profile::Dev,
        max_pending: DEFAULT_MAX_PENDING,
        registry: Registry::OPEN,
    };
    let timed = |what: &str, started: Instant, submitted: &cairn_chain::Submitted| {
        println!(
            "{what}: {} in slot {}, {:?} units, {:?} lamports, final after {:.1} s",
            submitted.signature,
            submitted.slot,
            submitted.compute_units,
            submitted.fee,
            started.elapsed().as_secs_f32()
        );
    };
    let started = Instant::now();
    timed("initialize", started, &client.initialize(&admin, &new).await.unwrap());
    let mut sealer = Sealer::new(client.rollup().await.unwrap().rollup_id);

    let key = signing_key();
    let registration = NewNode { authority: &authority, payer: None, registrar: None, receipt_key: receipt_key(&key) };
    let started = Instant::now();
    timed("register_node", started, &client.register_node(&registration).await.unwrap());
    let error = client.register_node(&registration).await.unwrap_err();
    let name = error.failure().and_then(cairn_chain::TransactionFailure::settlement);
    assert_eq!(name, Some(SettlementError::NodeExists), "{error}");
    let node = client.node(&authority.address()).await.unwrap().unwrap();
    assert_eq!(client.node_by_index(node.index).await.unwrap(), Some(node));

    for step in 0..2 {
        let queue = client.finalized_queue().await.unwrap();
        let bundles = if step == 0 { vec![] } else { vec![sealer.bundle(&key, 0, 0, FETCH_TIME)] };
        let batch = sealer.seal(bundles, sealer.waiting(&queue));
        let started = Instant::now();
        let prepared = client.prepare_batch(&sequencer, &batch.header).await.unwrap();
        let submitted = client.deliver(&prepared).await.unwrap();
        timed("submit_batch", started, &submitted);
        let statuses = chain.statuses(&[submitted.signature, Signature([7; 64])]).await.unwrap();
        let known = statuses[0].as_ref().map(|status| (status.slot, status.commitment));
        assert_eq!((known, &statuses[1]), (Some((submitted.slot, Commitment::Finalized)), &None));
        client.deliver(&prepared).await.expect("the same bytes again are the same transaction");
        sealer.accepted(&batch);
    }
    assert_eq!(client.rollup().await.unwrap().tip, sealer.cursor);
    let started = Instant::now();
    timed("rotate_key", started, &client.rotate_key(&authority, &receipt_key(&signing_key())).await.unwrap());
    let started = Instant::now();
    timed("deactivate_node", started, &client.deactivate_node(&authority).await.unwrap());
    let again = client.deactivate_node(&authority).await;
    assert!(matches!(again, Err(RollupError::Chain(_))), "the preflight sees it: {again:?}");
    for server in chain.servers() {
        println!("{server:?}");
    }
    let states: Vec<_> = chain.servers().iter().map(|server| server.state).collect();
    assert_eq!(states, [ServerState::Resting, ServerState::Healthy]);
}

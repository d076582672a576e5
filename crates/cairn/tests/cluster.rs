//! A rollup on a chain of others: created, served, proved by a worker, indexed and verified, each by a process of its own that
//! knows no more than the chain's URL, the rollup's address and its own key.

mod common;

use common::Served;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// A service; killed at the end.
struct Service(Child);

impl Service {
    fn start(folder: &Path, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CAIRN_") && name != "CAIRN_CACHE") {
            command.env_remove(name);
        }
        Self(command.spawn().expect("the command runs"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// The body of what `host` answers, if it answers.
fn get(host: &str, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(host).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    answer.starts_with(b"HTTP/1.1 200").then(|| answer.split_off(body + 4))
}

async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_on_a_cluster_is_served_by_processes_that_share_only_the_chain() {
    let bench = Served::new().await;
    let url = bench.url();
    for key in ["admin", "sequencer", "acknowledgement"] {
        assert_eq!(bench.run(&format!("keygen --solana --out {key}.json")).await.code, 0);
    }
    let address = |file: &str| cairn_chain::Keypair::load(&bench.path(file)).unwrap().address();
    let (sequencer, acknowledgement) = (address("sequencer.json"), address("acknowledgement.json"));
    let create = format!(
        "rollup create --rpc {url} --admin admin.json --airdrop --profile dev --bond 0.1 --sequencer {sequencer} \
         --acknowledgement-key {acknowledgement}"
    );
    let created = bench.json(&create).await;
    let rollup = created["rollup"].as_str().unwrap_or_else(|| panic!("no rollup in {created}")).to_owned();
    // Most of it is the rent of the account that proofs are uploaded to.
    bench.chain.fund(sequencer, 2 * common::SOL).await.unwrap();

    let (intake, workers, grpc, http) = (free_address(), free_address(), free_address(), free_address());
    let folder: PathBuf = bench.path("");
    let on_chain = format!("--rpc {url} --rollup {rollup} --profile dev");
    let serve = format!(
        "sequencer {on_chain} --key sequencer.json --acknowledgement-key acknowledgement.json --data served \
         --sequencer-listen {intake} --seal-age 200ms --chain-poll 200ms --prover-listen {workers} --prove-local false"
    );
    // A key of somebody else's is refused before anything is served.
    let refusal = bench.refused(&serve.replace("--key sequencer.json", "--key admin.json")).await;
    assert!(refusal.contains("--key is") && refusal.contains("cairn rollup set-sequencer"), "{refusal}");
    let refusal = bench.refused(&serve.replace("--profile dev", "--profile production")).await;
    assert!(refusal.contains("give --profile dev"), "{refusal}");

    let _sequencer = Service::start(&folder, &serve);
    let _worker =
        Service::start(&folder, &format!("prover --connect http://{workers} --profile dev --prove-threads 1"));
    assert_eq!(bench.run("keygen --out node.key").await.code, 0);
    let register = format!("register {on_chain} --authority authority.json --new-authority --airdrop --key node.key");
    let registered = bench.run(&register).await;
    assert_eq!(registered.code, 0, "{registered:?}");
    let warc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/warc/site.warc.gz");
    let submit = format!("submit --sequencer http://{intake} --key node.key --spool node.redb {}", warc.display());
    until("the node's receipts are acknowledged", async || (bench.run(&submit).await.code == 0).then_some(())).await;

    let _indexer = Service::start(
        &folder,
        &format!(
            "indexer {on_chain} --data index --blobs served/objects --indexer-listen {grpc} --indexer-http {http} \
             --indexer-poll 200ms"
        ),
    );

    let bundle = until("the receipts are final and indexed", async || {
        let status: Value = serde_json::from_slice(&get(&http, "/v1/status")?).ok()?;
        let batches: u64 = status["batches_indexed"].as_str()?.parse().ok()?;
        let found = (0..batches).find_map(|number| get(&http, &format!("/v1/batches/{number}/bundles/0")));
        serde_json::from_slice::<Value>(&found?).ok()
    })
    .await;
    let digest = bundle["records"][0]["receipt_digest"].as_str().expect("a digest");
    let proof = get(&http, &format!("/v1/receipts/{digest}/proof")).expect("a proof");
    std::fs::write(bench.path("one.cairnproof"), proof).unwrap();
    let status: Value = serde_json::from_slice(&get(&http, "/v1/status").unwrap()).unwrap();
    let genesis = status["chain"]["genesis_hash"].as_str().expect("a hash");
    let verify = format!("verify one.cairnproof {on_chain} --genesis {genesis} --min-servers 1");
    let submitted = bench.run(&format!("{verify} --require submitted")).await;
    assert_eq!(submitted.code, 0, "{submitted:?}");
    assert!(submitted.out.contains("its header is final on chain"), "{}", submitted.out);
    let said = until("the chain has verified the batch's proof", async || {
        let verified = bench.run(&verify).await;
        (verified.code == 0).then_some(verified.out)
    })
    .await;
    assert!(said.contains("the chain has verified its proof"), "{said}");
    // One with the registration, one with the receipts. The indexer looks at the chain a little later than `verify` did.
    until("the indexer says so too", async || {
        let status: Value = serde_json::from_slice(&get(&http, "/v1/status")?).ok()?;
        let settled: u64 = status["batches_settled"].as_str()?.parse().ok()?;
        (settled >= 2).then_some(())
    })
    .await;
}

//! `cairn localnet` as a user runs it: started, used by the other commands, stopped, and started again over its directory.

use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CAIRN: &str = env!("CARGO_BIN_EXE_cairn");
/// How long anything may take before the test gives up: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Ports of a network without an offset.
const PORTS: [u16; 4] = [7_420, 7_430, 7_431, 7_440];

fn cairn(folder: &Path) -> Command {
    let mut command = Command::new(CAIRN);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CAIRN_") && name != "CAIRN_CACHE") {
        command.env_remove(name);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    cairn(folder).args(arguments).output().expect("the command runs")
}

/// The object that a command must print.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// An offset at which all ports are free, below those that the system gives to outgoing connections.
fn offset() -> u16 {
    let first = std::process::id() as u16 % 20_000;
    (0..20_000)
        .map(|step| 3_000 + (first + step) % 20_000)
        .find(|offset| PORTS.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port + offset)).is_ok()))
        .expect("free ports")
}

/// A running network; killed when a test fails.
struct Network {
    child: Child,
    directory: Value,
    ready: PathBuf,
}

impl Network {
    fn start(folder: &Path, offset: u16) -> Self {
        let ready = folder.join("ready.json");
        let mut child = cairn(folder)
            .args(["localnet", "--data", "data", "--profile", "dev", "--seal-age", "200ms"])
            .args(["--ready-file", "ready.json", "--json"])
            .args(["--port-offset", &offset.to_string()])
            .stdout(fs::File::create(folder.join("stdout")).expect("a file"))
            .spawn()
            .expect("the command runs");
        let began = Instant::now();
        while !ready.exists() {
            assert!(child.try_wait().expect("a child").is_none(), "it ended");
            assert!(began.elapsed() < PATIENCE, "it is not ready");
            sleep(Duration::from_millis(50));
        }
        let directory = fs::read(&ready).expect("a file");
        let directory = serde_json::from_slice(&directory).expect("JSON");
        Self { child, directory, ready }
    }

    fn at(&self, name: &str) -> String {
        self.directory[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.directory)).to_owned()
    }

    /// What the indexer answers, as text.
    fn get(&self, path: &str) -> String {
        text(&self.get_bytes(path))
    }

    fn get_bytes(&self, path: &str) -> Vec<u8> {
        let url = self.at("indexer");
        let host = url.strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(host).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        answer
    }

    /// Asks it to stop, as a supervisor does, and waits until it has.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("/bin/sh").args(["-c", "kill -TERM \"$1\"", "sh", &pid]).status();
        assert!(asked.expect("a shell").success());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not stop");
            sleep(Duration::from_millis(50));
        };
        assert_eq!(status.code(), Some(0));
        assert!(!self.ready.exists(), "who is gone is not ready");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // It is gone unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(200));
    }
}

/// Fetches a proof file of batch 1 and verifies it as its owner would: by the chain, which must have verified the batch.
fn verify_one(folder: &Path, network: &Network, on_chain: &[&str]) {
    let bundle = network.get("/v1/batches/1/bundles/0");
    let (_, body) = bundle.split_once("\r\n\r\n").expect("a body");
    let bundle: Value = serde_json::from_str(body).expect("JSON");
    let digest = bundle["records"][0]["receipt_digest"].as_str().expect("a digest").to_owned();
    let reply = network.get_bytes(&format!("/v1/receipts/{digest}/proof"));
    let head = reply.windows(4).position(|end| end == b"\r\n\r\n").expect("a body");
    assert!(text(&reply[..head]).to_lowercase().contains("cairn-settled: true"), "{}", text(&reply[..head]));
    fs::write(folder.join("one.cairnproof"), &reply[head + 4..]).expect("written");
    let genesis = network.at("genesis_hash");
    let all = [&["verify", "one.cairnproof", "--genesis", &genesis, "--min-servers", "1"], on_chain].concat();
    let verified = run(folder, &all);
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    assert!(text(&verified.stdout).contains("the chain has verified its proof"), "{}", text(&verified.stdout));
}

#[test]
fn a_network_is_used_stopped_and_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let offset = offset();
    let warc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/warc/site.warc.gz");
    let warc = warc.to_str().expect("text");

    let network = Network::start(folder, offset);
    let printed = fs::read_to_string(folder.join("stdout")).expect("a file");
    assert_eq!(serde_json::from_str::<Value>(&printed).expect("one line of JSON"), network.directory);
    assert_eq!(network.at("chain"), "embedded");
    assert_eq!(network.at("rpc"), format!("http://127.0.0.1:{}", 7_440 + offset));
    assert_eq!(network.at("sequencer"), format!("http://127.0.0.1:{}", 7_420 + offset));

    // Another one over the same directory, or at the same ports, is told why not.
    let second =
        |data| run(folder, &["localnet", "--data", data, "--profile", "dev", "--port-offset", &offset.to_string()]);
    for (data, expected) in [("data", "is open in another process"), ("other", "--port-offset")] {
        let refused = second(data);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(expected), "{}", text(&refused.stderr));
    }

    assert!(run(folder, &["keygen", "--out", "node.key"]).status.success());
    // The same after a restart.
    let (rpc, rollup) = (network.at("rpc"), network.at("rollup"));
    let on_chain = ["--rpc", &rpc, "--rollup", &rollup, "--profile", "dev"];
    let as_authority = |command: &str, more: &[&str]| {
        let all = [&[command], &on_chain[..], &["--authority", "authority.json", "--airdrop", "--json"], more].concat();
        json(folder, &all)
    };
    let registered = as_authority("register", &["--new-authority"]);
    assert_eq!((&registered["node_index"], &registered["bond_lamports"]), (&0.into(), &"100000000".into()));
    let (url, id) = (network.at("sequencer"), network.at("rollup_id"));
    let acknowledgement_key = network.at("acknowledgement_key");
    let submit = [
        "submit",
        warc,
        "--sequencer",
        &url,
        "--node-index",
        "0",
        "--rollup-id",
        &id,
        "--acknowledgement-key",
        &acknowledgement_key,
    ];
    let submitted = until("the sequencer knows the node", || {
        let submitted = run(folder, &submit);
        let early = text(&submitted.stderr).contains("knows when the chain has finalized it");
        assert!(submitted.status.success() || early, "{}", text(&submitted.stderr));
        submitted.status.success().then_some(submitted)
    });
    assert!(text(&submitted.stdout).starts_with("9 receipts acknowledged"), "{}", text(&submitted.stdout));

    let status = |network: &Network| json(folder, &["status", "--sequencer", &network.at("sequencer"), "--json"]);
    until("batches are settled", || {
        let status = status(&network);
        let sequencer = &status["sequencer"];
        let (sealed, done) = (sequencer["batches_sealed"].as_u64()?, sequencer["batches_settled"].as_u64()?);
        (sequencer["bundles_unsealed"] == 0 && sealed == done && sealed >= 2).then_some(())
    });
    until("the indexer follows", || network.get("/v1/status").contains("\"receipts\":\"9\"").then_some(()));
    until("and sees them settled", || network.get("/v1/batches/1").contains("\"settled\":true").then_some(()));
    verify_one(folder, &network, &on_chain);

    let batches = status(&network)["sequencer"]["batches_settled"].as_u64().expect("a number");
    let metrics = network.get("/metrics");
    assert!(metrics.contains("cairn_sequencer_") && metrics.contains("cairn_indexer_"), "of both: {metrics}");
    let before = network.directory.clone();
    network.stop();

    let network = Network::start(folder, offset);
    assert_eq!(network.directory, before, "the same network");
    let after = status(&network);
    assert_eq!(after["sequencer"]["batches_settled"].as_u64(), Some(batches));
    until("the index is there", || network.get("/v1/status").contains("\"receipts\":\"9\"").then_some(()));
    let again = run(folder, &submit);
    assert!(text(&again.stdout).starts_with("0 receipts acknowledged"), "{}", text(&again.stdout));
    // A bond comes back once the batch that consumes the deactivation is settled.
    assert_eq!(as_authority("deactivate", &["--yes"])["outcome"], "deactivating");
    let refunded = until("the deactivation is settled", || {
        let node = as_authority("deactivate", &[]);
        (node["settled"] == true && node["bond_lamports"] == "0").then_some(node)
    });
    assert_eq!((&refunded["active"], &refunded["consumed"]), (&false.into(), &true.into()));
    assert_eq!(as_authority("deactivate", &[])["outcome"], "already deactivated");
    network.stop();
    let other = run(folder, &["localnet", "--data", "data"]);
    assert!(text(&other.stderr).contains("--profile dev"), "{}", text(&other.stderr));
}

#[test]
fn what_is_wrong_with_the_options_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let cases: [(&[&str], &str); 5] = [
        (&["--port-offset", "58001"], "--port-offset"),
        (&["--seal-age", "1ms"], "--seal-age"),
        (&["--validator", "/bin/true"], "is not solana-test-validator"),
        (&["--validator", "nowhere/validator"], "make validator"),
        (&["--ready-file", "no/folder/ready", "--profile", "none"], "--profile"),
    ];
    for (arguments, expected) in cases {
        let mut all = vec!["localnet", "--data", "data"];
        all.extend(arguments);
        let output = run(folder, &all);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
    let mut command = cairn(folder);
    command.args(["localnet", "--data", "data", "--validator"]);
    for (name, value) in [("PATH", ""), ("HOME", "none"), ("CAIRN_CACHE", "none")] {
        command.env(name, value);
    }
    let output = command.output().expect("the command runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("make validator"), "{}", text(&output.stderr));
}

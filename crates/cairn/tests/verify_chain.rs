//! `cairn verify --rpc`, as an auditor types it, against servers that agree, lag, fork, or are of another chain.

use cairn_chain::{
    Chain as _, DEV_PROGRAM_ID, EmbeddedChain, EmbeddedRpcServer, Keypair, NewNode, NewRollup, Options, RollupClient,
};
use cairn_client::NodeKey;
use cairn_interface::{Address, DEFAULT_MAX_PENDING, Profile, Registry};
use cairn_types::state::{MemoryState, touched};
use cairn_types::{
    AccountProof, Batch, BundleData, Cursor, Digest, Leaf, QueueEntry, Receipt, ReceiptProof, ReceiptSignature, Record,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const SOL: u64 = 1_000_000_000;
const FETCH_TIME: u64 = 1_700_000_000_000;

/// What a run of the command left.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// A rollup, two servers of its chain, and proof files of its batches.
struct Bench {
    dir: tempfile::TempDir,
    sequencer: Keypair,
    node: NodeKey,
    /// The chain that the auditor should see.
    side: Side,
    second: EmbeddedRpcServer,
    rollup_id: Digest,
    genesis: String,
}

/// A chain, a server of it, and where its rollup stands.
struct Side {
    chain: EmbeddedChain,
    client: RollupClient,
    server: EmbeddedRpcServer,
    cursor: Cursor,
    state: MemoryState,
    sequence: u64,
}

impl Bench {
    /// The rollup with one node, which batch 0 registers.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain = open(&dir.path().join("chain"));
        let [admin, sequencer, acknowledgement] = std::array::from_fn(|_| Keypair::generate());
        for key in [&admin, &sequencer] {
            chain.fund(key.address(), 100 * SOL).await.unwrap();
        }
        let client = RollupClient::of_admin(Arc::new(chain.clone()), DEV_PROGRAM_ID, &admin.address(), 0);
        let new = NewRollup {
            id: 0,
            sequencer: sequencer.address(),
            acknowledgement_key: acknowledgement.address(),
            profile: Profile::Dev,
            max_pending: DEFAULT_MAX_PENDING,
            registry: Registry::OPEN,
        };
        client.initialize(&admin, &new).await.unwrap();
        let node = NodeKey::generate().unwrap();
        let new = NewNode { authority: &admin, payer: None, registrar: None, receipt_key: node.public() };
        client.register_node(&new).await.unwrap();
        let rollup = client.rollup().await.unwrap();
        let genesis = Address(chain.genesis_hash().await.unwrap()).to_string();
        let (server, second) = (serve(&chain).await, serve(&chain).await);
        let side = Side { chain, client, server, cursor: rollup.tip, state: MemoryState::default(), sequence: 0 };
        let rollup_id = rollup.rollup_id;
        let mut bench = Self { dir, sequencer, node, side, second, rollup_id, genesis };
        let read = bench.side.client.finalized_queue().await.unwrap();
        let entries = read.queue.entries_from(&bench.side.cursor.queue, read.queue.end.position).unwrap();
        let entries: Vec<_> = entries.iter().map(|entry| entry.entry).collect();
        let batch = seal(&bench.side, bench.rollup_id, vec![], entries);
        bench.side.submit(&bench.sequencer, &batch).await;
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The next batch of a side, of one receipt of this page.
    fn sealed(&self, side: &Side, page: &str) -> Batch {
        let bundle = bundle(&self.node, self.rollup_id, side.sequence, page);
        seal(side, self.rollup_id, vec![bundle], vec![])
    }

    /// Seals the next batch, writes a proof of its receipt, and submits it.
    async fn next(&mut self, page: &str, file: &str) -> Batch {
        let batch = self.sealed(&self.side, page);
        self.write(&batch, file);
        self.side.submit(&self.sequencer, &batch).await;
        self.side.sequence += 1;
        batch
    }

    fn write(&self, batch: &Batch, file: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, ReceiptProof::new(batch, 0, 0).unwrap().encode()).unwrap();
    }

    /// The chain as it is now, continued by somebody else.
    async fn fork(&self, name: &str) -> Side {
        let folder = self.path(name);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(self.path("chain")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        let chain = open(&folder);
        let client = RollupClient::new(Arc::new(chain.clone()), DEV_PROGRAM_ID, self.side.client.address());
        let server = serve(&chain).await;
        let Side { cursor, state, sequence, .. } = &self.side;
        Side { chain, client, server, cursor: *cursor, state: state.clone(), sequence: *sequence }
    }

    /// Runs `cairn verify` with these servers and the right pins; nothing is settled here, and being submitted is enough.
    async fn verify(&self, files: &str, servers: &[String]) -> Ran {
        let servers: Vec<_> = servers.iter().map(|url| format!("--rpc {url}")).collect();
        let (genesis, rollup) = (&self.genesis, self.side.client.address());
        let pins = format!("--genesis {genesis} --rollup {rollup} --require submitted");
        self.run(&format!("{files} {} {pins}", servers.join(" "))).await
    }

    async fn run(&self, arguments: &str) -> Ran {
        self.run_with(&[], arguments).await
    }

    async fn run_with(&self, environment: &[(&str, String)], arguments: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.arg("verify").args(arguments.split_whitespace()).current_dir(self.dir.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CAIRN_")) {
            command.env_remove(name);
        }
        command.env("CAIRN_PROFILE", "dev");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn both(&self) -> [String; 2] {
        [self.side.server.url(), self.second.url()]
    }
}

impl Side {
    async fn submit(&mut self, sequencer: &Keypair, batch: &Batch) {
        self.client.submit_batch(sequencer, &batch.header).await.unwrap();
        let mut state = self.state.open(touched(&batch.bundles, &batch.entries));
        let (bundles, entries) = (batch.bundles.clone(), batch.entries.clone());
        Batch::seal(&self.cursor, batch.header.rollup_id, bundles, entries, &mut state).unwrap();
        self.state.commit(&state);
        self.cursor = batch.header.cursor();
    }
}

fn open(folder: &Path) -> EmbeddedChain {
    EmbeddedChain::open(folder, Options::of(Profile::Dev)).unwrap()
}

async fn serve(chain: &EmbeddedChain) -> EmbeddedRpcServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    EmbeddedRpcServer::serve(chain.clone(), listener, CancellationToken::new()).unwrap()
}

fn seal(side: &Side, rollup_id: Digest, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Batch {
    let mut state = side.state.open(touched(&bundles, &entries));
    Batch::seal(&side.cursor, rollup_id, bundles, entries, &mut state).unwrap()
}

fn bundle(node: &NodeKey, rollup_id: Digest, sequence: u64, page: &str) -> BundleData {
    let receipt = Receipt {
        media_type: Some("text/html".into()),
        content_length: 10,
        payload_blake3: [1; 32],
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        ..Receipt::new(rollup_id, 0, &format!("https://example.org/{page}"), "example.org", FETCH_TIME)
    };
    let bytes = receipt.encode().unwrap();
    let records = vec![Record { leaf: Leaf::of(&receipt, &bytes).unwrap(), receipt: bytes }];
    let mut bundle = BundleData { node_index: 0, sequence, signature: ReceiptSignature::from_bytes([0; 80]), records };
    bundle.signature = node.sign(&bundle.statement(&rollup_id).unwrap().digest());
    bundle
}

fn objects(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_agree_anchor_receipts_and_accounts() {
    let mut bench = Bench::new().await;
    let first = bench.next("one", "files/one.cairnproof").await;
    let second = bench.next("two", "files/two.cairnproof").await;
    let account = AccountProof::new(&second.header, &bench.side.state.open([0]), 0).unwrap();
    fs::write(bench.path("files/node.cairnaccount"), account.encode()).unwrap();
    let [a, b] = bench.both();

    let ran = bench.verify("files/one.cairnproof", &bench.both()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "valid: its header is final on chain, as 2 servers agree; the chain has not verified its proof yet";
    for part in [said, &a, &b, &bench.genesis, &bench.side.client.address().to_string(), "cairn check-proof"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert_eq!(ran.err, "");

    let ran = bench.verify("files", &bench.both()).await;
    assert_eq!((ran.code, ran.out.matches(said).count()), (0, 3), "{ran:?}");
    assert!(ran.out.contains("2 batches final, the proofs of 0 verified by the chain"), "{}", ran.out);
    let ran = bench.verify("files --quiet", &bench.both()).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));

    let ran = bench.verify("files --json", &bench.both()).await;
    let objects = objects(&ran.out);
    assert_eq!((ran.code, objects.len()), (0, 3));
    let stored = bench.side.client.batch(1).await.unwrap().unwrap();
    let one = objects.iter().find(|object| object["batch"] == "1").unwrap();
    assert_eq!((&one["outcome"], &one["anchored"]), (&"valid".into(), &true.into()));
    assert_eq!(one["header_digest"], first.header.statement().to_hex());
    let chain = &one["chain"];
    assert_eq!((&chain["finding"], &chain["final"], &chain["settled"]), (&"final".into(), &true.into(), &false.into()));
    assert_eq!((&chain["slot"], &chain["profile"]), (&stored.slot.to_string().into(), &"dev".into()));
    assert_eq!((&chain["genesis_hash"], &chain["cluster"]), (&bench.genesis.clone().into(), &Value::Null));
    for (server, url) in chain["servers"].as_array().unwrap().iter().zip([&a, &b]) {
        let slot: u64 = server["finalized_slot"].as_str().unwrap().parse().unwrap();
        assert!(server["server"] == url.as_str() && slot >= stored.slot, "{server}");
    }

    // Digests that are known beforehand count as well.
    let root = first.header.statement().to_hex();
    assert_eq!(bench.verify(&format!("files/one.cairnproof --root {root}"), &bench.both()).await.code, 0);
    let ran = bench.verify(&format!("files/two.cairnproof --root {root}"), &bench.both()).await;
    assert!(ran.code == 1 && ran.out.contains("none of the --root given"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_proof_the_chain_has_not_verified_anchors_only_who_takes_that() {
    let mut bench = Bench::new().await;
    bench.next("one", "one.cairnproof").await;
    let [a, b] = bench.both();
    let pins = format!("--rpc {a} --rpc {b} --genesis {} --rollup {}", bench.genesis, bench.side.client.address());
    let ran = bench.run(&format!("one.cairnproof {pins}")).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let said =
        "not anchored: its header is final on chain, as 2 servers agree; the chain has not verified its proof yet";
    assert!(ran.out.contains(said) && ran.out.contains("--require submitted"), "{}", ran.out);
    let ran = bench.run(&format!("one.cairnproof {pins} --json")).await;
    let object = &objects(&ran.out)[0];
    assert_eq!((ran.code, &object["anchored"], &object["chain"]["settled"]), (3, &false.into(), &false.into()));
    assert_eq!(object["chain"]["final"], true);
    let ran = bench.run(&format!("one.cairnproof {pins} --require settled")).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(bench.run(&format!("one.cairnproof {pins} --require submitted")).await.code, 0);
    let ran = bench.run(&format!("one.cairnproof {pins} --require proved")).await;
    assert!(ran.code == 2 && ran.err.contains("--require"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_found_whichever_side_the_file_is_from() {
    let mut bench = Bench::new().await;
    bench.next("one", "one.cairnproof").await;
    let mut fork = bench.fork("fork").await;
    bench.next("two", "two.cairnproof").await;
    bench.next("three", "three.cairnproof").await;
    let other = bench.sealed(&fork, "forged");
    bench.write(&other, "forged.cairnproof");
    fork.submit(&bench.sequencer, &other).await;
    let split = [bench.side.server.url(), fork.server.url()];

    for file in ["two.cairnproof", "forged.cairnproof"] {
        let ran = bench.verify(file, &split).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.out.contains("unusable: the servers disagree on the batch_root of batch 2"), "{}", ran.out);
        for url in &split {
            assert!(ran.out.contains(url), "{url}: {}", ran.out);
        }
    }
    let ran = bench.verify("forged.cairnproof", &bench.both()).await;
    assert!(ran.code == 1 && ran.out.contains("INVALID: it ends in header digest"), "{ran:?}");

    // What lies before the fork is agreed on; what only one side has is not.
    let ran = bench.verify("one.cairnproof --wait 0s", &split).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = bench.verify("three.cairnproof --wait 0s --json", &split).await;
    let object = &objects(&ran.out)[0];
    assert_eq!((ran.code, &object["chain"]["finding"]), (2, &"disputed".into()), "{ran:?}");
    let detail = object["detail"].as_str().unwrap();
    assert!(detail.contains("lags or is on a fork") && split.iter().all(|url| detail.contains(url)), "{detail}");
    assert_eq!(object["chain"]["final"], false);
    drop(fork.chain);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_hold_or_is_not_on_chain_is_not_anchored() {
    let mut bench = Bench::new().await;
    bench.next("one", "one.cairnproof").await;
    let early = bench.sealed(&bench.side, "early");
    bench.write(&early, "early.cairnproof");
    let ran = bench.verify("early.cairnproof", &bench.both()).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.contains("batch 2 is not final on chain: the rollup has 2 there"), "{}", ran.out);

    let mut bytes = fs::read(bench.path("one.cairnproof")).unwrap();
    let place = bytes.len() - 300;
    bytes[place] ^= 1;
    fs::write(bench.path("changed.cairnproof"), bytes).unwrap();
    let ran = bench.verify("changed.cairnproof", &bench.both()).await;
    assert!(ran.code == 1 && ran.out.contains("INVALID"), "{ran:?}");
    let ran = bench.verify("none.cairnproof", &bench.both()).await;
    assert!(ran.code == 2 && ran.out.contains("cannot read"), "{ran:?}");

    let stranger = Keypair::generate().address();
    let (files, genesis, [a, b]) = ("one.cairnproof", &bench.genesis, bench.both());
    let rollup = bench.side.client.address();
    for pins in [
        format!("--genesis {genesis} --rollup {stranger}"),
        format!("--genesis {genesis} --rollup {rollup} --program {stranger}"),
        format!("--cluster devnet --rollup {rollup} --program {DEV_PROGRAM_ID}"),
        format!("--rollup {rollup} --program {DEV_PROGRAM_ID}"),
        format!("--genesis {genesis} --rollup {rollup} --program {DEV_PROGRAM_ID} --profile production"),
        format!("--genesis {genesis} --rollup {rollup} --profile production"),
    ] {
        let ran = bench.run(&format!("{files} --rpc {a} --rpc {b} {pins}")).await;
        assert!(ran.code == 1 && ran.out.contains("is not that of rollup"), "{pins}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_cannot_testify_leave_the_file_unusable() {
    let mut bench = Bench::new().await;
    bench.next("one", "one.cairnproof").await;
    let a = bench.side.server.url();
    let elsewhere = open(&bench.path("elsewhere"));
    let other = serve(&elsewhere).await.url();
    let ran = bench.verify("one.cairnproof", &[a.clone(), other.clone()]).await;
    assert!(ran.code == 2 && ran.out.contains(&format!("{other} serves chain")), "{ran:?}");

    let gone = "http://127.0.0.1:9".to_owned();
    let ran = bench.verify("one.cairnproof --wait 0s", &[a.clone(), gone.clone()]).await;
    assert!(ran.code == 2 && ran.out.contains(&format!("{gone} does not answer")), "{ran:?}");

    let ran = bench.verify("one.cairnproof --min-servers 1", std::slice::from_ref(&a)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains(&format!("by the word of {a} alone")), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_options_is_said_by_their_names() {
    let mut bench = Bench::new().await;
    bench.next("one", "one.cairnproof").await;
    let (rollup, genesis, [a, b]) = (bench.side.client.address(), &bench.genesis, bench.both());
    let pins = format!("--genesis {genesis} --rollup {rollup}");
    for (options, said) in [
        (format!("--rpc {a} {pins}"), "--min-servers"),
        (format!("--rpc {a} --rpc {b} --min-servers 3 {pins}"), "--min-servers is 3"),
        (format!("--rpc {a} --rpc {b} --min-servers 0 {pins}"), "--min-servers"),
        (format!("--rpc {a} --rpc {a}/x {pins}"), "no second opinion"),
        (format!("--rpc {a} --rpc ftp://x {pins}"), "--rpc"),
        (format!("--rpc {a} --rpc {b} --genesis {genesis}"), "--rollup"),
        (format!("--rpc {a} --rpc {b} --rollup {rollup}"), "--program"),
        (format!("--rpc {a} --rpc {b} {pins} --cluster devnet"), "--cluster"),
        (format!("--rpc {a} --rpc {b} --rollup {rollup} --cluster mainnet"), "mainnet-beta, testnet or devnet"),
        (format!("--rpc {a} --rpc {b} --rollup {rollup} --genesis abc"), "solana genesis-hash"),
        (format!("--rpc {a} --rpc {b} {pins} --wait soon"), "--wait"),
        (format!("--genesis {genesis}"), "--rpc"),
    ] {
        let ran = bench.run(&format!("one.cairnproof {options}")).await;
        assert!(ran.code == 2 && ran.err.contains(said), "{options}: {ran:?}");
    }
    let environment = [
        ("CAIRN_VERIFY_RPC", format!("{a},{b}")),
        ("CAIRN_ROLLUP", rollup.to_string()),
        ("CAIRN_PROGRAM", DEV_PROGRAM_ID.to_string()),
    ];
    let ran = bench.run_with(&environment, &format!("one.cairnproof --genesis {genesis} --require submitted")).await;
    assert!(ran.code == 0 && ran.out.contains("as 2 servers agree"), "{ran:?}");
    // The servers of other commands stand in for one another: here they would be one opinion.
    let ran = bench.run_with(&[("CAIRN_RPC", format!("{a},{b}"))], "one.cairnproof").await;
    assert!(ran.code == 3 && ran.out.contains("--rpc"), "{ran:?}");
    let help = bench.run("--help").await.out;
    for option in [
        "--rpc",
        "--cluster",
        "--genesis",
        "--rollup",
        "--program",
        "--profile",
        "--require",
        "--min-servers",
        "--wait",
        "finalized",
    ] {
        assert!(help.contains(option), "--help does not tell of {option}");
    }
}

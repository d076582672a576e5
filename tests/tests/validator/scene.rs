//! A network on a validator, a node of it, and what the tests do with them.

use crate::PATIENCE;
use crate::servers::Relay;
use crate::table::Record;
use cairn_chain::agreement::{self, Finding, Patience};
use cairn_chain::{Keypair, NewNode};
use cairn_client::Spool;
use cairn_client::connect::Address;
use cairn_client::submit::{Config, Node};
use cairn_client::verify::{Verdict, verify};
use cairn_client::warc;
use cairn_localnet::network::{ChainChoice, Network, NetworkOptions};
use cairn_localnet::validator::PortChoice;
use cairn_localnet::{Settings, Validator};
use cairn_proto::v1::GetProofRequest;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_prover::Profile;
use cairn_sequencer::{BatchEvent, LogStatus, Stage};
use cairn_types::{Digest, Receipt, ReceiptProof};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Everything of a run.
pub struct Scene {
    network: Network,
    record: Record,
    listener: JoinHandle<()>,
    sent: tokio::sync::watch::Receiver<u64>,
    relay: Relay,
    /// Receipts acknowledged.
    submitted: u64,
    dir: TempDir,
}

impl Scene {
    pub async fn start(binary: &Path) -> Self {
        let record = Record::new();
        let dir = tempfile::tempdir().expect("a folder");
        let options = NetworkOptions {
            data: dir.path().join("data"),
            profile: Profile::Dev,
            chain: ChainChoice::Validator { binary: binary.to_owned(), ports: PortChoice::Kept },
            settings: Settings::local(),
            prove_threads: None,
        };
        let network = Network::start(options, Arc::new(Started(record.clone()))).await.expect("it starts");
        record.note("network is up: keys funded, rollup created and final");
        let relay = Relay::to(network.validator().expect("a validator").ports().rpc()).await;
        let mut events = network.system.sequencer.events();
        let (tell, sent) = tokio::sync::watch::channel(0);
        let seen = record.clone();
        let listener = tokio::spawn(async move {
            while let Ok(event) = events.recv().await {
                seen.event(&event);
                if let BatchEvent::Sent { batch, .. } = &event {
                    tell.send_modify(|sent| *sent = (*sent).max(batch.number + 1));
                }
            }
        });
        Self { network, record, listener, sent, relay, submitted: 0, dir }
    }

    /// Registers the node, with the registrar's signature.
    pub async fn register(&mut self) {
        let home = &self.network.home;
        let (authority, key) = (home.node_authority().expect("a key"), home.node_key().expect("a key"));
        let registrar = Keypair::load(&self.network.directory.registrar).expect("a key");
        let new = NewNode {
            authority: &authority,
            payer: Some(&registrar),
            registrar: Some(&registrar),
            receipt_key: key.key().public(),
        };
        let registered = self.network.system.rollup.ensure_registered(&new).await;
        let (node, sent) = registered.expect("it is registered");
        let sent = sent.expect("it was not registered before");
        let what = format!("node {} registered: FINALIZED", node.index);
        self.record.transaction(what, Some(sent.slot), &sent.signature.to_string());
        let sequencer = &self.network.system.sequencer;
        let seen = timeout(PATIENCE, sequencer.wait_until(|status| status.queue_seen > u64::from(node.index))).await;
        assert!(seen.expect("the sequencer sees it in time"), "the sequencer runs");
    }

    /// Reads fixture crawls, signs and submits their receipts, and has them acknowledged.
    pub async fn submit(&mut self, files: &[&str]) -> Vec<Receipt> {
        let home = &self.network.home;
        let address = Address::from(self.network.directory.sequencer.as_str());
        let spool = Arc::new(Spool::open(&home.spool()).expect("a spool"));
        let key = home.node_key().expect("a key").key().clone();
        let config = Config {
            min_delay: Duration::from_millis(50),
            max_delay: Duration::from_millis(500),
            max_failures: Some(1_000),
            ..Config::default()
        };
        let connected = Node::connect(&address, key, spool, self.network.system.pins, config, &()).await;
        let mut node = connected.expect("the node is welcome");
        let options = node.reading(None).expect("a node");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/warc");
        let files: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
        let read = tokio::task::block_in_place(|| warc::read_files(&files, &options, &()));
        let crawl = read.expect("the fixtures can be read");
        let report = node.submit(&crawl.receipts, false, &()).await.expect("they are acknowledged");
        assert_eq!(report.receipts, crawl.receipts.len() as u64);
        self.submitted += report.receipts;
        self.record.note(format!("{} receipts acknowledged", report.receipts));
        crawl.receipts
    }

    /// Seals what was acknowledged; the number of batches then.
    pub async fn seal(&self) -> u64 {
        self.network.system.sequencer.seal_now().await.expect("it is sealed")
    }

    /// Waits until a transaction with the header of `batch` went out.
    pub async fn sent(&mut self, batch: u64) {
        let waited = timeout(PATIENCE, self.sent.wait_for(|sent| *sent > batch)).await;
        waited.expect("a transaction goes out in time").expect("the sequencer runs");
    }

    /// Waits until the chain has verified the proofs of so many batches, finally, and they are indexed as final.
    pub async fn settled(&self, batches: u64) {
        let system = &self.network.system;
        let waited = timeout(PATIENCE, system.sequencer.wait_for(Stage::Settled, batches)).await;
        assert!(waited.expect("batches are settled in time"), "the sequencer runs");
        let indexed = timeout(PATIENCE, system.indexer.wait_for(batches)).await.expect("batches are indexed in time");
        assert!(indexed.problem.is_none(), "{:?}", indexed.problem);
        self.record.note(format!("{batches} batches served as finalized by the indexer"));
    }

    /// Kills the validator, without warning, and waits until its successor runs.
    pub async fn kill(&self, when: &str) {
        let validator = self.validator();
        let pid = validator.process_id().expect("it runs");
        let killed = Command::new("/bin/sh").args(["-c", "kill -KILL \"$1\"", "sh", &pid.to_string()]).status();
        assert!(killed.expect("a shell").success());
        self.record.note(format!("VALIDATOR KILLED {when}"));
        let successor = async {
            while validator.process_id().is_none_or(|now| now == pid) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, successor).await.expect("it is started again");
        self.record.note("validator started again on its ledger");
    }

    /// Fetches the proof file of each of `receipts` from the indexer and verifies it against the header digests that two
    /// RPC servers agree on; then counts what there is.
    pub async fn check(&self, receipts: &[Receipt], batches: u64) {
        let rollup = &self.network.system.rollup;
        let urls = [self.network.directory.rpc.clone(), self.relay.url()];
        let servers = agreement::independent(&urls, PATIENCE).expect("two ports");
        let pins = agreement::Pins {
            genesis_hash: rollup.chain().genesis_hash().await.expect("it answers"),
            program: rollup.program(),
            rollup: rollup.address(),
        };
        let numbers: BTreeSet<u64> = (0..batches).collect();
        let agreed = agreement::agree(&servers, &pins, &numbers, Patience::default()).await.expect("they agree");
        assert_eq!(agreed.batches.len() as u64, batches);
        let mut anchors: Vec<Digest> = Vec::new();
        let mut on_chain = 0;
        for (number, finding) in &agreed.batches {
            let Finding::Final(batch) = finding else { panic!("batch {number}: {finding:?}") };
            assert_eq!(batch.header.number, *number);
            assert!(batch.settled, "batch {number}: the chain has verified its proof");
            on_chain += u64::from(batch.header.receipts);
            anchors.push(batch.digest);
        }
        assert!(agreed.servers.iter().all(|server| server.tip == batches), "no batch more: {:?}", agreed.servers);
        assert_eq!(on_chain, self.submitted, "no receipt is lost, and none is there twice");

        let indexed = self.network.system.indexer.status().borrow().receipts;
        assert_eq!(indexed, self.submitted, "nor in the index");

        let url = self.network.directory.indexer_grpc.clone();
        let mut indexer = IndexerClient::connect(url).await.expect("the indexer answers");
        let mut paths = BTreeSet::new();
        for receipt in receipts {
            let digest = Receipt::digest_of(&receipt.encode().expect("a receipt"));
            let request = GetProofRequest { receipt_digest: digest.to_bytes().to_vec(), ..GetProofRequest::default() };
            let file = indexer.get_proof(request).await.expect("it has the proof").into_inner().file;
            let path = self.dir.path().join(format!("{digest}.cairnproof"));
            std::fs::write(&path, &file).expect("it can be written");
            paths.insert(path.clone());
            let read = std::fs::read(&path).expect("it can be read");
            let proof = ReceiptProof::decode(&read).expect("a proof file");
            match verify(&proof, &anchors) {
                Verdict::Anchored(verified) => assert_eq!(verified.receipt_digest, digest),
                other => panic!("{digest}: {other:?}"),
            }
        }
        assert_eq!(paths.len(), receipts.len());
        self.record.note(format!("{} proof files verify against 2 RPC servers", receipts.len()));
    }

    pub fn status(&self) -> LogStatus {
        self.network.system.sequencer.status().borrow().clone()
    }

    pub fn restarts(&self) -> u64 {
        self.validator().restarts()
    }

    fn validator(&self) -> &Validator {
        self.network.validator().expect("a validator")
    }

    /// Stops everything in order, and prints what happened.
    pub async fn end(self, title: &str) {
        let pid = self.validator().process_id().expect("it runs");
        self.network.stop().await.expect("it stops");
        self.record.note("stopped");
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "no validator is left behind");
        self.listener.await.expect("it heard all");
        self.record.print(title);
    }
}

/// Notes how far the start is.
struct Started(Record);

impl cairn_localnet::network::Progress for Started {
    fn validator(&self, _: Duration) {}
    fn rollup(&self) {
        self.0.note("validator is up");
    }
    fn circuits(&self, done: usize, total: usize) {
        if done == total {
            self.0.note("circuits are loaded");
        }
    }
}

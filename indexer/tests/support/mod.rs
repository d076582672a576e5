//! A rollup with data published as a sequencer publishes it, and a plain HTTP client.
#![allow(dead_code)]

pub mod ledger;
pub mod staged;

use cairn_chain::{
    Account, Accounts, Address, Blockhash, Chain, ChainError, Commitment, DEV_PROGRAM_ID, EmbeddedChain, Keypair,
    NewNode, NewRollup, Options, RollupClient, Signature, SignedTransaction, Tip, TransactionStatus,
};
use cairn_indexer::blobs::blob_path;
use cairn_indexer::{Blobs, Config, Indexer, Status};
use cairn_interface::{Profile, Registry};
use cairn_schnorr::SigningKey;
use cairn_types::{
    Batch, BatchHeader, BundleData, Capture, Digest, Evidence, Leaf, Method, QueueEntry, Receipt, Record, Rights,
};
pub use ledger::{Ledger, receipt_key, signed, signing_key};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

/// The node that signs bundles unless a test says otherwise.
pub const NODE: u32 = 1;
/// Nodes that a bench registers; batch 0 does nothing else.
pub const NODES: u32 = 3;

pub struct Bench {
    pub dir: tempfile::TempDir,
    pub chain: Arc<EmbeddedChain>,
    pub client: RollupClient,
    pub objects: Arc<InMemory>,
    pub sequencer: Keypair,
    pub rollup_id: Digest,
    pub ledger: Ledger,
    /// The key of each node, and who may change it.
    pub keys: Vec<SigningKey>,
    pub authorities: Vec<Keypair>,
}

impl Bench {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let chain = Arc::new(EmbeddedChain::open(dir.path().join("chain"), Options::of(Profile::Dev)).unwrap());
        let sequencer = Keypair::generate();
        chain.fund(sequencer.address(), 100_000_000_000).await.unwrap();
        let client = RollupClient::of_admin(chain.clone(), DEV_PROGRAM_ID, &sequencer.address(), 1);
        let new = NewRollup {
            id: 1,
            sequencer: sequencer.address(),
            acknowledgement_key: Keypair::generate().address(),
            profile: Profile::Dev,
            max_pending: 1_000,
            registry: Registry { registrar: sequencer.address(), ..Registry::OPEN },
        };
        client.initialize(&sequencer, &new).await.unwrap();
        let rollup_id = client.rollup().await.unwrap().rollup_id;
        let (keys, authorities) = (Vec::new(), Vec::new());
        let objects = Arc::new(InMemory::new());
        let ledger = Ledger::new(rollup_id);
        let mut bench = Self { dir, chain, client, objects, sequencer, rollup_id, ledger, keys, authorities };
        for index in 0..NODES {
            bench.register(signing_key(index as u8 + 1)).await;
        }
        bench.settle_all(Vec::new()).await;
        bench
    }

    /// Registers one more node on chain. The batch after counts it.
    pub async fn register(&mut self, key: SigningKey) {
        let authority = Keypair::generate();
        let new = NewNode {
            authority: &authority,
            payer: Some(&self.sequencer),
            registrar: Some(&self.sequencer),
            receipt_key: receipt_key(&key),
        };
        self.client.register_node(&new).await.unwrap();
        self.chain.fund(authority.address(), 1_000_000_000).await.unwrap();
        self.keys.push(key);
        self.authorities.push(authority);
    }

    /// Gives a node another key on chain; what signs from the batch on that is sealed next but one.
    pub async fn rotate(&mut self, index: u32, key: SigningKey) {
        self.client.rotate_key(&self.authorities[index as usize], &receipt_key(&key)).await.unwrap();
        self.keys[index as usize] = key;
    }

    /// The entries that the chain's queue has past the last batch.
    pub async fn entries(&self) -> Vec<QueueEntry> {
        let queue = self.client.queue().await.unwrap();
        let entries = queue.entries_from(&self.ledger.cursor.queue, queue.end.position).unwrap();
        entries.iter().map(|entry| entry.entry).collect()
    }

    /// Seals these bundles and every entry of the queue, publishes and submits.
    pub async fn settle_all(&mut self, bundles: Vec<BundleData>) -> Batch {
        let batch = self.ledger.seal(bundles, self.entries().await);
        self.publish(&batch).await;
        self.submit(&batch).await;
        batch
    }

    /// A bundle of a node, the `ahead`th after its last committed one.
    pub fn bundle(&self, index: u32, ahead: u64, records: Vec<Record>) -> BundleData {
        let sequence = self.ledger.account(index).unwrap().next_sequence + ahead;
        signed(self.rollup_id, &self.keys[index as usize], index, sequence, records)
    }

    pub fn config(&self) -> Config {
        let mut config = Config::local(self.store(), self.client.program(), self.client.address());
        config.poll = Duration::from_millis(20);
        config.retry = Duration::from_millis(50);
        config
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    pub async fn start(&self) -> Indexer {
        self.start_on(self.chain.clone()).await
    }

    pub async fn start_on(&self, chain: Arc<dyn Chain>) -> Indexer {
        self.start_with(self.config(), chain, Blobs::only(self.objects.clone())).await
    }

    pub async fn start_with(&self, config: Config, chain: Arc<dyn Chain>, blobs: Blobs) -> Indexer {
        Indexer::start(config, chain, blobs, None, CancellationToken::new()).await.unwrap()
    }

    pub fn receipt(&self, seed: u64) -> Receipt {
        receipt(self.rollup_id, seed)
    }

    /// A sealed batch of these receipts after the last submitted one, a bundle for each inner list.
    pub fn seal(&self, bundles: Vec<Vec<Record>>) -> Batch {
        let bundles = bundles.into_iter().zip(0..).map(|(records, ahead)| self.bundle(NODE, ahead, records));
        self.ledger.seal(bundles.collect(), Vec::new())
    }

    pub async fn publish(&self, batch: &Batch) {
        self.put(&batch.header, &batch.blob(&self.ledger.cursor)).await;
    }

    /// Stores any data under the batch's digest.
    pub async fn put(&self, header: &BatchHeader, data: &[u8]) {
        self.put_raw(header, zstd::bulk::compress(data, 3).unwrap()).await;
    }

    /// Stores any bytes under the batch's digest.
    pub async fn put_raw(&self, header: &BatchHeader, bytes: Vec<u8>) {
        self.objects.put(&blob_path(&header.data_digest), bytes.into()).await.unwrap();
    }

    pub async fn submit(&mut self, batch: &Batch) {
        self.client.submit_batch(&self.sequencer, &batch.header).await.unwrap();
        self.ledger.commit(batch);
    }

    /// Seals, publishes and submits.
    pub async fn settle(&mut self, bundles: Vec<Vec<Record>>) -> Batch {
        let batch = self.seal(bundles);
        self.publish(&batch).await;
        self.submit(&batch).await;
        batch
    }
}

pub fn receipt(rollup_id: Digest, seed: u64) -> Receipt {
    let mut payload_blake3 = [1; 32];
    payload_blake3[..8].copy_from_slice(&seed.to_le_bytes());
    Receipt {
        rollup_id,
        node_index: NODE,
        url: format!("https://www.example.org/{seed}"),
        final_url: None,
        domain: "example.org".into(),
        suffix_list: "test".into(),
        fetch_time: 1_700_000_000_000 + seed,
        fetch_end: None,
        status: 200,
        method: Method::Get,
        media_type: Some("text/html".into()),
        charset: Some("utf-8".into()),
        language: None,
        content_length: 1_000 + seed,
        truncated: false,
        capture: Capture::Response,
        payload_blake3,
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        headers_digest: None,
        job: Some("job".into()),
        rights: Rights::default(),
        evidence: Evidence::default(),
        locator: None,
        lineage: None,
        groups: Vec::new(),
    }
}

pub fn record(receipt: &Receipt) -> Record {
    let bytes = receipt.encode().unwrap();
    let leaf = Leaf::of(receipt, &bytes).unwrap();
    Record { receipt: bytes, leaf }
}

pub fn digest(receipt: &Receipt) -> Digest {
    Receipt::digest_of(&receipt.encode().unwrap())
}

/// Waits until something keeps the indexer from going on.
pub async fn problem(indexer: &Indexer) -> cairn_indexer::Problem {
    let mut status = indexer.status();
    let met = tokio::time::timeout(Duration::from_secs(20), status.wait_for(|status| status.problem.is_some()));
    met.await.expect("a problem is met").unwrap().problem.clone().unwrap()
}

/// Waits until the indexer says so.
pub async fn until(indexer: &Indexer, met: impl Fn(&Status) -> bool) -> Status {
    let mut status = indexer.status();
    match tokio::time::timeout(Duration::from_secs(60), status.wait_for(met)).await {
        Ok(status) => status.unwrap().clone(),
        Err(_) => panic!("not met: {:?}", indexer.status().borrow()),
    }
}

/// Waits until `batches` are indexed, through whatever problems there are.
pub async fn indexed(indexer: &Indexer, batches: u64) -> Status {
    let mut status = indexer.status();
    let met = status.wait_for(|status| status.batches_indexed >= batches && status.problem.is_none());
    tokio::time::timeout(Duration::from_secs(20), met).await.expect("the batches are indexed").unwrap().clone()
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

pub async fn get(indexer: &Indexer, path: &str) -> Reply {
    request(indexer, format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes()).await
}

/// Sends any bytes and reads what comes until the server closes.
pub async fn request(indexer: &Indexer, bytes: &[u8]) -> Reply {
    let mut stream = tokio::net::TcpStream::connect(indexer.http_address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut reply = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut reply)).await.unwrap().unwrap();
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(reply[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = reply[end + 4..].to_vec();
    assert!(!head.contains("transfer-encoding"), "bodies come with their length");
    Reply { status, head, body }
}

/// A chain that lies about one account.
pub struct LyingChain {
    pub honest: Arc<EmbeddedChain>,
    pub about: Address,
    pub lie: fn(&mut Account),
}

#[async_trait::async_trait]
impl Chain for LyingChain {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        self.honest.genesis_hash().await
    }
    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        self.honest.tip(commitment).await
    }
    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        let mut read = self.honest.accounts(addresses, commitment).await?;
        for (address, account) in addresses.iter().zip(&mut read.accounts) {
            if let (true, Some(account)) = (*address == self.about, account) {
                (self.lie)(account);
            }
        }
        Ok(read)
    }
    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.honest.latest_blockhash(commitment).await
    }
    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.honest.minimum_balance(data_length).await
    }
    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        self.honest.send(transaction).await
    }
    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        self.honest.status(signature).await
    }
}

//! A served chain, and requests made by hand, so that the JSON is what the test says and nothing else.

use cairn_chain::{Address, Chain, Commitment, EmbeddedChain, EmbeddedRpcServer, Keypair, Options, TimeSource};
use cairn_interface::Profile;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub const SOL: u64 = 1_000_000_000;
pub const START_MS: i64 = 1_800_000_000_000;

pub struct Served {
    _dir: tempfile::TempDir,
    pub chain: EmbeddedChain,
    pub server: EmbeddedRpcServer,
    pub stop: CancellationToken,
    pub clock: Arc<AtomicI64>,
}

impl Served {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (time, clock) = TimeSource::manual(START_MS);
        let chain = EmbeddedChain::open(dir.path(), Options { time, ..Options::of(Profile::Dev) }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = CancellationToken::new();
        let server = EmbeddedRpcServer::serve(chain.clone(), listener, stop.clone()).unwrap();
        Self { _dir: dir, chain, server, stop, clock }
    }

    pub fn pass(&self, slots: u64) {
        self.clock.fetch_add((slots * cairn_chain::SLOT_MILLISECONDS) as i64, Ordering::SeqCst);
    }

    /// Lets so much time pass that no blockhash handed out before is recent. Each transaction so far has taken a slot of
    /// its own, ahead of this clock: hence the few slots more.
    pub fn expire(&self) {
        self.pass(cairn_chain::BLOCKHASH_SLOTS + 20);
    }

    pub async fn funded(&self, lamports: u64) -> Keypair {
        let key = Keypair::generate();
        self.chain.fund(key.address(), lamports).await.unwrap();
        key
    }

    pub async fn balance(&self, of: Address) -> u64 {
        self.chain.account(&of, Commitment::Finalized).await.unwrap().map_or(0, |account| account.lamports)
    }

    /// The result of a method.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error object of a method that must not succeed.
    pub async fn refused(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params.clone()).await;
        assert!(answer.get("result").is_none(), "{method} {params}: {answer}");
        answer["error"].clone()
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": "x", "method": method, "params": params }).to_string();
        let answer = self.json(&body).await;
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!("x")));
        answer
    }

    /// The JSON that a body is answered with.
    pub async fn json(&self, body: &str) -> Value {
        let (status, answer) = self.post("application/json", body.as_bytes()).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Status and body of the answer to a POST.
    pub async fn post(&self, content_type: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    /// Status and body of the answer to these bytes.
    pub async fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        // A server that has seen enough closes before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

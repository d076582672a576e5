//! Servers that answer what a test wants: wrong, late, never, or as another chain.

use cairn_chain::RpcOptions;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Genesis of every server that was not given another one.
pub const GENESIS: [u8; 32] = [1; 32];

/// What a request is answered with: status line with further headers, and body; `None` is silence.
pub type Reply = Option<(String, String)>;

/// A server on a port of its own, for as long as the test runs.
pub struct Fake {
    pub url: String,
    asked: Arc<Mutex<Vec<Value>>>,
    genesis: Arc<Mutex<[u8; 32]>>,
}

impl Fake {
    /// A server that answers question number `n`, from zero, with what `answer` makes of it. That for the genesis hash is
    /// answered here, and not counted.
    pub async fn new(answer: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(answer, true).await
    }

    /// The same, closing the connection after each answer.
    pub async fn closing(answer: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(answer, false).await
    }

    async fn serve(answer: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static, keep: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            genesis: Arc::new(Mutex::new(GENESIS)),
        };
        let (asked, genesis, answer) = (fake.asked.clone(), fake.genesis.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (asked, genesis, answer) = (asked.clone(), genesis.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        let reply = if request["method"] == "getGenesisHash" {
                            result(&request, json!(bs58::encode(*genesis.lock()).into_string()))
                        } else {
                            let number = {
                                let mut asked = asked.lock();
                                asked.push(request.clone());
                                asked.len() - 1
                            };
                            answer(number, &request)
                        };
                        let Some((status, body)) = reply else { std::future::pending().await };
                        let close = if keep { "" } else { "connection: close\r\n" };
                        let head = format!("HTTP/1.1 {status}\r\n{close}content-length: {}\r\n\r\n", body.len());
                        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.is_err() || !keep {
                            return;
                        }
                    }
                });
            }
        });
        fake
    }

    /// A server that answers everything with this.
    pub async fn always(status: &'static str, body: &'static str) -> Self {
        Self::new(move |_, _| http(status, body)).await
    }

    /// A server that answers every question as of the slot that `slot` gives for its number.
    pub async fn at_slot(slot: impl Fn(usize) -> u64 + Send + Sync + 'static) -> Self {
        Self::new(move |number, request| tip(request, slot(number))).await
    }

    /// From now on it serves another chain.
    pub fn becomes(&self, genesis: [u8; 32]) {
        *self.genesis.lock() = genesis;
    }

    /// How many questions came, but those for the genesis hash.
    pub fn asked(&self) -> usize {
        self.asked.lock().len()
    }

    /// The questions themselves.
    pub fn questions(&self) -> Vec<Value> {
        self.asked.lock().clone()
    }

    /// Host and port: what a message names it by.
    pub fn place(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

/// Options for these servers, with little patience.
pub fn options<'a>(servers: impl IntoIterator<Item = &'a Fake>) -> RpcOptions {
    RpcOptions {
        budget: Duration::from_millis(1_500),
        ..RpcOptions::new(servers.into_iter().map(|server| server.url.clone()))
    }
}

/// A URL at which nobody listens.
pub async fn dead() -> String {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    format!("http://{free}")
}

pub fn http(status: &str, body: &str) -> Reply {
    Some((status.to_owned(), body.to_owned()))
}

pub fn result(request: &Value, result: Value) -> Reply {
    http("200 OK", &json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string())
}

pub fn error(request: &Value, error: Value) -> Reply {
    http("200 OK", &json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())
}

/// `getEpochInfo`, at `slot`.
pub fn tip(request: &Value, slot: u64) -> Reply {
    result(request, json!({ "absoluteSlot": slot, "blockHeight": slot }))
}

/// The signature of the transaction that was sent, as a server answers when it takes it.
pub fn taken(request: &Value) -> Reply {
    let bytes = data_encoding::BASE64.decode(request["params"][0].as_str().unwrap().as_bytes()).unwrap();
    result(request, json!(bs58::encode(&bytes[1..65]).into_string()))
}

/// The next request of a connection.
pub async fn read(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let length = stream.read(&mut part).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(request) = serde_json::from_str(body)
        {
            return Some(request);
        }
    }
}

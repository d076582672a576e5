//! Being woken by a server's websocket, and what becomes of one that breaks, floods or lies.

use crate::fake::dead;
use crate::server::{SOL, Served};
use cairn_chain::{AccountWatch, Address, Chain as _, Commitment, RpcChain, RpcOptions, Websocket};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

type Socket = WebSocketStream<TcpStream>;

const PATIENCE: Duration = Duration::from_secs(60);

/// A websocket server; each connection is handed out as it comes.
struct Feed {
    port: u16,
    sockets: mpsc::Receiver<Socket>,
}

impl Feed {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, sockets) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(socket) = accept_async(stream).await {
                    let _ = sender.send(socket).await;
                }
            }
        });
        Self { port, sockets }
    }

    fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// A chain that subscribes here; nobody answers its requests.
    async fn chain(&self) -> RpcChain {
        let websocket = Websocket::At(self.url());
        RpcChain::with_options(&RpcOptions { websocket, ..RpcOptions::new([dead().await]) }).unwrap()
    }

    async fn next(&mut self) -> Socket {
        timeout(PATIENCE, self.sockets.recv()).await.expect("nobody connects").unwrap()
    }

    /// The next connection, with `count` subscriptions accepted as 100, 101, and so on.
    async fn subscribed(&mut self, count: u64) -> (Socket, Vec<Value>) {
        let mut socket = self.next().await;
        let mut requests = Vec::new();
        for number in 0..count {
            let request = request(&mut socket).await.unwrap();
            say(&mut socket, &json!({ "jsonrpc": "2.0", "id": request["id"], "result": 100 + number })).await;
            requests.push(request);
        }
        (socket, requests)
    }
}

async fn request(socket: &mut Socket) -> Option<Value> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("nothing is said")?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn say(socket: &mut Socket, value: &Value) {
    socket.send(Message::text(value.to_string())).await.unwrap();
}

fn notification(subscription: u64) -> Value {
    let value = json!({ "context": { "slot": 5 }, "value": null });
    json!({ "jsonrpc": "2.0", "method": "accountNotification", "params": { "subscription": subscription, "result": value } })
}

async fn woken(watch: &mut AccountWatch) {
    timeout(PATIENCE, watch.changed()).await.expect("it does not wake");
}

async fn asleep(watch: &mut AccountWatch) {
    assert!(timeout(Duration::from_millis(300), watch.changed()).await.is_err(), "it wakes for nothing");
}

#[tokio::test]
async fn a_watch_wakes_when_one_of_its_accounts_changes() {
    let mut feed = Feed::new().await;
    let addresses = [Address([1; 32]), Address([2; 32])];
    let mut watch = feed.chain().await.watch(&addresses, Commitment::Confirmed);
    let (mut socket, requests) = feed.subscribed(2).await;
    for (request, address) in requests.iter().zip(addresses) {
        assert_eq!(
            (&request["method"], &request["params"][0]),
            (&json!("accountSubscribe"), &json!(address.to_string()))
        );
        assert_eq!(request["params"][1]["commitment"], "confirmed");
        assert_eq!(request["params"][1]["dataSlice"], json!({ "offset": 0, "length": 0 }), "it is a hint, not data");
    }
    woken(&mut watch).await;
    asleep(&mut watch).await;
    for subscription in [100, 101] {
        say(&mut socket, &notification(subscription)).await;
        woken(&mut watch).await;
    }
    say(&mut socket, &notification(102)).await;
    asleep(&mut watch).await;
}

#[tokio::test]
async fn a_broken_connection_is_made_anew_and_wakes() {
    let mut feed = Feed::new().await;
    let mut watch = feed.chain().await.watch(&[Address([1; 32])], Commitment::Finalized);
    for _ in 0..3 {
        let (mut socket, _) = feed.subscribed(1).await;
        woken(&mut watch).await;
        say(&mut socket, &notification(100)).await;
        woken(&mut watch).await;
        drop(socket);
    }
}

#[tokio::test]
async fn a_websocket_is_sought_where_solanas_tools_do_and_the_next_server_stands_in() {
    let mut feed = Feed::new().await;
    let derived = format!("http://127.0.0.1:{}", feed.port - 1);
    let options = RpcOptions::new([dead().await, derived]);
    let mut watch = RpcChain::with_options(&options).unwrap().watch(&[Address([1; 32])], Commitment::Finalized);
    let _socket = feed.subscribed(1).await;
    woken(&mut watch).await;
}

#[tokio::test]
async fn hostile_websockets_neither_wake_nor_stay() {
    let endless = "[".repeat(100_000);
    let huge = "x".repeat(300 << 10);
    // Before the subscription is there, and after.
    let before: [Vec<Message>; 5] = [
        vec![Message::text(huge.clone())],
        vec![Message::text(
            json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": -32601, "message": "no" } }).to_string(),
        )],
        vec![Message::text(json!({ "jsonrpc": "2.0", "id": 0, "result": "100" }).to_string())],
        vec![Message::text("{}"); 200],
        vec![Message::Close(None)],
    ];
    let after: [Vec<Message>; 4] = [
        vec![Message::text(huge)],
        vec![Message::binary(vec![0; 10])],
        vec![Message::text(endless); 101],
        vec![Message::text(notification(99).to_string()); 101],
    ];
    let run = |frames: Vec<Message>, subscribe: bool| async move {
        let mut feed = Feed::new().await;
        let mut watch = feed.chain().await.watch(&[Address([1; 32])], Commitment::Finalized);
        let mut socket = match subscribe {
            true => feed.subscribed(1).await.0,
            false => feed.next().await,
        };
        if subscribe {
            woken(&mut watch).await;
        }
        for frame in frames {
            // It may hang up in the middle.
            let _ = socket.send(frame).await;
        }
        while let Ok(Some(Ok(message))) = timeout(PATIENCE, socket.next()).await {
            if message.is_close() {
                break;
            }
        }
        drop(socket);
        // It comes back, and the first thing that wakes is the next subscription.
        let mut socket = feed.next().await;
        asleep(&mut watch).await;
        let request = request(&mut socket).await.unwrap();
        say(&mut socket, &json!({ "jsonrpc": "2.0", "id": request["id"], "result": 7 })).await;
        woken(&mut watch).await;
    };
    let before = before.into_iter().map(|frames| run(frames, false));
    futures::future::join_all(before).await;
    let after = after.into_iter().map(|frames| run(frames, true));
    futures::future::join_all(after).await;
}

#[tokio::test]
async fn a_flood_of_notifications_wakes_at_a_bounded_rate() {
    let mut feed = Feed::new().await;
    let mut watch = feed.chain().await.watch(&[Address([1; 32])], Commitment::Finalized);
    let (mut socket, _) = feed.subscribed(1).await;
    woken(&mut watch).await;
    let flood = tokio::spawn(async move {
        let mut sent = 0_usize;
        while socket.send(Message::text(notification(100).to_string())).await.is_ok() {
            sent += 1;
            if sent == 1_000 {
                break;
            }
        }
        socket
    });
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = wakes.clone();
    let counting = async move {
        loop {
            watch.changed().await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let started = Instant::now();
    let _ = timeout(Duration::from_secs(1), counting).await;
    let (woken, most) = (wakes.load(Ordering::SeqCst), started.elapsed().as_millis() / 20 + 2);
    assert!(woken > 0 && woken as u128 <= most, "{woken} wakes where one in 20 ms, {most}, is the most");
    drop(flood);
}

#[tokio::test]
async fn a_wss_url_is_spoken_to_in_tls_again_and_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let websocket = Websocket::At(format!("wss://{}", listener.local_addr().unwrap()));
    let options = RpcOptions { websocket, ..RpcOptions::new([dead().await]) };
    let _watch = RpcChain::with_options(&options).unwrap().watch(&[Address([1; 32])], Commitment::Finalized);
    for _ in 0..3 {
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.expect("nobody connects").unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 22, "a TLS record of the handshake");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_watch_hangs_up() {
    let mut feed = Feed::new().await;
    let mut watch = feed.chain().await.watch(&[Address([1; 32])], Commitment::Finalized);
    let (mut socket, _) = feed.subscribed(1).await;
    woken(&mut watch).await;
    drop(watch);
    assert!(request(&mut socket).await.is_none());
}

#[tokio::test]
async fn without_a_websocket_a_watch_is_quiet() {
    let served = Served::new().await;
    let off = RpcOptions { websocket: Websocket::Off, ..RpcOptions::new([served.server.url()]) };
    for options in [off, RpcOptions::new([served.server.url()])] {
        let chain = RpcChain::with_options(&options).unwrap();
        let mut watch = chain.watch(&[Address([1; 32])], Commitment::Finalized);
        served.funded(SOL).await;
        asleep(&mut watch).await;
    }
}

#[tokio::test]
async fn the_embedded_chain_wakes_with_every_transaction() {
    let served = Served::new().await;
    let mut watch = served.chain.watch(&[Address([1; 32])], Commitment::Finalized);
    asleep(&mut watch).await;
    for _ in 0..2 {
        served.funded(SOL).await;
        woken(&mut watch).await;
    }
    asleep(&mut watch).await;
}

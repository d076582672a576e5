//! What a JSON-RPC server answers, changed somewhere: the client refuses it or makes something of it, and never falls over
//! it. Whatever is changed, an account is of the rollup, the authority and the key that were asked for. That its other fields
//! are true no client can see from one server's answer.

use cairn_chain::{
    Address, Chain, Commitment, DEV_PROGRAM_ID, EmbeddedChain, EmbeddedRpcServer, Keypair, NewNode, NewRollup, Options,
    RollupClient, RpcChain, RpcOptions, Websocket,
};
use cairn_interface::{DEFAULT_MAX_PENDING, Profile, Registry};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use support::{receipt_key, signing_key};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

#[allow(dead_code)]
mod support;

const SOL: u64 = 1_000_000_000;
/// Kinds of questions, and how often each is asked of a server that changes some of its answers.
const QUESTIONS: usize = 12;
const ROUNDS: usize = 100;

/// One HTTP message: everything up to its body's end.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 16_384];
        let length = stream.read(&mut part).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&part[..length]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let stated = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
        if bytes.len() >= end + 4 + stated.trim().parse::<usize>().ok()? {
            return Some(bytes);
        }
    }
}

fn body(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &message[end + 4..]
}

/// A server between the client and the real one.
async fn between(real: String, random: Arc<Mutex<StdRng>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (real, random) = (real.clone(), random.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(&real).await.unwrap();
                while let Some(request) = message(&mut client).await {
                    server.write_all(&request).await.unwrap();
                    let Some(answer) = message(&mut server).await else { return };
                    // A client that has not heard which chain this is asks nothing else.
                    let first = body(&request).windows(14).any(|window| window == b"getGenesisHash");
                    let text = {
                        let mut random = random.lock();
                        match random.gen_bool(if first { 0.05 } else { 0.4 }) {
                            true => change(body(&answer), &mut random),
                            false => body(&answer).to_vec(),
                        }
                    };
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
                    if client.write_all(&[head.as_bytes(), &text].concat()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// Changes one part of an answer, or its bytes.
fn change(answer: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = answer.to_vec();
    match random.gen_range(0..4) {
        0 => bytes.truncate(random.gen_range(0..=bytes.len())),
        1 => {
            let at = random.gen_range(0..bytes.len());
            bytes[at] = random.r#gen();
        }
        _ => {
            let mut value: Value = serde_json::from_slice(&bytes).unwrap();
            let mut chosen = random.gen_range(0..count(&value));
            let kind = random.gen_range(0..14);
            part(&mut value, &mut chosen, &mut |part| replace(part, kind));
            bytes = serde_json::to_vec(&value).unwrap();
        }
    }
    bytes
}

/// How many parts a value has, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0_usize,
    }
}

/// Does something to one part of a value.
fn part(value: &mut Value, left: &mut usize, with: &mut impl FnMut(&mut Value)) -> bool {
    if *left == 0 {
        with(value);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| part(item, left, with)),
        Value::Object(fields) => fields.values_mut().any(|item| part(item, left, with)),
        _ => false,
    }
}

fn replace(part: &mut Value, kind: u32) {
    let old = part.take();
    *part = match kind {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e300),
        4 => json!(0.5),
        5 => json!(""),
        6 => json!("x".repeat(100_000)),
        7 => json!([]),
        8 => json!({}),
        9 => json!([old.clone(), old.clone(), old]),
        10 => (0..100).fold(old, |inner, _| json!([inner])),
        11 => json!({ "value": old }),
        12 => json!(true),
        _ => match old.as_u64() {
            Some(number) => json!(number.wrapping_add(1)),
            None => json!(format!("{old}")),
        },
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_answer_panics_hangs_or_shows_another_rollup() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = EmbeddedRpcServer::serve(embedded.clone(), listener, CancellationToken::new()).unwrap();
    let admin = Keypair::generate();
    embedded.fund(admin.address(), 10 * SOL).await.unwrap();
    let truth = RollupClient::of_admin(Arc::new(embedded), DEV_PROGRAM_ID, &admin.address(), 0);
    let new = NewRollup {
        id: 0,
        sequencer: Keypair::generate().address(),
        acknowledgement_key: Keypair::generate().address(),
        profile: Profile::Dev,
        max_pending: DEFAULT_MAX_PENDING,
        registry: Registry::OPEN,
    };
    let created = truth.initialize(&admin, &new).await.unwrap();
    truth.set_blob_location(&admin, "https://blobs.example.org").await.unwrap();
    let receipt_key = receipt_key(&signing_key());
    truth.register_node(&NewNode { authority: &admin, payer: None, registrar: None, receipt_key }).await.unwrap();
    let rollup_id = truth.rollup().await.unwrap().rollup_id;

    let random = Arc::new(Mutex::new(StdRng::seed_from_u64(1)));
    let place = server.url().trim_start_matches("http://").to_owned();
    let url = between(place, random).await;
    let (mut right, mut refused) = (0, 0);
    for question in (0..QUESTIONS).cycle().take(QUESTIONS * ROUNDS) {
        // A client of its own: one that was answered badly leaves the server alone for a while.
        let options = RpcOptions {
            // Shorter than a server that failed is left alone: one attempt.
            budget: Duration::from_millis(180),
            stall: None,
            websocket: Websocket::Off,
            ..RpcOptions::new([url.as_str()])
        };
        let chain = Arc::new(RpcChain::with_options(&options).unwrap());
        let client = RollupClient::new(chain.clone(), DEV_PROGRAM_ID, truth.address());
        let ask = async {
            match question {
                0 => client.rollup().await.map(|found| assert_eq!(found.rollup_id, rollup_id)).is_ok(),
                1 => client.queue().await.map(|found| assert_eq!(found.rollup, truth.address())).is_ok(),
                2 => {
                    let found = client.node(&admin.address()).await;
                    found.map(|node| assert!(node.is_none_or(|node| node.authority == admin.address()))).is_ok()
                }
                3 => {
                    let found = client.nodes_by_key(&receipt_key).await;
                    found.map(|nodes| assert!(nodes.iter().all(|node| node.receipt_key == receipt_key))).is_ok()
                }
                4 => client.batch(0).await.map(|found| assert_eq!(found, None)).is_ok(),
                5 => chain.tip(Commitment::Confirmed).await.is_ok(),
                6 => chain.latest_blockhash(Commitment::Finalized).await.is_ok(),
                7 => chain.minimum_balance(100).await.is_ok(),
                8 => chain.status(&created.signature).await.is_ok(),
                9 => chain.statuses(&[created.signature; 3]).await.is_ok(),
                10 => chain.recent_fees(&[truth.address()]).await.is_ok(),
                _ => chain.accounts(&[DEV_PROGRAM_ID, Address([9; 32])], Commitment::Processed).await.is_ok(),
            }
        };
        match tokio::time::timeout(Duration::from_secs(60), ask).await.expect("every call ends") {
            true => right += 1,
            false => refused += 1,
        }
    }
    println!("{right} answered, {refused} refused");
    assert!(right > 200 && refused > 200, "{right} answered, {refused} refused: the changes are too many or too few");
}

//! A server that fails, lies or says too much: what the client makes of it.

use crate::fake::{Fake, dead, http, options, read};
use cairn_chain::{
    Address, Chain, ChainError, Commitment, DEV_PROGRAM_ID, ErrorClass, Keypair, RollupClient, RpcChain,
    TransactionBuilder,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

/// A client with little patience, and a server that answers request number `n` with what `answer` makes of it: status
/// line and body. Every answer comes over a connection of its own.
async fn liar(
    answer: impl Fn(usize, &Value) -> (&'static str, String) + Send + Sync + 'static,
) -> (RpcChain, Arc<Fake>) {
    let answer = move |number: usize, request: &Value| {
        let (status, body) = answer(number, request);
        http(status, &body)
    };
    let fake = Fake::closing(answer).await;
    let chain = RpcChain::with_options(&options([&fake])).unwrap();
    (chain, Arc::new(fake))
}

fn result(request: &Value, result: Value) -> (&'static str, String) {
    ("200 OK", json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string())
}

fn class<T: std::fmt::Debug>(outcome: Result<T, ChainError>) -> (ErrorClass, String) {
    let error = outcome.unwrap_err();
    (error.class(), error.to_string())
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_a_few_times() {
    let (chain, asked) = liar(|number, request| match number {
        0 => ("503 Service Unavailable", "busy".to_owned()),
        1 => ("429 Too Many Requests", String::new()),
        2 => (
            "200 OK",
            json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": -32005, "message": "behind" } })
                .to_string(),
        ),
        _ => result(request, json!(890_880)),
    })
    .await;
    while chain.minimum_balance(0).await.ok() != Some(890_880) {
        assert!(asked.asked() < 4);
    }
    assert_eq!(asked.asked(), 4);
    let (chain, asked) = liar(|_, _| ("500 Internal Server Error", String::new())).await;
    let (class, text) = class(chain.minimum_balance(0).await);
    assert_eq!(class, ErrorClass::Transient);
    assert!(asked.asked() > 1);
    assert!(text.contains("127.0.0.1") && text.contains("500"), "{text}");
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for status in ["200 OK", "400 Bad Request"] {
        let (chain, asked) = liar(move |_, request| {
            let error = json!({ "code": -32602, "message": "no\u{1b}[31m way".to_owned() + &"!".repeat(10_000) });
            (status, json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())
        })
        .await;
        let (class_of, text) = class(chain.minimum_balance(0).await);
        assert_eq!((class_of, asked.asked()), (ErrorClass::Rejection, 1));
        assert!(!text.contains('\u{1b}') && text.len() < 500, "{text}");
    }
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "301 Moved Permanently"] {
        let (chain, asked) = liar(move |_, _| (status, "key?".to_owned())).await;
        let (class, text) = class(chain.minimum_balance(0).await);
        assert_eq!((class, asked.asked()), (ErrorClass::Fatal, 1), "{status}");
        assert!(text.contains(&status[..3]), "{text}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_transient_and_named() {
    let url = dead().await;
    let place = url.trim_start_matches("http://").to_owned();
    let (class, text) = class(RpcChain::connect(&format!("{url}/key-that-stays-secret")).await);
    assert_eq!(class, ErrorClass::Transient);
    assert!(text.contains(&place) && !text.contains("secret"), "{text}");
    let invalid = RpcChain::connect("localhost:7440").await;
    assert!(matches!(invalid, Err(ChainError::Invalid(_))));
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken() {
    type Lie = fn(usize, &Value) -> (&'static str, String);
    let lies: [Lie; 4] = [
        |_, _| ("200 OK", json!({ "jsonrpc": "2.0", "id": 999_999, "result": 1 }).to_string()),
        |_, request| result(request, json!("1")),
        |_, request| result(request, json!(-1)),
        |_, _| ("200 OK", "<html>sign in to the hotel's network</html>".to_owned()),
    ];
    join_all(lies.map(|lie| async move {
        let (chain, _) = liar(lie).await;
        assert_eq!(class(chain.minimum_balance(0).await).0, ErrorClass::Transient);
    }))
    .await;
}

#[tokio::test]
async fn accounts_that_do_not_fit_the_question_are_not_taken() {
    let account = |data: Value, owner: &str| json!({ "lamports": 1, "owner": owner, "executable": false, "data": data, "rentEpoch": 0 });
    let system = Address([0; 32]).to_string();
    let good = account(json!(["AQ==", "base64"]), &system);
    let wrong = [
        json!([]),
        json!([good, good]),
        json!([account(json!(["AQ=", "base64"]), &system)]),
        json!([account(json!(["AQ==", "base58"]), &system)]),
        json!([account(json!("AQ=="), &system)]),
        json!([account(json!(["AQ==", "base64"]), "nobody")]),
        json!([{ "lamports": 1 }]),
    ];
    join_all(wrong.map(|value| async {
        let shown = value.to_string();
        let (chain, _) =
            liar(move |_, request| result(request, json!({ "context": { "slot": 1 }, "value": value }))).await;
        let read = chain.accounts(&[Address([1; 32])], Commitment::Finalized).await;
        assert_eq!(class(read).0, ErrorClass::Transient, "{shown}");
    }))
    .await;
    let (chain, _) =
        liar(move |_, request| result(request, json!({ "context": { "slot": 8 }, "value": [good] }))).await;
    let read = chain.accounts(&[Address([1; 32])], Commitment::Finalized).await.unwrap();
    assert_eq!((read.slot, read.accounts[0].as_ref().unwrap().data.as_slice()), (8, &[1][..]));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        // The answer to the question for the genesis hash is as long.
        loop {
            let mut stream = listener.accept().await.unwrap().0;
            read(&mut stream).await.unwrap();
            tokio::spawn(endless(stream));
        }
    });
    let (class, text) = class(RpcChain::new(&url).unwrap().minimum_balance(0).await);
    assert_eq!(class, ErrorClass::Fatal);
    assert!(text.contains("longer than"), "{text}");
}

async fn endless(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let chunk = [&b"100000\r\n"[..], &vec![b' '; 1 << 20], b"\r\n"].concat();
    while stream.write_all(&chunk).await.is_ok() {}
}

#[tokio::test]
async fn an_unknown_blockhash_is_final_only_past_its_last_height() {
    let payer = Keypair::generate();
    for (height, expected) in [(100, ErrorClass::Transient), (250, ErrorClass::Transient), (251, ErrorClass::Transient)]
    {
        let (chain, _) = liar(move |_, request| match request["method"].as_str().unwrap() {
            "sendTransaction" => {
                let error = json!({ "code": -32002, "message": "Transaction simulation failed: Blockhash not found", "data": { "err": "BlockhashNotFound" } });
                ("200 OK", json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())
            }
            _ => result(request, json!({ "absoluteSlot": 1, "blockHeight": height })),
        })
        .await;
        let blockhash = cairn_chain::Blockhash { hash: [1; 32], last_valid_block_height: 250 };
        let builder = TransactionBuilder::new().transfer(&payer.address(), &payer.address(), 1);
        let error = chain.send(&builder.sign(&payer, &[], &blockhash).unwrap()).await.unwrap_err();
        let expired = matches!(&error, ChainError::Refused(failure) if failure.is_expired());
        assert_eq!((error.class(), expired), (expected, height > 250), "{error}");
    }
}

#[tokio::test]
async fn a_receipt_for_another_transaction_is_not_taken() {
    let (chain, _) = liar(|_, request| result(request, json!(bs58::encode([1; 64]).into_string()))).await;
    let payer = Keypair::generate();
    let blockhash = cairn_chain::Blockhash { hash: [1; 32], last_valid_block_height: 250 };
    let builder = TransactionBuilder::new().transfer(&payer.address(), &payer.address(), 1);
    let sent = chain.send(&builder.sign(&payer, &[], &blockhash).unwrap()).await;
    assert_eq!(class(sent).0, ErrorClass::Transient);
}

#[tokio::test]
async fn statuses_of_a_cluster_keep_their_commitment() {
    for (name, expected) in [
        ("processed", Some(Commitment::Processed)),
        ("confirmed", Some(Commitment::Confirmed)),
        ("finalized", Some(Commitment::Finalized)),
        ("sometime", None),
    ] {
        let (chain, _) = liar(move |_, request| match request["method"].as_str().unwrap() {
            "getSignatureStatuses" => {
                let status = json!({ "slot": 7, "confirmations": 3, "err": { "InstructionError": [1, { "Custom": 6004 }] }, "confirmationStatus": name });
                result(request, json!({ "context": { "slot": 9 }, "value": [status] }))
            }
            // A server that keeps no history.
            _ => result(request, Value::Null),
        })
        .await;
        let status = chain.status(&cairn_chain::Signature([4; 64])).await;
        match expected {
            None => assert_eq!(class(status).0, ErrorClass::Transient),
            Some(commitment) => {
                let status = status.unwrap().unwrap();
                assert_eq!((status.commitment, status.slot, status.fee), (commitment, 7, None));
                let failure = status.outcome.unwrap_err();
                assert_eq!((failure.name.as_str(), failure.instruction), ("NotSequencer", Some(1)));
            }
        }
    }
}

#[tokio::test]
async fn once_sent_only_the_outcome_or_the_height_ends_a_transaction() {
    // The second server behind the name has executed it and refuses it as repeated; the first one has not seen it yet.
    let (chain, asked) = liar(|number, request| match request["method"].as_str().unwrap() {
        "getEpochInfo" => result(request, json!({ "absoluteSlot": 1, "blockHeight": 100 })),
        "sendTransaction" if number < 5 => {
            let bytes = data_encoding::BASE64.decode(request["params"][0].as_str().unwrap().as_bytes()).unwrap();
            result(request, json!(bs58::encode(&bytes[1..65]).into_string()))
        }
        "sendTransaction" => {
            let data = json!({ "err": { "InstructionError": [1, { "Custom": 6031 }] } });
            let error = json!({ "code": -32002, "message": "Transaction simulation failed", "data": data });
            ("200 OK", json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())
        }
        "getSignatureStatuses" => {
            let done = json!({ "slot": 7, "confirmations": null, "err": null, "confirmationStatus": "finalized" });
            let status = if number < 20 { Value::Null } else { done };
            result(request, json!({ "context": { "slot": 9 }, "value": [status] }))
        }
        _ => result(request, Value::Null),
    })
    .await;
    let client = RollupClient::new(Arc::new(chain), DEV_PROGRAM_ID, Address([1; 32]));
    let payer = Keypair::generate();
    let blockhash = cairn_chain::Blockhash { hash: [1; 32], last_valid_block_height: 250 };
    let builder = TransactionBuilder::new().transfer(&payer.address(), &payer.address(), 1);
    let prepared = builder.sign(&payer, &[], &blockhash).unwrap();
    assert_eq!(client.deliver(&prepared).await.unwrap().slot, 7);
    assert!(asked.asked() >= 20);
}

//! Requests that are no requests, too large, or too many.

use crate::server::Served;
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const SLOT: &str = r#"{"jsonrpc":"2.0","id":1,"method":"getSlot"}"#;

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_default()
}

#[tokio::test]
async fn malformed_requests_get_the_codes_of_json_rpc() {
    let served = Served::new().await;
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    for (body, expected) in [
        ("", -32_700),
        ("{", -32_700),
        ("getSlot", -32_700),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getSlot\"} trailing", -32_700),
        (deep.as_str(), -32_700),
        ("1", -32_600),
        ("null", -32_600),
        ("\"getSlot\"", -32_600),
        ("[]", -32_600),
        ("{}", 0),
        (r#"{"id":1,"method":"getSlot"}"#, -32_600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"getSlot"}"#, -32_600),
        (r#"{"jsonrpc":2.0,"id":1,"method":"getSlot"}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"getSlot"}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"getSlot"}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getslot"}"#, -32_601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"requestValidatorExit"}"#, -32_601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":{}}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":"x"}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[7]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[{"commitment":"max"}]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","params":[{},{}]}"#, -32_602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"getHealth","params":[1]}"#, -32_602),
    ] {
        if body == "{}" {
            // Without an id it is a notification, and those get no answer, not even that they are wrong.
            assert_eq!(served.post("application/json", body.as_bytes()).await.0, 204);
            continue;
        }
        let shown = &body[..body.len().min(80)];
        assert_eq!(code(&served.json(body).await), expected, "{shown}");
    }
    let invalid_utf8 = served.post("application/json", b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}").await.1;
    assert_eq!(code(&serde_json::from_str(&invalid_utf8).unwrap()), -32_700);
}

#[tokio::test]
async fn an_id_comes_back_as_it_was() {
    let served = Served::new().await;
    for id in [json!(0), json!(-7), json!("a\u{0}\"b"), json!(null), json!(1.5)] {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "getSlot" }).to_string();
        let answer = served.json(&request).await;
        assert_eq!(answer["id"], id);
        assert!(answer["result"].is_u64());
    }
}

#[tokio::test]
async fn batches_are_answered_in_order_and_have_a_limit() {
    let served = Served::new().await;
    let batch = format!(
        "[{SLOT},1,{{\"jsonrpc\":\"2.0\",\"method\":\"getSlot\"}},{{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"nope\"}}]"
    );
    let answers = served.json(&batch).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 3, "the notification gets none");
    assert!(answers[0]["result"].is_u64() && answers[0]["id"] == 1);
    assert_eq!((code(&answers[1]), &answers[1]["id"]), (-32_600, &Value::Null));
    assert_eq!((code(&answers[2]), &answers[2]["id"]), (-32_601, &json!("b")));
    let notifications = r#"[{"jsonrpc":"2.0","method":"getSlot"}]"#;
    assert_eq!(served.post("application/json", notifications.as_bytes()).await, (204, String::new()));
    let full = format!("[{}]", vec![SLOT; 100].join(","));
    assert_eq!(served.json(&full).await.as_array().unwrap().len(), 100);
    let over = format!("[{}]", vec![SLOT; 101].join(","));
    assert_eq!(code(&served.json(&over).await), -32_600);
    assert_eq!(code(&served.json(&format!("[[{SLOT}]]")).await[0]), -32_600, "no batch in a batch");
}

#[tokio::test]
async fn an_oversized_request_is_refused_before_it_is_parsed() {
    let served = Served::new().await;
    let padded = |length: usize| format!("{}{SLOT}", " ".repeat(length - SLOT.len()));
    assert_eq!(served.post("application/json", padded(50 << 10).as_bytes()).await.0, 200);
    let (status, body) = served.post("application/json", padded((50 << 10) + 1).as_bytes()).await;
    assert_eq!(status, 413);
    assert!(body.contains("51200 bytes"), "{body}");
    let lie = "POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n";
    assert_eq!(served.raw(lie.as_bytes()).await.0, 413, "by its own word, before a byte of it has come");
    let mut chunked = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".to_vec();
    for _ in 0..64 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b' '; 0x400]);
        chunked.extend_from_slice(b"\r\n");
    }
    assert_eq!(served.raw(&chunked).await.0, 413, "without a declared length too");
}

#[tokio::test]
async fn a_request_that_a_foreign_web_page_could_send_is_refused() {
    let served = Served::new().await;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
    {
        assert_eq!(served.post(content_type, SLOT.as_bytes()).await.0, 415, "{content_type:?}");
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(served.post(content_type, SLOT.as_bytes()).await.0, 200, "{content_type:?}");
    }
    let preflight = b"OPTIONS / HTTP/1.1\r\nhost: h\r\norigin: http://evil\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n";
    assert_eq!(served.raw(preflight).await.0, 405);
    assert_eq!(served.raw(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.0, 405);
    assert_eq!(
        served.raw(b"POST /admin HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await.0,
        404
    );
}

#[tokio::test]
async fn the_server_stops_when_told_although_a_request_never_ends() {
    let served = Served::new().await;
    let mut idle = TcpStream::connect(served.server.address()).await.unwrap();
    idle.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{")
        .await
        .unwrap();
    served.json(SLOT).await;
    served.stop.cancel();
    tokio::time::timeout(Duration::from_secs(60), served.server.join()).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn answers_stay_right_while_many_ask_and_one_writes() {
    let served = Served::new().await;
    let keys: Vec<_> = (0..8).map(|_| cairn_chain::Keypair::generate().address().to_string()).collect();
    let readers = (0..32).map(|_| served.json(SLOT));
    let writers = keys.iter().map(|key| served.ask("requestAirdrop", json!([key, 1_000_000])));
    let (slots, signatures) = tokio::join!(join_all(readers), join_all(writers));
    assert!(slots.iter().all(|answer| answer["result"].is_u64()));
    let statuses = served.ask("getSignatureStatuses", json!([signatures])).await["value"].clone();
    assert!(statuses.as_array().unwrap().iter().all(|status| status["err"].is_null() && status["slot"].is_u64()));
    for key in &keys {
        assert_eq!(served.ask("getBalance", json!([key])).await["value"], 1_000_000);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let served = Served::new().await;
    let mut idle = Vec::new();
    for _ in 0..256 {
        idle.push(TcpStream::connect(served.server.address()).await.unwrap());
    }
    let waiting = tokio::time::timeout(Duration::from_millis(500), served.json(SLOT)).await;
    assert!(waiting.is_err(), "256 places are taken");
    drop(idle);
    assert!(served.json(SLOT).await["result"].is_u64());
}

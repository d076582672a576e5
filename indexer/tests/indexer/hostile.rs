//! Clients that ask for what cannot be, flood, or say nothing.

use crate::support::{Bench, digest, get, indexed, record, request};
use std::time::Duration;

#[tokio::test]
async fn hostile_requests_get_an_error_that_names_the_field_and_the_fix() {
    let mut bench = Bench::new().await;
    let receipt = bench.receipt(1);
    bench.settle(vec![vec![record(&receipt)]]).await;
    let indexer = bench.start().await;
    indexed(&indexer, 2).await;
    let id = digest(&receipt).to_hex();
    let (upper, zeros, long) = (id.to_uppercase(), "00".repeat(32), "f".repeat(64));
    let huge = "a".repeat(20_000);
    let cases: Vec<(String, u16, &str)> = vec![
        ("/".into(), 404, "path"),
        ("/v1".into(), 404, "path"),
        ("/v1/status/".into(), 404, "path"),
        ("/v1/../../etc/passwd".into(), 404, "path"),
        ("/v1/batches/-1".into(), 400, "number"),
        ("/v1/batches/01".into(), 400, "number"),
        ("/v1/batches/+1".into(), 400, "number"),
        ("/v1/batches/1e3".into(), 400, "number"),
        ("/v1/batches/18446744073709551616".into(), 400, "number"),
        ("/v1/batches/18446744073709551615".into(), 404, "number"),
        ("/v1/batches/%ff".into(), 400, "number"),
        ("/v1/batches/2".into(), 404, "number"),
        (format!("/v1/batches/{huge}"), 400, "number"),
        ("/v1/receipts/..%2f..%2fetc%2fpasswd".into(), 400, "digest"),
        (format!("/v1/receipts/{upper}"), 400, "digest"),
        (format!("/v1/receipts/{id}00"), 400, "digest"),
        (format!("/v1/receipts/{long}"), 400, "digest"),
        (format!("/v1/receipts/{zeros}"), 404, "digest"),
        (format!("/v1/receipts/{zeros}/proof"), 404, "digest"),
        (format!("/v1/receipts/{id}?limit=0"), 400, "limit"),
        (format!("/v1/receipts/{id}?limit=101"), 400, "limit"),
        (format!("/v1/receipts/{id}?limit=-1"), 400, "query"),
        (format!("/v1/receipts/{id}?limt=5"), 400, "query"),
        (format!("/v1/receipts/{id}?page=00"), 400, "page"),
        (format!("/v1/receipts/{id}?page={}", "f".repeat(24)), 400, "page"),
        (format!("/v1/receipts/{id}/proof?batch=0"), 400, "batch, bundle, receipt"),
        (format!("/v1/receipts/{id}/proof?batch=0&bundle=512&receipt=0"), 400, "batch, bundle, receipt"),
        (format!("/v1/receipts/{id}/proof?batch=0&bundle=0&receipt=256"), 400, "batch, bundle, receipt"),
        (format!("/v1/receipts/{id}/proof?batch=x&bundle=0&receipt=0"), 400, "query"),
        ("/v1/content/md5:00".into(), 400, "digest"),
        ("/v1/content/sha1:00".into(), 400, "digest"),
        ("/v1/content/sha1%00:00".into(), 400, "digest"),
        (format!("/v1/content/blake3:{huge}"), 400, "digest"),
        ("/v1/nodes/-1".into(), 400, "node_index"),
        ("/v1/nodes/00".into(), 400, "node_index"),
        ("/v1/nodes/16777216".into(), 400, "node_index"),
        ("/v1/nodes/16777215".into(), 404, "node_index"),
        ("/v1/nodes/0?batch=x".into(), 400, "query"),
        ("/v1/nodes/0?batches=1".into(), 400, "query"),
        (format!("/v1/nodes/0?batch={}", 1_u64 << 62), 400, "batch"),
        ("/v1/nodes/0?batch=2".into(), 404, "number"),
        ("/v1/nodes/0/proof?batch=2".into(), 404, "number"),
        ("/v1/nodes/0/bundles?page=x".into(), 400, "page"),
        ("/v1/nodes?page=16777216".into(), 400, "page"),
        ("/v1/nodes?limit=101".into(), 400, "limit"),
        ("/v1/batches/2/entries".into(), 404, "number"),
        ("/v1/batches/1/bundles/1".into(), 404, "bundle"),
        ("/v1/batches/1/bundles/512".into(), 400, "bundle"),
        ("/v1/batches/x/bundles/0".into(), 400, "number"),
        ("/v1/batches/2/bundles/0".into(), 404, "number"),
        ("/v1/batches/%ff/bundles/0".into(), 400, "number, bundle"),
        ("/v1/keys/00".into(), 400, "key"),
        (format!("/v1/keys/{}", "f".repeat(80)), 400, "key"),
        (format!("/v1/keys/{huge}"), 400, "key"),
    ];
    for (path, status, field) in cases {
        let reply = get(&indexer, &path).await;
        let shown = &path[..path.len().min(80)];
        assert_eq!(reply.status, status, "{shown}");
        let body = reply.json();
        assert_eq!(
            body.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["error", "field", "fix", "message"],
            "{shown}"
        );
        assert_eq!(body["field"], field, "{shown}: {body}");
        assert!(!body["fix"].as_str().unwrap().is_empty() && !body["message"].as_str().unwrap().is_empty());
    }
    let post =
        request(&indexer, b"POST /v1/status HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    assert_eq!((post.status, post.json()["field"].as_str()), (405, Some("method")));
    let flood = format!("GET /v1/status HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n", "a".repeat(2 << 20));
    let mut stream = tokio::net::TcpStream::connect(indexer.http_address()).await.unwrap();
    // The server may close before it has all of it.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, flood.as_bytes()).await;
    drop(stream);
    assert_eq!(get(&indexer, "/v1/status").await.status, 200, "still serving");
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn silent_clients_do_not_keep_the_indexer_from_stopping() {
    let bench = Bench::new().await;
    let indexer = bench.start().await;
    let silent = tokio::net::TcpStream::connect(indexer.http_address()).await.unwrap();
    let half = {
        let mut stream = tokio::net::TcpStream::connect(indexer.http_address()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /v1/sta").await.unwrap();
        stream
    };
    assert_eq!(get(&indexer, "/v1/status").await.status, 200);
    tokio::time::timeout(Duration::from_secs(60), indexer.stop()).await.unwrap().unwrap();
    drop((silent, half));
}

//! Every answer, in JSON and over gRPC.

use crate::support::{Bench, NODE, digest, get, indexed, record};
use cairn_indexer::PAGE_SIZE;
use cairn_proto::v1;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_types::{Receipt, ReceiptProof};
use serde_json::{Value, json};
use std::sync::Arc;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn every_endpoint_answers_in_its_shape() {
    let mut bench = Bench::new().await;
    let receipts: Vec<_> = (1..=5).map(|seed| bench.receipt(seed)).collect();
    let batch = bench
        .settle(vec![receipts[..3].iter().map(record).collect(), receipts[3..].iter().map(record).collect()])
        .await;
    let indexer = bench.start().await;
    indexed(&indexer, 2).await;

    let status = get(&indexer, "/v1/status").await;
    assert_eq!(status.status, 200);
    assert!(status.head.contains("content-type: application/json"), "{}", status.head);
    let mut status = status.json();
    assert!(status["chain"]["slot"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    assert!(status["chain"]["genesis_hash"].as_str().unwrap().len() >= 32);
    assert!(status["confirmed"]["slot"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    (status["chain"], status["confirmed"]["slot"]) = (Value::Null, Value::Null);
    let header_digest = batch.header.statement().to_hex();
    assert_eq!(
        status,
        json!({
            "chain": null,
            "program": cairn_chain::DEV_PROGRAM_ID.to_string(),
            "rollup": bench.client.address().to_string(),
            "rollup_id": bench.rollup_id.to_hex(),
            "batches_on_chain": "2",
            "batches_settled": "0",
            "batches_indexed": "2",
            "current": true,
            "header_digest": header_digest,
            "bundles": "2",
            "receipts": "5",
            "leaf_mismatches": "0",
            "nodes": "3",
            "queue_position": "3",
            "state_root": batch.header.new_state_root.to_hex(),
            "confirmed": {
                "slot": null,
                "batches_on_chain": "2",
                "batches_indexed": "2",
                "header_digest": header_digest,
                "bundles": "2",
                "receipts": "5",
                "leaf_mismatches": "0",
                "nodes": "3",
                "queue_position": "3",
                "state_root": batch.header.new_state_root.to_hex(),
            },
            "batches_replaced": "0",
            "problem": null,
        })
    );

    let mut found = get(&indexer, "/v1/batches/1").await.json();
    let header = found["header"].take();
    assert_eq!(
        keys(&header),
        [
            "batch_root",
            "bundles",
            "bytes",
            "data_digest",
            "data_length",
            "new_state_root",
            "number",
            "old_state_root",
            "previous",
            "queue_from",
            "queue_to",
            "receipts",
            "rollup_id",
            "tiers",
            "time_max",
            "time_min",
            "verdicts"
        ]
    );
    assert_eq!(header["batch_root"], batch.header.batch_root.to_hex());
    assert_eq!(header["bytes"], batch.header.bytes.to_string());
    assert_eq!(header["verdicts"]["robots"], json!({ "allowed": 0, "refused": 0, "conditional": 0, "unknown": 5 }));
    let bundles = found["bundles"].take();
    let stored_slot = bench.client.batch(1).await.unwrap().unwrap().slot.to_string();
    assert_eq!(
        found,
        json!({
            "number": "1",
            "commitment": "finalized",
            "settled": false,
            "replaced": null,
            "header": null,
            "header_bytes": hex::encode(batch.header.to_bytes()),
            "header_digest": header_digest,
            "submitted_slot": stored_slot,
            "blob_path": format!("blobs/{}.zst", batch.header.data_digest),
            "leaf_mismatches": 0,
            "bundles": null,
        })
    );
    assert_eq!(
        bundles[1],
        json!({
            "bundle": 1,
            "bundle_digest": batch.statements[1].digest().to_hex(),
            "node_index": NODE,
            "sequence": "1",
            "receipts_root": batch.statements[1].receipts_root.to_hex(),
            "receipts": 2,
            "time_min": receipts[3].fetch_time,
            "time_max": receipts[4].fetch_time,
            "bytes": (receipts[3].content_length + receipts[4].content_length).to_string(),
        })
    );

    let id = digest(&receipts[4]).to_hex();
    let mut found = get(&indexer, &format!("/v1/receipts/{id}")).await.json();
    let fields = found["receipt"].take();
    assert_eq!(
        found,
        json!({
            "commitment": "finalized",
            "replaced": [],
            "receipt_digest": id,
            "receipt": null,
            "receipt_bytes": hex::encode(receipts[4].encode().unwrap()),
            "positions": [{ "batch": "1", "bundle": 1, "receipt": 1, "leaf_mismatch": false, "commitment": "finalized" }],
            "next_page": null,
        })
    );
    assert_eq!(fields["url"], "https://www.example.org/5");
    assert_eq!(fields["url_host_registered_domain"], "example.org");
    assert_eq!(fields["payload_sha1"], "03".repeat(20));
    assert_eq!(fields["content_digest"], "AMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYD");
    assert_eq!(fields["rights"]["verdicts"]["train_ai"], "unknown");

    let content =
        get(&indexer, &format!("/v1/content/blake3:{}", hex::encode(receipts[4].payload_blake3))).await.json();
    assert_eq!(
        content,
        json!({
            "content": format!("blake3:{}", hex::encode(receipts[4].payload_blake3)),
            "commitment": "finalized",
            "positions": [
                { "batch": "1", "bundle": 1, "receipt": 1, "receipt_digest": id, "commitment": "finalized" },
            ],
            "next_page": null,
        })
    );
    let nothing = get(&indexer, &format!("/v1/content/sha256:{}", "00".repeat(32))).await;
    assert_eq!((nothing.status, nothing.json()["positions"].as_array().unwrap().len()), (200, 0));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn every_served_proof_verifies_and_leads_to_the_header_on_chain() {
    let mut bench = Bench::new().await;
    let mut all = Vec::new();
    for round in 0..3_u64 {
        let receipts: Vec<_> = (0..7).map(|seed| bench.receipt(100 * round + seed)).collect();
        bench.settle(receipts.chunks(3).map(|chunk| chunk.iter().map(record).collect()).collect()).await;
        all.push(receipts);
    }
    let indexer = bench.start().await;
    indexed(&indexer, 4).await;
    for (number, receipts) in (1..).zip(&all) {
        let on_chain = bench.client.batch(number).await.unwrap().unwrap();
        for receipt in receipts {
            let id = digest(receipt);
            let reply = get(&indexer, &format!("/v1/receipts/{id}/proof")).await;
            assert_eq!(reply.status, 200);
            assert!(reply.head.contains("content-type: application/octet-stream"), "{}", reply.head);
            let disposition = format!("content-disposition: attachment; filename=\"{id}.cairnproof\"");
            assert!(reply.head.contains(&disposition), "{}", reply.head);
            assert!(reply.head.contains("cairn-commitment: finalized"), "{}", reply.head);
            let verified = ReceiptProof::decode(&reply.body).unwrap().verify().unwrap();
            assert_eq!((&verified.receipt, verified.header_digest), (receipt, on_chain.digest));
        }
    }
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_receipt_and_a_payload_in_many_places_come_in_pages() {
    let mut bench = Bench::new().await;
    let same = bench.receipt(1);
    let total = PAGE_SIZE + 21;
    let (first, second) = (PAGE_SIZE, total - PAGE_SIZE);
    bench.settle(vec![vec![record(&same); first]]).await;
    bench.settle(vec![vec![record(&same); second - 1], vec![record(&same)]]).await;
    let indexer = bench.start().await;
    indexed(&indexer, 3).await;
    let id = digest(&same);
    for path in [format!("/v1/receipts/{id}"), format!("/v1/content/sha1:{}", "03".repeat(20))] {
        for limit in [7, PAGE_SIZE] {
            let mut seen = Vec::new();
            let mut query = format!("?limit={limit}");
            loop {
                let page = get(&indexer, &format!("{path}{query}")).await.json();
                let positions = page["positions"].as_array().unwrap();
                assert!(positions.len() <= limit);
                seen.extend(positions.iter().map(|at| {
                    (
                        at["batch"].as_str().unwrap().parse::<u64>().unwrap(),
                        at["bundle"].as_u64(),
                        at["receipt"].as_u64(),
                    )
                }));
                let Some(next) = page["next_page"].as_str() else { break };
                query = format!("?limit={limit}&page={next}");
            }
            assert_eq!(seen.len(), total);
            assert!(seen.is_sorted() && seen.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
    // The earliest place is proved unless another is asked for.
    let earliest = ReceiptProof::decode(&get(&indexer, &format!("/v1/receipts/{id}/proof")).await.body).unwrap();
    assert_eq!((earliest.bundle_index, earliest.leaf_index), (0, 0));
    let path = format!("/v1/receipts/{id}/proof?batch=2&bundle=1&receipt=0");
    let other = ReceiptProof::decode(&get(&indexer, &path).await.body).unwrap();
    assert_eq!((other.bundle_index, other.verify().unwrap().header.number), (1, 2));
    let nowhere = get(&indexer, &format!("/v1/receipts/{id}/proof?batch=2&bundle=7&receipt=0")).await;
    assert_eq!((nowhere.status, nowhere.json()["error"].as_str()), (404, Some("not_found")));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_restarted_indexer_goes_on_where_it_was() {
    let mut bench = Bench::new().await;
    let first = bench.receipt(1);
    bench.settle(vec![vec![record(&first)]]).await;
    let indexer = bench.start().await;
    indexed(&indexer, 2).await;
    indexer.stop().await.unwrap();
    // The blob of what is indexed is needed no more.
    bench.objects = Arc::new(object_store::memory::InMemory::new());
    let second = bench.receipt(2);
    bench.settle(vec![vec![record(&second)]]).await;
    let indexer = bench.start().await;
    let status = indexed(&indexer, 3).await;
    assert_eq!((status.batches_indexed, status.receipts, status.bundles), (3, 2, 2));
    assert_eq!(status.header_digest, Some(bench.ledger.cursor.header_digest));
    for receipt in [&first, &second] {
        assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", digest(receipt))).await.status, 200);
    }
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn grpc_gives_the_same_answers() {
    let mut bench = Bench::new().await;
    let receipts: Vec<_> = (1..=3).map(|seed| bench.receipt(seed)).collect();
    let batch = bench.settle(vec![receipts.iter().map(record).collect()]).await;
    let indexer = bench.start().await;
    indexed(&indexer, 2).await;
    let mut client = IndexerClient::connect(format!("http://{}", indexer.grpc_address())).await.unwrap();

    let status = client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.rollup_id, bench.rollup_id.to_bytes());
    assert_eq!((status.batches_on_chain, status.batches_indexed, status.receipts), (2, 2, 3));
    assert_eq!(status.problem, None);

    let found = client.get_batch(v1::GetBatchRequest { number: 1, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(found.header, batch.header.to_bytes());
    assert_eq!(found.bundle_digests, [batch.statements[0].digest().to_bytes().to_vec()]);

    let id = digest(&receipts[1]);
    let receipt_digest = id.to_bytes().to_vec();
    let asked = v1::GetReceiptRequest { receipt_digest: receipt_digest.clone(), ..Default::default() };
    let found = client.get_receipt(asked).await.unwrap().into_inner();
    assert_eq!(Receipt::decode(&found.receipt).unwrap(), receipts[1]);
    let position = v1::Position { batch: 1, bundle: 0, receipt: 1 };
    assert_eq!(found.places, [v1::ReceiptPlace { position: Some(position), leaf_mismatch: false, commitment: 1 }]);

    let asked =
        v1::GetProofRequest { receipt_digest: receipt_digest.clone(), position: Some(position), ..Default::default() };
    let proof = client.get_proof(asked).await.unwrap().into_inner();
    let verified = ReceiptProof::decode(&proof.file).unwrap().verify().unwrap();
    assert_eq!((verified.receipt, verified.header_digest), (receipts[1].clone(), batch.header.statement()));

    let sha1 = Some(v1::find_content_request::Digest::Sha1(vec![3; 20]));
    let first = v1::FindContentRequest { digest: sha1.clone(), page_size: 2, ..Default::default() };
    let first = client.find_content(first).await.unwrap().into_inner();
    assert_eq!(first.places.len(), 2);
    let second =
        v1::FindContentRequest { digest: sha1, page_size: 2, page_token: first.next_page_token, ..Default::default() };
    let second = client.find_content(second).await.unwrap().into_inner();
    assert_eq!((second.places.len(), second.next_page_token.is_empty()), (1, true));

    let refusals = [
        client.get_batch(v1::GetBatchRequest { number: u64::MAX, ..Default::default() }).await.unwrap_err(),
        client
            .get_receipt(v1::GetReceiptRequest { receipt_digest: vec![0; 31], ..Default::default() })
            .await
            .unwrap_err(),
        client
            .get_proof(v1::GetProofRequest { receipt_digest: vec![0xff; 32], position: None, ..Default::default() })
            .await
            .unwrap_err(),
        client.find_content(v1::FindContentRequest::default()).await.unwrap_err(),
    ];
    for (refusal, field) in refusals.iter().zip(["number", "receipt_digest", "receipt_digest", "digest"]) {
        assert_eq!(refusal.code(), tonic::Code::InvalidArgument, "{refusal}");
        assert!(refusal.message().starts_with(&format!("{field}: ")), "{refusal}");
    }
    let unknown = client.get_batch(v1::GetBatchRequest { number: 2, ..Default::default() }).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
    let large = v1::GetReceiptRequest { receipt_digest: vec![0; 8_192], ..Default::default() };
    assert!(client.get_receipt(large).await.is_err());
    indexer.stop().await.unwrap();
}

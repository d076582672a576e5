//! What is confirmed is not what is final: on every route, in JSON and over gRPC.

use crate::support::staged::{Branch, Staged, own};
use crate::support::{Bench, NODE, Reply, get, receipt_key, until};
use cairn_indexer::{Blobs, Indexer};
use cairn_proto::v1;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_types::{AccountProof, ReceiptProof};
use serde_json::{Value, json};
use std::sync::Arc;

async fn start(bench: &Bench, chain: &Arc<Staged>) -> Indexer {
    bench.start_with(bench.config(), chain.clone(), Blobs::only(bench.objects.clone())).await
}

async fn at(indexer: &Indexer, path: &str, commitment: &str) -> Reply {
    let join = if path.contains('?') { '&' } else { '?' };
    get(indexer, &format!("{path}{join}commitment={commitment}")).await
}

/// Every route that answers about batch 1, which has the receipt of `seed` and node 1's first bundle.
fn routes(bench: &Bench, seed: u64) -> Vec<String> {
    let id = own(bench.rollup_id, seed);
    [
        "/v1/batches/1".into(),
        "/v1/batches/1/entries".into(),
        "/v1/batches/1/bundles/0".into(),
        "/v1/nodes/1?batch=1".into(),
        "/v1/nodes/1/proof?batch=1".into(),
        format!("/v1/receipts/{id}"),
        format!("/v1/receipts/{id}/proof"),
        format!("/v1/receipts/{id}/proof?batch=1&bundle=0&receipt=1"),
    ]
    .into()
}

#[tokio::test]
async fn every_route_answers_from_what_is_final_unless_it_is_asked_for_what_is_confirmed() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let zero = Branch::new(&bench).await;
    let mut one = zero.clone();
    one.grow(&bench, 10).await;
    chain.show(&zero.headers, &one.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.confirmed.batches_indexed == 2).await;

    let status = get(&indexer, "/v1/status").await.json();
    for (field, finalized, confirmed) in [
        ("batches_on_chain", "1", "2"),
        ("batches_indexed", "1", "2"),
        ("bundles", "0", "1"),
        ("receipts", "0", "2"),
        ("nodes", "3", "3"),
        ("queue_position", "3", "3"),
    ] {
        assert_eq!((&status[field], &status["confirmed"][field]), (&json!(finalized), &json!(confirmed)), "{field}");
    }
    let state_roots = [&zero, &one].map(|branch| json!(branch.ledger.cursor.state_root.to_hex()));
    assert_eq!([&status["state_root"], &status["confirmed"]["state_root"]], [&state_roots[0], &state_roots[1]]);
    assert_eq!(status["current"], true, "it has all that there is");

    // While batch 1 is confirmed only.
    for path in routes(&bench, 10) {
        for asked in ["finalized", ""] {
            let reply = if asked.is_empty() { get(&indexer, &path).await } else { at(&indexer, &path, asked).await };
            assert_eq!(reply.status, 404, "{path}: {}", String::from_utf8_lossy(&reply.body));
        }
        let reply = at(&indexer, &path, "confirmed").await;
        assert_eq!(reply.status, 200, "{path}");
        match path.contains("/proof") {
            true => {
                assert!(reply.head.contains("cairn-commitment: confirmed"), "{}", reply.head);
                assert!(reply.head.contains(".confirmed.cairn"), "{}", reply.head);
            }
            false => assert_eq!(reply.json()["commitment"], "confirmed", "{path}"),
        }
    }
    let why = get(&indexer, "/v1/batches/1").await.json();
    assert!(why["message"].as_str().unwrap().contains("commitment=confirmed"), "{why}");
    lists(&bench, &indexer, false).await;
    grpc(&bench, &indexer, false).await;

    // Then it is final.
    chain.show(&one.headers, &one.headers);
    until(&indexer, |status| status.batches_indexed == 2).await;
    for path in routes(&bench, 10) {
        for asked in ["finalized", "confirmed"] {
            let reply = at(&indexer, &path, asked).await;
            assert_eq!(reply.status, 200, "{path}");
            match path.contains("/proof") {
                true => assert!(reply.head.contains("cairn-commitment: finalized"), "{}", reply.head),
                false if path.contains("receipts") => assert_eq!(reply.json()["commitment"], asked),
                false => assert_eq!(reply.json()["commitment"], "finalized", "{path}"),
            }
        }
    }
    lists(&bench, &indexer, true).await;
    grpc(&bench, &indexer, true).await;
    indexer.stop().await.unwrap();
}

/// Lists and totals, which exist at both commitments and differ as long as batch 1 is not final.
async fn lists(bench: &Bench, indexer: &Indexer, is_final: bool) {
    let count = |value: &Value, field: &str| value[field].as_array().unwrap().len();
    let key = receipt_key(&bench.keys[1]);
    for commitment in ["finalized", "confirmed"] {
        let has = is_final || commitment == "confirmed";
        let nodes = at(indexer, "/v1/nodes", commitment).await.json();
        assert_eq!((&nodes["commitment"], count(&nodes, "nodes")), (&json!(commitment), 3));
        assert_eq!(nodes["nodes"][1]["receipts_total"], if has { "2" } else { "0" });
        assert_eq!(nodes["nodes"][1]["next_sequence"], if has { "1" } else { "0" });
        let node = at(indexer, "/v1/nodes/1", commitment).await.json();
        assert_eq!(node["batch"], if has { "1" } else { "0" });
        let proof = at(indexer, "/v1/nodes/1/proof", commitment).await;
        let shown = AccountProof::decode(&proof.body).unwrap().verify().unwrap();
        assert_eq!(shown.header.number, u64::from(has));
        let signed = at(indexer, "/v1/nodes/1/bundles", commitment).await.json();
        assert_eq!(count(&signed, "bundles"), usize::from(has));
        for content in [format!("sha256:{}", "02".repeat(32)), format!("sha1:{}", "03".repeat(20))] {
            let found = at(indexer, &format!("/v1/content/{content}"), commitment).await.json();
            assert_eq!(count(&found, "positions"), if has { 2 } else { 0 });
            // A page token from the one commitment shows no more at the other.
            let confirmed = at(indexer, &format!("/v1/content/{content}?limit=1"), "confirmed").await.json();
            let page = confirmed["next_page"].as_str().unwrap();
            let found = at(indexer, &format!("/v1/content/{content}?page={page}"), commitment).await.json();
            assert_eq!(count(&found, "positions"), usize::from(has));
        }
        let uses = at(indexer, &format!("/v1/keys/{key}"), commitment).await.json();
        assert_eq!((count(&uses, "uses"), &uses["uses"][0]["commitment"]), (1, &json!("finalized")));
        assert_eq!(count(&at(indexer, "/v1/replaced", commitment).await.json(), "batches"), 0);
    }
}

async fn grpc(bench: &Bench, indexer: &Indexer, is_final: bool) {
    let mut client = IndexerClient::connect(format!("http://{}", indexer.grpc_address())).await.unwrap();
    let status = client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    let confirmed = status.confirmed.unwrap();
    assert_eq!((status.batches_indexed, confirmed.batches_indexed), (1 + u64::from(is_final), 2));
    let digest = own(bench.rollup_id, 10).to_bytes().to_vec();
    let position = Some(v1::Position { batch: 1, bundle: 0, receipt: 1 });
    for asked in [v1::Commitment::Unspecified, v1::Commitment::Finalized, v1::Commitment::Confirmed] {
        let commitment = asked.into();
        let has = is_final || asked == v1::Commitment::Confirmed;
        let sure = if is_final { v1::Commitment::Finalized } else { v1::Commitment::Confirmed };
        let check = |name: &str, found: Result<Vec<v1::Commitment>, tonic::Status>| match found {
            Ok(found) => assert!(has && found.iter().all(|found| *found == sure), "{name}: {found:?}"),
            Err(status) => assert!(!has && status.code() == tonic::Code::NotFound, "{name}: {status}"),
        };
        let request = v1::GetBatchRequest { number: 1, commitment, ..Default::default() };
        check("batch", client.get_batch(request).await.map(|reply| vec![reply.get_ref().commitment()]));
        let request = v1::GetReceiptRequest { receipt_digest: digest.clone(), commitment, ..Default::default() };
        let found = client.get_receipt(request).await;
        check("receipt", found.map(|reply| reply.get_ref().places.iter().map(|at| at.commitment()).collect()));
        for position in [None, position] {
            let request = v1::GetProofRequest { receipt_digest: digest.clone(), position, commitment };
            let found = client.get_proof(request).await;
            if let Ok(reply) = &found {
                ReceiptProof::decode(&reply.get_ref().file).unwrap().verify().unwrap();
            }
            check("proof", found.map(|reply| vec![reply.get_ref().commitment()]));
        }
        let request = v1::GetAccountRequest { node_index: NODE, batch: Some(1), commitment };
        check("account", client.get_account(request).await.map(|reply| vec![reply.get_ref().commitment()]));
        check("account proof", client.get_account_proof(request).await.map(|reply| vec![reply.get_ref().commitment()]));
        let request = v1::ListEntriesRequest { batch: 1, commitment, ..Default::default() };
        check("entries", client.list_entries(request).await.map(|_| vec![sure]));
        let request = v1::GetSignedBundleRequest { batch: 1, commitment, ..Default::default() };
        check("bundle", client.get_signed_bundle(request).await.map(|reply| vec![reply.get_ref().commitment()]));

        let request = v1::ListAccountsRequest { commitment, ..Default::default() };
        let accounts = client.list_accounts(request).await.unwrap().into_inner().accounts;
        assert_eq!((accounts.len(), accounts[1].receipts_total), (3, if has { 2 } else { 0 }));
        let request = v1::ListSignedBundlesRequest { node_index: NODE, commitment, ..Default::default() };
        let bundles = client.list_signed_bundles(request).await.unwrap().into_inner().bundles;
        assert_eq!(bundles.len(), usize::from(has));
        let blake3 = Some(v1::find_content_request::Digest::Sha256(vec![2; 32]));
        let request = v1::FindContentRequest { digest: blake3, commitment, ..Default::default() };
        assert_eq!(client.find_content(request).await.unwrap().into_inner().places.len(), if has { 2 } else { 0 });
        let receipt_key = receipt_key(&bench.keys[1]).to_bytes().to_vec();
        let request = v1::FindKeyRequest { receipt_key, commitment, ..Default::default() };
        assert_eq!(client.find_key(request).await.unwrap().into_inner().uses.len(), 1);
        let request = v1::ListReplacedRequest { commitment, ..Default::default() };
        assert_eq!(client.list_replaced(request).await.unwrap().into_inner().batches, []);
    }
    let request = v1::GetBatchRequest { number: 0, commitment: 7, ..Default::default() };
    let refusal = client.get_batch(request).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::InvalidArgument);
    assert!(refusal.message().starts_with("commitment: "), "{refusal}");
}

#[tokio::test]
async fn an_unknown_commitment_is_refused_by_name_on_every_route() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.batches_indexed == 1).await;
    let more = [
        "/v1/nodes",
        "/v1/nodes/1",
        "/v1/nodes/1/proof",
        "/v1/nodes/1/bundles",
        "/v1/replaced",
        "/v1/keys/KEY",
        "/v1/content/sha1:HEX",
    ];
    let (key, hex) = (receipt_key(&bench.keys[1]).to_string(), "03".repeat(20));
    let more = more.map(|path| path.replace("KEY", &key).replace("HEX", &hex));
    for path in routes(&bench, 10).into_iter().chain(more) {
        for commitment in ["processed", "Finalized", "", "final%20", "1"] {
            let reply = at(&indexer, &path, commitment).await;
            assert_eq!(
                (reply.status, reply.json()["field"].as_str()),
                (400, Some("commitment")),
                "{path} {commitment}"
            );
        }
    }
    for path in ["/v1/replaced?page=00", "/v1/batches/0?replaced=00", "/v1/batches/0/bundles/0?replaced=XX"] {
        assert_eq!(get(&indexer, path).await.status, 400, "{path}");
    }
    let none = get(&indexer, &format!("/v1/batches/0?replaced={}", "00".repeat(32))).await;
    assert_eq!((none.status, none.json()["field"].as_str()), (404, Some("replaced")));
    indexer.stop().await.unwrap();
}

//! What is said about nodes: their accounts, keys and bundles, and that none of it has to be believed.

use crate::support::{Bench, NODE, NODES, get, indexed, receipt_key, record, signing_key};
use cairn_indexer::{Blobs, Indexer};
use cairn_proto::v1;
use cairn_proto::v1::indexer_client::IndexerClient;
use cairn_types::{AccountProof, Digest, QueueCursor, ReceiptKey, ReceiptSignature, tree};
use serde_json::{Value, json};

/// Batch 1: nodes 0 and 1 sign, node 0 rotates, node 3 comes. Batch 2: node 0 signs with its new key. Batch 3: node 2 goes.
async fn story() -> (Bench, Indexer) {
    let mut bench = Bench::new().await;
    let receipts = |bench: &Bench, node: u32, seeds: [u64; 2]| {
        let receipt = |seed| {
            let mut receipt = bench.receipt(seed);
            receipt.node_index = node;
            record(&receipt)
        };
        seeds.map(receipt).to_vec()
    };
    let old = vec![
        bench.bundle(0, 0, receipts(&bench, 0, [1, 2])),
        bench.bundle(NODE, 0, receipts(&bench, NODE, [3, 4])),
        bench.bundle(NODE, 1, receipts(&bench, NODE, [5, 6])),
    ];
    bench.rotate(0, signing_key(40)).await;
    bench.register(signing_key(41)).await;
    bench.settle_all(old).await;
    let new = bench.bundle(0, 0, receipts(&bench, 0, [7, 8]));
    bench.settle_all(vec![new]).await;
    bench.client.deactivate_node(&bench.authorities[2]).await.unwrap();
    bench.settle_all(Vec::new()).await;
    let indexer = bench.start().await;
    indexed(&indexer, 4).await;
    (bench, indexer)
}

fn digest(value: &Value) -> Digest {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_node_is_served_with_its_totals_after_any_batch() {
    let (bench, indexer) = story().await;
    let key = |seed| receipt_key(&signing_key(seed)).to_string();
    let header = bench.client.batch(3).await.unwrap().unwrap();
    let node = get(&indexer, "/v1/nodes/0").await.json();
    let account = bench.ledger.account(0).unwrap();
    assert_eq!(
        node,
        json!({
            "node_index": 0,
            "receipt_key": key(40),
            "state": "active",
            "next_sequence": "2",
            "receipts_total": "4",
            "bytes_total": account.bytes_total.to_string(),
            "batch": "3",
            "commitment": "finalized",
            "header_digest": header.digest.to_hex(),
            "state_root": header.header.new_state_root.to_hex(),
        })
    );
    let before = get(&indexer, "/v1/nodes/0?batch=0").await.json();
    assert_eq!((&before["receipt_key"], &before["next_sequence"]), (&json!(key(1)), &json!("0")));
    let between = get(&indexer, "/v1/nodes/0?batch=1").await.json();
    assert_eq!((&between["receipt_key"], &between["next_sequence"]), (&json!(key(40)), &json!("1")));
    let gone = get(&indexer, "/v1/nodes/2").await.json();
    assert_eq!((&gone["state"], &gone["receipt_key"]), (&json!("deactivated"), &json!("00".repeat(40))));
    let unknown = get(&indexer, "/v1/nodes/3?batch=0").await;
    assert_eq!((unknown.status, unknown.json()["field"].as_str()), (404, Some("node_index")));

    let mut seen = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = get(&indexer, &format!("/v1/nodes{query}")).await.json();
        seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["node_index"].as_u64().unwrap()));
        let Some(next) = page["next_page"].as_str() else { break };
        query = format!("?limit=3&page={next}");
    }
    assert_eq!(seen, (0..=u64::from(NODES)).collect::<Vec<_>>());
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn every_account_proof_leads_to_the_header_on_chain() {
    let (bench, indexer) = story().await;
    for number in 0..4 {
        let on_chain = bench.client.batch(number).await.unwrap().unwrap();
        for index in [0, 1, 2, 3, 4, 1 << 20] {
            let reply = get(&indexer, &format!("/v1/nodes/{index}/proof?batch={number}")).await;
            assert_eq!(reply.status, 200);
            let disposition = format!("content-disposition: attachment; filename=\"node-{index}.cairnaccount\"");
            assert!(reply.head.contains(&disposition), "{}", reply.head);
            let shown = AccountProof::decode(&reply.body).unwrap().verify().unwrap();
            assert_eq!((shown.node_index, shown.header_digest), (index, on_chain.digest));
            let registered = if number == 0 { NODES } else { NODES + 1 };
            assert_eq!(shown.account.is_some(), index < registered, "node {index} after batch {number}");
        }
    }
    let last = AccountProof::decode(&get(&indexer, "/v1/nodes/1/proof").await.body).unwrap().verify().unwrap();
    assert_eq!((last.header.number, last.account), (3, bench.ledger.account(1)));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn an_auditor_can_check_who_signed_each_bundle_from_what_is_served() {
    let (bench, indexer) = story().await;
    for (number, bundle) in [(1, 0), (1, 1), (1, 2), (2, 0)] {
        let served = get(&indexer, &format!("/v1/batches/{number}/bundles/{bundle}")).await.json();
        let on_chain = bench.client.batch(number).await.unwrap().unwrap();
        assert_eq!(digest(&served["header_digest"]), on_chain.digest);
        // The statement's words give the digest that was signed, and the path leads into the header.
        let words: Vec<u64> = served["statement_words"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().parse().unwrap())
            .collect();
        let signed = cairn_types::hash(cairn_types::Kind::Bundle, &words);
        assert_eq!(digest(&served["bundle_digest"]), signed);
        let siblings: Vec<_> = served["siblings"].as_array().unwrap().iter().map(digest).collect();
        assert_eq!(tree::fold(signed, bundle, &siblings), Some(on_chain.header.batch_root));
        // The key is that of the account in the state before, which a proof ties to the batch before.
        let key: ReceiptKey = served["receipt_key"].as_str().unwrap().parse().unwrap();
        let path = format!("/v1/nodes/{}/proof?batch={}", served["node_index"], number - 1);
        let before = AccountProof::decode(&get(&indexer, &path).await.body).unwrap().verify().unwrap();
        assert_eq!(before.header.new_state_root, on_chain.header.old_state_root);
        assert_eq!(before.account.unwrap().key, key);
        let signature = hex::decode(served["signature"].as_str().unwrap()).unwrap();
        key.verify(&signed, &ReceiptSignature::from_slice(&signature).unwrap()).unwrap();
        assert_eq!(served["records"].as_array().unwrap().len() as u64, served["receipts"].as_u64().unwrap());
    }
    let bundles = get(&indexer, "/v1/nodes/0/bundles?limit=1").await.json();
    assert_eq!(bundles["bundles"], json!([{ "sequence": "0", "batch": "1", "bundle": 0, "commitment": "finalized" }]));
    let rest =
        get(&indexer, &format!("/v1/nodes/0/bundles?page={}", bundles["next_page"].as_str().unwrap())).await.json();
    assert_eq!(rest["bundles"], json!([{ "sequence": "1", "batch": "2", "bundle": 0, "commitment": "finalized" }]));
    assert_eq!(rest["next_page"], Value::Null);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn the_entries_of_a_batch_chain_from_one_end_of_its_queue_to_the_other() {
    let (bench, indexer) = story().await;
    let queue = |value: &Value| QueueCursor {
        position: value["position"].as_str().unwrap().parse().unwrap(),
        digest: digest(&value["digest"]),
    };
    let mut kinds = Vec::new();
    for number in 0..4 {
        let on_chain = bench.client.batch(number).await.unwrap().unwrap().header;
        let served = get(&indexer, &format!("/v1/batches/{number}/entries")).await.json();
        assert_eq!(queue(&served["queue_from"]), on_chain.queue_from);
        let end = served["entries"].as_array().unwrap().iter().fold(on_chain.queue_from, |cursor, entry| {
            let kind = cairn_types::EntryKind::ALL.into_iter().find(|kind| kind.name() == entry["kind"]).unwrap();
            kinds.push(kind.name());
            let key = entry["receipt_key"].as_str().unwrap().parse().unwrap();
            let index = entry["node_index"].as_u64().unwrap() as u32;
            assert_eq!(entry["position"], (cursor.position + 1).to_string());
            cursor.push(&cairn_types::QueueEntry::new(kind, index, key).unwrap())
        });
        assert_eq!(end, on_chain.queue_to);
    }
    assert_eq!(kinds, ["register", "register", "register", "rotate", "register", "deactivate"]);
    let first = get(&indexer, "/v1/batches/0/entries?limit=2").await.json();
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["next_page"]), (2, &json!("3")));
    let rest = get(&indexer, "/v1/batches/0/entries?limit=2&page=3").await.json();
    assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["next_page"]), (1, &Value::Null));

    let uses = |seed| {
        let path = format!("/v1/keys/{}", receipt_key(&signing_key(seed)));
        let indexer = &indexer;
        async move { get(indexer, &path).await.json()["uses"].clone() }
    };
    let key = receipt_key(&signing_key(40)).to_string();
    let rotated = json!([{
        "position": "4", "kind": "rotate", "node_index": 0, "receipt_key": key, "batch": "1", "current": true,
        "commitment": "finalized",
    }]);
    assert_eq!(uses(40).await, rotated);
    assert_eq!(uses(1).await[0]["current"], false, "rotated away");
    assert_eq!(uses(3).await[0]["current"], false, "deactivated");
    assert_eq!(uses(99).await, json!([]));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn grpc_says_the_same_about_nodes() {
    let (bench, indexer) = story().await;
    let mut client = IndexerClient::connect(format!("http://{}", indexer.grpc_address())).await.unwrap();
    let status = client.get_status(v1::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.nodes, status.queue_position), (4, 6));
    assert_eq!(status.state_root, bench.ledger.cursor.state_root.to_bytes());

    let asked = |node_index, batch| v1::GetAccountRequest { node_index, batch, ..Default::default() };
    let account = client.get_account(asked(0, None)).await.unwrap().into_inner();
    let expected = bench.ledger.account(0).unwrap();
    assert_eq!(account.receipt_key, expected.key.to_bytes());
    assert_eq!((account.next_sequence, account.receipts_total, account.batch), (2, 4, 3));
    assert_eq!(account.bytes_total, expected.bytes_total);
    let old = client.get_account(asked(0, Some(0))).await.unwrap().into_inner();
    assert_eq!((old.receipt_key, old.batch), (receipt_key(&signing_key(1)).to_bytes().to_vec(), 0));

    let file = client.get_account_proof(asked(9, Some(2))).await.unwrap().into_inner().file;
    let shown = AccountProof::decode(&file).unwrap().verify().unwrap();
    assert_eq!((shown.account, shown.header.number), (None, 2));

    let page = client
        .list_accounts(v1::ListAccountsRequest { page_size: 3, page: None, ..Default::default() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.accounts.len(), page.next_page), (3, Some(3)));
    let rest = v1::ListAccountsRequest { page_size: 3, page: page.next_page, ..Default::default() };
    let rest = client.list_accounts(rest).await.unwrap().into_inner();
    assert_eq!((rest.accounts[0].node_index, rest.next_page), (3, None));

    let receipt_key = receipt_key(&signing_key(40)).to_bytes().to_vec();
    let found = v1::FindKeyRequest { receipt_key: receipt_key.clone(), ..Default::default() };
    let found = client.find_key(found).await.unwrap().into_inner();
    let entry = found.uses[0].entry.clone().unwrap();
    assert_eq!((entry.kind(), entry.node_index, entry.batch), (v1::QueueEntryKind::Rotate, 0, 1));
    assert!(found.uses[0].current);

    let entries = v1::ListEntriesRequest { batch: 1, ..Default::default() };
    assert_eq!(client.list_entries(entries).await.unwrap().into_inner().entries.len(), 2);
    let bundles = v1::ListSignedBundlesRequest { node_index: NODE, page_size: 1, page: None, ..Default::default() };
    let bundles = client.list_signed_bundles(bundles).await.unwrap().into_inner();
    assert_eq!((bundles.bundles[0].batch, bundles.bundles[0].bundle, bundles.next_page), (1, 1, Some(1)));

    let signed = v1::GetSignedBundleRequest { batch: 2, bundle: 0, ..Default::default() };
    let signed = client.get_signed_bundle(signed).await.unwrap().into_inner();
    assert_eq!(signed.receipt_key, receipt_key);
    let digest = Digest::from_slice(&signed.bundle_digest).unwrap();
    let key = ReceiptKey::from_slice(&signed.receipt_key).unwrap();
    key.verify(&digest, &ReceiptSignature::from_slice(&signed.signature).unwrap()).unwrap();
    assert_eq!((signed.statement.len(), signed.siblings.len(), signed.records.len()), (14, 9, 2));

    let refusals = [
        (client.get_account(asked(1 << 24, None)).await.unwrap_err(), "node_index"),
        (client.get_account(asked(0, Some(u64::MAX))).await.unwrap_err(), "batch"),
        (client.find_key(v1::FindKeyRequest::default()).await.unwrap_err(), "receipt_key"),
        (
            client
                .get_signed_bundle(v1::GetSignedBundleRequest { batch: 1, bundle: 512, ..Default::default() })
                .await
                .unwrap_err(),
            "bundle",
        ),
        (
            client
                .list_accounts(v1::ListAccountsRequest { page_size: 101, page: None, ..Default::default() })
                .await
                .unwrap_err(),
            "page_size",
        ),
    ];
    for (refusal, field) in refusals {
        assert_eq!(refusal.code(), tonic::Code::InvalidArgument, "{refusal}");
        assert!(refusal.message().starts_with(&format!("{field}: ")), "{refusal}");
    }
    assert_eq!(client.get_account(asked(4, None)).await.unwrap_err().code(), tonic::Code::NotFound);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn before_the_first_batch_there_are_no_nodes_and_no_state() {
    let bench = Bench::new().await;
    // The data of batch 0 is not there.
    let empty = std::sync::Arc::new(object_store::memory::InMemory::new());
    let indexer = bench.start_with(bench.config(), bench.chain.clone(), Blobs::only(empty)).await;
    crate::support::problem(&indexer).await;
    let status = get(&indexer, "/v1/status").await.json();
    assert_eq!(digest(&status["state_root"]), cairn_types::EMPTY_STATE_ROOT);
    assert_eq!(
        get(&indexer, "/v1/nodes").await.json(),
        json!({ "commitment": "finalized", "nodes": [], "next_page": null })
    );
    for path in ["/v1/nodes/0", "/v1/nodes/0/proof"] {
        let reply = get(&indexer, path).await;
        assert_eq!((reply.status, reply.json()["field"].as_str()), (404, Some("batch")), "{path}");
    }
    indexer.stop().await.unwrap();
}

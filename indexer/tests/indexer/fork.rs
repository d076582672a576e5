//! Confirmed batches that a fork replaces, and what was final and is abandoned: kept, marked, served.

use crate::support::staged::{Branch, Staged, own};
use crate::support::{Bench, get, until};
use cairn_indexer::{Blobs, Indexer, ProblemKind};
use cairn_proto::v1;
use cairn_proto::v1::indexer_client::IndexerClient;
use std::sync::Arc;

async fn start(bench: &Bench, chain: &Arc<Staged>) -> Indexer {
    bench.start_with(bench.config(), chain.clone(), Blobs::only(bench.objects.clone())).await
}

#[tokio::test]
async fn a_confirmed_batch_that_a_fork_replaces_is_kept_and_only_who_asks_for_confirmed_hears_of_it() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut shared = Branch::new(&bench).await;
    shared.grow(&bench, 10).await;
    let (mut lost, mut won) = (shared.clone(), shared.clone());
    lost.grow(&bench, 20).await;
    lost.grow(&bench, 21).await;
    won.grow(&bench, 30).await;
    chain.show(&shared.headers, &lost.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.confirmed.batches_indexed == 4).await;
    chain.show(&shared.headers, &won.headers);
    let won_digest = Some(won.ledger.cursor.header_digest);
    let status = until(&indexer, |status| status.confirmed.header_digest == won_digest).await;
    assert_eq!((status.batches_indexed, status.confirmed.batches_indexed, status.batches_replaced), (2, 3, 2));

    let list = get(&indexer, "/v1/replaced?commitment=confirmed").await.json();
    let batches = list["batches"].as_array().unwrap();
    assert_eq!(batches.len(), 2);
    for (found, header) in batches.iter().zip(&lost.headers[2..]) {
        assert_eq!(found["header_digest"], header.statement().to_hex());
        assert_eq!((&found["replaced"]["reason"], &found["replaced"]["was_final"]), (&"fork".into(), &false.into()));
        assert!(found["replaced"]["at"].as_u64().unwrap() > 1_700_000_000_000);
    }
    assert_eq!(batches[0]["replaced"]["by"], won.headers[2].statement().to_hex());
    assert_eq!(batches[1]["replaced"]["by"], serde_json::Value::Null);
    let page = get(&indexer, "/v1/replaced?commitment=confirmed&limit=1").await.json();
    let page = format!("/v1/replaced?commitment=confirmed&page={}", page["next_page"].as_str().unwrap());
    assert_eq!(get(&indexer, &page).await.json()["batches"].as_array().unwrap()[..], batches[1..]);

    // A receipt that only a replaced batch has, and one that stands elsewhere too.
    let path = format!("/v1/receipts/{}", own(bench.rollup_id, 20));
    let found = get(&indexer, &format!("{path}?commitment=confirmed")).await.json();
    assert_eq!((found["positions"].as_array().unwrap().len(), &found["replaced"][0]["reason"]), (0, &"fork".into()));
    assert_eq!(get(&indexer, &path).await.status, 404);
    assert_eq!(get(&indexer, &format!("{path}/proof?commitment=confirmed")).await.status, 404);
    let path = format!("/v1/receipts/{}", own(bench.rollup_id, 1));
    let found = get(&indexer, &format!("{path}?commitment=confirmed")).await.json();
    let counts = ["positions", "replaced"].map(|field| found[field].as_array().unwrap().len());
    assert_eq!(counts, [2, 2]);
    let found = get(&indexer, &path).await.json();
    let counts = ["positions", "replaced"].map(|field| found[field].as_array().unwrap().len());
    assert_eq!(counts, [1, 0]);
    let gone = format!("replaced={}", lost.headers[2].statement());
    for path in ["/v1/batches/2", "/v1/batches/2/bundles/0"] {
        assert_eq!(get(&indexer, &format!("{path}?{gone}")).await.status, 404, "it was never final");
        let found = get(&indexer, &format!("{path}?{gone}&commitment=confirmed")).await.json();
        assert_eq!((&found["commitment"], &found["replaced"]["reason"]), (&"confirmed".into(), &"fork".into()));
        let stands = get(&indexer, &format!("{path}?commitment=confirmed")).await.json();
        assert_eq!(stands["replaced"], serde_json::Value::Null);
    }
    let mut client = IndexerClient::connect(format!("http://{}", indexer.grpc_address())).await.unwrap();
    let commitment = v1::Commitment::Confirmed.into();
    let request = v1::ListReplacedRequest { commitment, ..Default::default() };
    let listed = client.list_replaced(request).await.unwrap().into_inner().batches;
    assert_eq!(listed[0].replaced.as_ref().unwrap().reason(), v1::replaced::Reason::Fork);
    let replaced = lost.headers[2].statement().to_bytes().to_vec();
    assert_eq!(listed[0].header_digest, replaced);
    let request = v1::GetBatchRequest { number: 2, commitment, replaced: replaced.clone() };
    assert!(client.get_batch(request).await.unwrap().into_inner().replaced.is_some());
    let request = v1::GetSignedBundleRequest { batch: 2, commitment, replaced, bundle: 0 };
    assert!(client.get_signed_bundle(request).await.unwrap().into_inner().replaced.is_some());

    // The fork that lost wins after all: its batches stand again, across a restart.
    indexer.stop().await.unwrap();
    chain.show(&lost.headers, &lost.headers);
    let indexer = start(&bench, &chain).await;
    let status = until(&indexer, |status| status.batches_indexed == 4).await;
    assert_eq!((status.header_digest, status.batches_replaced), (Some(lost.ledger.cursor.header_digest), 1));
    assert_eq!(get(&indexer, &format!("/v1/receipts/{}/proof", own(bench.rollup_id, 20))).await.status, 200);
    assert_eq!(get(&indexer, "/v1/replaced").await.json()["batches"].as_array().unwrap().len(), 0);
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_final_goes_only_when_its_replacement_is_final_and_what_is_settled_never() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let mut first = Branch::new(&bench).await;
    for seed in 10..13 {
        first.grow(&bench, seed).await;
    }
    chain.show(&first.headers, &first.headers);
    chain.change(|finalized, confirmed| (finalized.settled, confirmed.settled) = (2, 2));
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.batches_indexed == 4 && status.batches_settled == 2).await;

    // Abandoned and replaced from batch 2 on, so far only confirmed.
    let mut second = first.cut(2);
    second.grow(&bench, 40).await;
    chain.change(|_, confirmed| (confirmed.headers, confirmed.generation) = (second.headers.clone(), 1));
    let seen = until(&indexer, |status| status.confirmed.batches_on_chain == 3).await;
    assert_eq!((seen.batches_indexed, seen.batches_replaced), (4, 0));
    let status = until(&indexer, |status| status.confirmed.batches_indexed == 4).await;
    assert_eq!(status.problem, None, "what is final is all there is until its replacement is");
    assert_eq!(get(&indexer, "/v1/batches/3").await.status, 200);
    // The final state goes back without anything in the place: it is waited for.
    chain.change(|finalized, _| (finalized.headers, finalized.generation) = (first.headers[..2].to_vec(), 1));
    let status = until(&indexer, |status| status.problem.is_some()).await;
    assert_eq!(status.problem.unwrap().kind, ProblemKind::Diverged);
    assert_eq!(get(&indexer, "/v1/batches/3").await.status, 200, "nothing is lost");
    // Then the replacement is final.
    chain.change(|finalized, _| finalized.headers = second.headers.clone());
    let digest = Some(second.ledger.cursor.header_digest);
    let status = until(&indexer, |status| status.header_digest == digest && status.problem.is_none()).await;
    assert_eq!((status.batches_indexed, status.batches_replaced), (3, 2));
    let list = get(&indexer, "/v1/replaced").await.json();
    for (found, header) in list["batches"].as_array().unwrap().iter().zip(&first.headers[2..]) {
        assert_eq!(found["header_digest"], header.statement().to_hex());
        let replaced = &found["replaced"];
        assert_eq!((&replaced["reason"], &replaced["was_final"]), (&"abandoned".into(), &true.into()));
    }
    assert_eq!(
        get(&indexer, &format!("/v1/receipts/{}", own(bench.rollup_id, 12))).await.json()["replaced"][0]["batch"],
        "3"
    );

    // A history that parts below what is settled is no history of this rollup.
    let mut third = first.cut(1);
    third.grow(&bench, 50).await;
    third.grow(&bench, 51).await;
    chain.change(|finalized, confirmed| {
        (finalized.headers, finalized.settled) = (third.headers.clone(), 0);
        (confirmed.headers, confirmed.settled) = (third.headers.clone(), 0);
    });
    let status = until(&indexer, |status| status.problem.is_some()).await;
    let problem = status.problem.unwrap();
    assert_eq!(problem.kind, ProblemKind::Diverged);
    assert!(problem.reason.contains("first 2 batches are settled"), "{}", problem.reason);
    assert_eq!((status.batches_indexed, status.header_digest), (3, digest));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn confirmed_batches_abandoned_before_they_are_final_say_so() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let zero = Branch::new(&bench).await;
    let (mut first, mut second) = (zero.clone(), zero.clone());
    first.grow(&bench, 10).await;
    second.grow(&bench, 20).await;
    chain.show(&zero.headers, &first.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.confirmed.batches_indexed == 2).await;
    chain.change(|_, confirmed| (confirmed.headers, confirmed.generation) = (second.headers.clone(), 1));
    until(&indexer, |status| status.batches_replaced == 1).await;
    let list = get(&indexer, "/v1/replaced?commitment=confirmed").await.json();
    let replaced = &list["batches"][0]["replaced"];
    assert_eq!((&replaced["reason"], &replaced["was_final"]), (&"abandoned".into(), &false.into()));
    indexer.stop().await.unwrap();
}

#[tokio::test]
async fn a_confirmed_tip_that_goes_back_shows_less_and_loses_nothing() {
    let bench = Bench::new().await;
    let chain = Staged::new(&bench).await;
    let zero = Branch::new(&bench).await;
    let mut three = zero.clone();
    for seed in 10..13 {
        three.grow(&bench, seed).await;
    }
    chain.show(&zero.headers, &three.headers);
    let indexer = start(&bench, &chain).await;
    until(&indexer, |status| status.confirmed.batches_indexed == 4).await;
    chain.show(&zero.headers, &three.headers[..2]);
    let status = until(&indexer, |status| status.confirmed.batches_indexed == 2).await;
    assert_eq!((status.batches_replaced, status.problem), (0, None));
    assert_eq!(get(&indexer, "/v1/batches/3?commitment=confirmed").await.status, 404);
    // It comes again, and needs no data to be fetched.
    chain.show(&three.headers, &three.headers);
    let status = until(&indexer, |status| status.batches_indexed == 4).await;
    assert_eq!(status.batches_replaced, 0);
    indexer.stop().await.unwrap();
}

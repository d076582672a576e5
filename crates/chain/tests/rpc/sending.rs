//! A transaction and several servers: all get it, and the first that takes it decides.

use crate::fake::{Fake, error, http, options, result, taken, tip};
use cairn_chain::{
    Address, Blockhash, Chain as _, ChainError, Commitment, ErrorClass, Keypair, RpcChain, RpcOptions,
    SignedTransaction, TransactionBuilder,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn transaction() -> SignedTransaction {
    let payer = Keypair::generate();
    let blockhash = Blockhash { hash: [1; 32], last_valid_block_height: 250 };
    TransactionBuilder::new().transfer(&payer.address(), &payer.address(), 1).sign(&payer, &[], &blockhash).unwrap()
}

fn preflight(request: &Value, err: Value) -> crate::fake::Reply {
    error(request, json!({ "code": -32002, "message": "Transaction simulation failed", "data": { "err": err } }))
}

async fn taking() -> Fake {
    Fake::new(|_, request| taken(request)).await
}

#[tokio::test]
async fn every_server_that_is_well_gets_the_bytes_and_none_is_waited_for() {
    let hanging = Fake::new(|_, _| None).await;
    let (failing, refusing) = (
        Fake::always("500 Down", "").await,
        Fake::new(|_, request| preflight(request, json!("AccountNotFound"))).await,
    );
    let [first, second] = [taking().await, taking().await];
    let servers = [&hanging, &failing, &refusing, &first, &second];
    let chain = RpcChain::with_options(&RpcOptions { budget: Duration::from_secs(60), ..options(servers) }).unwrap();
    let sent = transaction();
    let name = sent.signature;
    assert_eq!(chain.send(&sent).await.unwrap(), name);
    let started = Instant::now();
    while servers.iter().any(|server| server.asked() == 0) {
        assert!(started.elapsed() < Duration::from_secs(60), "the others get them although one took them");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for server in servers {
        assert_eq!(server.questions()[0]["params"][0], data_encoding::BASE64.encode(&sent.bytes));
    }
}

#[tokio::test]
async fn preflight_is_for_bytes_that_no_server_has_taken() {
    let server = Fake::new(|number, request| match number {
        0 => preflight(request, json!({ "InstructionError": [0, { "Custom": 6004 }] })),
        _ => taken(request),
    })
    .await;
    let chain = RpcChain::with_options(&options([&server])).unwrap();
    let sent = transaction();
    assert!(matches!(chain.send(&sent).await, Err(ChainError::Refused(failure)) if failure.is("NotSequencer")));
    for _ in 0..3 {
        chain.send(&sent).await.unwrap();
    }
    chain.send(&transaction()).await.unwrap();
    let skipped: Vec<_> = server.questions().iter().map(|it| it["params"][1]["skipPreflight"] == true).collect();
    assert_eq!(skipped, [false, false, true, true, false]);
}

#[tokio::test]
async fn a_server_that_is_behind_does_not_judge_what_was_made_for_a_newer_state() {
    let behind = Fake::new(|number, request| match request["method"].as_str().unwrap() {
        "getEpochInfo" => tip(request, 100),
        _ if number == 1 => error(request, json!({ "code": -32016, "message": "no", "data": { "contextSlot": 90 } })),
        _ => taken(request),
    })
    .await;
    let chain = RpcChain::with_options(&RpcOptions { budget: Duration::from_secs(60), ..options([&behind]) }).unwrap();
    chain.tip(Commitment::Confirmed).await.unwrap();
    let sent = transaction();
    chain.send(&sent).await.unwrap();
    chain.send(&sent).await.unwrap();
    let asked: Vec<_> = behind.questions()[1..].iter().map(|it| it["params"][1]["minContextSlot"].as_u64()).collect();
    assert_eq!(asked, [Some(100), Some(100), None], "sent again it is only passed on");
}

#[tokio::test]
async fn what_fails_is_sent_again_within_the_budget() {
    let server = Fake::new(|number, request| match number {
        0 => http("503 Busy", ""),
        1 => error(request, json!({ "code": -32005, "message": "behind" })),
        _ => taken(request),
    })
    .await;
    let chain = RpcChain::with_options(&RpcOptions { budget: Duration::from_secs(60), ..options([&server]) }).unwrap();
    chain.send(&transaction()).await.unwrap();
    assert_eq!(server.asked(), 3);
    let down = [Fake::always("500 Down", "").await, Fake::always("502 Down", "").await];
    let refused = RpcChain::with_options(&options(&down)).unwrap().send(&transaction()).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Transient);
    let text = refused.to_string();
    assert!(down.iter().all(|server| text.contains(server.place())), "{text}");
}

#[tokio::test]
async fn a_refusal_with_a_reason_outweighs_a_server_that_does_not_know_the_blockhash() {
    let behind = Fake::new(|_, request| match request["method"].as_str().unwrap() {
        "sendTransaction" => preflight(request, json!("BlockhashNotFound")),
        _ => tip(request, 100),
    })
    .await;
    let sure = Fake::new(|_, request| preflight(request, json!({ "InstructionError": [1, { "Custom": 6004 }] }))).await;
    let refused = RpcChain::with_options(&options([&behind, &sure])).unwrap().send(&transaction()).await.unwrap_err();
    assert!(matches!(refused, ChainError::Refused(failure) if failure.is("NotSequencer")));
    let done = Fake::new(|_, request| preflight(request, json!("AlreadyProcessed"))).await;
    RpcChain::with_options(&options([&behind, &sure, &done])).unwrap().send(&transaction()).await.unwrap();
    let refused = RpcChain::with_options(&options([&behind])).unwrap().send(&transaction()).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Transient);
    assert!(refused.to_string().contains("send it again"), "{refused}");
}

#[tokio::test]
async fn a_server_of_another_chain_never_gets_a_transaction() {
    let (other, ours) = (taking().await, taking().await);
    other.becomes([2; 32]);
    let pinned = RpcOptions { genesis: Some([1; 32]), ..options([&other, &ours]) };
    let chain = RpcChain::with_options(&pinned).unwrap();
    for _ in 0..3 {
        chain.send(&transaction()).await.unwrap();
    }
    assert_eq!((other.asked(), ours.asked()), (0, 3));
}

#[tokio::test]
async fn fees_paid_of_late_are_read_as_they_are_and_within_limits() {
    let server = Fake::new(|number, request| match number {
        0 => result(request, json!([{ "slot": 7, "prioritizationFee": 5 }, { "slot": 8, "prioritizationFee": 0 }])),
        1 => result(request, json!([])),
        _ => result(request, json!(vec![json!({ "slot": 7, "prioritizationFee": 5 }); 1_001])),
    })
    .await;
    let chain = RpcChain::with_options(&options([&server])).unwrap();
    let address = Address([3; 32]);
    assert_eq!(chain.recent_fees(&[address]).await.unwrap(), [5, 0]);
    assert_eq!(server.questions()[0]["params"], json!([[address.to_string()]]));
    assert_eq!(chain.recent_fees(&[]).await.unwrap(), [0_u64; 0]);
    assert_eq!(chain.recent_fees(&[]).await.unwrap_err().class(), ErrorClass::Transient);
    let refused = chain.recent_fees(&[address; 129]).await.unwrap_err();
    assert!(refused.class() == ErrorClass::Rejection && refused.to_string().contains("128"), "{refused}");
}

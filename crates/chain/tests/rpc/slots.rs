//! Reads that never go back in time, and servers whose time stands still.

use crate::fake::{Fake, error, http, options, result, tip};
use crate::server::Served;
use cairn_chain::{Address, Chain as _, Commitment, ErrorClass, RpcChain, RpcOptions, ServerState, Signature};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_lagging_server_never_takes_a_read_back_in_time() {
    let down = Arc::new(AtomicBool::new(false));
    let switch = down.clone();
    let ahead = Fake::new(move |_, request| match switch.load(Ordering::SeqCst) {
        true => http("500 Down", ""),
        false => tip(request, 100),
    })
    .await;
    // It ignores what it is asked for, says so, and has it at last.
    let behind = Fake::new(|number, request| match number {
        0 => tip(request, 98),
        1 => error(request, json!({ "code": -32016, "message": "not yet", "data": { "contextSlot": 99 } })),
        _ => tip(request, 101),
    })
    .await;
    let chain =
        RpcChain::with_options(&RpcOptions { budget: Duration::from_secs(60), ..options([&ahead, &behind]) }).unwrap();
    assert_eq!(chain.tip(Commitment::Finalized).await.unwrap().slot, 100);
    down.store(true, Ordering::SeqCst);
    assert_eq!(chain.tip(Commitment::Finalized).await.unwrap().slot, 101);
    let asked = behind.questions();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|question| question["params"][0]["minContextSlot"] == 100), "{asked:?}");
}

#[tokio::test]
async fn a_cluster_restored_from_an_older_state_is_waited_for() {
    let slots = [500, 40, 41, 42, 43];
    let server = Fake::at_slot(move |number| slots.get(number).copied().unwrap_or(501)).await;
    let chain = RpcChain::with_options(&options([&server])).unwrap();
    assert_eq!(chain.tip(Commitment::Finalized).await.unwrap().slot, 500);
    let refused = chain.tip(Commitment::Finalized).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Transient);
    let text = refused.to_string();
    assert!(text.contains("slot 500") && text.contains("restarted from an older state"), "{text}");
    let started = Instant::now();
    while !chain.tip(Commitment::Finalized).await.is_ok_and(|tip| tip.slot == 501) {
        assert!(started.elapsed() < Duration::from_secs(120));
    }
}

#[tokio::test]
async fn a_final_status_is_followed_by_accounts_that_have_its_effect() {
    let status =
        |slot: u64, name: &str| json!({ "slot": slot, "confirmations": null, "err": null, "confirmationStatus": name });
    let server = Fake::new(move |_, request| match request["method"].as_str().unwrap() {
        "getSignatureStatuses" => {
            let value = json!([status(70, "finalized"), null, status(90, "confirmed")]);
            result(request, json!({ "context": { "slot": 100 }, "value": value }))
        }
        _ => result(request, json!({ "context": { "slot": 95 }, "value": [null] })),
    })
    .await;
    let chain = RpcChain::with_options(&options([&server])).unwrap();
    let signatures = [Signature([1; 64]), Signature([2; 64]), Signature([3; 64])];
    let statuses = chain.statuses(&signatures).await.unwrap();
    let shown: Vec<_> = statuses.iter().map(|status| status.as_ref().map(|it| (it.slot, it.commitment))).collect();
    assert_eq!(shown, [Some((70, Commitment::Finalized)), None, Some((90, Commitment::Confirmed))]);
    assert!(statuses.iter().flatten().all(|status| status.fee.is_none() && status.logs.is_empty()));
    for (commitment, floor) in [(Commitment::Finalized, 70), (Commitment::Confirmed, 95)] {
        chain.accounts(&[Address([1; 32])], commitment).await.unwrap();
        assert_eq!(server.questions().last().unwrap()["params"][1]["minContextSlot"], floor);
        // What was read at 95 as finalized is confirmed as well.
    }
    assert_eq!(server.asked(), 3, "one request for all statuses, and none for their details");
    let many = vec![Signature([1; 64]); 257];
    assert_eq!(chain.statuses(&many).await.unwrap_err().class(), ErrorClass::Rejection);
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn a_server_whose_slot_stands_still_is_passed_over() {
    let (still, moving) = (Fake::at_slot(|_| 10).await, Fake::at_slot(|number| 20 + number as u64).await);
    let options = RpcOptions { stall: Some(Duration::from_millis(50)), ..options([&still, &moving]) };
    let chain = RpcChain::with_options(&options).unwrap();
    let started = Instant::now();
    while chain.tip(Commitment::Finalized).await.unwrap().slot < 20 {
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = &chain.servers()[0];
    assert_eq!((status.state, status.slot), (ServerState::Resting, Some(10)));
    assert!(status.reason.as_ref().unwrap().contains("slot 10 has not moved"), "{status:?}");
}

#[tokio::test]
async fn when_no_slot_moves_anywhere_the_cluster_seems_halted() {
    let servers = [Fake::at_slot(|_| 10).await, Fake::at_slot(|_| 10).await];
    let stalled = RpcOptions { stall: Some(Duration::from_millis(50)), ..options(&servers) };
    let chain = RpcChain::with_options(&stalled).unwrap();
    chain.tip(Commitment::Finalized).await.unwrap();
    let started = Instant::now();
    let text = loop {
        if let Err(error) = chain.tip(Commitment::Finalized).await {
            assert_eq!(error.class(), ErrorClass::Transient);
            break error.to_string();
        }
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(text.contains("the cluster seems halted") && text.contains(servers[1].place()), "{text}");
}

#[tokio::test]
async fn an_impossible_slot_is_not_believed() {
    let liar = Fake::at_slot(|number| if number == 0 { u64::MAX } else { 7 }).await;
    let chain = RpcChain::with_options(&options([&liar])).unwrap();
    assert_eq!(chain.tip(Commitment::Finalized).await.unwrap().slot, 7);
}

#[tokio::test]
async fn the_embedded_server_refuses_what_it_has_not_reached() {
    let served = Served::new().await;
    let slot = served.ask("getSlot", json!([])).await.as_u64().unwrap();
    let key = Address([1; 32]).to_string();
    let ahead = json!({ "minContextSlot": slot + 1_000, "encoding": "base64", "withContext": true });
    for (method, params) in [
        ("getEpochInfo", json!([ahead])),
        ("getLatestBlockhash", json!([ahead])),
        ("getMultipleAccounts", json!([[key], ahead])),
        ("getProgramAccounts", json!([key, ahead])),
        ("getAccountInfo", json!([key, ahead])),
        ("getBalance", json!([key, ahead])),
    ] {
        let refusal = served.refused(method, params.clone()).await;
        assert_eq!(refusal["code"], -32_016, "{method}");
        assert_eq!(refusal["data"]["contextSlot"], slot, "{method}");
    }
    served.pass(1_001);
    served.ask("getMultipleAccounts", json!([[key], ahead])).await;
}

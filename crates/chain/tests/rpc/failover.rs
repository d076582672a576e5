//! Several servers: who answers when one is dead, busy, lost, or another chain's.

use crate::fake::{Fake, dead, error, http, options, result, tip};
use cairn_chain::{Chain as _, ChainError, Commitment, ErrorClass, RpcChain, RpcOptions, ServerState};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const RENT: u64 = 890_880;

async fn good() -> Fake {
    Fake::new(|_, request| result(request, json!(RENT))).await
}

fn failed<T: std::fmt::Debug>(outcome: Result<T, ChainError>) -> (ErrorClass, String) {
    let error = outcome.unwrap_err();
    (error.class(), error.to_string())
}

#[tokio::test]
async fn dead_failing_hanging_and_odd_servers_are_passed_over_within_one_call() {
    let (failing, odd, hanging) = (
        Fake::always("500 Internal Server Error", "").await,
        Fake::always("200 OK", "<html>sign in to the hotel's network</html>").await,
        Fake::new(|_, _| None).await,
    );
    let unhealthy = Fake::new(|_, request| error(request, json!({ "code": -32005, "message": "behind" }))).await;
    let good = good().await;
    let mut options = options([&failing, &odd, &hanging, &unhealthy, &good]);
    options.urls.insert(0, dead().await);
    options.attempt = Duration::from_secs(3);
    options.budget = Duration::from_secs(60);
    let chain = RpcChain::with_options(&options).unwrap();
    assert!(chain.servers().iter().all(|server| server.state == ServerState::Unasked));
    assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
    assert_eq!(good.asked(), 1);
    let states: Vec<_> = chain.servers().iter().map(|server| server.state).collect();
    assert_eq!((&states[..5], states[5]), (&[ServerState::Resting; 5][..], ServerState::Healthy));
    assert!(chain.servers()[0].reason.as_ref().unwrap().contains("refused"), "{:?}", chain.servers()[0]);
    assert!(chain.servers()[1].reason.as_ref().unwrap().contains("500"));
    assert_eq!(chain.servers()[1].server, failing.url);
}

#[tokio::test]
async fn a_server_that_wants_fewer_requests_is_left_alone_as_long_as_it_asks() {
    for (status, body) in
        [("429 Too Many Requests\r\nretry-after: 3600", ""), ("503 Maintenance\r\nretry-after: 200", "")]
    {
        let (busy, good) = (Fake::always(status, body).await, good().await);
        let chain = RpcChain::with_options(&options([&busy, &good])).unwrap();
        for _ in 0..20 {
            assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
        }
        assert_eq!((busy.asked(), good.asked()), (1, 20), "{status}");
        let rest = chain.servers()[0].rests_for.unwrap();
        assert!(rest > Duration::from_secs(100) && rest <= Duration::from_secs(300), "no server rests for an hour");
    }
}

#[tokio::test]
async fn the_preferred_server_is_used_again_after_its_rest() {
    let preferred = Fake::new(|number, request| match number {
        0 | 1 => http("502 Bad Gateway", ""),
        _ => result(request, json!(RENT)),
    })
    .await;
    let stand_in = good().await;
    let chain = RpcChain::with_options(&options([&preferred, &stand_in])).unwrap();
    assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
    assert_eq!((preferred.asked(), stand_in.asked()), (1, 1));
    let started = Instant::now();
    while preferred.asked() < 4 {
        assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = stand_in.asked();
    for _ in 0..10 {
        chain.minimum_balance(0).await.unwrap();
    }
    assert_eq!((stand_in.asked(), chain.servers()[0].state), (before, ServerState::Healthy));
}

#[tokio::test]
async fn what_a_server_said_before_is_what_is_said_of_it_when_time_runs_out() {
    let server = Fake::new(|number, _| if number == 0 { http("500 Oh", "") } else { None }).await;
    let mut options = options([&server]);
    options.budget = Duration::from_secs(3);
    let (class, text) = failed(RpcChain::with_options(&options).unwrap().minimum_balance(0).await);
    assert_eq!((class, server.asked()), (ErrorClass::Transient, 2));
    assert!(text.contains("HTTP 500"), "{text}");
}

#[tokio::test]
async fn when_all_fail_the_error_names_each_of_them_and_why() {
    let (failing, denying) = (Fake::always("500 Oh", "").await, Fake::always("401 Unauthorized", "no key").await);
    let lost = dead().await;
    let mut options = options([&failing, &denying]);
    options.urls.push(format!("{lost}/key-that-stays-secret"));
    let (class, text) = failed(RpcChain::with_options(&options).unwrap().minimum_balance(0).await);
    assert_eq!(class, ErrorClass::Transient);
    for part in
        [failing.place(), "HTTP 500", denying.place(), "HTTP 401", "no key", &lost, "refused", "none of 3", "1.5"]
    {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part}: {text}");
    }
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(denying.asked(), 1, "what an operator has to mend is not tried again");
    assert!(failing.asked() > 1, "what may pass is");
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_stops_a_process_only_when_it_is_the_only_one() {
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "301 Moved Permanently"] {
        let (denying, good) = (Fake::always(status, "").await, good().await);
        let chain = RpcChain::with_options(&options([&denying, &good])).unwrap();
        for _ in 0..3 {
            assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
        }
        assert_eq!((denying.asked(), chain.servers()[0].state), (1, ServerState::Excluded), "{status}");
        let others = [Fake::always("403 Forbidden", "").await, Fake::always(status, "").await];
        let (class, text) = failed(RpcChain::with_options(&options(&others)).unwrap().minimum_balance(0).await);
        assert_eq!((class, others[0].asked(), others[1].asked()), (ErrorClass::Fatal, 1, 1));
        assert!(text.contains(others[0].place()) && text.contains(&status[..3]), "{text}");
    }
}

#[tokio::test]
async fn a_method_that_one_server_does_not_have_is_asked_of_another() {
    let code = |code: i64| Fake::new(move |_, request| error(request, json!({ "code": code, "message": "not here" })));
    for unable in [-32_601, -32_010, -32_011, -32_603] {
        let (poor, good) = (code(unable).await, good().await);
        let chain = RpcChain::with_options(&options([&poor, &good])).unwrap();
        for count in 1..=3 {
            assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
            assert_eq!((poor.asked(), good.asked()), (count, count), "it answers other questions: no rest");
        }
        let (class, text) = failed(RpcChain::with_options(&options([&poor])).unwrap().minimum_balance(0).await);
        let expected = if unable == -32_603 { ErrorClass::Transient } else { ErrorClass::Rejection };
        assert_eq!(class, expected, "{text}");
        assert_eq!(poor.asked(), 4);
    }
}

#[tokio::test]
async fn a_server_of_another_chain_is_left_out_and_named_with_both_hashes() {
    let down = Arc::new(AtomicBool::new(false));
    let switch = down.clone();
    let ours = Fake::new(move |_, request| match switch.load(Ordering::SeqCst) {
        true => http("500 Down", ""),
        false => result(request, json!(RENT)),
    })
    .await;
    let other = Fake::new(|_, request| result(request, json!(7))).await;
    other.becomes([2; 32]);
    let [first, second] = [[1; 32], [2; 32]].map(|hash: [u8; 32]| bs58::encode(hash).into_string());
    let chain = RpcChain::with_options(&options([&ours, &other])).unwrap();
    assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
    down.store(true, Ordering::SeqCst);
    let (class, text) = failed(chain.minimum_balance(0).await);
    assert_eq!(class, ErrorClass::Transient, "ours may come back");
    for part in [other.place(), &first, &second, "500"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(chain.servers()[1].state, ServerState::Excluded);

    let pinned = RpcOptions { genesis: Some([1; 32]), ..options([&other]) };
    let chain = RpcChain::with_options(&pinned).unwrap();
    assert_eq!(chain.genesis_hash().await.unwrap(), [1; 32]);
    let (class, text) = failed(chain.minimum_balance(0).await);
    assert_eq!(class, ErrorClass::Fatal);
    assert!(text.contains(&first) && text.contains(&second), "{text}");
    let (class, _) = failed(RpcChain::connect_with(pinned).await);
    assert_eq!(class, ErrorClass::Fatal);
}

#[tokio::test]
async fn a_server_that_was_replaced_by_another_chains_is_noticed() {
    // Once behind an outage, once behind a new connection that nobody saw break.
    let outage = Fake::new(|number, request| match number {
        1 => http("503 Restarting", ""),
        _ => result(request, json!(RENT)),
    })
    .await;
    let silent = Fake::closing(|_, request| result(request, json!(RENT))).await;
    for server in [outage, silent] {
        let chain = RpcChain::with_options(&options([&server])).unwrap();
        assert_eq!(chain.minimum_balance(0).await.unwrap(), RENT);
        server.becomes([9; 32]);
        let (class, text) = failed(chain.minimum_balance(0).await);
        assert_eq!(class, ErrorClass::Fatal);
        assert!(text.contains("another chain"), "{text}");
    }
}

#[tokio::test]
async fn a_server_is_sent_no_more_requests_than_its_rate() {
    let server = Fake::at_slot(|number| number as u64).await;
    let rate = std::num::NonZeroU32::new(4);
    let slow = RpcOptions { requests_per_second: rate, budget: Duration::from_secs(60), ..options([&server]) };
    let chain = RpcChain::with_options(&slow).unwrap();
    let started = Instant::now();
    for _ in 0..11 {
        chain.tip(Commitment::Finalized).await.unwrap();
    }
    // Twelve with the one for the genesis hash: four at once, the others each a quarter of a second later.
    assert!(started.elapsed() >= Duration::from_millis(1_900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_question_under_way_may_be_dropped_and_the_next_one_is_answered() {
    let server = Fake::new(|number, request| if number == 0 { None } else { tip(request, 5) }).await;
    let chain = RpcChain::with_options(&options([&server])).unwrap();
    tokio::select! {
        answered = chain.tip(Commitment::Finalized) => panic!("{answered:?}"),
        () = async { while server.asked() == 0 { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
    }
    assert_eq!(chain.tip(Commitment::Finalized).await.unwrap().slot, 5);
}

//! Health, reflection, starting and stopping.

use cairn_chain::Keypair;
use cairn_proto::v1;
use cairn_sequencer::{Config, Sequencer, StartError};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::bench::Bench;

#[tokio::test]
async fn health_says_serving_and_reflection_lists_the_service() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    let address = format!("http://{}", running.sequencer.address());
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap();

    let mut health = HealthClient::new(channel.clone());
    let service = "cairn.v1.Sequencer".to_owned();
    let status = health.check(HealthCheckRequest { service }).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::Serving);

    let mut reflection = ServerReflectionClient::new(channel);
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = reflection.server_reflection_info(futures::stream::iter([ask])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"cairn.v1.Sequencer") && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    assert!(!names.contains(&"cairn.v1.Indexer"), "what is not served is not listed: {names:?}");
    drop((health, reflection));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_ends_an_open_stream_after_its_acknowledgements() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let open = futures::stream::iter([bench.request(5, 0, 1)]).chain(futures::stream::pending());
    let mut answers = running.client.submit_bundles(open).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().log_index, 0);
    let mut client = running.client.clone();
    running.stop.cancel();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    running.stop().await.unwrap();
    let late = client.submit_bundle(bench.request(5, 1, 1)).await.unwrap_err();
    assert_eq!(late.code(), Code::Unavailable, "{late:?}");
}

#[tokio::test]
async fn status_counts_what_is_acknowledged_and_what_has_passed_each_stage() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    running.submit(bench.request(5, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(cairn_sequencer::Stage::Submitted, 2).await);
    running.submit(bench.request(5, 1, 1)).await.unwrap();
    let status = running.client.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.rollup_id, bench.world.rollup_id.to_bytes());
    assert_eq!((status.bundles_acknowledged, status.bundles_unsealed), (2, 1));
    let digest = bench.world.rollup.rollup().await.unwrap().tip.header_digest.to_bytes().to_vec();
    let stage = v1::Stage { batches: 2, header_digest: Some(digest) };
    assert_eq!((status.queue_entries_seen, status.queue_entries_consumed), (8, 8));
    for reported in [status.sealed, status.published, status.proved, status.submitted] {
        assert_eq!(reported.as_ref(), Some(&stage));
    }
    running.stop().await.unwrap();
}

async fn refusal(config: Config, parts: crate::Parts) -> StartError {
    Sequencer::start(config, parts, CancellationToken::new()).await.unwrap_err()
}

#[tokio::test]
async fn a_sequencer_with_the_wrong_key_rollup_store_or_port_does_not_start() {
    let bench = Bench::new().await;
    let parts = || bench.world.parts(bench.prover.clone());

    let other = Keypair::from_seed([6; 32]);
    let error = refusal(bench.config.clone(), crate::Parts { key: other.clone(), ..parts() }).await;
    assert!(error.to_string().contains(&other.address().to_string()), "{error}");
    assert!(matches!(error, StartError::Key { .. }));
    let error = refusal(bench.config.clone(), crate::Parts { acknowledgement_key: other, ..parts() }).await;
    assert!(matches!(error, StartError::AcknowledgementKey { .. }), "{error}");
    let mut long = bench.config.clone();
    long.promise.most = std::time::Duration::from_secs(6 * 3600);
    let error = refusal(long, parts()).await;
    assert!(matches!(error, StartError::Promise { most: 54_000, deadline: 54_000 }), "{error}");

    let running = bench.start_settled().await;
    let taken =
        Config { listen: running.sequencer.address(), store: bench.folder().join("other"), ..bench.config.clone() };
    let error = refusal(taken, parts()).await;
    assert!(matches!(error, StartError::Server(_)) && error.to_string().contains("cannot listen"), "{error}");
    let error = refusal(bench.config.clone(), parts()).await;
    assert!(matches!(error, StartError::Store(_)) && error.to_string().contains("another sequencer"), "{error}");
    running.stop().await.unwrap();

    let error = refusal(bench.config.clone(), crate::Parts { circuit_digest: [4; 32], ..parts() }).await;
    assert!(matches!(error, StartError::Store(_)) && error.to_string().contains("circuits"), "{error}");

    let zero = Config { grace: std::time::Duration::ZERO, ..bench.config.clone() };
    assert!(matches!(refusal(zero, parts()).await, StartError::Config(_)));
}

//! Submitting: acknowledged once, whatever happens.

use cairn_proto::refusal::Refusal;
use cairn_proto::{Acknowledgement, v1};
use cairn_sequencer::store::{Identity, Store};
use tonic::{Code, Status, Streaming};

use crate::bench::Bench;
use crate::samples::NODES;

/// A node.
const NODE: u32 = 5;

#[tokio::test]
async fn the_same_bundle_again_gets_the_original_acknowledgement_also_after_a_restart() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    running.submit(bench.request(NODE + 1, 0, 1)).await.unwrap();
    let first = running.submit(bench.request(NODE, 0, 3)).await.unwrap();
    assert_eq!((first.log_index, first.node_index, first.sequence, first.duplicate), (1, NODE, 0, false));
    let again = Acknowledgement { duplicate: true, ..first };
    assert_eq!(running.submit(bench.request(NODE, 0, 3)).await.unwrap(), again);
    running.stop().await.unwrap();

    let mut running = bench.start().await;
    assert_eq!(running.submit(bench.request(NODE, 0, 3)).await.unwrap(), again);
    let next = running.submit(bench.request(NODE, 1, 1)).await.unwrap();
    assert_eq!((next.log_index, next.duplicate), (2, false));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn another_bundle_with_a_taken_sequence_is_refused_with_both_digests_and_kept() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let first = running.submit(bench.request(NODE, 0, 3)).await.unwrap();
    let status = running.submit(bench.request(NODE, 0, 2)).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    let Some(Refusal::Conflict { recorded, offered }) = Refusal::of(&status) else { panic!("{status:?}") };
    assert_eq!(recorded, first.bundle_digest);
    assert!(status.message().contains(&recorded.to_hex()) && status.message().contains(&offered.to_hex()));
    running.stop().await.unwrap();

    let identity = Identity { rollup_id: bench.world.rollup_id, circuit_digest: [3; 32] };
    let store = Store::open(&bench.store(), &identity).unwrap();
    let evidence = store.conflict(NODE, 0).unwrap().unwrap();
    assert_eq!((evidence.digest, evidence.data.records.len()), (offered, 2));
    assert_eq!(store.log_end().unwrap(), 1);
}

#[tokio::test]
async fn a_gap_names_the_expected_sequence() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    let status = running.submit(bench.request(NODE, 2, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(Refusal::of(&status), Some(Refusal::Gap { expected: 1 }));
    assert!(status.message().starts_with("sequence: "), "{}", status.message());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn each_bad_field_is_refused_by_name() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let changes: [(&str, fn(&mut v1::SubmitBundleRequest)); 7] = [
        ("rollup_id: ", |request| request.rollup_id.truncate(3)),
        ("rollup_id: ", |request| request.rollup_id = vec![1; 32]),
        ("node_index: ", |request| request.node_index = 1 << 24),
        ("sequence: ", |request| request.sequence = 1 << 62),
        ("signature: ", |request| request.signature.truncate(79)),
        ("receipts: ", |request| request.receipts.clear()),
        ("receipts[1]: ", |request| request.receipts.swap(0, 1)),
    ];
    for (field, change) in changes {
        let mut request = bench.request(NODE, 0, 2);
        change(&mut request);
        // Receipts name their rollup: for another one they are all of it.
        if request.rollup_id == [1; 32] {
            request = crate::samples::request_for(&cairn_types::Digest::from_slice(&[1; 32]).unwrap(), NODE, 0, 2);
        }
        let status = running.submit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert!(status.message().starts_with(field), "{field}: {}", status.message());
    }
    assert_eq!(running.sequencer.status().borrow().bundles_acknowledged, 0);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_of_many_nodes_at_once_get_every_index_once() {
    let bench = Bench::new().await;
    let running = bench.start().await;
    let submits = (0..NODES).map(|node_index| {
        let (mut client, bench) = (running.client.clone(), &bench);
        async move {
            let mut indices = Vec::new();
            for sequence in 0..16 {
                let reply = client.submit_bundle(bench.request(node_index, sequence, 2)).await.unwrap();
                indices.push(reply.into_inner().log_index);
            }
            assert!(indices.is_sorted(), "{indices:?}");
            indices
        }
    });
    let mut indices: Vec<_> = futures::future::join_all(submits).await.into_iter().flatten().collect();
    indices.sort_unstable();
    assert_eq!(indices, (0..128).collect::<Vec<_>>());
    running.stop().await.unwrap();
}

async fn read(answers: &mut Streaming<v1::Acknowledgement>) -> (Vec<u64>, Option<Status>) {
    let mut indices = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => indices.push(answer.log_index),
            Ok(None) => return (indices, None),
            Err(status) => return (indices, Some(status)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_acknowledged_in_order() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    // Sizes differ, so that bundles take differently long to check.
    let requests: Vec<_> = (0..60).map(|sequence| bench.request(NODE, sequence, 1 + (sequence * 37) % 90)).collect();
    let answers = running.client.submit_bundles(futures::stream::iter(requests)).await.unwrap();
    let (indices, status) = read(&mut answers.into_inner()).await;
    assert!(status.is_none(), "{status:?}");
    assert_eq!(indices, (0..60).collect::<Vec<_>>());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_with_the_first_refusal() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let requests = [0, 1, 5, 2].map(|sequence| bench.request(NODE, sequence, 1));
    let answers = running.client.submit_bundles(futures::stream::iter(requests)).await.unwrap();
    let (indices, status) = read(&mut answers.into_inner()).await;
    assert_eq!(indices, [0, 1]);
    assert_eq!(Refusal::of(&status.unwrap()), Some(Refusal::Gap { expected: 2 }));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let mut request = bench.request(NODE, 0, 1);
    request.receipts = vec![vec![0; 32 << 10]; 129];
    let status = running.submit(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    let mut request = bench.request(NODE, 0, 1);
    request.receipts = vec![vec![0; 32 << 10]; 127];
    let status = running.submit(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    running.stop().await.unwrap();
}

//! Nodes: registered, rotated, deactivated, and asked about.

use std::time::{Duration, Instant};

use cairn_chain::NewNode;
use cairn_proto::refusal::Refusal;
use cairn_proto::{BundleStage, BundleStatus, NodeQuery, NodeState, NodeStatus, PendingEntry, SequencerInfo, v1};
use cairn_sequencer::{Config, Rates, RunError, SealLimits, Stage};
use cairn_types::ReceiptKey;
use tonic::Code;

use crate::bench::{Bench, Running};
use crate::samples::{NODES, acknowledgement_key, authority, receipt_key, signed, signing_key};

/// A node.
const NODE: u32 = 5;

impl Running {
    async fn node(&mut self, query: NodeQuery) -> NodeStatus {
        let reply = self.client.get_node(v1::GetNodeRequest::from(query)).await.unwrap();
        reply.into_inner().try_into().unwrap()
    }

    async fn bundle(&mut self, node_index: u32, sequence: u64) -> BundleStatus {
        let reply = self.client.get_bundle(v1::GetBundleRequest { node_index, sequence }).await.unwrap();
        reply.into_inner().try_into().unwrap()
    }

    /// Waits until the sequencer has seen so many queue entries.
    async fn sees(&self, entries: u64) {
        assert!(self.sequencer.wait_until(|status| status.queue_seen >= entries).await);
    }
}

/// A bench whose entries wait until they are asked for.
async fn patient() -> Bench {
    let bench = Bench::new().await;
    let running = bench.start_settled().await;
    running.stop().await.unwrap();
    let seal = SealLimits { entry_age: Duration::from_secs(60), ..bench.config.seal };
    Bench { config: Config { seal, ..bench.config.clone() }, ..bench }
}

#[tokio::test]
async fn a_new_node_is_told_to_wait_until_a_batch_has_its_registration() {
    let bench = patient().await;
    let mut running = bench.start().await;
    let status = running.submit(bench.request(NODES, 0, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let unknown = running.client.get_node(v1::GetNodeRequest::from(NodeQuery::Index(NODES))).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    bench.world.register(NODES).await;
    running.sees(u64::from(NODES) + 1).await;
    let status = running.submit(bench.request(NODES, 0, 1)).await.unwrap_err();
    let Some(Refusal::Pending { entry: PendingEntry::Registration, retry_after }) = Refusal::of(&status) else {
        panic!("{status:?}")
    };
    assert!(retry_after > Duration::ZERO);
    for query in [NodeQuery::Index(NODES), NodeQuery::Key(receipt_key(NODES))] {
        let node = running.node(query).await;
        assert_eq!(
            (node.node_index, node.state, node.account.key),
            (NODES, NodeState::Registering, receipt_key(NODES))
        );
    }

    running.sequencer.seal_now().await.unwrap();
    assert_eq!(running.node(NodeQuery::Index(NODES)).await.state, NodeState::Active);
    let acknowledged = running.submit(bench.request(NODES, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 3).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&[acknowledged]).await, 1);
}

#[tokio::test]
async fn a_rotated_key_signs_only_after_its_entry_is_consumed() {
    let bench = patient().await;
    let mut running = bench.start().await;
    let mut acknowledged = vec![running.submit(bench.request(NODE, 0, 2)).await.unwrap()];
    let (old, new) = (receipt_key(NODE), receipt_key(70));
    bench.world.rollup.rotate_key(&authority(NODE), &new).await.unwrap();
    running.sees(u64::from(NODES) + 1).await;
    assert_eq!(running.node(NodeQuery::Key(new)).await.state, NodeState::Rotating(new));

    // From here on neither key is good for a new bundle, and what was acknowledged is still answered.
    let with_new = |sequence| signed(bench.request(NODE, sequence, 2), &signing_key(70));
    for request in [bench.request(NODE, 1, 2), with_new(1)] {
        let status = running.submit(request).await.unwrap_err();
        assert!(
            matches!(Refusal::of(&status), Some(Refusal::Pending { entry: PendingEntry::Rotation, .. })),
            "{status:?}"
        );
    }
    assert!(running.submit(bench.request(NODE, 0, 2)).await.unwrap().duplicate);

    running.sequencer.seal_now().await.unwrap();
    let node = running.node(NodeQuery::Key(new)).await;
    assert_eq!((node.node_index, node.state, node.account.next_sequence), (NODE, NodeState::Active, 1));
    let gone = running.client.get_node(v1::GetNodeRequest::from(NodeQuery::Key(old))).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let status = running.submit(bench.request(NODE, 1, 2)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    acknowledged.push(running.submit(with_new(1)).await.unwrap());
    // A bundle of the old key's time is known, whoever asks.
    assert!(running.submit(bench.request(NODE, 0, 2)).await.unwrap().duplicate);

    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 3).await);
    running.stop().await.unwrap();
    let batches = bench.world.batches().await;
    assert_eq!(batches[1].entries.len(), 1);
    assert_eq!(bench.world.assert_holds(&acknowledged).await, 2);
}

#[tokio::test]
async fn a_deactivated_node_is_refused_at_once_and_for_good() {
    let bench = patient().await;
    let mut running = bench.start().await;
    let first = running.submit(bench.request(NODE, 0, 2)).await.unwrap();
    bench.world.rollup.deactivate_node(&authority(NODE)).await.unwrap();
    running.sees(u64::from(NODES) + 1).await;
    assert_eq!(running.node(NodeQuery::Index(NODE)).await.state, NodeState::Deactivating);
    let status = running.submit(bench.request(NODE, 1, 2)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    running.sequencer.seal_now().await.unwrap();
    let node = running.node(NodeQuery::Index(NODE)).await;
    assert_eq!(
        (node.state, node.account.key, node.account.receipts_total),
        (NodeState::Deactivated, ReceiptKey::ZERO, 2)
    );
    let status = running.submit(bench.request(NODE, 1, 2)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    assert!(running.submit(bench.request(NODE, 0, 2)).await.unwrap().duplicate);
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    running.stop().await.unwrap();
    bench.world.assert_holds(&[first]).await;
}

#[tokio::test]
async fn nobody_submits_with_another_nodes_key_or_for_another_node() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let stolen = signed(bench.request(NODE, 0, 1), &signing_key(NODE + 1));
    let mut forged = bench.request(NODE, 0, 1);
    forged.signature = bench.request(NODE, 1, 1).signature;
    let mut malformed = bench.request(NODE, 0, 1);
    malformed.signature.fill(0xff);
    for request in [stolen, forged, malformed] {
        let status = running.submit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
        assert!(status.message().starts_with("signature: "), "{}", status.message());
    }
    assert_eq!(running.sequencer.status().borrow().bundles_acknowledged, 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn only_the_node_itself_makes_evidence_against_itself() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    running.submit(bench.request(NODE, 0, 2)).await.unwrap();
    let forged = signed(bench.request(NODE, 0, 3), &signing_key(NODE + 1));
    assert_eq!(running.submit(forged).await.unwrap_err().code(), Code::Unauthenticated);
    running.stop().await.unwrap();
    let identity = cairn_sequencer::store::Identity { rollup_id: bench.world.rollup_id, circuit_digest: [3; 32] };
    let store = cairn_sequencer::store::Store::open(&bench.store(), &identity).unwrap();
    assert_eq!(store.conflict(NODE, 0).unwrap(), None);
}

#[tokio::test]
async fn info_has_what_a_node_computes_the_rollup_from() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let reply = running.client.get_info(v1::GetInfoRequest {}).await.unwrap().into_inner();
    let info = SequencerInfo::try_from(reply).unwrap();
    let (program, rollup) = (cairn_chain::Address(info.program_id), cairn_chain::Address(info.rollup_address));
    let computed = cairn_interface::rollup_id(&info.genesis_hash, &program, &rollup, info.profile);
    assert_eq!((computed, info.rollup_id), (bench.world.rollup_id, bench.world.rollup_id));
    assert_eq!(rollup, bench.world.rollup.address());
    assert_eq!(info.acknowledgement_key, acknowledgement_key().address().0);
    assert_eq!((info.limits.receipts_per_bundle, info.limits.message_bytes), (256, 4 << 20));
    assert_eq!(info.limits.bundles_in_flight, bench.config.in_flight.get());
    let status = running.client.get_node(v1::GetNodeRequest { node: None }).await.unwrap_err();
    assert!(status.code() == Code::InvalidArgument && status.message().starts_with("node: "), "{status:?}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_bundle_is_followed_from_the_log_to_the_chain_and_keeps_its_acknowledgement() {
    let bench = Bench::new().await;
    let mut running = bench.start_settled().await;
    let acknowledged = running.submit(bench.request(NODE, 0, 2)).await.unwrap();
    let status = running.bundle(NODE, 0).await;
    assert_eq!((status.acknowledgement, status.stage, status.batch), (acknowledged, BundleStage::Acknowledged, None));
    let node = running.node(NodeQuery::Index(NODE)).await;
    assert_eq!((node.account.next_sequence, node.account.receipts_total), (1, 2), "acknowledged, in no batch");

    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    let status = running.bundle(NODE, 0).await;
    let batch = status.batch.unwrap();
    let tip = bench.world.rollup.rollup().await.unwrap().tip;
    assert_eq!((status.stage, batch.number, batch.header_digest), (BundleStage::Submitted, 1, tip.header_digest));
    assert_eq!(status.acknowledgement, acknowledged);
    let missing = running.client.get_bundle(v1::GetBundleRequest { node_index: NODE, sequence: 1 }).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    running.stop().await.unwrap();

    let mut running = bench.start().await;
    assert_eq!(running.bundle(NODE, 0).await, status);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn promises_are_within_their_bounds_of_the_chains_slot() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    let before = bench.world.rollup.chain().slot(cairn_chain::Commitment::Finalized).await.unwrap();
    let acknowledged = running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    let within = acknowledged.settle_by_slot - before;
    let slots = cairn_sequencer::promise::slots;
    let promise = bench.config.promise;
    assert!(within >= slots(promise.floor) && within <= slots(promise.most) + 100, "{within}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn calls_and_bundles_over_their_rate_are_told_when_to_come_again() {
    let bench = Bench::new().await;
    let config = Config { rates: Rates { node: 2, peer: 0 }, ..bench.config.clone() };
    let bench = Bench { config, ..bench };
    let mut running = bench.start().await;
    // So many may be taken: a burst, which is twice the rate, and what comes back of it meanwhile.
    let most = |rate: f64, since: Instant| 2.0 * rate + rate * since.elapsed().as_secs_f64();
    let started = Instant::now();
    running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    // Bundles that come too early are refused without being written: they come faster than the rate on any machine.
    let mut taken = 1;
    let retry_after = loop {
        let status = running.submit(bench.request(NODE, 9, 1)).await.unwrap_err();
        match Refusal::of(&status) {
            Some(Refusal::Gap { expected: 1 }) => {
                taken += 1;
                assert!(f64::from(taken) <= most(2.0, started), "{taken} were taken");
            }
            Some(Refusal::Busy { retry_after }) => {
                assert_eq!(status.code(), Code::ResourceExhausted);
                break retry_after;
            }
            _ => panic!("{status:?}"),
        }
    };
    assert!(taken >= 4, "{taken} were taken of a burst of 4");
    // Another node is not held up, and a bundle that is known costs nothing.
    running.submit(bench.request(NODE + 1, 0, 1)).await.unwrap();
    assert!(running.submit(bench.request(NODE, 0, 1)).await.unwrap().duplicate);
    tokio::time::sleep(retry_after + Duration::from_millis(1)).await;
    running.submit(bench.request(NODE, 1, 1)).await.unwrap();
    running.stop().await.unwrap();

    let config = Config { rates: Rates { node: 0, peer: 3 }, ..bench.config.clone() };
    let bench = Bench { config, ..bench };
    let mut running = bench.start().await;
    let started = Instant::now();
    let mut taken = 6;
    for _ in 0..taken {
        running.client.status(v1::StatusRequest {}).await.unwrap();
    }
    // Bundles count too.
    let status = loop {
        match running.submit(bench.request(NODE, 0, 1)).await {
            Ok(acknowledged) => {
                taken += 1;
                assert!(acknowledged.duplicate && f64::from(taken) <= most(3.0, started), "{taken} were taken");
            }
            Err(status) => break status,
        }
    };
    assert!(matches!(Refusal::of(&status), Some(Refusal::Busy { .. })), "{status:?}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_sequencer_whose_acknowledgement_key_was_replaced_stops() {
    let bench = Bench::new().await;
    let running = bench.start_settled().await;
    let (rollup, key) = (&bench.world.rollup, &bench.world.key);
    rollup.set_sequencer(key, &key.address(), &authority(0).address()).await.unwrap();
    let error = running.sequencer.join().await.unwrap_err();
    assert!(matches!(error, RunError::Follow(_)), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&authority(0).address().to_string()), "{cause}");
}

#[tokio::test]
async fn registrations_that_come_while_others_are_sealed_are_consumed_in_order() {
    let bench = Bench::new().await;
    let running = bench.start_settled().await;
    let payer = &bench.world.key;
    for turn in 0..40 {
        let authority = cairn_chain::Keypair::from_seed([turn + 100; 32]);
        let new = NewNode {
            authority: &authority,
            payer: Some(payer),
            registrar: None,
            receipt_key: receipt_key(turn.into()),
        };
        bench.world.rollup.register_node(&new).await.unwrap();
    }
    let all = u64::from(NODES) + 40;
    assert!(running.sequencer.wait_until(|status| status.queue_consumed == all).await);
    running.sequencer.seal_now().await.unwrap();
    let sealed = running.sequencer.status().borrow().stage(Stage::Sealed).batches;
    assert!(running.sequencer.wait_for(Stage::Submitted, sealed).await);
    running.stop().await.unwrap();
    let entries: usize = bench.world.batches().await.iter().map(|batch| batch.entries.len()).sum();
    assert_eq!(entries as u64, all);
}

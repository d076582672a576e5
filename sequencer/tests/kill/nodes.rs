//! Nodes that submit, remember what was acknowledged, and insist on it.

use std::future::Future;
use std::time::{Duration, Instant};

use cairn_proto::refusal::Refusal;
use cairn_proto::v1::sequencer_client::SequencerClient;
use cairn_proto::{Acknowledgement, BundleStage, BundleStatus, NodeQuery, NodeState, NodeStatus, v1};
use cairn_types::Digest;
use tonic::transport::Channel;

use crate::samples::request_for;

/// Nodes that submit at the same time.
const NODES: u32 = 4;

/// One node's memory.
#[derive(Default)]
struct Node {
    acknowledged: Vec<Acknowledgement>,
}

/// All nodes.
pub struct Nodes {
    rollup_id: Digest,
    nodes: Vec<Node>,
}

impl Nodes {
    pub fn new(rollup_id: Digest) -> Self {
        Self { rollup_id, nodes: (0..NODES).map(|_| Node::default()).collect() }
    }

    /// Every acknowledgement so far.
    pub fn acknowledged(&self) -> Vec<Acknowledgement> {
        self.nodes.iter().flat_map(|node| node.acknowledged.iter().copied()).collect()
    }

    /// All nodes submit one bundle after another until the sequencer is gone, at most `bundles` of them together.
    pub async fn submit_until_gone(&mut self, address: &str, bundles: u32, gone: impl Future<Output = ()>) {
        let rollup_id = self.rollup_id;
        let share = bundles / NODES;
        let nodes = self.nodes.iter_mut().enumerate().map(|(index, node)| async move {
            if let Ok(mut client) = SequencerClient::connect(address.to_owned()).await {
                node.insist(&mut client, &rollup_id, index as u32).await;
                for _ in 0..share {
                    if !node.submit_next(&mut client, &rollup_id, index as u32).await {
                        break;
                    }
                }
            }
        });
        futures::future::join(gone, futures::future::join_all(nodes)).await;
    }

    /// Waits until the last bundle of each node, and with it all of them, is on chain; returns how many bundles the log has.
    pub async fn settle(&mut self, address: &str, until: Instant) -> usize {
        let mut client = SequencerClient::connect(address.to_owned()).await.unwrap();
        for (index, node) in self.nodes.iter_mut().enumerate() {
            node.insist(&mut client, &self.rollup_id, index as u32).await;
            // What was in flight at the kill is in the log or not: now it certainly is.
            assert!(node.submit_next(&mut client, &self.rollup_id, index as u32).await);
        }
        for (node_index, node) in self.nodes.iter().enumerate() {
            let last = v1::GetBundleRequest {
                node_index: node_index as u32,
                sequence: node.acknowledged.last().unwrap().sequence,
            };
            loop {
                let reply = client.get_bundle(last).await.unwrap().into_inner();
                let status = BundleStatus::try_from(reply).unwrap();
                if status.stage >= BundleStage::Submitted {
                    break;
                }
                assert!(Instant::now() < until, "the sequencer does not catch up: {status:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let status = client.status(v1::StatusRequest {}).await.unwrap().into_inner();
        usize::try_from(status.bundles_acknowledged).unwrap()
    }
}

impl Node {
    /// What was acknowledged before is still there, at its place, and nothing but the bundle in flight came after it.
    async fn insist(&self, client: &mut SequencerClient<Channel>, rollup_id: &Digest, node_index: u32) {
        let known = self.acknowledged.len() as u64;
        let Ok(reply) = client.get_node(v1::GetNodeRequest::from(NodeQuery::Index(node_index))).await else { return };
        let status = NodeStatus::try_from(reply.into_inner()).unwrap();
        assert!(known == 0 || status.state == NodeState::Active, "{status:?}");
        let next = status.account.next_sequence;
        assert!(next == known || next == known + 1, "node {node_index}: {known} acknowledged, {next} in the log");
        if let Some(last) = self.acknowledged.last() {
            let request = request_for(rollup_id, node_index, last.sequence, 2);
            if let Ok(again) = client.submit_bundle(request).await {
                let again = Acknowledgement::try_from(again.into_inner()).unwrap();
                assert_eq!(again, Acknowledgement { duplicate: true, ..*last });
            }
        }
    }

    /// Submits the next bundle; `false` when the sequencer is gone.
    async fn submit_next(
        &mut self,
        client: &mut SequencerClient<Channel>,
        rollup_id: &Digest,
        node_index: u32,
    ) -> bool {
        let sequence = self.acknowledged.len() as u64;
        let submitted = loop {
            let submitted = client.submit_bundle(request_for(rollup_id, node_index, sequence, 2)).await;
            match &submitted {
                // Registered on chain, and in no batch yet.
                Err(status) if matches!(Refusal::of(status), Some(Refusal::Pending { .. })) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                _ => break submitted,
            }
        };
        match submitted {
            Ok(reply) => {
                let reply = Acknowledgement::try_from(reply.into_inner()).unwrap();
                // A bundle that was in flight at a kill may have been recorded: then it is its own duplicate.
                self.acknowledged.push(Acknowledgement { duplicate: false, ..reply });
                true
            }
            Err(status) => {
                let gone =
                    matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled);
                assert!(gone, "node {node_index}, sequence {sequence}: {status:?}");
                false
            }
        }
    }
}

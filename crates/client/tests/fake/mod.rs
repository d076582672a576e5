//! A sequencer that keeps its log in memory, refuses by the rules of the real one, and misbehaves when a test says so.
#![allow(dead_code)] // Each test binary uses a part of it.

use cairn_client::connect::Address;
use cairn_client::key::NodeKey;
use cairn_client::submit::Config;
use cairn_interface::{Address as ChainAddress, rollup_id};
use cairn_proto::refusal::Refusal;
use cairn_proto::v1::sequencer_server::{Sequencer, SequencerServer};
use cairn_proto::v1::{self, GetBundleReply, GetInfoReply, GetNodeReply, StatusReply, SubmitBundleRequest};
use cairn_proto::{
    Acknowledgement, BatchPlace, BundleStage, BundleStatus, Limits, NodeQuery, NodeState, NodeStatus, PendingEntry,
    SequencerInfo, Submission,
};
use cairn_types::{Account, Acknowledgement as Promise, Digest, Profile, Receipt, ReceiptKey};
use ed25519_dalek::{Signer, SigningKey};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

pub const NODE: u32 = 7;
const PARTS: ([u8; 32], [u8; 32], [u8; 32]) = ([1; 32], [2; 32], [3; 32]);

/// The rollup of the tests.
pub fn rollup() -> Digest {
    rollup_id(&PARTS.0, &ChainAddress(PARTS.1), &ChainAddress(PARTS.2), Profile::Dev)
}

/// What the sequencer does with the next bundle that it has not recorded yet.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// Ends the stream without recording it.
    DropBefore,
    /// Records it and ends the stream without acknowledging it.
    DropAfter,
    /// Refuses it for now.
    Busy,
    /// Signs an acknowledgement of another digest.
    Lie,
    /// Acknowledges with another's signature.
    Forge,
    /// Acknowledges with bytes that are no signature.
    Garble,
    /// Refuses it for good.
    Refuse,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub node: u32,
    pub sequence: u64,
    pub digest: Digest,
    pub receipts: Vec<Vec<u8>>,
    pub log_index: u64,
    pub stage: BundleStage,
    pub batch: u64,
}

#[derive(Default)]
pub struct State {
    /// Index, key, state.
    pub nodes: Vec<(u32, ReceiptKey, Option<NodeState>)>,
    pub log: Vec<Entry>,
    pub troubles: VecDeque<Trouble>,
    pub most_in_flight: usize,
    pub slot: u64,
    /// Log indices before this were lost with an older log.
    pub first_log_index: u64,
    pub claimed_rollup: Option<Digest>,
    pub program: Option<[u8; 32]>,
    pub status_calls: usize,
}

#[derive(Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    signer: SigningKey,
}

impl Fake {
    /// One that knows node 7 by this key.
    pub fn new(key: ReceiptKey) -> Self {
        let state = State { nodes: vec![(NODE, key, None)], slot: 100, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), signer: SigningKey::from_bytes(&[5; 32]) }
    }

    /// The same log behind another acknowledgement key.
    pub fn with_signer(self, seed: [u8; 32]) -> Self {
        Self { signer: SigningKey::from_bytes(&seed), ..self }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn trouble(&self, troubles: &[Trouble]) {
        self.state().troubles.extend(troubles);
    }

    /// Troubles that nobody has had yet.
    pub fn troubles(&self) -> usize {
        self.state().troubles.len()
    }

    /// Receipts of every recorded bundle, in order.
    pub fn recorded(&self) -> Vec<String> {
        self.state().log.iter().flat_map(|entry| &entry.receipts).map(|bytes| told_by(bytes)).collect()
    }

    pub fn acknowledgement_key(&self) -> [u8; 32] {
        self.signer.verifying_key().to_bytes()
    }

    fn info(&self) -> SequencerInfo {
        let state = self.state();
        let program_id = state.program.unwrap_or(PARTS.1);
        let made = rollup_id(&PARTS.0, &ChainAddress(program_id), &ChainAddress(PARTS.2), Profile::Dev);
        SequencerInfo {
            genesis_hash: PARTS.0,
            program_id,
            rollup_address: PARTS.2,
            profile: Profile::Dev,
            rollup_id: state.claimed_rollup.unwrap_or(made),
            acknowledgement_key: self.acknowledgement_key(),
            limits: Limits {
                receipts_per_bundle: 4,
                receipt_bytes: 1 << 15,
                message_bytes: 1 << 22,
                bundles_in_flight: 3,
                bundles_per_second: 0,
            },
            slot: state.slot,
        }
    }

    fn promise(&self, entry: &Entry, settle_by_slot: u64, duplicate: bool) -> Acknowledgement {
        let promise = Promise {
            rollup_id: rollup(),
            log_index: entry.log_index,
            node_index: entry.node,
            sequence: entry.sequence,
            bundle_digest: entry.digest,
            settle_by_slot,
        };
        let signature = self.signer.sign(&promise.message()).to_bytes();
        Acknowledgement { duplicate, ..Acknowledgement::of(&promise, signature) }
    }

    fn record(&self, request: SubmitBundleRequest) -> Result<Acknowledgement, Status> {
        let receipts = request.receipts.clone();
        let Submission { rollup_id, bundle } = Submission::try_from(request)?;
        if rollup_id != rollup() {
            return Err(Status::invalid_argument("rollup_id: another rollup"));
        }
        let statement = bundle.statement(&rollup_id).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let (digest, sequence, node) = (statement.digest(), bundle.sequence, bundle.node_index);
        let mut state = self.state();
        let registered = state.nodes.iter().find(|(index, ..)| *index == node).copied();
        let (_, key, held) = registered.ok_or_else(|| Status::not_found("no such node"))?;
        if let Some(entry) = state.log.iter().find(|entry| (entry.node, entry.sequence) == (node, sequence)).cloned() {
            if entry.digest != digest {
                return Err(Refusal::Conflict { recorded: entry.digest, offered: digest }.status("conflict"));
            }
            return Ok(self.promise(&entry, 1000 + entry.log_index, true));
        }
        if held.is_some() {
            let (entry, retry_after) = (PendingEntry::Rotation, Duration::from_millis(20));
            return Err(Refusal::Pending { entry, retry_after }.status("pending"));
        }
        let expected = state.log.iter().filter(|entry| entry.node == node).count() as u64;
        if sequence != expected {
            return Err(Refusal::Gap { expected }.status("gap"));
        }
        key.verify(&digest, &bundle.signature).map_err(|error| Status::unauthenticated(error.to_string()))?;
        let trouble = state.troubles.pop_front();
        let log_index = state.first_log_index + state.log.len() as u64;
        let stage = BundleStage::Acknowledged;
        let entry = Entry { node, sequence, digest, receipts, log_index, stage, batch: 0 };
        match trouble {
            Some(Trouble::DropBefore) => return Err(Status::unavailable("stopping")),
            Some(Trouble::Busy) => return Err(Refusal::Busy { retry_after: Duration::from_millis(30) }.status("busy")),
            Some(Trouble::Refuse) => return Err(Status::invalid_argument("receipts[0]: no")),
            _ => state.log.push(entry.clone()),
        }
        drop(state);
        let good = self.promise(&entry, 1000 + log_index, false);
        let other = Entry { digest: Digest::constant([9, 9, 9, 9]), ..entry.clone() };
        let stranger = Self { signer: SigningKey::from_bytes(&[6; 32]), ..self.clone() };
        match trouble {
            Some(Trouble::DropAfter) => Err(Status::unavailable("crashed")),
            Some(Trouble::Lie) => Ok(self.promise(&other, 1000, false)),
            Some(Trouble::Forge) => Ok(stranger.promise(&entry, 1000, false)),
            Some(Trouble::Garble) => Ok(Acknowledgement { signature: [0xff; 64], ..good }),
            _ => Ok(good),
        }
    }

    /// Moves every recorded bundle to this stage of batch `batch`, unless it is in one.
    pub fn move_to(&self, stage: BundleStage, batch: u64) {
        for entry in &mut self.state().log {
            if entry.stage == BundleStage::Acknowledged || entry.batch == batch {
                (entry.stage, entry.batch) = (stage, batch);
            }
        }
    }

    /// Serves on a port of its own.
    pub async fn serve(&self) -> Served {
        self.serve_at("127.0.0.1:0".parse().unwrap(), None).await
    }

    pub async fn serve_at(&self, address: SocketAddr, tls: Option<Identity>) -> Served {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut server = Server::builder();
        if let Some(identity) = tls {
            server = server.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        }
        let router = server.add_service(SequencerServer::new(self.clone()));
        let serving =
            router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.clone().cancelled_owned());
        let task = tokio::spawn(async move { serving.await.unwrap() });
        Served { address, stop, task }
    }
}

/// A running server; it ends when this is dropped.
pub struct Served {
    pub address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    pub fn at(&self) -> Address {
        Address::from(format!("http://{}", self.address).as_str())
    }

    /// Drops every connection and frees the port.
    pub async fn stop(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }
}

#[tonic::async_trait]
impl Sequencer for Fake {
    type SubmitBundlesStream = Pin<Box<dyn Stream<Item = Result<v1::Acknowledgement, Status>> + Send>>;

    async fn get_info(&self, _: Request<v1::GetInfoRequest>) -> Result<Response<GetInfoReply>, Status> {
        Ok(Response::new(self.info().into()))
    }

    async fn get_node(&self, request: Request<v1::GetNodeRequest>) -> Result<Response<GetNodeReply>, Status> {
        let query = NodeQuery::try_from(request.into_inner())?;
        let state = self.state();
        let meant = state.nodes.iter().find(|(index, key, _)| match query {
            NodeQuery::Index(wanted) => *index == wanted,
            NodeQuery::Key(wanted) => *key == wanted,
        });
        let (node_index, key, held) = meant.ok_or_else(|| Status::not_found("no such node"))?;
        let (mut account, mut receipts) = (Account::new(*key), 0);
        for entry in state.log.iter().filter(|entry| entry.node == *node_index) {
            account.next_sequence += 1;
            receipts += entry.receipts.len() as u64;
        }
        account.receipts_total = receipts;
        if *held == Some(NodeState::Deactivated) {
            account.key = ReceiptKey::ZERO;
        }
        let state = held.unwrap_or(NodeState::Active);
        Ok(Response::new(NodeStatus { node_index: *node_index, account, state }.into()))
    }

    async fn get_bundle(&self, request: Request<v1::GetBundleRequest>) -> Result<Response<GetBundleReply>, Status> {
        let v1::GetBundleRequest { node_index, sequence } = request.into_inner();
        let mut state = self.state();
        state.status_calls += 1;
        let found = state.log.iter().find(|entry| (entry.node, entry.sequence) == (node_index, sequence)).cloned();
        drop(state);
        let entry = found.ok_or_else(|| Status::not_found("no such bundle"))?;
        let header_digest = Digest::constant([entry.batch + 1, 2, 3, 4]);
        let batch =
            (entry.stage > BundleStage::Acknowledged).then_some(BatchPlace { number: entry.batch, header_digest });
        let acknowledgement = self.promise(&entry, 1000 + entry.log_index, true);
        Ok(Response::new(BundleStatus { acknowledgement, stage: entry.stage, batch }.into()))
    }

    async fn submit_bundle(
        &self,
        request: Request<SubmitBundleRequest>,
    ) -> Result<Response<v1::Acknowledgement>, Status> {
        Ok(Response::new(self.record(request.into_inner())?.into()))
    }

    async fn submit_bundles(
        &self,
        request: Request<Streaming<SubmitBundleRequest>>,
    ) -> Result<Response<Self::SubmitBundlesStream>, Status> {
        let mut requests = request.into_inner();
        let fake = self.clone();
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            let mut waiting = VecDeque::new();
            loop {
                // Whatever the client sends without an answer is taken first, to see how much that is.
                match tokio::time::timeout(Duration::from_millis(5), requests.next()).await {
                    Ok(Some(Ok(request))) => {
                        waiting.push_back(request);
                        let mut state = fake.state();
                        state.most_in_flight = state.most_in_flight.max(waiting.len());
                        continue;
                    }
                    Ok(Some(Err(_))) => return,
                    Ok(None) if waiting.is_empty() => return,
                    Ok(None) | Err(_) => {}
                }
                let Some(request) = waiting.pop_front() else { continue };
                let answer = fake.record(request).map(v1::Acknowledgement::from);
                let last = answer.is_err();
                if sender.send(answer).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn status(&self, _: Request<v1::StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let bundles = self.state().log.len() as u64;
        Ok(Response::new(StatusReply {
            rollup_id: rollup().to_bytes().to_vec(),
            bundles_acknowledged: bundles,
            bundles_unsealed: bundles,
            ..StatusReply::default()
        }))
    }
}

/// Impatient, so that tests are quick.
pub fn config() -> Config {
    Config {
        min_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(20),
        max_failures: Some(3),
        timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

/// A key that is the same in every process.
pub fn node_key(number: u8) -> NodeKey {
    let mut bytes = [0; 40];
    (bytes[0], bytes[1]) = (1, number);
    NodeKey::from(cairn_schnorr::SigningKey::from_bytes(&bytes).unwrap())
}

pub fn receipts(numbers: std::ops::Range<u64>) -> Vec<Receipt> {
    numbers
        .map(|n| Receipt {
            content_length: n,
            payload_blake3: [1; 32],
            payload_sha256: [2; 32],
            payload_sha1: [3; 20],
            ..Receipt::new(rollup(), NODE, &format!("https://example.org/{n}"), "example.org", 1000 + n)
        })
        .collect()
}

/// What tells a receipt from every other, for people to read.
fn told_by(bytes: &[u8]) -> String {
    format!("{} {}", Receipt::decode(bytes).unwrap().url, Receipt::digest_of(bytes))
}

pub fn encoded(receipts: &[Receipt]) -> Vec<String> {
    receipts.iter().map(|receipt| told_by(&receipt.encode().unwrap())).collect()
}

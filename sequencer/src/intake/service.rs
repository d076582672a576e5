//! The gRPC service around the door.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use cairn_proto::v1::sequencer_server::Sequencer;
use cairn_proto::{NodeQuery, SequencerInfo, field, v1};
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, error, info_span};

use super::answers;
use super::authorise::Log;
use super::door::{self, Door, Pending};
use super::error::IntakeError;
use super::rate::Limiter;
use crate::metrics;
use crate::registry::follow::ChainView;
use crate::settle::stage_task::chain_of;
use crate::status::LogStatus;
use crate::store::StoreError;

/// Bundles of one stream that are checked at the same time.
const STREAM_CHECKS: usize = 4;
/// Bundles of one stream that wait for the disk at the same time.
const STREAM_PENDING: usize = 64;

/// What the service answers with.
#[derive(Clone)]
pub struct Service {
    /// What does not change: the rollup, the key, the limits. Its slot is not looked at.
    pub info: SequencerInfo,
    /// The door.
    pub door: Door,
    /// Who calls too often.
    pub limiter: Arc<Limiter>,
    /// The log.
    pub log: Log,
    /// How far the log has come.
    pub status: watch::Receiver<LogStatus>,
    /// Where the chain is.
    pub chain: watch::Receiver<ChainView>,
    /// Ends streams when the sequencer stops.
    pub stop: CancellationToken,
}

type Acknowledgements = Pin<Box<dyn Stream<Item = Result<v1::Acknowledgement, Status>> + Send>>;

impl Service {
    /// Counts a call, before it costs anything.
    fn admit(&self, peer: Option<SocketAddr>) -> Result<(), IntakeError> {
        self.limiter.peer(peer).map_err(|retry_after| {
            metrics::limited("peer");
            IntakeError::Limited { of: "address", retry_after }
        })
    }

    /// Reads the log on a thread where that may take its time.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Log) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, IntakeError> {
        let log = self.log.clone();
        let done = tokio::task::spawn_blocking(move || read(&log)).await.map_err(|_| IntakeError::Stopping)?;
        done.map_err(|failure| {
            error!(error = chain_of(&failure), "the log cannot be read");
            IntakeError::Log
        })
    }
}

#[tonic::async_trait]
impl Sequencer for Service {
    async fn get_info(&self, request: Request<v1::GetInfoRequest>) -> Result<Response<v1::GetInfoReply>, Status> {
        self.admit(request.remote_addr())?;
        let slot = self.chain.borrow().slot;
        Ok(Response::new(SequencerInfo { slot, ..self.info }.into()))
    }

    async fn get_node(&self, request: Request<v1::GetNodeRequest>) -> Result<Response<v1::GetNodeReply>, Status> {
        self.admit(request.remote_addr())?;
        let query = NodeQuery::try_from(request.into_inner())?;
        let node = self.read(move |log| answers::node(log, query)).await?;
        let node = node.ok_or_else(|| match query {
            NodeQuery::Index(index) => {
                Status::not_found(format!("node_index: no registration of node {index} is final on chain"))
            }
            NodeQuery::Key(key) => {
                Status::not_found(format!("receipt_key: no registration of key {key} is final on chain"))
            }
        })?;
        Ok(Response::new(node.into()))
    }

    async fn get_bundle(&self, request: Request<v1::GetBundleRequest>) -> Result<Response<v1::GetBundleReply>, Status> {
        self.admit(request.remote_addr())?;
        let request = request.into_inner();
        let node_index = field::node_index("node_index", request.node_index)?;
        let sequence = field::counter("sequence", request.sequence)?;
        let (status, settled) = (self.status.borrow().clone(), self.chain.borrow().settled);
        let bundle = self.read(move |log| answers::bundle(log, &status, settled, node_index, sequence)).await?;
        let bundle = bundle.ok_or_else(|| {
            Status::not_found(format!("sequence: the log has no bundle {sequence} of node {node_index}"))
        })?;
        Ok(Response::new(bundle.into()))
    }

    async fn submit_bundle(
        &self,
        request: Request<v1::SubmitBundleRequest>,
    ) -> Result<Response<v1::Acknowledgement>, Status> {
        if self.stop.is_cancelled() {
            return Err(IntakeError::Stopping.into());
        }
        self.admit(request.remote_addr()).inspect_err(door::note)?;
        let acknowledgement = self.door.submit(request.into_inner()).await?;
        Ok(Response::new(acknowledgement.into()))
    }

    type SubmitBundlesStream = Acknowledgements;

    async fn submit_bundles(
        &self,
        request: Request<Streaming<v1::SubmitBundleRequest>>,
    ) -> Result<Response<Acknowledgements>, Status> {
        let peer = request.remote_addr();
        self.admit(peer).inspect_err(door::note)?;
        let (sender, pending) = mpsc::channel(STREAM_PENDING);
        let given = give_in_order(self.clone(), peer, request.into_inner(), sender);
        tokio::spawn(given.instrument(info_span!("bundle_stream")));
        let answers = ReceiverStream::new(pending).then(|next: Result<Pending, Status>| async {
            let acknowledgement = next?.acknowledgement().await.inspect_err(door::note)?;
            Ok(acknowledgement.into())
        });
        Ok(Response::new(Box::pin(until_first_error(answers))))
    }

    async fn status(&self, request: Request<v1::StatusRequest>) -> Result<Response<v1::StatusReply>, Status> {
        self.admit(request.remote_addr())?;
        let status = self.status.borrow().clone();
        Ok(Response::new(status.reply(&self.info.rollup_id)))
    }
}

/// Checks the bundles of a stream, several at a time, and gives them to the writer in the order they came.
///
/// A place at the door is taken before a request is checked. When there is none, the peer calls too often, or the client
/// does not read its acknowledgements, nothing more is read from the stream, and HTTP/2 makes the client wait.
async fn give_in_order(
    service: Service,
    peer: Option<SocketAddr>,
    requests: Streaming<v1::SubmitBundleRequest>,
    sender: mpsc::Sender<Result<Pending, Status>>,
) {
    let Service { door, stop, limiter, .. } = service;
    let (to_enter, to_check) = (door.clone(), door.clone());
    let checked = requests
        .then(move |request| {
            let (door, limiter) = (to_enter.clone(), Arc::clone(&limiter));
            async move {
                while let Err(wait) = limiter.peer(peer) {
                    metrics::limited("peer");
                    tokio::time::sleep(wait).await;
                }
                (request, door.enter().await)
            }
        })
        .map(move |(request, place)| {
            let door = to_check.clone();
            async move {
                let (request, place) = (request?, place.map_err(Status::from)?);
                let admitted = door.check(request).await.inspect_err(door::note)?;
                Ok::<_, Status>((admitted, place))
            }
        })
        .buffered(STREAM_CHECKS);
    tokio::pin!(checked);
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => Some(Err(IntakeError::Stopping.into())),
            () = sender.closed() => None,
            next = checked.next() => next,
        };
        let Some(next) = next else { return };
        let pending = match next {
            Ok((admitted, place)) => door.give(admitted, place).await.map_err(Status::from),
            Err(status) => Err(status),
        };
        let failed = pending.is_err();
        if sender.send(pending).await.is_err() || failed {
            return;
        }
    }
}

/// Ends a stream after its first error.
fn until_first_error(
    answers: impl Stream<Item = Result<v1::Acknowledgement, Status>> + Send,
) -> impl Stream<Item = Result<v1::Acknowledgement, Status>> + Send {
    answers.scan(false, |failed, answer| {
        let done = *failed;
        *failed = answer.is_err();
        futures::future::ready((!done).then_some(answer))
    })
}

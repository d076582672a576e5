//! The gRPC service around the door.

use std::pin::Pin;
use std::sync::Arc;

use cairn_proto::v1::sequencer_server::Sequencer;
use cairn_proto::{Limits, MAX_MESSAGE_BYTES, NodeInfo, field, v1};
use cairn_types::Digest;
use cairn_types::limits::{MAX_BUNDLE_RECEIPTS, MAX_RECEIPT_BYTES};
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, info_span};

use super::door::{self, Door, Pending};
use super::error::IntakeError;
use crate::status::LogStatus;
use crate::store::Store;

/// Bundles of one stream that are checked at the same time.
const STREAM_CHECKS: usize = 4;
/// Bundles of one stream that wait for the disk at the same time.
const STREAM_PENDING: usize = 64;

/// What the service answers with.
#[derive(Clone)]
pub struct Service {
    /// The rollup that is served.
    pub rollup_id: Digest,
    /// Places at the door.
    pub in_flight: u32,
    /// The door.
    pub door: Door,
    /// The log, for `Info`.
    pub store: Arc<Store>,
    /// How far the log has come, for `Status`.
    pub status: watch::Receiver<LogStatus>,
    /// Ends streams when the sequencer stops.
    pub stop: CancellationToken,
}

type Acknowledgements = Pin<Box<dyn Stream<Item = Result<v1::Acknowledgement, Status>> + Send>>;

#[tonic::async_trait]
impl Sequencer for Service {
    async fn info(&self, request: Request<v1::InfoRequest>) -> Result<Response<v1::InfoReply>, Status> {
        let node_index = field::node_index("node_index", request.into_inner().node_index)?;
        let store = Arc::clone(&self.store);
        let next_sequence = tokio::task::spawn_blocking(move || store.next_sequence(node_index))
            .await
            .map_err(|_| IntakeError::Stopping)?
            .map_err(|_| IntakeError::Log)?;
        let limits = Limits {
            receipts_per_bundle: MAX_BUNDLE_RECEIPTS as u32,
            receipt_bytes: MAX_RECEIPT_BYTES as u32,
            message_bytes: MAX_MESSAGE_BYTES as u32,
            bundles_in_flight: self.in_flight,
        };
        Ok(Response::new(NodeInfo { rollup_id: self.rollup_id, limits, next_sequence }.into()))
    }

    async fn submit_bundle(
        &self,
        request: Request<v1::SubmitBundleRequest>,
    ) -> Result<Response<v1::Acknowledgement>, Status> {
        if self.stop.is_cancelled() {
            return Err(IntakeError::Stopping.into());
        }
        let acknowledgement = self.door.submit(request.into_inner()).await?;
        Ok(Response::new(acknowledgement.into()))
    }

    type SubmitBundlesStream = Acknowledgements;

    async fn submit_bundles(
        &self,
        request: Request<Streaming<v1::SubmitBundleRequest>>,
    ) -> Result<Response<Acknowledgements>, Status> {
        let (door, stop, requests) = (self.door.clone(), self.stop.clone(), request.into_inner());
        let (sender, pending) = mpsc::channel(STREAM_PENDING);
        tokio::spawn(give_in_order(door, stop, requests, sender).instrument(info_span!("bundle_stream")));
        let answers = ReceiverStream::new(pending).then(|next: Result<Pending, Status>| async {
            let acknowledgement = next?.acknowledgement().await.inspect_err(door::note)?;
            Ok(acknowledgement.into())
        });
        Ok(Response::new(Box::pin(until_first_error(answers))))
    }

    async fn status(&self, _: Request<v1::StatusRequest>) -> Result<Response<v1::StatusReply>, Status> {
        let status = self.status.borrow().clone();
        Ok(Response::new(status.reply(&self.rollup_id)))
    }
}

/// Checks the bundles of a stream, several at a time, and gives them to the writer in the order they came.
///
/// A place at the door is taken before a request is checked. When there is none, or the client does not read its
/// acknowledgements, nothing more is read from the stream, and HTTP/2 makes the client wait.
async fn give_in_order(
    door: Door,
    stop: CancellationToken,
    requests: Streaming<v1::SubmitBundleRequest>,
    sender: mpsc::Sender<Result<Pending, Status>>,
) {
    let checked = requests
        .then(|request| {
            let door = door.clone();
            async move { (request, door.enter().await) }
        })
        .map(|(request, place)| {
            let door = door.clone();
            async move {
                let (request, place) = (request?, place.map_err(Status::from)?);
                let bundle = door.check(request).await.inspect_err(door::note)?;
                Ok::<_, Status>((bundle, place))
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
            Ok((bundle, place)) => door.give(bundle, place).await.map_err(Status::from),
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

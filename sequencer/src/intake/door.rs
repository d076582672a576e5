//! The door: bounded admission, checking off the async threads, and the way to the writer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_proto::Acknowledgement;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_types::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{Instrument, debug, info_span};

use super::check::{CheckedBundle, check};
use super::error::IntakeError;
use super::writer::Offer;
use crate::{clock, metrics};

/// When a refused client should come again: a few synchronous writes later.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Lets bundles in, as many at one time as the configuration allows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Door {
    rollup_id: Digest,
    in_flight: u32,
    permits: Arc<Semaphore>,
    writer: mpsc::Sender<Offer>,
}

/// A place among the bundles in flight; free again when dropped.
#[derive(Debug)]
pub struct Place {
    permit: Option<OwnedSemaphorePermit>,
    permits: Arc<Semaphore>,
    in_flight: u32,
}

impl Place {
    fn new(permit: OwnedSemaphorePermit, door: &Door) -> Self {
        let place = Self { permit: Some(permit), permits: Arc::clone(&door.permits), in_flight: door.in_flight };
        place.measure();
        place
    }

    fn measure(&self) {
        metrics::in_flight((self.in_flight as usize).saturating_sub(self.permits.available_permits()));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.measure();
    }
}

/// A bundle that the writer has, and the place that it takes until its answer is there.
#[derive(Debug)]
pub struct Pending {
    reply: oneshot::Receiver<Result<Acknowledgement, IntakeError>>,
    _place: Place,
}

impl Door {
    /// A door with `in_flight` places, in front of the writer behind `writer`.
    #[must_use]
    pub fn new(rollup_id: Digest, in_flight: NonZeroU32, writer: mpsc::Sender<Offer>) -> Self {
        let permits = Arc::new(Semaphore::new(in_flight.get() as usize));
        Self { rollup_id, in_flight: in_flight.get(), permits, writer }
    }

    /// A place at once.
    ///
    /// # Errors
    /// [`IntakeError::Busy`] when all are taken.
    pub fn try_enter(&self) -> Result<Place, IntakeError> {
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(|_| IntakeError::Busy { limit: self.in_flight, retry_after: RETRY_AFTER })?;
        Ok(Place::new(permit, self))
    }

    /// A place as soon as there is one: for streams, whose sender waits when nobody reads.
    ///
    /// # Errors
    /// [`IntakeError::Stopping`] when there will be none.
    pub async fn enter(&self) -> Result<Place, IntakeError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| IntakeError::Stopping)?;
        Ok(Place::new(permit, self))
    }

    /// Checks a request on a thread where it may take its time.
    ///
    /// # Errors
    /// [`IntakeError::Invalid`].
    pub async fn check(&self, request: SubmitBundleRequest) -> Result<CheckedBundle, IntakeError> {
        let rollup_id = self.rollup_id;
        let span = info_span!("check_bundle", node = request.node_index, sequence = request.sequence);
        let checked = tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let started = Instant::now();
            let checked = check(request, &rollup_id, clock::now_ms());
            metrics::checked(started.elapsed());
            checked
        })
        .await;
        match checked {
            Ok(checked) => checked.map_err(IntakeError::Invalid),
            // The runtime is going down; a panic in there would be a bug, and the node is not to blame for it.
            Err(_) => Err(IntakeError::Stopping),
        }
    }

    /// Gives a checked bundle to the writer. Bundles are ordered as they are given.
    ///
    /// # Errors
    /// [`IntakeError::Stopping`] when the writer has gone.
    pub async fn give(&self, bundle: CheckedBundle, place: Place) -> Result<Pending, IntakeError> {
        let (reply, answer) = oneshot::channel();
        let offer = Offer { bundle, arrived_ms: clock::now_ms(), reply };
        self.writer.send(offer).await.map_err(|_| IntakeError::Stopping)?;
        Ok(Pending { reply: answer, _place: place })
    }

    /// The whole way for one bundle.
    ///
    /// # Errors
    /// Why it is not acknowledged.
    pub async fn submit(&self, request: SubmitBundleRequest) -> Result<Acknowledgement, IntakeError> {
        let span = info_span!("bundle", node = request.node_index, sequence = request.sequence);
        async {
            let place = self.try_enter()?;
            let bundle = self.check(request).await?;
            self.give(bundle, place).await?.acknowledgement().await
        }
        .instrument(span)
        .await
        .inspect_err(note)
    }
}

impl Pending {
    /// Waits until the bundle is on disk.
    ///
    /// # Errors
    /// Why it is not acknowledged.
    pub async fn acknowledgement(self) -> Result<Acknowledgement, IntakeError> {
        self.reply.await.unwrap_or(Err(IntakeError::Log))
    }
}

/// Counts and logs a refusal.
pub(super) fn note(error: &IntakeError) {
    metrics::refused(error.reason());
    debug!(reason = error.reason(), %error, "bundle refused");
}

#[cfg(test)]
mod tests {
    use cairn_proto::refusal::Refusal;
    use tonic::{Code, Status};

    use super::*;
    use crate::samples::{NODE, request, rollup};

    fn door(in_flight: u32) -> (Door, mpsc::Receiver<Offer>) {
        let (writer, offers) = mpsc::channel(8);
        (Door::new(rollup(), NonZeroU32::new(in_flight).unwrap(), writer), offers)
    }

    #[tokio::test]
    async fn a_full_door_says_when_to_come_again_and_opens_when_a_bundle_is_answered() {
        let (door, mut offers) = door(1);
        let waiting = tokio::spawn({
            let door = door.clone();
            async move { door.submit(request(NODE, 0, 1)).await }
        });
        let offer = offers.recv().await.unwrap();
        let status = Status::from(door.submit(request(NODE, 1, 1)).await.unwrap_err());
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(Refusal::of(&status), Some(Refusal::Busy { retry_after: RETRY_AFTER }));
        offer.reply.send(Err(IntakeError::Log)).unwrap();
        assert_eq!(waiting.await.unwrap(), Err(IntakeError::Log));
        door.try_enter().unwrap();
    }

    #[tokio::test]
    async fn a_stream_waits_at_a_full_door() {
        let (door, _offers) = door(1);
        let place = door.try_enter().unwrap();
        let waiting = tokio::spawn({
            let door = door.clone();
            async move { door.enter().await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(place);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn an_invalid_bundle_never_reaches_the_writer() {
        let (door, mut offers) = door(1);
        let mut invalid = request(NODE, 0, 1);
        invalid.receipts.clear();
        let status = Status::from(door.submit(invalid).await.unwrap_err());
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with("receipts: "), "{}", status.message());
        assert!(offers.try_recv().is_err());
    }

    #[tokio::test]
    async fn without_a_writer_the_sequencer_is_stopping() {
        let (door, offers) = door(1);
        drop(offers);
        assert_eq!(door.submit(request(NODE, 0, 1)).await, Err(IntakeError::Stopping));
    }
}

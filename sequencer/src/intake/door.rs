//! The door: bounded admission, checking on threads of its own, and the way to the writer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_proto::Acknowledgement;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_types::Digest;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{Instrument, debug, error, info_span};

use super::authorise::{self, Authorised, Log, Unauthorised, Verdict};
use super::check::check;
use super::error::IntakeError;
use super::rate::Limiter;
use super::writer::Offer;
use crate::settle::stage_task::chain_of;
use crate::store::StoreError;
use crate::{clock, metrics};

/// When a refused client should come again: a few synchronous writes later.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Lets bundles in, as many at one time as the configuration allows. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    rollup_id: Digest,
    log: Log,
    limiter: Arc<Limiter>,
    checkers: Arc<ThreadPool>,
    in_flight: u32,
    permits: Arc<Semaphore>,
    writer: mpsc::Sender<Offer>,
}

/// What a request turned out to be.
#[derive(Debug)]
pub enum Admitted {
    /// It is in the log: this is its acknowledgement.
    Known(Acknowledgement),
    /// It may join the log.
    New(Authorised),
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

/// A bundle that the writer has, and the place that it takes until its answer is there; or one whose answer is there.
#[derive(Debug)]
pub enum Pending {
    /// The log had it.
    Known(Acknowledgement),
    /// The writer has it.
    Offered {
        /// Where the answer comes from.
        reply: oneshot::Receiver<Result<Acknowledgement, IntakeError>>,
        /// Its place.
        place: Place,
    },
}

/// The threads that check bundles. Bundles wait for one at their place at the door: no more than are let in.
///
/// # Errors
/// When threads cannot be started.
pub fn checkers(threads: usize) -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let builder = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("check-{index}"))
        // Whoever waits for the answer hears that there is none; the panic's own words are printed.
        .panic_handler(|_| error!("checking a bundle panicked: a defect, report it"));
    builder.build().map(Arc::new)
}

impl Door {
    /// A door with `in_flight` places, in front of the writer behind `writer`.
    #[must_use]
    pub fn new(
        log: Log,
        limiter: Arc<Limiter>,
        checkers: Arc<ThreadPool>,
        in_flight: NonZeroU32,
        writer: mpsc::Sender<Offer>,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(in_flight.get() as usize));
        let rollup_id = log.store.rollup_id();
        Self { rollup_id, log, limiter, checkers, in_flight: in_flight.get(), permits, writer }
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

    /// Checks a request, its signature included, on a thread where it may take its time, and counts it for its node.
    ///
    /// # Errors
    /// Why it may not join the log.
    pub async fn check(&self, request: SubmitBundleRequest) -> Result<Admitted, IntakeError> {
        let (rollup_id, log) = (self.rollup_id, self.log.clone());
        let span = info_span!("check_bundle", node = request.node_index, sequence = request.sequence);
        let (reply, checked) = oneshot::channel();
        self.checkers.spawn(move || {
            let _entered = span.entered();
            let started = Instant::now();
            let verdict = admit(&log, request, &rollup_id);
            metrics::checked(started.elapsed());
            // Whoever asked may have gone.
            let _ = reply.send(verdict);
        });
        let admitted = checked.await.unwrap_or(Err(IntakeError::Log))?;
        if let Admitted::New(authorised) = &admitted {
            self.limiter.node(authorised.bundle.data.node_index).map_err(|retry_after| {
                metrics::limited("node");
                IntakeError::Limited { of: "node", retry_after }
            })?;
        }
        Ok(admitted)
    }

    /// Gives a checked bundle to the writer. Bundles are ordered as they are given.
    ///
    /// # Errors
    /// [`IntakeError::Stopping`] when the writer has gone.
    pub async fn give(&self, admitted: Admitted, place: Place) -> Result<Pending, IntakeError> {
        let authorised = match admitted {
            Admitted::Known(acknowledgement) => {
                metrics::duplicate();
                return Ok(Pending::Known(acknowledgement));
            }
            Admitted::New(authorised) => authorised,
        };
        let (reply, answer) = oneshot::channel();
        let offer = Offer { authorised, arrived_ms: clock::now_ms(), reply };
        self.writer.send(offer).await.map_err(|_| IntakeError::Stopping)?;
        Ok(Pending::Offered { reply: answer, place })
    }

    /// The whole way for one bundle.
    ///
    /// # Errors
    /// Why it is not acknowledged.
    pub async fn submit(&self, request: SubmitBundleRequest) -> Result<Acknowledgement, IntakeError> {
        let span = info_span!("bundle", node = request.node_index, sequence = request.sequence);
        async {
            let place = self.try_enter()?;
            let admitted = self.check(request).await?;
            self.give(admitted, place).await?.acknowledgement().await
        }
        .instrument(span)
        .await
        .inspect_err(note)
    }
}

/// Checks a request: limits and clauses, then who signed it.
fn admit(log: &Log, request: SubmitBundleRequest, rollup_id: &Digest) -> Result<Admitted, IntakeError> {
    let unreadable = |failure: StoreError| {
        error!(error = chain_of(&failure), "the log cannot be read");
        IntakeError::Log
    };
    // Whoever is no node costs one look at the log, not the hashing of a bundle.
    if !authorise::is_known(log, request.node_index).map_err(unreadable)? {
        return Err(Unauthorised::Unregistered(request.node_index).into());
    }
    let bundle = check(request, rollup_id, clock::now_ms())?;
    let (node_index, sequence) = (bundle.data.node_index, bundle.data.sequence);
    let verdict = authorise::authorise(log, bundle).map_err(unreadable)?;
    Ok(match verdict? {
        Verdict::Authorised(authorised) => Admitted::New(authorised),
        Verdict::Known(placed) => {
            let first = placed.acknowledgement(rollup_id, node_index, sequence);
            Admitted::Known(Acknowledgement { duplicate: true, ..first })
        }
    })
}

impl Pending {
    /// Waits until the bundle is on disk.
    ///
    /// # Errors
    /// Why it is not acknowledged.
    pub async fn acknowledgement(self) -> Result<Acknowledgement, IntakeError> {
        match self {
            Self::Known(acknowledgement) => Ok(acknowledgement),
            Self::Offered { reply, place } => {
                let answer = reply.await.unwrap_or(Err(IntakeError::Log));
                drop(place);
                answer
            }
        }
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
    use crate::intake::rate::Rates;
    use crate::samples::{NODE, request};
    use crate::test_log::TestLog;

    struct Entrance {
        door: Door,
        offers: mpsc::Receiver<Offer>,
        _log: TestLog,
    }

    fn entrance(in_flight: u32, rates: Rates) -> Entrance {
        let log = TestLog::new(&[NODE]);
        let (writer, offers) = mpsc::channel(8);
        let in_flight = NonZeroU32::new(in_flight).unwrap();
        let door = Door::new(log.log(), Arc::new(Limiter::new(rates)), checkers(1).unwrap(), in_flight, writer);
        Entrance { door, offers, _log: log }
    }

    #[tokio::test]
    async fn a_full_door_says_when_to_come_again_and_opens_when_a_bundle_is_answered() {
        let Entrance { door, mut offers, _log } = entrance(1, Rates::NONE);
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
        let Entrance { door, .. } = entrance(1, Rates::NONE);
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
        let Entrance { door, mut offers, _log } = entrance(1, Rates::NONE);
        let mut invalid = request(NODE, 0, 1);
        invalid.receipts.clear();
        let status = Status::from(door.submit(invalid).await.unwrap_err());
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with("receipts: "), "{}", status.message());
        let mut forged = request(NODE, 0, 1);
        forged.signature = request(NODE, 1, 1).signature;
        let status = Status::from(door.submit(forged).await.unwrap_err());
        assert_eq!(status.code(), Code::Unauthenticated);
        for receipts in [0, 1] {
            let status = Status::from(door.submit(request(NODE + 1, 0, receipts)).await.unwrap_err());
            assert_eq!(status.code(), Code::NotFound, "whatever it is that an unknown node sends");
        }
        assert!(offers.try_recv().is_err());
    }

    #[tokio::test]
    async fn without_a_writer_the_sequencer_is_stopping() {
        let Entrance { door, offers, _log } = entrance(1, Rates::NONE);
        drop(offers);
        assert_eq!(door.submit(request(NODE, 0, 1)).await, Err(IntakeError::Stopping));
    }

    #[tokio::test]
    async fn only_signed_bundles_use_up_a_nodes_share() {
        let Entrance { door, offers, _log } = entrance(1, Rates { node: 1, peer: 0 });
        drop(offers);
        let mut forged = request(NODE, 0, 1);
        forged.signature = request(NODE, 1, 1).signature;
        for _ in 0..10 {
            let status = Status::from(door.submit(forged.clone()).await.unwrap_err());
            assert_eq!(status.code(), Code::Unauthenticated);
        }
        for _ in 0..2 {
            assert_eq!(door.submit(request(NODE, 0, 1)).await, Err(IntakeError::Stopping));
        }
        let status = Status::from(door.submit(request(NODE, 0, 1)).await.unwrap_err());
        assert_eq!(status.code(), Code::ResourceExhausted);
        let Some(Refusal::Busy { retry_after }) = Refusal::of(&status) else { panic!("{status:?}") };
        assert!(retry_after <= Duration::from_secs(1), "{retry_after:?}");
    }
}

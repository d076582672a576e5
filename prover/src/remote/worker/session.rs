//! One session of a worker: slots that lease and prove, and the heartbeat beside them.

use super::calls::{Calls, Terms, text};
use super::{Event, JobName};
use crate::LocalProver;
use crate::remote::metrics;
use crate::remote::wire::{OwnedJob, layer};
use cairn_circuits::Layer;
use cairn_proto::v1::ProverJob;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// Between two attempts at the same call.
const AGAIN: Duration = Duration::from_millis(200);
/// How long the last call of a session may take: stopping does not wait for a coordinator that is away.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a session ended.
pub enum Ended {
    /// The worker was told to stop.
    Stopped,
    /// The coordinator is away, or has ended it.
    Lost(Status),
}

/// What slots and heartbeat share.
#[derive(Clone)]
pub struct Session {
    prover: Arc<LocalProver>,
    calls: Calls,
    terms: Arc<Terms>,
    seats: Arc<Semaphore>,
    /// Leases that are being worked on. Cancelled when they are not wanted any more.
    held: Arc<Mutex<BTreeMap<u64, CancellationToken>>>,
    watch: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Session {
    /// After the coordinator has said its terms.
    pub fn new(
        prover: &Arc<LocalProver>,
        calls: Calls,
        terms: Terms,
        seats: &Arc<Semaphore>,
        watch: &Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        Self {
            prover: Arc::clone(prover),
            calls,
            terms: Arc::new(terms),
            seats: Arc::clone(seats),
            held: Arc::default(),
            watch: Arc::clone(watch),
        }
    }

    /// Works until told to stop, or until the session is lost.
    pub async fn run(self, slots: usize, stop: &CancellationToken) -> Ended {
        let mut tasks = JoinSet::new();
        for _ in 0..slots {
            tasks.spawn(self.clone().slot());
        }
        tasks.spawn(self.clone().beat());
        let lost = tokio::select! {
            () = stop.cancelled() => None,
            lost = tasks.join_next() => Some(lost),
        };
        tasks.abort_all();
        match lost {
            // If the coordinator does not hear it, the leases end by themselves.
            None => {
                let _ = tokio::time::timeout(GOODBYE, self.calls.goodbye(&self.terms)).await;
                Ended::Stopped
            }
            Some(Some(Ok(status))) => Ended::Lost(status),
            Some(Some(Err(error))) => Ended::Lost(Status::internal(format!("a slot of this worker failed: {error}"))),
            Some(None) => Ended::Lost(Status::internal("this worker has no slots")),
        }
    }

    /// Sends heartbeats until that fails for good.
    async fn beat(self) -> Status {
        loop {
            let leases: Vec<u64> = self.held.lock().keys().copied().collect();
            match self.patiently(|| self.calls.heartbeat(&self.terms, leases.clone())).await {
                Ok(unwanted) => {
                    let held = self.held.lock();
                    unwanted.iter().filter_map(|lease| held.get(lease)).for_each(CancellationToken::cancel);
                }
                Err(status) => return status,
            }
            tokio::time::sleep(self.terms.heartbeat).await;
        }
    }

    /// Leases and proves until that fails for good.
    async fn slot(self) -> Status {
        loop {
            let Ok(seat) = Arc::clone(&self.seats).acquire_owned().await else {
                return Status::internal("this worker's slots are gone");
            };
            match self.patiently(|| self.calls.lease(&self.terms)).await {
                Ok(None) => {}
                Ok(Some(job)) => {
                    let lease = job.lease;
                    let unwanted = CancellationToken::new();
                    self.held.lock().insert(lease, unwanted.clone());
                    let ended = self.work(job, seat, &unwanted).await;
                    self.held.lock().remove(&lease);
                    if let Err(status) = ended {
                        return status;
                    }
                }
                Err(status) => return status,
            }
        }
    }

    /// Makes one proof and brings it, or says why not.
    async fn work(
        &self,
        job: ProverJob,
        seat: OwnedSemaphorePermit,
        unwanted: &CancellationToken,
    ) -> Result<(), Status> {
        let (lease, began) = (job.lease, Instant::now());
        let layer = match layer(job.kind, job.level) {
            Ok(layer) => layer,
            Err(error) => {
                let reason = error.to_string();
                return self.patiently(|| self.calls.release(&self.terms, lease, &reason)).await;
            }
        };
        let name = JobName { batch: job.batch, layer, index: job.index };
        (self.watch)(Event::Began(name));
        let made = tokio::select! {
            made = self.make(layer, job.payload, seat, unwanted.clone()) => made,
            () = unwanted.cancelled() => {
                // plonky2 cannot be interrupted: the thread ends its proof, which nobody hears of.
                metrics::made(layer, "unwanted");
                (self.watch)(Event::Unwanted(name));
                return Ok(());
            }
        };
        let proof = match made {
            Ok(proof) => proof,
            Err(reason) => {
                metrics::made(layer, "failed");
                let said = self.patiently(|| self.calls.release(&self.terms, lease, &reason)).await;
                (self.watch)(Event::Failed { job: name, reason });
                return said;
            }
        };
        let (took, bytes) = (began.elapsed(), proof.len());
        metrics::making(layer, took);
        match self.patiently(|| self.calls.complete(&self.terms, lease, proof.clone())).await {
            Ok(used) => {
                metrics::made(layer, if used { "used" } else { "late" });
                (self.watch)(Event::Proved { job: name, took, bytes, used });
                Ok(())
            }
            Err(status) if status.code() == Code::InvalidArgument => {
                metrics::made(layer, "wrong");
                (self.watch)(Event::Failed { job: name, reason: text(&status) });
                Ok(())
            }
            Err(status) => Err(status),
        }
    }

    /// Reads and proves on the proving threads.
    async fn make(
        &self,
        layer: Layer,
        payload: Vec<u8>,
        seat: OwnedSemaphorePermit,
        unwanted: CancellationToken,
    ) -> Result<Vec<u8>, String> {
        let (done, made) = oneshot::channel();
        let prover = Arc::clone(&self.prover);
        self.prover.pool().spawn(move || {
            let circuits = prover.circuits();
            let proof = || {
                let job = OwnedJob::decode(circuits, layer, &payload).map_err(|error| chain(&error))?;
                if unwanted.is_cancelled() || done.is_closed() {
                    return Err("not wanted any more".to_owned());
                }
                job.prove(circuits).map(|proof| proof.to_bytes()).map_err(|error| chain(&error))
            };
            // A panic here would end the process, and whatever the coordinator sent must not.
            let proof =
                catch_unwind(AssertUnwindSafe(proof)).unwrap_or_else(|_| Err("this worker panicked".to_owned()));
            // Nobody may be waiting any more.
            let _ = done.send(proof);
            drop(seat);
        });
        made.await.unwrap_or_else(|_| Err("the proving thread ended without a proof".to_owned()))
    }

    /// Repeats a call while the coordinator cannot be reached, for as long as a lease lasts.
    async fn patiently<T, F: Future<Output = Result<T, Status>>>(&self, call: impl Fn() -> F) -> Result<T, Status> {
        let began = Instant::now();
        loop {
            match call().await {
                Err(status) if may_pass(&status) && began.elapsed() < self.terms.lease => {
                    tokio::time::sleep(AGAIN).await;
                }
                ended => return ended,
            }
        }
    }
}

/// Whether the coordinator could not be reached, as far as one can tell.
fn may_pass(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::DeadlineExceeded | Code::Cancelled | Code::Internal
    )
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text = format!("{text}: {error}");
        below = error.source();
    }
    text
}

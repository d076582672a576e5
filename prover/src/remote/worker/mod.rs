//! A worker: connects to a coordinator, and makes the proofs that it is given, for as long as it is let.

mod calls;
mod session;

use super::connect::{ConnectError, Connection};
use super::metrics;
use super::service::{MAX_NAME, MAX_SLOTS};
use crate::{LocalProver, Prover as _};
use cairn_circuits::Layer;
use calls::{Calls, Terms};
use rand::Rng as _;
use session::{Ended, Session};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// Pauses between attempts to connect: the first, and the most that it doubles to.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// A session that lasted so long was a good one: the next failure begins with the first pause again.
const GOOD: Duration = Duration::from_secs(30);

/// What a worker is about, for whoever watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session has begun.
    Connected {
        /// Jobs made at one time.
        slots: usize,
    },
    /// There is no session; the next attempt follows after the pause.
    Away {
        /// What went wrong.
        reason: String,
        /// Until the next attempt.
        pause: Duration,
    },
    /// A job is being made.
    Began(JobName),
    /// A job's proof was taken.
    Proved {
        /// Which job.
        job: JobName,
        /// From the lease to the proof.
        took: Duration,
        /// Size of the proof.
        bytes: usize,
        /// Whether it was the first; otherwise another was faster.
        used: bool,
    },
    /// A job is not wanted any more: another was faster, or its batch was cancelled.
    Unwanted(JobName),
    /// A job could not be read or proved, or its proof was refused.
    Failed {
        /// Which job.
        job: JobName,
        /// What went wrong.
        reason: String,
    },
}

/// What a job is called in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobName {
    /// Number of the batch.
    pub batch: u64,
    /// Which circuit.
    pub layer: Layer,
    /// Place among the batch's proofs of this layer.
    pub index: u32,
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "batch {} {} {}", self.batch, self.layer, self.index)
    }
}

/// Why a worker gives up. Everything else is tried again for ever.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The address or its certificates.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The name is none that a coordinator takes.
    #[error("{0:?} is no name of a worker: 1 to {MAX_NAME} printable ASCII characters without spaces")]
    Name(String),
    /// The circuits are others.
    #[error("the coordinator at {url} refuses this worker's circuits: {message}")]
    Circuits {
        /// Where it is.
        url: String,
        /// What it said.
        message: String,
    },
    /// The secret is another.
    #[error("the coordinator at {url} refuses this worker: {message}")]
    Token {
        /// Where it is.
        url: String,
        /// What it said.
        message: String,
    },
    /// Something else serves there.
    #[error("{url} does not hand out proofs: name the address of --prover-listen, not another service's")]
    Service {
        /// Where it is.
        url: String,
    },
}

/// Makes proofs for a coordinator.
pub struct Worker {
    prover: Arc<LocalProver>,
    connection: Connection,
    name: String,
    slots: usize,
    watch: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Worker {
    /// A worker that makes as many proofs at one time as `prover` has threads and memory for.
    ///
    /// # Errors
    /// When the name is none.
    pub fn new(
        prover: LocalProver,
        connection: Connection,
        name: &str,
        watch: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, WorkerError> {
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WorkerError::Name(name.to_owned()));
        }
        let slots = prover.at_once_of_any().min(MAX_SLOTS as usize);
        Ok(Self { prover: Arc::new(prover), connection, name: name.to_owned(), slots, watch: Arc::new(watch) })
    }

    /// Makes at most `slots` proofs at one time.
    #[must_use]
    pub fn with_slots(self, slots: NonZeroUsize) -> Self {
        Self { slots: self.slots.min(slots.get()), ..self }
    }

    /// Jobs made at one time.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Works until told to stop, connecting again whenever it has to. When it stops, its leases are given back at once;
    /// proofs in the making go on in their threads and are dropped.
    ///
    /// # Errors
    /// When trying again cannot help.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), WorkerError> {
        let calls = Calls::new(self.connection.channel()?, self.connection.token.clone());
        // Across sessions: a thread is taken for as long as it proves, whoever the proof was for.
        let seats = Arc::new(Semaphore::new(self.slots));
        let [first, most] = PAUSES;
        let mut pause = first;
        loop {
            let said = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                said = self.hello(&calls) => said,
            };
            let reason = match said {
                Ok(terms) => {
                    metrics::connected();
                    (self.watch)(Event::Connected { slots: self.slots });
                    let began = tokio::time::Instant::now();
                    let session = Session::new(&self.prover, calls.clone(), terms, &seats, &self.watch);
                    match session.run(self.slots, stop).await {
                        Ended::Stopped => return Ok(()),
                        Ended::Lost(status) => {
                            if began.elapsed() >= GOOD {
                                pause = first;
                            }
                            status
                        }
                    }
                }
                Err(status) => self.fatal(status)?,
            };
            let jittered = pause.mul_f64(rand::thread_rng().gen_range(0.75..1.25));
            (self.watch)(Event::Away { reason: calls::text(&reason), pause: jittered });
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(jittered) => {}
            }
            pause = most.min(pause * 2);
        }
    }

    async fn hello(&self, calls: &Calls) -> Result<Terms, Status> {
        let profile = self.prover.profile();
        calls.hello(profile.name(), crate::circuit_digest(profile), &self.name, self.slots as u32).await
    }

    /// Gives back what may pass.
    fn fatal(&self, status: Status) -> Result<Status, WorkerError> {
        let (url, message) = (self.connection.url.clone(), calls::text(&status));
        match status.code() {
            Code::FailedPrecondition => Err(WorkerError::Circuits { url, message }),
            Code::Unauthenticated | Code::InvalidArgument => Err(WorkerError::Token { url, message }),
            Code::Unimplemented => Err(WorkerError::Service { url }),
            _ => Ok(status),
        }
    }
}

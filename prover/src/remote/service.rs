//! The coordinator's gRPC service. Nothing that a worker says is believed.

use super::board::{Holder, NoSession, SessionId};
use super::coordinator::{Coordinator, Settings};
use super::shared::Shared;
use super::token::Token;
use super::wire::MAX_PROOF_MESSAGE_BYTES;
use super::{metrics, wire};
use crate::Prover as _;
use cairn_proto::field;
use cairn_proto::v1::prover_server::{Prover, ProverServer};
use cairn_proto::v1::{
    CompleteReply, CompleteRequest, GoodbyeReply, GoodbyeRequest, HeartbeatReply, HeartbeatRequest, HelloReply,
    HelloRequest, LeaseReply, LeaseRequest, ProverJob, ReleaseReply, ReleaseRequest,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};
use tracing::{info, warn};

/// Jobs that one worker may make at one time.
pub const MAX_SLOTS: u32 = 256;
/// Characters of a worker's name.
pub const MAX_NAME: usize = 64;
/// Characters that are kept of what a worker says has gone wrong.
const MAX_DETAIL: usize = 512;
/// Proofs that are verified at one time.
const VERIFYING: usize = 4;
/// Calls of one connection at one time: every slot's, and some more.
const STREAMS: u32 = MAX_SLOTS + 16;
/// A silent connection is asked this often whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Why workers are not served any more.
#[derive(Debug, thiserror::Error)]
#[error("the workers' gRPC server failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// Lets workers in until told to stop. Without a `token` everybody who reaches the address may work.
///
/// # Errors
/// When the server fails.
pub async fn serve(
    coordinator: &Coordinator,
    listener: TcpListener,
    token: Option<Token>,
    tls: Option<ServerTlsConfig>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let service = Service {
        shared: Arc::clone(&coordinator.shared),
        settings: coordinator.settings,
        verifying: Semaphore::new(VERIFYING),
        stop: stop.clone(),
    };
    let limited = ProverServer::new(service).max_decoding_message_size(MAX_PROOF_MESSAGE_BYTES);
    // Before anything of the message is read.
    let admitted = InterceptedService::new(limited, move |request: Request<()>| match &token {
        Some(token) if !token.is_shown(request.metadata()) => {
            metrics::refused("token");
            Err(Status::unauthenticated("the token is missing or another one: give the worker the coordinator's"))
        }
        _ => Ok(request),
    });
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls)?;
    }
    let server = server
        .max_concurrent_streams(Some(STREAMS))
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .add_service(admitted)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop.cancelled_owned());
    Ok(server.await?)
}

struct Service {
    shared: Arc<Shared>,
    settings: Settings,
    verifying: Semaphore,
    stop: CancellationToken,
}

impl From<NoSession> for Status {
    fn from(error: NoSession) -> Self {
        metrics::refused("session");
        Self::not_found(error.to_string())
    }
}

fn session(bytes: &[u8]) -> Result<SessionId, Status> {
    Ok(field::array::<16>("session", bytes)?)
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Service {
    /// Whether the worker's circuits are ours.
    fn check_circuits(&self, request: &HelloRequest) -> Result<(), Status> {
        let profile = self.shared.prover.profile();
        let ours = crate::circuit_digest(profile);
        let theirs = field::array::<32>("circuit_digest", &request.circuit_digest)?;
        let named = request.profile.chars().take(MAX_NAME).collect::<String>();
        if named != profile.name() || theirs != ours {
            metrics::refused("circuits");
            return Err(Status::failed_precondition(format!(
                "the coordinator proves with profile {profile}, circuits {}, the worker with profile {named}, circuits {}: \
                 run the same version and --profile",
                hex(&ours),
                hex(&theirs)
            )));
        }
        Ok(())
    }

    /// A job for a session, if there is one now.
    fn take(&self, id: SessionId) -> Result<Option<ProverJob>, Status> {
        let taken = self.shared.lock().board.take(Holder::Session(id), Instant::now())?;
        let Some(assignment) = taken else { return Ok(None) };
        let task = assignment.task;
        let job = assignment.work.job(&task, &assignment.children);
        let job = job.ok_or_else(|| Status::internal("a job lacks its children's proofs"))?;
        let (kind, level, payload) = wire::encode(&job);
        metrics::sent(task.layer(), payload.len());
        Ok(Some(ProverJob {
            lease: assignment.lease,
            batch: task.number,
            kind: kind.into(),
            level,
            index: task.index as u32,
            payload,
        }))
    }
}

#[tonic::async_trait]
impl Prover for Service {
    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let request = request.into_inner();
        let name = &request.worker;
        field::size("worker", "characters", name.len(), 1, MAX_NAME)?;
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Status::invalid_argument("worker: only printable ASCII characters without spaces"));
        }
        field::size("slots", "jobs at one time", request.slots as usize, 1, MAX_SLOTS as usize)?;
        self.check_circuits(&request)?;
        let id: SessionId = rand::random();
        let began = self.shared.lock().board.hello(id, name, request.slots as usize, Instant::now());
        if let Err(error) = began {
            metrics::refused("excluded");
            return Err(match error {
                super::board::HelloError::Excluded { .. } => Status::permission_denied(error.to_string()),
                super::board::HelloError::Full => Status::resource_exhausted(error.to_string()),
            });
        }
        info!(worker = name, slots = request.slots, "a worker has connected");
        Ok(Response::new(HelloReply {
            session: id.to_vec(),
            lease_ms: millis(self.settings.lease),
            heartbeat_ms: millis(self.settings.heartbeat()),
            poll_ms: millis(self.settings.poll),
        }))
    }

    async fn lease(&self, request: Request<LeaseRequest>) -> Result<Response<LeaseReply>, Status> {
        let id = session(&request.into_inner().session)?;
        let deadline = tokio::time::sleep(self.settings.poll);
        tokio::pin!(deadline);
        loop {
            let changed = self.shared.notify.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.stop.is_cancelled() {
                return Err(Status::unavailable("the coordinator is stopping"));
            }
            if let Some(job) = self.take(id)? {
                return Ok(Response::new(LeaseReply { job: Some(job) }));
            }
            tokio::select! {
                () = changed => {}
                () = self.stop.cancelled() => {}
                () = &mut deadline => return Ok(Response::new(LeaseReply { job: None })),
            }
        }
    }

    async fn heartbeat(&self, request: Request<HeartbeatRequest>) -> Result<Response<HeartbeatReply>, Status> {
        let request = request.into_inner();
        let id = session(&request.session)?;
        field::size("leases", "leases", request.leases.len(), 0, MAX_SLOTS as usize)?;
        let unwanted = self.shared.lock().board.heartbeat(&id, &request.leases, Instant::now())?;
        Ok(Response::new(HeartbeatReply { unwanted }))
    }

    async fn complete(&self, request: Request<CompleteRequest>) -> Result<Response<CompleteReply>, Status> {
        let CompleteRequest { session: id, lease, proof } = request.into_inner();
        let id = session(&id)?;
        let wanted = self.shared.lock().board.wanted(&id, lease, Instant::now())?;
        let Some((task, work)) = wanted else { return Ok(Response::new(CompleteReply { used: false })) };
        metrics::received(task.layer(), proof.len());
        let _turn = self.verifying.acquire().await.map_err(|_| Status::unavailable("the coordinator is stopping"))?;
        let circuits = self.shared.prover.circuits();
        let verified = tokio::task::spawn_blocking(move || {
            let proof = circuits.read_proof(task.layer(), &proof)?;
            circuits.verify_layer(task.layer(), &proof, &work.stated(&task))?;
            Ok::<_, cairn_circuits::NodeError>(proof)
        });
        let verified = verified.await.map_err(|_| Status::internal("verifying the proof failed"))?;
        let now = Instant::now();
        match verified {
            Ok(proof) => {
                let completed = self.shared.lock().board.complete(lease, Arc::new(proof), now);
                self.shared.tell();
                metrics::ended(task.layer(), "remote", if completed.used { "used" } else { "late" }, completed.took);
                Ok(Response::new(CompleteReply { used: completed.used }))
            }
            Err(error) => {
                let mut state = self.shared.lock();
                let worker = state.board.name(&id).unwrap_or_default().to_owned();
                let excluded = state.board.wrong(lease, now);
                drop(state);
                self.shared.tell();
                metrics::ended(task.layer(), "remote", "wrong", Duration::ZERO);
                warn!(batch = task.number, job = %task.layer(), index = task.index, worker, excluded, "a worker sent a wrong proof: {error}");
                Err(Status::invalid_argument(format!("proof: {error}")))
            }
        }
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseReply>, Status> {
        let ReleaseRequest { session: id, lease, detail } = request.into_inner();
        let id = session(&id)?;
        let detail: String = detail.chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect();
        let now = Instant::now();
        let mut state = self.shared.lock();
        let held = state.board.wanted(&id, lease, now)?;
        let worker = state.board.name(&id)?.to_owned();
        if held.is_some() {
            state.board.release(lease, now);
        }
        drop(state);
        if let Some((task, _)) = held {
            metrics::ended(task.layer(), "remote", "failed", Duration::ZERO);
            warn!(batch = task.number, job = %task.layer(), index = task.index, worker, detail, "a worker could not make a proof");
            self.shared.tell();
        }
        Ok(Response::new(ReleaseReply {}))
    }

    async fn goodbye(&self, request: Request<GoodbyeRequest>) -> Result<Response<GoodbyeReply>, Status> {
        let id = session(&request.into_inner().session)?;
        let mut state = self.shared.lock();
        let worker = state.board.name(&id)?.to_owned();
        state.board.goodbye(&id, Instant::now());
        drop(state);
        self.shared.tell();
        info!(worker, "a worker has left");
        Ok(Response::new(GoodbyeReply {}))
    }
}

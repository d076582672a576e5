//! What each side does not accept of the other, before anything is proved.

use crate::lying::{Raw, hello_request};
use crate::rig::{Serving, Working, settings, until};
use cairn_circuits::SegmentInputs;
use cairn_proto::v1::prover_server::{Prover, ProverServer};
use cairn_proto::v1::*;
use cairn_prover::remote::tls::{self, IdentityFiles};
use cairn_prover::remote::wire::MAX_JOB_MESSAGE_BYTES;
use cairn_prover::remote::{Connection, Coordinator, Event, Token, WorkerError, serve};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

pub async fn a_worker_with_another_token_is_refused() {
    let serving = Serving::start(settings(), Token::new("the-token-of-this-coordinator")).await;
    for token in [None, Token::new("the-token-of-another-coordinator")] {
        let connection = Connection { token, ..Connection::plain(&serving.url()) };
        let error = Working::start("one", connection).ended().await.unwrap_err();
        assert!(matches!(&error, WorkerError::Token { message, .. } if message.contains("token")), "{error}");
    }
    assert_eq!(serving.coordinator.workers(), 0);
    serving.stop().await;
}

pub async fn a_worker_with_other_circuits_is_refused_with_both_digests() {
    let serving = Serving::start(settings(), None).await;
    let mut raw = Raw::connect(&serving.url()).await;
    let ours = hello_request("one");
    let mut digest = ours.circuit_digest.clone();
    digest[31] ^= 1;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let status = raw.hello(HelloRequest { circuit_digest: digest.clone(), ..ours.clone() }).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(
        status.message().contains(&hex(&digest)) && status.message().contains(&hex(&ours.circuit_digest)),
        "{status}"
    );
    let status = raw.hello(HelloRequest { profile: "production".into(), ..ours }).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    serving.stop().await;
}

pub async fn calls_without_a_session_or_with_a_broken_one_are_refused() {
    let serving = Serving::start(settings(), None).await;
    let mut raw = Raw::connect(&serving.url()).await;
    assert_eq!(raw.lease().await.unwrap_err().code(), Code::InvalidArgument, "no session");
    for request in [
        HelloRequest { worker: String::new(), ..hello_request("") },
        hello_request("two words"),
        hello_request(&"x".repeat(65)),
        HelloRequest { slots: 0, ..hello_request("one") },
        HelloRequest { slots: 257, ..hello_request("one") },
        HelloRequest { circuit_digest: vec![0; 31], ..hello_request("one") },
    ] {
        let status = raw.hello(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    raw.hello(hello_request("one")).await.unwrap();
    assert!(!raw.complete(1, vec![1]).await.unwrap(), "a lease that it does not have");
    serving.stop().await;
}

/// A coordinator that hands out whatever may harm a worker, one job after another.
#[derive(Default)]
struct Hostile {
    next: AtomicUsize,
    released: Mutex<Vec<(u64, String)>>,
}

impl Hostile {
    const JOBS: u64 = 9;

    fn job(lease: u64) -> ProverJob {
        let (segment, aggregation) = (ProverJobKind::Segment as i32, ProverJobKind::Aggregation as i32);
        let (batch, last) = (ProverJobKind::Batch as i32, ProverJobKind::Final as i32);
        let mut words = SegmentInputs::default().encode();
        words[..8].fill(0xff);
        let (kind, level, payload) = match lease {
            0 => (0, 0, vec![]),
            1 => (99, 0, vec![]),
            2 => (segment, 0, vec![0xff; 100]),
            3 => (segment, 0, words),
            4 => (aggregation, 0, vec![]),
            5 => (aggregation, u32::MAX, vec![]),
            // A proof that announces four GiB.
            6 => (aggregation, 1, vec![0xff; 64]),
            7 => (batch, 0, borsh::to_vec(&(vec![7u8; 1_000], [0u64; 48])).unwrap()),
            _ => (last, 0, vec![7; 1_000]),
        };
        ProverJob { lease, batch: 0, kind, level, index: 0, payload }
    }
}

#[tonic::async_trait]
impl Prover for &'static Hostile {
    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        // Times out of all bounds.
        let session = vec![0; 16];
        Ok(Response::new(HelloReply { session, lease_ms: 0, heartbeat_ms: 0, poll_ms: u32::MAX }))
    }

    async fn lease(&self, _: Request<LeaseRequest>) -> Result<Response<LeaseReply>, Status> {
        match self.next.fetch_add(1, Ordering::Relaxed) as u64 {
            // More than a worker reads: it says so, and the session goes on or begins anew.
            0 => {
                let payload = vec![0; MAX_JOB_MESSAGE_BYTES + 1];
                Ok(Response::new(LeaseReply { job: Some(ProverJob { payload, ..Hostile::job(0) }) }))
            }
            lease if lease <= Hostile::JOBS => Ok(Response::new(LeaseReply { job: Some(Hostile::job(lease - 1)) })),
            _ => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(Response::new(LeaseReply { job: None }))
            }
        }
    }

    async fn heartbeat(&self, _: Request<HeartbeatRequest>) -> Result<Response<HeartbeatReply>, Status> {
        Ok(Response::new(HeartbeatReply { unwanted: vec![u64::MAX; 1_000] }))
    }

    async fn complete(&self, _: Request<CompleteRequest>) -> Result<Response<CompleteReply>, Status> {
        Err(Status::internal("nothing of this can be proved"))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseReply>, Status> {
        let ReleaseRequest { lease, detail, .. } = request.into_inner();
        self.released.lock().unwrap().push((lease, detail));
        Ok(Response::new(ReleaseReply {}))
    }

    async fn goodbye(&self, _: Request<GoodbyeRequest>) -> Result<Response<GoodbyeReply>, Status> {
        Ok(Response::new(GoodbyeReply {}))
    }
}

pub async fn a_worker_outlives_whatever_a_coordinator_sends() {
    let hostile: &'static Hostile = Box::leak(Box::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(ProverServer::new(hostile));
    let server = tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let worker = Working::start("one", Connection::plain(&url));
    until("every job is given back", || hostile.released.lock().unwrap().len() == Hostile::JOBS as usize).await;
    let mut released = hostile.released.lock().unwrap().clone();
    released.sort();
    assert!(released.iter().enumerate().all(|(index, (lease, _))| index as u64 == *lease), "{released:?}");
    assert!(released.iter().all(|(_, detail)| !detail.is_empty()), "{released:?}");
    assert!(worker.count(|event| matches!(event, Event::Away { .. })) > 0, "what is too long ends a session");
    worker.stop().await.unwrap();
    server.abort();
}

pub async fn only_workers_with_a_certificate_of_the_given_authority_are_let_in() {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let identity = |name: &str, by: &CertifiedIssuer<'static, KeyPair>| {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, by).unwrap();
        IdentityFiles {
            certificate: write(&format!("{name}.pem"), certificate.pem()),
            key: write(&format!("{name}.key"), key.serialize_pem()),
        }
    };
    let (ours, theirs) = (authority(), authority());
    let ca = write("ca.pem", ours.pem());
    let config = tls::server(&identity("server", &ours), Some(&ca)).unwrap();
    let coordinator = Coordinator::start(crate::rig::prover(), settings()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let coordinator = std::sync::Arc::new(coordinator);
    let served = std::sync::Arc::clone(&coordinator);
    let server = tokio::spawn(async move { serve(&served, listener, None, Some(config), stopped).await });

    let with = |identity: Option<IdentityFiles>| Connection {
        authorities: Some(ca.clone()),
        identity,
        ..Connection::plain(&url)
    };
    for refused in [with(None), with(Some(identity("theirs", &theirs)))] {
        let worker = Working::start("stranger", refused);
        until("it is turned away", || worker.count(|event| matches!(event, Event::Away { .. })) > 0).await;
        assert_eq!(coordinator.workers(), 0);
        worker.stop().await.unwrap();
    }
    let worker = Working::start("friend", with(Some(identity("ours", &ours))));
    until("it is let in", || coordinator.workers() == 1).await;
    worker.stop().await.unwrap();
    stop.cancel();
    server.await.unwrap().unwrap();
}

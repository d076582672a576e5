//! A worker's calls, each with a time limit. Nothing that the coordinator says is believed.

use crate::remote::token::Token;
use crate::remote::wire::MAX_JOB_MESSAGE_BYTES;
use cairn_proto::v1::prover_client::ProverClient;
use cairn_proto::v1::{
    CompleteRequest, GoodbyeRequest, HeartbeatRequest, HelloRequest, LeaseRequest, ProverJob, ReleaseRequest,
};
use std::error::Error as _;
use std::time::Duration;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

/// Small calls are answered within this time.
const SMALL: Duration = Duration::from_secs(10);
/// A proof is sent and verified within this time.
const LARGE: Duration = Duration::from_secs(60);
/// Times that a coordinator may ask for.
const LEASES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(600)];
const POLLS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(120)];

/// A session as the coordinator offers it, its times brought into bounds.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The session.
    pub session: Vec<u8>,
    /// What a lease lasts.
    pub lease: Duration,
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// What a call for a job waits.
    pub poll: Duration,
}

/// Puts the token into every call.
#[derive(Debug, Clone)]
pub struct Show(Option<Token>);

impl Interceptor for Show {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            token.show(request.metadata_mut());
        }
        Ok(request)
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct Calls(ProverClient<InterceptedService<Channel, Show>>);

impl Calls {
    /// Over a channel.
    pub fn new(channel: Channel, token: Option<Token>) -> Self {
        let client = ProverClient::with_interceptor(channel, Show(token));
        Self(client.max_decoding_message_size(MAX_JOB_MESSAGE_BYTES))
    }

    /// Begins a session.
    pub async fn hello(&self, profile: &str, digest: [u8; 32], worker: &str, slots: u32) -> Result<Terms, Status> {
        let request = HelloRequest {
            profile: profile.to_owned(),
            circuit_digest: digest.to_vec(),
            worker: worker.to_owned(),
            slots,
        };
        let reply = within(SMALL, self.0.clone().hello(request)).await?;
        if reply.session.len() != 16 {
            return Err(Status::internal("the coordinator's session has not 16 bytes"));
        }
        let time = |millis: u32, [least, most]: [Duration; 2]| Duration::from_millis(millis.into()).clamp(least, most);
        let lease = time(reply.lease_ms, LEASES);
        Ok(Terms {
            session: reply.session,
            lease,
            heartbeat: time(reply.heartbeat_ms, [LEASES[0] / 10, lease]),
            poll: time(reply.poll_ms, POLLS),
        })
    }

    /// Waits for a job.
    pub async fn lease(&self, terms: &Terms) -> Result<Option<ProverJob>, Status> {
        let request = LeaseRequest { session: terms.session.clone() };
        Ok(within(terms.poll + SMALL, self.0.clone().lease(request)).await?.job)
    }

    /// Extends leases; gives those that are not wanted any more.
    pub async fn heartbeat(&self, terms: &Terms, leases: Vec<u64>) -> Result<Vec<u64>, Status> {
        let request = HeartbeatRequest { session: terms.session.clone(), leases };
        Ok(within(SMALL.min(terms.lease), self.0.clone().heartbeat(request)).await?.unwanted)
    }

    /// Gives a proof; says whether it was used.
    pub async fn complete(&self, terms: &Terms, lease: u64, proof: Vec<u8>) -> Result<bool, Status> {
        let request = CompleteRequest { session: terms.session.clone(), lease, proof };
        Ok(within(LARGE, self.0.clone().complete(request)).await?.used)
    }

    /// Gives a lease back.
    pub async fn release(&self, terms: &Terms, lease: u64, detail: &str) -> Result<(), Status> {
        let request = ReleaseRequest { session: terms.session.clone(), lease, detail: detail.to_owned() };
        within(SMALL, self.0.clone().release(request)).await.map(drop)
    }

    /// Ends the session.
    pub async fn goodbye(&self, terms: &Terms) -> Result<(), Status> {
        let request = GoodbyeRequest { session: terms.session.clone() };
        within(SMALL, self.0.clone().goodbye(request)).await.map(drop)
    }
}

/// The answer, if it comes in time. The timer is ours: a coordinator may be silent.
async fn within<T>(most: Duration, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(most, call).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded(format!("no answer within {} s", most.as_secs()))),
    }
}

/// A status as text, with what the transport says below it.
pub fn text(status: &Status) -> String {
    let mut text: String = status.message().chars().filter(|c| !c.is_control()).take(512).collect();
    if text.is_empty() {
        text = format!("{:?}", status.code());
    }
    let mut below = status.source();
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    text
}

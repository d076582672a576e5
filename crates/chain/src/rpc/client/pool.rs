//! The servers of a chain as one: each question goes to the first that is ready, then to the next, within one budget.

use super::board::{Board, Next};
use super::health::{At, Why};
use super::http::{CallError, Failure, Unable};
use super::options::RpcOptions;
use super::server::Server;
use super::url::InvalidUrl;
use crate::{ChainError, Commitment, metrics};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What is asked, and how patiently.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub method: &'static str,
    /// What the answer is as of, where it says so.
    pub commitment: Option<Commitment>,
    pub budget: Duration,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// This server understood it, and says no.
    Refused { server: usize, code: i64, message: String },
    /// Anything else.
    Chain(ChainError),
}

/// The servers.
pub(super) struct Pool {
    pub servers: Vec<Server>,
    board: Mutex<Board>,
    genesis: OnceLock<[u8; 32]>,
    started: Instant,
    attempt: Duration,
    pub budget: Duration,
}

/// A server that is not able to answer the question in hand.
pub(super) struct Skipped {
    server: usize,
    what: String,
    class: Unable,
}

impl Pool {
    /// The servers of options that were checked, or of one URL.
    pub fn new(options: &RpcOptions) -> Result<Self, InvalidUrl> {
        let servers: Vec<_> = options.urls.iter().map(|url| Server::new(url, options)).collect::<Result<_, _>>()?;
        let places = servers.iter().map(|server| server.place().to_owned()).collect();
        Ok(Self {
            servers,
            board: Mutex::new(Board::new(places, options.stall)),
            genesis: options.genesis.map_or_else(OnceLock::new, OnceLock::from),
            started: Instant::now(),
            attempt: options.attempt,
            budget: options.budget,
        })
    }

    /// The genesis hash that was given, or that the first server answered with.
    pub fn genesis(&self) -> Option<[u8; 32]> {
        self.genesis.get().copied()
    }

    pub fn now(&self) -> At {
        self.started.elapsed()
    }

    pub fn board(&self) -> parking_lot::MutexGuard<'_, Board> {
        self.board.lock()
    }

    /// Asks one server after the other, with pauses where all of them rest. `params` get the slot that the answer must
    /// have reached; `accept` takes an answer apart, and says which slot it is as of, or what is wrong with it.
    ///
    /// All of the methods that Cairn calls may be repeated: the same transaction executes at most once.
    pub async fn ask<T: DeserializeOwned, U>(
        &self,
        question: Question,
        params: impl Fn(Option<u64>) -> Value,
        accept: impl Fn(T) -> Result<(Option<u64>, U), String>,
    ) -> Result<U, Unanswered> {
        let deadline = self.now().saturating_add(question.budget);
        let mut skipped = Vec::new();
        while let Some(server) = self.choose(deadline, &skipped).await {
            match self.attempt(server, question, deadline, &params, &accept).await {
                Ok(value) => return Ok(value),
                Err(CallError::Answer { code, message, .. }) => {
                    return Err(Unanswered::Refused { server, code, message });
                }
                Err(CallError::Unable { what, class }) => skipped.push(Skipped { server, what, class }),
                // It was cut short by our own budget, which says nothing about the server; what it did before says more.
                Err(CallError::Failed(Failure { why: Why::Unreachable, what, .. })) if self.now() >= deadline => {
                    let before = self.board().health(server).last_failure().map(|rest| rest.what.clone());
                    let what = before.unwrap_or(what);
                    skipped.push(Skipped { server, what, class: Unable::Broken });
                }
                Err(CallError::Failed(failure)) => self.failed(server, question.method, failure),
            }
        }
        metrics::unanswered(question.method);
        Err(Unanswered::Chain(self.exhausted(question.method, question.budget, &skipped)))
    }

    /// The server to ask next, after the pause that it takes; `None` when there is none within the budget.
    pub async fn choose(&self, deadline: At, skipped: &[Skipped]) -> Option<usize> {
        let skipped: Vec<_> = skipped.iter().map(|skipped| skipped.server).collect();
        loop {
            let now = self.now();
            if now >= deadline {
                return None;
            }
            let next = self.board().next(now, &skipped);
            match next {
                Next::Ask(server) => return Some(server),
                Next::Wait(until) if until < deadline => tokio::time::sleep(until.saturating_sub(now)).await,
                Next::Wait(_) | Next::Nobody => return None,
            }
        }
    }

    async fn attempt<T: DeserializeOwned, U>(
        &self,
        server: usize,
        question: Question,
        deadline: At,
        params: &impl Fn(Option<u64>) -> Value,
        accept: &impl Fn(T) -> Result<(Option<u64>, U), String>,
    ) -> Result<U, CallError> {
        let Question { method, commitment, .. } = question;
        let floor = commitment.and_then(|commitment| self.board().floor(commitment));
        let answer = match self.request::<T>(server, method, &params(floor), deadline).await {
            Err(CallError::Failed(failure)) if failure.why == Why::Lagging => {
                let commitment = commitment.unwrap_or(Commitment::Processed);
                let failure = self.board().behind(server, commitment, failure, self.now());
                Err(failure.into())
            }
            Err(error) => Err(error),
            Ok(answer) => accept(answer).map_err(|reason| Failure::odd(method, reason).into()),
        };
        let (slot, value) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if !matches!(error, CallError::Failed(_)) {
                    self.served(server);
                }
                return Err(error);
            }
        };
        if let (Some(slot), Some(commitment)) = (slot, commitment) {
            let age = self.board().judge(server, commitment, slot, self.now())?;
            metrics::slot(self.servers[server].place(), commitment.name(), slot, age);
        }
        self.served(server);
        Ok(value)
    }

    /// One request to one server, measured.
    pub async fn request<T: DeserializeOwned>(
        &self,
        server: usize,
        method: &str,
        params: &Value,
        deadline: At,
    ) -> Result<T, CallError> {
        let now = self.now();
        let left = deadline.saturating_sub(now);
        let patience = self.board().patience(server, now, self.attempt).min(left);
        let work = self.servers[server].ask(method, params, &self.genesis, patience);
        // The rate may hold it up longer than its budget allows.
        let answer = tokio::time::timeout(left, work).await.unwrap_or_else(|_| {
            Err(Failure::new(Why::Unreachable, "no answer came within the time for this call").into())
        });
        let outcome = match &answer {
            Ok(_) => "answered",
            Err(CallError::Answer { .. }) => "refused",
            Err(CallError::Unable { .. }) => "unable",
            Err(CallError::Failed(failure)) => failure.why.name(),
        };
        metrics::request(self.servers[server].place(), outcome, self.now().saturating_sub(now));
        answer
    }

    /// A server answered.
    pub fn answered(&self, server: usize) {
        self.board().answered(server, self.now());
        metrics::resting(self.servers[server].place(), false);
    }

    /// A server answered a question that went to it alone.
    fn served(&self, server: usize) {
        self.answered(server);
        let Some(before) = self.board().last.replace(server).filter(|before| *before != server) else { return };
        let place = self.servers[server].place();
        metrics::failed_over(place);
        tracing::info!(server = place, before = self.servers[before].place(), "another RPC server answers");
    }

    /// Something was seen at `slot`, by whoever answered last.
    pub fn saw(&self, commitment: Commitment, slot: u64) {
        let mut board = self.board();
        let server = board.last.unwrap_or_default();
        board.saw(server, commitment, slot);
    }

    /// A server cannot be used for a while.
    pub fn failed(&self, server: usize, method: &str, failure: Failure) {
        let place = self.servers[server].place();
        metrics::resting(place, true);
        tracing::debug!(server = place, method, why = failure.why.name(), what = failure.what, "an RPC server rests");
        if failure.why.is_lasting() {
            tracing::warn!(server = place, what = failure.what, "an RPC server is left out");
        }
        self.board().failed(server, self.now(), failure, rand::random());
    }

    /// What is said when no server is left: every one by its name, with its reason.
    pub fn exhausted(&self, method: &str, budget: Duration, skipped: &[Skipped]) -> ChainError {
        let board = self.board();
        let now = self.now();
        let mut reasons = Vec::new();
        let (mut lasting, mut unknown) = (0, 0);
        for (index, server) in self.servers.iter().enumerate() {
            let reason = if let Some(skipped) = skipped.iter().find(|skipped| skipped.server == index) {
                lasting += usize::from(skipped.class == Unable::TooLong);
                unknown += usize::from(skipped.class == Unable::Unknown);
                skipped.what.clone()
            } else if let Some(rest) = board.health(index).last_failure() {
                lasting += usize::from(rest.why.is_lasting());
                match rest.until.saturating_sub(now).as_secs() {
                    0 | 1 => rest.what.clone(),
                    seconds => format!("{}; asked again in {seconds} s", rest.what),
                }
            } else {
                "its turn did not come in time".to_owned()
            };
            reasons.push(format!("{}: {reason}", server.place()));
        }
        let halted = if board.is_halted() { ", the cluster seems halted" } else { "" };
        let (all, count) = (reasons.join("; "), self.servers.len());
        let nobody = if count == 1 {
            "the RPC server does not answer".to_owned()
        } else {
            format!("none of {count} RPC servers answers")
        };
        if lasting == count {
            return ChainError::Fatal { what: format!("{nobody} {method}: {all}"), source: None };
        }
        if unknown == count {
            return ChainError::Invalid(format!("{nobody} {method}: {all}"));
        }
        ChainError::Transient { what: format!("{nobody} {method} within {budget:.1?}{halted}: {all}"), source: None }
    }
}

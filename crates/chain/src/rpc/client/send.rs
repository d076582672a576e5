//! Sending a transaction: to every server that is well, at once.

use super::health::Why;
use super::http::{CallError, Failure};
use super::pool::Pool;
use crate::rpc::wire::{code, failure_of};
use crate::{ChainError, Commitment, ErrorClass, Signature, SignedTransaction, TransactionFailure, metrics};
use data_encoding::BASE64;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Transactions that are remembered as sent.
const REMEMBERED: usize = 4_096;
const METHOD: &str = "sendTransaction";

/// The latest transactions that a server took.
#[derive(Debug, Default)]
pub(super) struct Sent {
    order: VecDeque<[u8; 64]>,
    known: HashSet<[u8; 64]>,
}

impl Sent {
    pub fn remember(&mut self, signature: &Signature) {
        if self.known.insert(signature.0) {
            self.order.push_back(signature.0);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub fn knows(&self, signature: &Signature) -> bool {
        self.known.contains(&signature.0)
    }
}

/// A server's no.
pub(super) struct Refusal {
    server: usize,
    code: i64,
    message: String,
    data: Option<Value>,
}

/// What became of the bytes.
pub(super) enum Outcome {
    Taken,
    /// Nobody took them, and some said why.
    Refused(Vec<Refusal>),
}

/// Sends to every server that does not rest; the first that takes the bytes decides, and the others still get them.
/// What failed is tried again within the budget, until one has taken or refused them.
pub(super) async fn send(
    pool: &Arc<Pool>,
    sent: &Mutex<Sent>,
    transaction: &SignedTransaction,
) -> Result<Outcome, ChainError> {
    // Once a server has tried these bytes, another try, by one that is behind or has them executed, tells nothing.
    let skip = sent.lock().knows(&transaction.signature);
    let mut config = json!({
        "encoding": "base64", "preflightCommitment": Commitment::Processed.name(), "skipPreflight": skip,
    });
    if let Some(slot) = pool.board().floor(Commitment::Confirmed).filter(|_| !skip) {
        // A try on a state older than the one that the transaction was made for tells nothing either.
        config["minContextSlot"] = json!(slot);
    }
    let params = Arc::new(json!([BASE64.encode(&transaction.bytes), config]));
    let expected = transaction.signature.to_string();
    let deadline = pool.now().saturating_add(pool.budget);
    let mut refusals = Vec::new();
    while let Some(first) = pool.choose(deadline, &[]).await {
        let mut targets = pool.board().ready(pool.now());
        if !targets.contains(&first) {
            targets.push(first);
        }
        let mut tasks = JoinSet::new();
        for server in targets {
            let (pool, params, expected) = (pool.clone(), params.clone(), expected.clone());
            tasks.spawn(async move { (server, one(&pool, server, &params, &expected, deadline).await) });
        }
        while let Some(done) = tasks.join_next().await {
            match done {
                Ok((_, Ok(()))) => {
                    tasks.detach_all();
                    sent.lock().remember(&transaction.signature);
                    return Ok(Outcome::Taken);
                }
                Ok((server, Err(CallError::Answer { code, message, data }))) => {
                    refusals.push(Refusal { server, code, message, data });
                }
                Ok((server, Err(CallError::Unable { what, .. }))) => {
                    refusals.push(Refusal { server, code: code::INTERNAL, message: what, data: None });
                }
                Ok((_, Err(CallError::Failed(_)))) => {}
                Err(error) => return Err(ChainError::fatal("sending a transaction stopped", error)),
            }
        }
        if !refusals.is_empty() {
            refusals.sort_by_key(|refusal| refusal.server);
            return Ok(Outcome::Refused(refusals));
        }
    }
    metrics::unanswered(METHOD);
    Err(pool.exhausted(METHOD, pool.budget, &[]))
}

async fn one(
    pool: &Pool,
    server: usize,
    params: &Value,
    expected: &str,
    deadline: super::health::At,
) -> Result<(), CallError> {
    let answer = pool.request::<String>(server, METHOD, params, deadline).await;
    let answer = answer.and_then(|text| match text == expected {
        true => Ok(()),
        false => Err(Failure::odd(METHOD, "it names another transaction than the one sent").into()),
    });
    match answer {
        Err(CallError::Failed(mut failure)) => {
            if failure.why == Why::Lagging {
                failure = pool.board().behind(server, Commitment::Processed, failure, pool.now());
            }
            let again = Failure::new(failure.why, failure.what.clone());
            pool.failed(server, METHOD, failure);
            Err(again.into())
        }
        answer => {
            pool.answered(server);
            answer
        }
    }
}

/// What a refusal means for these bytes.
pub(super) enum Meaning {
    /// The server has them executed already.
    Taken,
    /// It does not know their blockhash: too old, or too new for it.
    UnknownBlockhash(TransactionFailure),
    /// Something else.
    Error(ChainError),
}

impl Refusal {
    pub fn meaning(self, pool: &Pool) -> Meaning {
        let place = pool.servers[self.server].place();
        if self.code == code::SIGNATURE_FAILURE {
            let failure = TransactionFailure::new("SignatureFailure", self.message, ErrorClass::Rejection);
            return Meaning::Error(ChainError::Refused(failure));
        }
        let Some(error) = self.data.as_ref().and_then(|data| data.get("err")).filter(|error| !error.is_null()) else {
            let what = format!("{place} refused {METHOD}: {} ({})", self.message, self.code);
            return Meaning::Error(match self.code {
                code::INTERNAL => ChainError::Transient { what, source: None },
                _ => ChainError::Invalid(what),
            });
        };
        let failure = failure_of(error);
        if failure.is("AlreadyProcessed") {
            Meaning::Taken
        } else if failure.is_expired() {
            Meaning::UnknownBlockhash(failure)
        } else {
            Meaning::Error(ChainError::Refused(failure))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_sent_are_remembered_and_the_oldest_forgotten() {
        let signature = |number: usize| {
            let mut bytes = [0; 64];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Signature(bytes)
        };
        let mut sent = Sent::default();
        for number in 0..REMEMBERED {
            sent.remember(&signature(number));
            sent.remember(&signature(number));
        }
        assert!(sent.knows(&signature(0)));
        sent.remember(&signature(REMEMBERED));
        assert!(!sent.knows(&signature(0)) && sent.knows(&signature(1)) && sent.knows(&signature(REMEMBERED)));
        assert_eq!((sent.order.len(), sent.known.len()), (REMEMBERED, REMEMBERED));
    }
}

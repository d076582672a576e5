//! Which failures may pass, and how long to wait for them to.

use super::{Config, Progress, Sent, SubmitError};
use crate::journal::JournalError;
use backon::{BackoffBuilder, ExponentialBuilder};
use cairn_proto::refusal::Refusal;
use std::collections::VecDeque;
use std::time::Duration;
use tonic::{Code, Status};

/// Why one stream ended.
pub(super) enum Failure {
    /// May pass.
    Passing(Box<Status>, Option<Duration>),
    /// Does not.
    Final(SubmitError),
}

impl Failure {
    pub(super) fn passing(status: Status) -> Self {
        Self::Passing(Box::new(status), None)
    }

    /// What a status means when the bundles `sent` await their acknowledgements.
    pub(super) fn of(status: Status, sent: &VecDeque<Sent>) -> Self {
        match (status.code(), Refusal::of(&status)) {
            (_, Some(Refusal::Busy { retry_after })) => Self::Passing(Box::new(status), Some(retry_after)),
            (_, Some(Refusal::Conflict { recorded, offered })) => {
                let bundle = sent.iter().find(|sent| sent.digest == offered).or(sent.front());
                let sequence = bundle.map(|sent| sent.sequence).unwrap_or_default();
                Self::Final(SubmitError::Conflict { sequence, recorded, offered })
            }
            (
                Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Aborted | Code::Cancelled,
                _,
            ) => Self::passing(status),
            // A connection that breaks comes as one of these, with the transport's error as its source.
            (Code::Unknown | Code::Internal, _) if std::error::Error::source(&status).is_some() => {
                Self::passing(status)
            }
            _ => Self::Final(SubmitError::Refused(Box::new(status))),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Final(error.into())
    }
}

/// Waits between attempts.
pub(super) struct Backoff {
    delays: backon::ExponentialBackoff,
    attempts: usize,
}

impl Backoff {
    pub(super) fn new(config: &Config) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(config.min_delay)
            .with_max_delay(config.max_delay)
            .with_max_times(config.max_failures)
            .with_jitter()
            .build();
        Self { delays, attempts: 0 }
    }

    pub(super) async fn wait(&mut self, failure: Failure, progress: &dyn Progress) -> Result<(), SubmitError> {
        let (status, at_least) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Passing(status, at_least) => (status, at_least.unwrap_or_default()),
        };
        self.attempts += 1;
        let message = format!("{}: {}", status.code(), status.message());
        let Some(delay) = self.delays.next() else {
            return Err(SubmitError::Unreachable { attempts: self.attempts, message });
        };
        let delay = delay.max(at_least);
        progress.waiting(&message, delay);
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

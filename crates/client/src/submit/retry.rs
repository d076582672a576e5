//! Which failures may pass, and how long to wait for them to.

use super::{Config, Progress, SubmitError};
use backon::{BackoffBuilder, ExponentialBuilder};
use cairn_proto::refusal::Refusal;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// Why one call or stream ended.
#[derive(Debug)]
pub(super) enum Failure {
    /// May pass, not before so long.
    Passing(Box<Status>, Option<Duration>),
    /// The sequencer expects another bundle.
    Gap(u64),
    /// Does not pass.
    Final(SubmitError),
}

impl Failure {
    pub(super) fn passing(status: Status) -> Self {
        Self::Passing(Box::new(status), None)
    }

    pub(super) fn no_answer() -> Self {
        Self::passing(Status::deadline_exceeded("no answer in time"))
    }

    /// What a status means. A conflict is for the caller, who knows the bundles.
    pub(super) fn of(status: Status) -> Self {
        match (status.code(), Refusal::of(&status)) {
            (_, Some(Refusal::Busy { retry_after } | Refusal::Pending { retry_after, .. })) => {
                Self::Passing(Box::new(status), Some(retry_after))
            }
            (_, Some(Refusal::Gap { expected })) => Self::Gap(expected),
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

impl<E: Into<SubmitError>> From<E> for Failure {
    fn from(error: E) -> Self {
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
        let delays =
            ExponentialBuilder::new().with_min_delay(config.min_delay).with_max_delay(config.max_delay).with_jitter();
        let delays = match config.max_failures {
            Some(most) => delays.with_max_times(most),
            None => delays.without_max_times(),
        };
        Self { delays: delays.build(), attempts: 0 }
    }

    /// Waits, or gives up. Cut short when `stop` says so.
    pub(super) async fn wait(
        &mut self,
        failure: Failure,
        progress: &dyn Progress,
        stop: &CancellationToken,
    ) -> Result<(), SubmitError> {
        let (message, at_least) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Gap(expected) => (format!("the sequencer expects bundle {expected}"), None),
            Failure::Passing(status, at_least) => (describe(&status), at_least),
        };
        self.attempts += 1;
        let Some(delay) = self.delays.next() else {
            return Err(SubmitError::Unreachable { attempts: self.attempts, message });
        };
        let delay = delay.max(at_least.unwrap_or_default());
        progress.waiting(&message, delay);
        let _ = tokio::time::timeout(delay, stop.cancelled()).await;
        Ok(())
    }
}

/// A status with what lies under it: tonic says "transport error" and leaves why to the sources.
pub(crate) fn describe(status: &Status) -> String {
    let mut text = format!("{}: {}", status.code(), status.message());
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        source = error.source();
    }
    text
}

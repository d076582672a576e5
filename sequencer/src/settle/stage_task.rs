//! A stage as a task: works on one batch after another, as far as the stage before it has come.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_types::Digest;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span, warn};

use super::error::StageError;
use crate::status::{BatchEvent, Board};
use crate::{Stage, metrics};

/// First pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a stage does with one batch. Doing it again, also after half of it was done, must be the same.
#[async_trait]
pub trait Work: Send {
    /// Brings batch `number` past this stage, durably.
    ///
    /// # Errors
    /// A transient error is tried again; any other stops the sequencer.
    async fn finish(&mut self, number: u64) -> Result<(), StageError>;
}

/// Brings batches past `stage` until told to stop. A batch in hand is given up: the next start takes it again.
///
/// # Errors
/// The first error that trying again cannot help.
pub async fn run(
    stage: Stage,
    before: Stage,
    board: Board,
    mut work: impl Work,
    stop: CancellationToken,
) -> Result<(), StageError> {
    let mut status = board.watch();
    let mut next = status.borrow().stage(stage).batches;
    loop {
        let ready = status.wait_for(|status| status.stage(before).batches > next);
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            // The board outlives its watchers.
            Ok(_) = ready => {}
        }
        let span = info_span!("stage", stage = stage.name(), batch = next);
        let finished = with_retries(stage, next, &board, &mut work).instrument(span);
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            finished = finished => finished?,
        }
        next += 1;
    }
}

async fn with_retries(stage: Stage, number: u64, board: &Board, work: &mut impl Work) -> Result<(), StageError> {
    let mut pause = Pause::default();
    loop {
        let started = Instant::now();
        match work.finish(number).await {
            Ok(()) => {
                metrics::stage_worked(stage, started.elapsed());
                return Ok(());
            }
            Err(error) if error.is_transient() => pause.after(stage, number, &error, board).await,
            Err(error) => return Err(error),
        }
    }
}

/// The pause between attempts, growing.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pause {
    /// The pause after `attempts` failures.
    #[must_use]
    pub fn after_attempts(attempts: u32) -> Self {
        let factor = 1_u32.checked_shl(attempts).unwrap_or(u32::MAX);
        Self(FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE))
    }

    /// Tells everyone about `error` and waits.
    pub async fn after(&mut self, stage: Stage, number: u64, error: &StageError, board: &Board) {
        let reason = chain_of(error);
        warn!(stage = stage.name(), batch = number, error = reason, pause = ?self.0, "trying again");
        metrics::stage_retried(stage);
        board.event(BatchEvent::Retrying { number, stage, reason, after: self.0 });
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// An error with its causes, in one line.
#[must_use]
pub fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// What is the same for all stages: the store, the rollup, the board.
#[derive(Clone)]
pub struct Shared {
    /// The store.
    pub store: std::sync::Arc<crate::store::Store>,
    /// The rollup.
    pub rollup_id: Digest,
    /// The board.
    pub board: Board,
}

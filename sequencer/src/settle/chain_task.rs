//! A stage that follows the chain, as a task: looks, does the one next thing, and waits for news.

use std::time::Duration;

use async_trait::async_trait;
use cairn_chain::{Address, Commitment, RollupClient};
use tokio_util::sync::CancellationToken;

use super::error::StageError;
use super::stage_task::{Pause, Shared};
use crate::{LogStatus, Stage};

/// How often to look at the chain, at least, while something is on its way.
const IN_AIR: Duration = Duration::from_secs(1);

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Batches have come further, or others are on chain than before.
    Moved,
    /// Look again at once.
    Again,
    /// Look again when something has changed.
    Wait {
        /// Whether something is on its way.
        in_air: bool,
    },
}

/// What such a stage is made of.
#[async_trait]
pub trait Follow: Send {
    /// The stage that batches come to.
    const STAGE: Stage;
    /// The stage whose count says which batch fails when one does.
    const FAILING: Stage;
    /// Stages before it: when one of them has come further there is something to do.
    const BEFORE: &[Stage];
    /// How long to wait before the next look, at least, when an account has changed: changes come in swarms.
    const SWARM: Duration;

    /// What all stages share.
    fn shared(&self) -> &Shared;
    /// The chain it follows.
    fn rollup(&self) -> &RollupClient;
    /// The accounts it follows, which may become others.
    fn accounts(&self) -> Vec<Address>;
    /// How often to look at the chain without need.
    fn poll(&self) -> Duration;
    /// Whether the chain answered when it was last looked at.
    fn looked(&self) -> bool;

    /// Looks at store and chain, and does the one next thing. May be dropped before it has ended.
    ///
    /// # Errors
    /// A transient error is tried again; any other stops the sequencer.
    async fn step(&mut self) -> Result<Step, StageError>;

    /// Waits until somebody wants it to look.
    async fn called(&mut self) {
        std::future::pending().await
    }
}

/// Follows the chain until told to stop.
///
/// # Errors
/// The first error that trying again cannot help.
pub async fn run<F: Follow>(mut follow: F, stop: CancellationToken) -> Result<(), StageError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        ended = follow_on(&mut follow) => ended,
    }
}

/// Ends with an error only.
async fn follow_on<F: Follow>(follow: &mut F) -> Result<(), StageError> {
    let board = follow.shared().board.clone();
    let mut status = board.watch();
    let come = |status: &LogStatus| F::BEFORE.iter().map(|stage| status.stage(*stage).batches).collect::<Vec<_>>();
    let watch = |follow: &F| follow.rollup().chain().watch(&follow.accounts(), Commitment::Confirmed);
    let (mut changes, mut watched) = (watch(follow), follow.accounts());
    // A chain that answers has ended its silence, and may refuse what it refused before.
    let (mut silent, mut refused) = (Pause::default(), Pause::default());
    loop {
        let before = come(&status.borrow_and_update());
        let stepped = follow.step().await;
        if watched != follow.accounts() {
            (changes, watched) = (watch(follow), follow.accounts());
        }
        if follow.looked() {
            silent = Pause::default();
        }
        match stepped {
            // Whatever failed before, failed on the way of another batch.
            Ok(Step::Moved) => refused = Pause::default(),
            Ok(Step::Again) => {}
            Ok(Step::Wait { in_air }) => {
                refused = Pause::default();
                let longest = if in_air { follow.poll().min(IN_AIR) } else { follow.poll() };
                let changed = async {
                    changes.changed().await;
                    tokio::time::sleep(F::SWARM).await;
                };
                tokio::select! {
                    // The board outlives its watchers.
                    _ = status.wait_for(|status| come(status) != before) => {}
                    () = follow.called() => {}
                    () = changed => {}
                    () = tokio::time::sleep(longest) => {}
                }
            }
            Err(error) if error.is_transient() => {
                let number = status.borrow().stage(F::FAILING).batches;
                let pause = if follow.looked() { &mut refused } else { &mut silent };
                pause.after(F::STAGE, number, &error, &board).await;
            }
            Err(error) => return Err(error),
        }
    }
}

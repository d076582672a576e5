//! The tasks of a running sequencer: started together, stopped together, in an order that loses nothing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Stage;
use crate::blocking::blocking;
use crate::intake::writer::{Appended, Offer, Writer};
use crate::registry::follow::{FollowError, Follower};
use crate::seal::sealer::{Sealer, SealerError};
use crate::server::ServerError;
use crate::settle::chain_task;
use crate::settle::error::StageError;
use crate::settle::prove::ProverStage;
use crate::settle::publish::Publisher;
use crate::settle::stage_task::{self, chain_of};
use crate::settle::submit::Submitter;
use crate::settle::verify::settler::Settler;
use crate::status::Board;
use crate::store::{Store, StoreError};

/// How often to look whether the last reader of the store has gone.
const CLOSE_POLL: Duration = Duration::from_millis(10);

/// What stopped a sequencer. Nothing acknowledged is lost.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server.
    #[error("the sequencer stopped: its server failed")]
    Server(#[from] ServerError),
    /// The writer of the log.
    #[error("the sequencer stopped: its log cannot be written")]
    Writer(#[source] StoreError),
    /// The sealer.
    #[error("the sequencer stopped: its log cannot be sealed")]
    Sealer(#[from] SealerError),
    /// The follower of the chain.
    #[error("the sequencer stopped: it cannot follow the chain")]
    Follow(#[from] FollowError),
    /// A stage.
    #[error("the sequencer stopped: batches cannot be {stage}")]
    Stage {
        /// Which one.
        stage: Stage,
        /// Why.
        #[source]
        source: StageError,
    },
    /// A task panicked: a defect.
    #[error("the sequencer stopped: a task panicked ({0}); report this")]
    Panic(String),
    /// The store could not be flushed.
    #[error("the sequencer's store could not be closed")]
    Close(#[source] StoreError),
}

/// Everything that runs beside the server.
pub(crate) struct Tasks {
    pub(crate) writer: oneshot::Receiver<Result<(), StoreError>>,
    pub(crate) follower: Follower,
    pub(crate) sealer: Sealer,
    pub(crate) publisher: Publisher,
    pub(crate) prover: ProverStage,
    pub(crate) submitter: Submitter,
    pub(crate) settler: Settler,
}

/// Starts the writer on a thread of its own: it blocks on the disk most of the time. It ends when the last sender of
/// offers has gone.
pub(crate) fn writer(
    writer: Writer,
    offers: mpsc::Receiver<Offer>,
    board: Board,
    announce: mpsc::UnboundedSender<Appended>,
) -> std::io::Result<oneshot::Receiver<Result<(), StoreError>>> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
        let written = writer.run(offers, |appended| {
            for bundle in appended {
                // The sealer may have stopped already; it finds the bundles in the store at the next start.
                let _ = announce.send(*bundle);
            }
            if let Some(last) = appended.last() {
                board.acknowledged(last.log_index + 1);
            }
        });
        drop(writer);
        let _ = done.send(written);
    })?;
    Ok(result)
}

/// Runs everything until told to stop or until something fails, then closes the store.
pub(crate) async fn all(
    server: impl Future<Output = Result<(), ServerError>> + Send + 'static,
    tasks: Tasks,
    board: Board,
    store: Arc<Store>,
    grace: Duration,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let Tasks { writer, follower, sealer, publisher, prover, submitter, settler } = tasks;
    let mut running: JoinSet<(&'static str, Result<(), RunError>)> = JoinSet::new();
    let stopped = stop.clone();
    running.spawn(async move {
        tokio::pin!(server);
        let served = tokio::select! {
            served = &mut server => served,
            () = async { stopped.cancelled().await; tokio::time::sleep(grace).await } => {
                warn!("calls in flight were not answered in time, closing their connections");
                Ok(())
            }
        };
        ("server", served.map_err(RunError::Server))
    });
    running.spawn(async move {
        // A writer that has gone without a word panicked, and its thread has printed why.
        let written = writer.await.unwrap_or(Ok(()));
        ("writer", written.map_err(RunError::Writer))
    });
    let token = stop.clone();
    running.spawn(async move { ("follower", follower.run(token).await.map_err(RunError::Follow)) });
    let token = stop.clone();
    running.spawn(async move { ("sealer", sealer.run(token).await.map_err(RunError::Sealer)) });
    let (token, to) = (stop.clone(), board.clone());
    running.spawn(async move {
        let done = stage_task::run(Stage::Published, Stage::Sealed, to, publisher, token).await;
        ("publisher", done.map_err(|source| RunError::Stage { stage: Stage::Published, source }))
    });
    let (token, to) = (stop.clone(), board);
    running.spawn(async move {
        let done = stage_task::run(Stage::Proved, Stage::Published, to, prover, token).await;
        ("prover", done.map_err(|source| RunError::Stage { stage: Stage::Proved, source }))
    });
    let token = stop.clone();
    running.spawn(async move {
        let done = chain_task::run(submitter, token).await;
        ("submitter", done.map_err(|source| RunError::Stage { stage: Stage::Submitted, source }))
    });
    let token = stop.clone();
    running.spawn(async move {
        let done = chain_task::run(settler, token).await;
        ("settler", done.map_err(|source| RunError::Stage { stage: Stage::Settled, source }))
    });

    let mut first_failure = None;
    while let Some(ended) = running.join_next().await {
        let failure = match ended {
            Ok((task, Ok(()))) => {
                if !stop.is_cancelled() {
                    Some(RunError::Panic(format!("{task} ended by itself")))
                } else {
                    None
                }
            }
            Ok((_, Err(failure))) => Some(failure),
            Err(panic) => Some(RunError::Panic(panic.to_string())),
        };
        if let Some(failure) = failure {
            error!(error = chain_of(&failure), "a task failed, the sequencer stops");
            first_failure.get_or_insert(failure);
        }
        stop.cancel();
    }
    let closed = close(store, grace).await;
    info!("sequencer stopped");
    match first_failure {
        Some(failure) => Err(failure),
        None => closed.map_err(RunError::Close),
    }
}

/// Flushes the store, and closes it when the last blocking read in flight has let go of it.
async fn close(store: Arc<Store>, grace: Duration) -> Result<(), StoreError> {
    let flushing = Arc::clone(&store);
    blocking(move || flushing.flush()).await?;
    let closing = async {
        while Arc::strong_count(&store) > 1 {
            tokio::time::sleep(CLOSE_POLL).await;
        }
    };
    if tokio::time::timeout(grace, closing).await.is_err() {
        warn!("the store is still being read, it closes with the process");
    }
    blocking(move || drop(store)).await;
    Ok(())
}

//! A worker in a process of its own is killed with SIGKILL while it proves.

use crate::rig::{Serving, Until, Working, batch, proof, prover, settings, until};
use cairn_circuits::Layer;
use cairn_prover::ProveError;
use cairn_prover::remote::{Connection, Event, Worker};
use std::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// Names the coordinator to a process that is to be a worker.
pub const COORDINATOR: &str = "CAIRN_REMOTE_TEST_COORDINATOR";

/// Until it is killed.
pub async fn be_a_worker(url: &str) {
    let worker = Worker::new(prover(), Connection::plain(url), "short-lived", |_| ()).unwrap();
    worker.run(&CancellationToken::new()).await.unwrap();
}

/// Ends with the test, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

pub async fn the_job_of_a_killed_worker_is_done_by_another() {
    let serving = Serving::start(settings(), None).await;
    let until_aggregation = Until::default();
    let proving = serving.prove(batch(1), until_aggregation.clone());
    let program = std::env::current_exe().unwrap();
    let victim = Killed(Command::new(program).env(COORDINATOR, serving.url()).spawn().unwrap());
    until("the worker has leased the segment", || serving.coordinator.load() == (0, 1)).await;
    drop(victim);
    let worker = Working::start_alone("heir", Connection::plain(&serving.url()));
    until_aggregation.reached().await;
    let error = proof(proving).await.unwrap_err();
    assert!(matches!(error, ProveError::Cancelled), "{error}");
    let segments =
        |event: &Event| matches!(event, Event::Proved { job, used: true, .. } if job.layer == Layer::Segment);
    until("the heir has proved the segment", || worker.count(segments) == 1).await;
    assert_eq!(worker.count(|event| matches!(event, Event::Failed { .. })), 0);
    worker.stop().await.unwrap();
    serving.stop().await;
}

//! Coordinators that change their mind, and that go away.

use crate::rig::{Serving, Until, Working, batch, proof, settings, until};
use cairn_prover::remote::{Connection, Event};
use cairn_prover::{Progress, ProveError, Stage};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cancelled when it is told.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Progress for Switch {
    fn step(&self, _: Stage, _: usize, _: usize) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub async fn a_cancelled_batch_is_dropped_and_a_worker_returns_to_a_restarted_coordinator() {
    let serving = Serving::start(settings(), None).await;
    let address = serving.address;
    let worker = Working::start_alone("one", Connection::plain(&serving.url()));
    until("the worker is connected", || serving.coordinator.workers() == 1).await;
    let switch = Switch::default();
    let proving = serving.prove(batch(1), switch.clone());
    until("the segment is leased", || serving.coordinator.load() == (0, 1)).await;
    switch.0.store(true, Ordering::Relaxed);
    let error = proof(proving).await.unwrap_err();
    assert!(matches!(error, ProveError::Cancelled), "{error}");
    assert_eq!(serving.coordinator.load(), (0, 0));
    until("the worker hears of it", || {
        let late = |event: &Event| matches!(event, Event::Unwanted(_) | Event::Proved { used: false, .. });
        worker.count(late) == 1
    })
    .await;

    serving.stop().await;
    until("the worker notices", || worker.count(|event| matches!(event, Event::Away { .. })) > 0).await;
    let serving = Serving::start_at(address, settings(), None).await;
    let until_aggregation = Until::default();
    let proving = serving.prove(batch(1), until_aggregation.clone());
    until_aggregation.reached().await;
    assert!(matches!(proof(proving).await.unwrap_err(), ProveError::Cancelled));
    until("the worker has proved the segment", || worker.used() == 1).await;
    assert_eq!(worker.count(|event| matches!(event, Event::Connected { .. })), 2);
    worker.stop().await.unwrap();
    serving.stop().await;
}

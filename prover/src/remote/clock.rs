//! What has to be done as time goes by: leases end, gauges are set, an idle board is complained about.

use super::metrics;
use super::shared::Shared;
use std::sync::Weak;
use std::time::{Duration, Instant};
use tracing::warn;

/// How often.
const TICK: Duration = Duration::from_millis(200);
/// A board on which nobody works is complained about this often.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Runs until the coordinator is gone.
pub fn run(shared: &Weak<Shared>) {
    let mut complained: Option<Instant> = None;
    while let Some(shared) = shared.upgrade() {
        let now = Instant::now();
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        let expired = state.board.expire(now);
        let (ready, leased) = state.board.load();
        let (workers, stranded) = (state.board.workers(), state.board.is_stranded());
        drop(state);
        for (task, worker) in &expired {
            warn!(batch = task.number, job = %task.layer(), index = task.index, worker, "a lease has expired: the job goes to another");
            metrics::expired(task.layer());
        }
        metrics::board(ready, leased, workers, stranded);
        if stranded {
            if complained.is_none_or(|last| now.duration_since(last) >= COMPLAINT) {
                warn!(
                    jobs = ready,
                    "there are proofs to be made and nobody makes them: connect workers with `cairn prover`, or let this process prove"
                );
                complained = Some(now);
            }
        } else {
            complained = None;
        }
        // A pause after a failure ends without anything else happening.
        if ready > 0 || !expired.is_empty() {
            shared.tell();
        }
        drop(shared);
        std::thread::sleep(TICK);
    }
}

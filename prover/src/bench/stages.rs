//! When each stage of a proof begins.

use super::report::StageReport;
use crate::progress::{Progress, Stage};
use std::sync::Mutex;
use std::time::Instant;

/// Notes it, and passes everything on.
pub(super) struct Stages<'a> {
    inner: &'a dyn Progress,
    begun: Mutex<Vec<(Stage, usize, Instant)>>,
}

impl Progress for Stages<'_> {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        if done == 0 {
            self.begun.lock().expect("only pushed to").push((stage, total, Instant::now()));
        }
        self.inner.step(stage, done, total);
    }

    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}

impl<'a> Stages<'a> {
    pub(super) const fn new(inner: &'a dyn Progress) -> Self {
        Self { inner, begun: Mutex::new(Vec::new()) }
    }

    /// What was noted of a proof from `start` to `end`; before its first stage everything is checked natively.
    pub(super) fn report(self, start: Instant, end: Instant) -> Vec<StageReport> {
        let begun = self.begun.into_inner().expect("only pushed to");
        let whole = (end - start).as_secs_f64();
        let first = begun.first().map_or(end, |(.., instant)| *instant);
        let ends = begun.iter().skip(1).map(|(.., instant)| *instant).chain([end]);
        let stages = begun.iter().zip(ends).map(|((stage, proofs, from), to)| (stage.name(), *proofs, to - *from));
        std::iter::once(("native check", 0, first - start))
            .chain(stages)
            .map(|(stage, proofs, time)| {
                let seconds = time.as_secs_f64();
                StageReport { stage, proofs, seconds, share: seconds / whole }
            })
            .collect()
    }
}

//! When each stage of a proof begins, and what memory it takes.

use super::report::StageReport;
use crate::memory;
use crate::progress::{Progress, Stage};
use std::sync::Mutex;
use std::time::Instant;

/// Notes it, and passes everything on.
pub(super) struct Stages<'a> {
    inner: &'a dyn Progress,
    begun: Mutex<Vec<Begun>>,
}

struct Begun {
    stage: Stage,
    proofs: usize,
    at: Instant,
    /// The most memory that was held before it.
    peak_before: Option<u64>,
}

impl Progress for Stages<'_> {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        if done == 0 {
            let mut begun = self.begun.lock().expect("only pushed to");
            begun.push(Begun { stage, proofs: total, at: Instant::now(), peak_before: memory::peak() });
            memory::reset_peak();
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
        let (first, before) = begun.first().map_or((end, None), |begun| (begun.at, begun.peak_before));
        let ends = begun.iter().skip(1).map(|next| (next.at, next.peak_before)).chain([(end, memory::peak())]);
        let stages =
            begun.iter().zip(ends).map(|(begun, (to, peak))| (begun.stage.name(), begun.proofs, to - begun.at, peak));
        std::iter::once(("native check", 0, first - start, before))
            .chain(stages)
            .map(|(stage, proofs, time, peak_rss_bytes)| {
                let seconds = time.as_secs_f64();
                StageReport { stage, proofs, seconds, share: seconds / whole, peak_rss_bytes }
            })
            .collect()
    }
}

//! What was measured, and the meter that measures it.

use cairn_prover::memory;
use serde::Serialize;
use std::fmt;
use std::time::Instant;

/// The figures of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Processor.
    pub machine: String,
    /// Proving threads.
    pub threads: usize,
    /// Profile of the proofs.
    pub profile: &'static str,
    /// Nodes registered.
    pub nodes: usize,
    /// Receipts taken through every stage.
    pub receipts: usize,
    /// Bundles they came in.
    pub bundles: usize,
    /// Bundles that one segment proof covers.
    pub segment_bundles: usize,
    /// Batches on chain.
    pub batches: u64,
    /// Of these, the ones that hold registrations.
    pub registration_batches: u64,
    /// Proving the batches that hold receipts, in seconds.
    pub prove_seconds: f64,
    /// Receipts divided by `prove_seconds`.
    pub receipts_per_second: f64,
    /// Time to prove two bare permutations for each receipt, divided by `prove_seconds`: 1 is the floor.
    pub floor_ratio: f64,
    /// Every stage, in order.
    pub stages: Vec<StageFigure>,
}

/// One stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageFigure {
    /// Its name.
    pub stage: &'static str,
    /// Wall-clock time in seconds.
    pub seconds: f64,
    /// How many of `unit` went through.
    pub count: usize,
    /// What is counted.
    pub unit: &'static str,
    /// The most memory that the process held during the stage, in bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// A stopwatch and a scale.
#[derive(Debug, Default)]
pub struct Meter {
    begun: Option<Instant>,
    pub stages: Vec<StageFigure>,
}

impl Meter {
    /// A stage begins.
    pub fn begin(&mut self) {
        memory::reset_peak();
        self.begun = Some(Instant::now());
    }

    /// It ends.
    pub fn end(&mut self, stage: &'static str, unit: &'static str, count: usize) {
        let seconds = self.begun.take().map_or(0.0, |begun| begun.elapsed().as_secs_f64());
        self.stages.push(StageFigure { stage, seconds, count, unit, peak_rss_bytes: memory::peak() });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine       {}, {} threads", self.machine, self.threads)?;
        writeln!(f, "profile       {}", self.profile)?;
        writeln!(
            f,
            "shape         {} nodes, {} receipts in {} bundles, {} batches of which {} with registrations",
            self.nodes, self.receipts, self.bundles, self.batches, self.registration_batches
        )?;
        for figure in &self.stages {
            let rate = figure.count as f64 / figure.seconds.max(f64::MIN_POSITIVE);
            let memory = figure.peak_rss_bytes.map_or(0.0, |bytes| bytes as f64 / f64::from(1 << 30));
            writeln!(
                f,
                "{:<20} {:>9.2} s  {:>7} {:<9} {:>10.1} /s  {:>6.2} GiB",
                figure.stage, figure.seconds, figure.count, figure.unit, rate, memory
            )?;
        }
        write!(
            f,
            "proving       {:.1} s for the receipts, {:.1} receipts/s, {:.3} of the floor",
            self.prove_seconds, self.receipts_per_second, self.floor_ratio
        )
    }
}

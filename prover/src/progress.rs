//! Telling the caller how far a proof is.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Building circuits, once per process.
    Circuits,
    /// Proving bundles and receipts.
    Segments,
    /// Joining proofs.
    Aggregation,
    /// Proving the header.
    Batch,
    /// Proving it again in the form that a chain verifies.
    Final,
}

impl Stage {
    /// A word for a progress bar.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Circuits => "circuits",
            Self::Segments => "segments",
            Self::Aggregation => "aggregation",
            Self::Batch => "batch",
            Self::Final => "final",
        }
    }
}

/// Watches a proof being made; `()` watches nothing.
pub trait Progress: Sync {
    /// `done` of `total` proofs (or circuits) of `stage` are finished. Called from several threads, at 0 first.
    fn step(&self, stage: Stage, done: usize, total: usize);

    /// Whether to stop; asked between the proofs of segments and nodes.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Progress for () {
    fn step(&self, _: Stage, _: usize, _: usize) {}
}

impl<T: Fn(Stage, usize, usize) + Sync> Progress for T {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        self(stage, done, total);
    }
}

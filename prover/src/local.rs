//! Proving in this process.

use crate::job::Job;
use crate::progress::{Progress, Stage};
use crate::{BatchProof, Profile, ProveError, Prover, VerifyError, plan, workers};
use cairn_circuits::plonk::Proof;
use cairn_circuits::{CircuitSet, LEVELS, Layer, LayerProof, PinError};
use cairn_types::Batch;
use cairn_types::state::PartialState;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Proof parameters.
    pub profile: Profile,
    /// Threads; by default one per core.
    pub threads: Option<NonZeroUsize>,
    /// Memory that proofs in the making may use together, in bytes; by default half of what is available at start.
    pub memory: Option<u64>,
}

impl Options {
    /// The defaults for a profile.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self { profile, threads: None, memory: None }
    }
}

/// Proves with this machine's cores.
#[derive(Debug)]
pub struct LocalProver {
    circuits: &'static CircuitSet,
    pool: ThreadPool,
    memory: u64,
}

/// Why a prover does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The thread pool.
    #[error("cannot start the proving threads")]
    Threads(#[from] ThreadPoolBuildError),
    /// The circuits are not those of this version.
    #[error(transparent)]
    Circuits(#[from] PinError),
}

impl LocalProver {
    /// Builds the circuits, or takes those that this process has built before, and starts the threads.
    ///
    /// # Errors
    /// When the circuits are not the pinned ones or threads cannot be started.
    pub fn start(options: Options, progress: &dyn Progress) -> Result<Self, StartError> {
        let threads = options.threads.map_or(0, NonZeroUsize::get);
        let pool =
            ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("prove-{index}")).build()?;
        progress.step(Stage::Circuits, 0, CircuitSet::STEPS);
        let circuits = pool.install(|| {
            CircuitSet::get(options.profile, &|done| {
                if done < CircuitSet::STEPS {
                    progress.step(Stage::Circuits, done, CircuitSet::STEPS);
                }
            })
        })?;
        progress.step(Stage::Circuits, CircuitSet::STEPS, CircuitSet::STEPS);
        let memory = options.memory.unwrap_or_else(|| crate::memory::available() / 2);
        Ok(Self { circuits, pool, memory })
    }

    /// The circuits in use.
    #[must_use]
    pub const fn circuits(&self) -> &'static CircuitSet {
        self.circuits
    }

    /// Threads in use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The threads.
    pub(crate) const fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// How many proofs of `layer` run at once: one per thread, if memory allows, and at least one.
    pub(crate) fn at_once(&self, layer: Layer) -> usize {
        let fit = self.memory / crate::memory::peak_of(self.circuits, layer).max(1);
        usize::try_from(fit).unwrap_or(usize::MAX).clamp(1, self.threads())
    }

    /// How many proofs of whatever layer run at once.
    pub(crate) fn at_once_of_any(&self) -> usize {
        Layer::all().map(|layer| self.at_once(layer)).min().unwrap_or(1)
    }

    /// Proves the jobs of one layer whose proofs a circuit verifies.
    fn nodes(
        &self,
        jobs: &[Job<'_>],
        progress: &dyn Progress,
        finished: &(dyn Fn() + Sync),
    ) -> Result<Vec<Proof>, ProveError> {
        let proofs = self.layer(jobs, progress, finished)?;
        Ok(proofs.into_iter().filter_map(LayerProof::into_node).collect())
    }

    /// Proves the jobs of one layer.
    fn layer(
        &self,
        jobs: &[Job<'_>],
        progress: &dyn Progress,
        finished: &(dyn Fn() + Sync),
    ) -> Result<Vec<LayerProof>, ProveError> {
        let Some(first) = jobs.first() else { return Ok(Vec::new()) };
        workers::run(&self.pool, self.at_once(first.layer()), jobs.len(), |index| {
            if progress.cancelled() {
                return Err(ProveError::Cancelled);
            }
            let proof = jobs[index].prove(self.circuits)?;
            finished();
            Ok(proof)
        })
    }
}

impl Prover for LocalProver {
    fn profile(&self) -> Profile {
        self.circuits.profile()
    }

    fn prove(&self, batch: &Batch, before: &PartialState, progress: &dyn Progress) -> Result<BatchProof, ProveError> {
        let segments = plan::segments(batch, before)?;
        let count = |stage: Stage, total: usize| {
            progress.step(stage, 0, total);
            let done = AtomicUsize::new(0);
            move || progress.step(stage, done.fetch_add(1, Ordering::Relaxed) + 1, total)
        };
        let finished = count(Stage::Segments, segments.len());
        let jobs: Vec<_> = segments.iter().map(Job::Segment).collect();
        let mut proofs = self.nodes(&jobs, progress, &finished)?;

        let finished = count(Stage::Aggregation, aggregations(segments.len(), 1..=LEVELS));
        for level in 1..=LEVELS {
            let jobs: Vec<_> =
                proofs.chunks(2).map(|pair| Job::Aggregation { level, left: &pair[0], right: pair.get(1) }).collect();
            proofs = self.nodes(&jobs, progress, &finished)?;
        }

        let finished = count(Stage::Batch, 1);
        let header = batch.header.words();
        let top = self.nodes(&[Job::Batch { child: &proofs[0], header: &header }], progress, &finished)?;

        let finished = count(Stage::Final, 1);
        let last = self.layer(&[Job::Final(&top[0])], progress, &finished)?;
        let proof =
            BatchProof { profile: self.profile(), statement: batch.header.statement(), bytes: last[0].to_bytes() };
        self.verify(&proof).map_err(ProveError::SelfCheck)?;
        Ok(proof)
    }

    fn verify(&self, proof: &BatchProof) -> Result<(), VerifyError> {
        proof.verify(self.profile())
    }
}

/// Aggregations above `segments` segments in these levels.
pub(crate) fn aggregations(segments: usize, levels: RangeInclusive<usize>) -> usize {
    levels.map(|level| segments.div_ceil(1 << level)).sum()
}

//! `cairn bench prove`: how fast this machine proves, measured against a floor in the same run.

mod floor;
mod report;
mod sample;
mod stages;

pub use floor::floor;
pub use report::{LayerReport, Report, RowsReport, StageReport};
pub use sample::Sample;

use crate::progress::Progress;
use crate::{LocalProver, Options, ProveError, Prover, StartError, memory};
use cairn_circuits::{SegmentShape, security};
use cairn_types::limits::MAX_BUNDLE_RECEIPTS;
use cairn_types::{BundleError, LeafError, SealError};
use stages::Stages;
use std::time::Instant;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Asked for more receipts than fit, or none.
    #[error("a batch holds 1 to {most} receipts in bundles of {bundle_receipts}, not {receipts}")]
    Receipts {
        /// Receipts asked for.
        receipts: usize,
        /// As many fit.
        most: usize,
        /// Receipts in each bundle.
        bundle_receipts: usize,
    },
    /// Asked for bundles of a size that they do not have.
    #[error("a bundle holds 1 to {MAX_BUNDLE_RECEIPTS} receipts, not {0}")]
    BundleReceipts(usize),
    /// The prover.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The sample's leaves.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// A bundle of the sample.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The sample batch.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Proving it.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// Proving the floor or bare signatures.
    #[error("the bare circuit could not be proved: {0}")]
    Floor(String),
}

/// Proves a sample batch, then the floor, then bare signatures.
///
/// # Errors
/// When proving fails or the sample does not fit a batch.
pub fn prove(options: Options, sample: Sample, progress: &dyn Progress) -> Result<Report, BenchError> {
    sample.check()?;
    let clock = Instant::now();
    let prover = LocalProver::start(options, progress)?;
    // The smallest batch makes every no-op proof, which later batches find made.
    let (smallest, before) = Sample { receipts: 1, bundle_receipts: 1 }.batch()?;
    prover.prove(&smallest, &before, &())?;
    let start_seconds = clock.elapsed().as_secs_f64();

    let (batch, before) = sample.batch()?;
    let stages = Stages::new(progress);
    let start = Instant::now();
    let proof = prover.prove(&batch, &before, &stages)?;
    let end = Instant::now();
    let floor_seconds = floor(&prover, sample.receipts)?.as_secs_f64();
    let milliseconds_per_signature = 1e3 * floor::signature(&prover)?.as_secs_f64();

    let (circuits, shape) = (prover.circuits(), SegmentShape::FULL);
    let layers = report::layers(circuits);
    let rows = report::rows(circuits, sample.bundles().div_ceil(shape.bundles()), sample.receipts);
    let prove_seconds = (end - start).as_secs_f64();
    let stages = stages.report(start, end);
    Ok(Report {
        profile: options.profile.name(),
        security: security::statement(options.profile),
        machine: memory::processor(),
        threads: prover.threads(),
        bundles: batch.bundles.len(),
        receipts: sample.receipts,
        start_seconds,
        prove_seconds,
        peak_rss_bytes: stages.iter().filter_map(|stage| stage.peak_rss_bytes).max(),
        stages,
        receipts_per_second: sample.receipts as f64 / prove_seconds,
        rows_per_receipt: rows.iter().map(|part| part.per_receipt).sum(),
        segment_rows_per_receipt: layers[0].rows as f64 / shape.receipts() as f64,
        rows_per_signature: circuits.segment_rows().bundles.signature as f64 / shape.bundles() as f64,
        milliseconds_per_signature,
        rows,
        floor_seconds,
        floor_ratio: floor_seconds / prove_seconds,
        proof_bytes: proof.bytes.len(),
        layers,
    })
}

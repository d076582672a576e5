//! `cairn bench prove`: how fast this machine proves, measured against a floor in the same run.
//!
//! The floor is what any plonky2 proof of the same receipts has to pay: two Poseidon permutations per receipt (leaf and
//! inner node), proved bare, with the segment layer's parameters, on the same threads.

use crate::progress::{Progress, Stage};
use crate::{LocalProver, Options, Profile, ProveError, Prover, StartError, memory, workers};
use cairn_circuits::plonk::{Builder, C, Circuit};
use cairn_circuits::{Layer, SegmentShape, security};
use cairn_types::leaf::bits;
use cairn_types::limits::{MAX_BATCH_RECEIPTS, MAX_BUNDLE_RECEIPTS};
use cairn_types::{Batch, BundleData, Cursor, Digest, Leaf, LeafError, Record, SealError};
use plonky2::hash::hashing::PlonkyPermutation;
use plonky2::hash::poseidon::{PoseidonHash, PoseidonPermutation};
use plonky2::iop::witness::{PartialWitness, WitnessWrite};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Receipts of the default run: four full segments.
pub const DEFAULT_RECEIPTS: usize = 4 * SegmentShape::FULL.receipts();
/// Permutations per receipt in the floor.
const PERMUTATIONS_PER_RECEIPT: usize = 2;
/// Rows of the floor's circuit that are not permutations.
const SPARE_ROWS: usize = 8;

/// What was measured. As JSON it has these keys and `layers`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Proof parameters.
    pub profile: &'static str,
    /// The bits that the profile claims.
    pub security: String,
    /// Processor.
    pub machine: String,
    /// Proving threads.
    pub threads: usize,
    /// Bundles proved.
    pub bundles: usize,
    /// Receipts proved.
    pub receipts: usize,
    /// Loading or building circuits and making no-op proofs, in seconds; once per process.
    pub start_seconds: f64,
    /// From the sealed batch to the verified proof, in seconds.
    pub prove_seconds: f64,
    /// Of which each stage.
    pub stage_seconds: Vec<(&'static str, f64)>,
    /// Receipts divided by `prove_seconds`.
    pub receipts_per_second: f64,
    /// Rows of a segment divided by the receipts in a full one.
    pub rows_per_receipt: f64,
    /// Rows per signature; none as long as nothing is signed.
    pub rows_per_signature: Option<f64>,
    /// Proving the floor's permutations, in seconds.
    pub floor_seconds: f64,
    /// `floor_seconds` divided by `prove_seconds`: 1 is the floor.
    pub floor_ratio: f64,
    /// The most memory that the process held, in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// Size of the batch proof.
    pub proof_bytes: usize,
    /// Each layer's rows.
    pub layers: Vec<LayerReport>,
}

/// A layer's size.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// Its name.
    pub layer: String,
    /// Rows before padding.
    pub used_rows: usize,
    /// Rows.
    pub rows: usize,
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Asked for too many or none.
    #[error("a bench proves 1 to {MAX_BATCH_RECEIPTS} receipts, not {0}")]
    Receipts(usize),
    /// The prover.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The sample's leaves.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The sample batch.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Proving it.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// Proving the floor.
    #[error("the bare permutations could not be proved: {0}")]
    Floor(String),
}

/// Proves a sample batch of `receipts` receipts, then the floor.
///
/// # Errors
/// When proving fails or `receipts` do not fit a batch.
pub fn prove(options: Options, receipts: usize, progress: &dyn Progress) -> Result<Report, BenchError> {
    if !(1..=MAX_BATCH_RECEIPTS).contains(&receipts) {
        return Err(BenchError::Receipts(receipts));
    }
    let clock = Instant::now();
    let prover = LocalProver::start(options, progress)?;
    // The smallest batch makes every no-op proof, which later batches find made.
    prover.prove(&sample(1)?, &())?;
    let start_seconds = clock.elapsed().as_secs_f64();

    let batch = sample(receipts)?;
    let stages = Stages { inner: progress, begun: Mutex::new(Vec::new()) };
    let clock = Instant::now();
    let proof = prover.prove(&batch, &stages)?;
    let proving = clock.elapsed();
    let floor = floor(&prover, PERMUTATIONS_PER_RECEIPT * receipts)?;

    let circuits = prover.circuits();
    let layers: Vec<_> = circuits
        .layers()
        .map(|(layer, circuit, used_rows)| LayerReport {
            layer: layer.to_string(),
            used_rows,
            rows: circuit.common.degree(),
        })
        .collect();
    Ok(Report {
        profile: options.profile.name(),
        security: security::statement(options.profile),
        machine: memory::processor(),
        threads: prover.threads(),
        bundles: batch.bundles.len(),
        receipts,
        start_seconds,
        prove_seconds: proving.as_secs_f64(),
        stage_seconds: stages.seconds(clock + proving),
        receipts_per_second: receipts as f64 / proving.as_secs_f64(),
        rows_per_receipt: layers[0].rows as f64 / SegmentShape::FULL.receipts() as f64,
        rows_per_signature: None,
        floor_seconds: floor.as_secs_f64(),
        floor_ratio: floor.as_secs_f64() / proving.as_secs_f64(),
        peak_rss_bytes: memory::peak(),
        proof_bytes: proof.bytes.len(),
        layers,
    })
}

/// A batch of full bundles (the last one less so) with random but well-formed leaves.
fn sample(receipts: usize) -> Result<Batch, BenchError> {
    let rng = &mut StdRng::seed_from_u64(receipts as u64);
    let rollup_id = Digest::from_byte_digest([1; 32]);
    let mut bundles = Vec::new();
    for sequence in 0..receipts.div_ceil(MAX_BUNDLE_RECEIPTS) {
        let count = MAX_BUNDLE_RECEIPTS.min(receipts - sequence * MAX_BUNDLE_RECEIPTS);
        let mut time = 1_700_000_000_000;
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            time += rng.gen_range(0..1_000);
            let packed = rng.gen_range(0..1 << 24) | 200 << bits::STATUS | rng.gen_range(0..1 << 10) << bits::VERDICTS;
            let mut word = || rng.gen_range(0..1 << 63);
            let words = [time, packed, word(), word() & ((1 << bits::METHOD) - 1), word(), word(), word(), word()];
            records.push(Record { receipt: vec![0; 64], leaf: Leaf::from_words(words)? });
        }
        bundles.push(BundleData { node_index: 0, sequence: sequence as u64, records });
    }
    Ok(Batch::seal(&Cursor::genesis(&rollup_id), rollup_id, bundles)?)
}

/// Time to prove `permutations` bare ones with the segment layer's parameters and as many proofs at once as segments.
fn floor(prover: &LocalProver, permutations: usize) -> Result<Duration, BenchError> {
    let segment = prover.circuits().layers().next().map_or(12, |(_, circuit, _)| circuit.common.degree_bits());
    let per_proof = (1 << segment) - SPARE_ROWS;
    let (circuit, inputs) = permutation_circuit(prover.profile(), per_proof);
    let proofs = permutations.div_ceil(per_proof);
    let clock = Instant::now();
    workers::run(prover.pool(), prover.at_once(Layer::Segment), proofs, |index| {
        let mut witness = PartialWitness::new();
        for (lane, target) in inputs.iter().enumerate() {
            witness
                .set_target(*target, plonky2::field::types::Field::from_canonical_usize(index + lane))
                .map_err(|e| e.to_string())?;
        }
        circuit.prove(witness).map(drop).map_err(|error| error.to_string())
    })
    .map_err(BenchError::Floor)?;
    // Proofs come whole; the floor is of exactly the permutations asked for.
    Ok(clock.elapsed().mul_f64(permutations as f64 / (proofs * per_proof) as f64))
}

/// A circuit that does nothing but permute, `permutations` times.
fn permutation_circuit(profile: Profile, permutations: usize) -> (Circuit, Vec<plonky2::iop::target::Target>) {
    let mut builder = Builder::new(Layer::Segment.config(profile));
    let inputs = builder.add_virtual_targets(12);
    let mut state = PoseidonPermutation::new(inputs.iter().copied());
    for _ in 0..permutations {
        state = builder.permute::<PoseidonHash>(state);
    }
    (builder.build::<C>(), inputs)
}

/// Notes when each stage begins.
struct Stages<'a> {
    inner: &'a dyn Progress,
    begun: Mutex<Vec<(Stage, Instant)>>,
}

impl Progress for Stages<'_> {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        if done == 0 {
            self.begun.lock().expect("only pushed to").push((stage, Instant::now()));
        }
        self.inner.step(stage, done, total);
    }

    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}

impl Stages<'_> {
    fn seconds(self, end: Instant) -> Vec<(&'static str, f64)> {
        let begun = self.begun.into_inner().expect("only pushed to");
        let ends = begun.iter().skip(1).map(|(_, instant)| *instant).chain([end]);
        begun.iter().zip(ends).map(|((stage, start), end)| (stage.name(), (end - *start).as_secs_f64())).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine            {}, {} threads", self.machine, self.threads)?;
        writeln!(f, "profile            {}", self.security)?;
        let shape = SegmentShape::FULL;
        writeln!(f, "shape              segments of {} bundles x {} receipts", shape.bundles(), MAX_BUNDLE_RECEIPTS)?;
        for layer in &self.layers {
            writeln!(f, "  {:<16} {} of {} rows", layer.layer, layer.used_rows, layer.rows)?;
        }
        writeln!(f, "start              {:.1} s (circuits and no-op proofs, once)", self.start_seconds)?;
        writeln!(
            f,
            "proved             {} receipts in {} bundles in {:.1} s",
            self.receipts, self.bundles, self.prove_seconds
        )?;
        for (stage, seconds) in &self.stage_seconds {
            writeln!(f, "  {stage:<16} {seconds:.1} s")?;
        }
        writeln!(f, "receipts/s         {:.1}", self.receipts_per_second)?;
        writeln!(f, "rows/receipt       {:.2}", self.rows_per_receipt)?;
        writeln!(f, "floor              {:.1} s, ratio {:.3}", self.floor_seconds, self.floor_ratio)?;
        writeln!(f, "batch proof        {} bytes", self.proof_bytes)?;
        match self.peak_rss_bytes {
            Some(bytes) => write!(f, "peak memory        {:.2} GiB", bytes as f64 / (1u64 << 30) as f64),
            None => write!(f, "peak memory        unknown"),
        }
    }
}

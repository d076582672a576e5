//! What a benchmark says.

use super::floor::PERMUTATIONS_PER_RECEIPT;
use crate::local::aggregations;
use cairn_circuits::{Built, CircuitSet, LEVELS, Layer, SegmentShape, security};
use serde::Serialize;
use std::fmt;

/// What was measured. As JSON it has these keys.
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
    /// Bundles proved, each with its signature.
    pub bundles: usize,
    /// Receipts proved.
    pub receipts: usize,
    /// Loading or building circuits and making no-op proofs, in seconds; once per process.
    pub start_seconds: f64,
    /// From the sealed batch to the verified proof, in seconds.
    pub prove_seconds: f64,
    /// Of which each stage.
    pub stages: Vec<StageReport>,
    /// Receipts divided by `prove_seconds`.
    pub receipts_per_second: f64,
    /// Rows of all proofs of the batch, recursion included, divided by the receipts.
    pub rows_per_receipt: f64,
    /// Rows of a segment divided by the receipts in a full one.
    pub segment_rows_per_receipt: f64,
    /// Rows that one signature takes in a segment.
    pub rows_per_signature: f64,
    /// Time to prove one signature in a proof of nothing else, in milliseconds.
    pub milliseconds_per_signature: f64,
    /// Where the rows of all proofs go.
    pub rows: Vec<RowsReport>,
    /// Proving the floor's permutations, in seconds.
    pub floor_seconds: f64,
    /// `floor_seconds` divided by `prove_seconds`: 1 is the floor.
    pub floor_ratio: f64,
    /// The most memory that the process held, in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// Size of the batch proof.
    pub proof_bytes: usize,
    /// Each layer's size.
    pub layers: Vec<LayerReport>,
}

/// A stage of the proof.
#[derive(Debug, Clone, Serialize)]
pub struct StageReport {
    /// Its name.
    pub stage: &'static str,
    /// Proofs made in it.
    pub proofs: usize,
    /// How long it took.
    pub seconds: f64,
    /// Its part of the whole time.
    pub share: f64,
    /// The most memory that the process held in it, in bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// A layer's size and strength.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// Its name.
    pub layer: String,
    /// Rows before padding.
    pub used_rows: usize,
    /// Rows.
    pub rows: usize,
    /// log2 of the points of the code of which one is a row.
    pub rate_bits: usize,
    /// Queries.
    pub queries: usize,
    /// Bits of grinding.
    pub grinding_bits: u32,
    /// Bits of security under the ethSTARK conjecture.
    pub conjectured_bits: u32,
    /// Bits of security proven.
    pub proven_bits: u32,
}

/// What a part of the statement takes, in all proofs of the batch together.
#[derive(Debug, Clone, Serialize)]
pub struct RowsReport {
    /// The part.
    pub part: &'static str,
    /// Its rows.
    pub rows: usize,
    /// Those for each receipt.
    pub per_receipt: f64,
    /// Its part of all rows.
    pub share: f64,
}

/// Rows of each layer's circuit.
pub(super) fn layers(circuits: &CircuitSet) -> Vec<LayerReport> {
    let report = |built: Built<'_>| {
        let fri = &built.common.config.fri_config;
        let (conjectured_bits, proven_bits) =
            security::of_config(&built.common.config, built.common.degree_bits()).floor();
        LayerReport {
            layer: built.layer.to_string(),
            used_rows: built.used_rows,
            rows: built.common.degree(),
            rate_bits: fri.rate_bits,
            queries: fri.num_query_rounds,
            grinding_bits: fri.proof_of_work_bits,
            conjectured_bits,
            proven_bits,
        }
    };
    circuits.layers().map(report).collect()
}

/// Where the rows of a batch go.
pub(super) fn rows(circuits: &CircuitSet, segments: usize, receipts: usize) -> Vec<RowsReport> {
    let degree =
        |wanted: Layer| circuits.layers().find(|built| built.layer == wanted).map_or(0, |built| built.common.degree());
    let spent = circuits.segment_rows();
    let floor = PERMUTATIONS_PER_RECEIPT * receipts;
    let inside = spent.bundles.receipts + spent.bundles.signature + spent.bundles.account + spent.entries;
    let nodes = |level: usize| aggregations(segments, level..=level) * degree(Layer::Aggregation(level));
    let parts = [
        ("floor: two permutations a receipt", floor),
        ("rest of receipts and bundles", (segments * spent.bundles.receipts).saturating_sub(floor)),
        ("signatures", segments * spent.bundles.signature),
        ("accounts", segments * spent.bundles.account),
        ("queue entries", segments * spent.entries),
        ("totals, padding of segments", segments * degree(Layer::Segment).saturating_sub(inside)),
        ("aggregation", (1..=LEVELS).map(nodes).sum()),
        ("header", degree(Layer::Batch)),
        ("form for the chain", degree(Layer::Final)),
    ];
    let all: usize = parts.iter().map(|(_, rows)| rows).sum();
    parts
        .into_iter()
        .map(|(part, rows)| RowsReport {
            part,
            rows,
            per_receipt: rows as f64 / receipts as f64,
            share: rows as f64 / all as f64,
        })
        .collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine            {}, {} threads", self.machine, self.threads)?;
        writeln!(f, "profile            {}", self.security)?;
        let SegmentShape { entries, .. } = SegmentShape::FULL;
        let bundles = SegmentShape::FULL.bundles();
        writeln!(f, "shape              segments of {bundles} bundles and {entries} queue entries")?;
        for LayerReport { layer, used_rows, rows, rate_bits, queries, grinding_bits, conjectured_bits, proven_bits } in
            &self.layers
        {
            write!(f, "  {layer:<16} {used_rows} of {rows} rows, rate 2^-{rate_bits}, {queries} queries, ")?;
            writeln!(f, "{grinding_bits} bits of grinding: {conjectured_bits} bits conjectured, {proven_bits} proven")?;
        }
        writeln!(f, "start              {:.1} s (circuits and no-op proofs, once)", self.start_seconds)?;
        writeln!(
            f,
            "proved             {} receipts in {} signed bundles in {:.1} s",
            self.receipts, self.bundles, self.prove_seconds
        )?;
        for StageReport { stage, proofs, seconds, share, peak_rss_bytes } in &self.stages {
            write!(f, "  {stage:<16} {seconds:7.1} s {:4.0} %  {proofs} proofs", 100.0 * share)?;
            match peak_rss_bytes {
                Some(bytes) => writeln!(f, ", {:.2} GiB", gib(*bytes))?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "receipts/s         {:.1}", self.receipts_per_second)?;
        writeln!(
            f,
            "rows/receipt       {:.2} in all proofs ({:.2} in a full segment)",
            self.rows_per_receipt, self.segment_rows_per_receipt
        )?;
        for RowsReport { part, rows, per_receipt, share } in &self.rows {
            writeln!(f, "  {part:<34} {rows:>8} rows {per_receipt:7.2} a receipt {:4.0} %", 100.0 * share)?;
        }
        writeln!(f, "rows/signature     {:.1}", self.rows_per_signature)?;
        writeln!(f, "ms/signature       {:.1} (in a proof of nothing else)", self.milliseconds_per_signature)?;
        writeln!(f, "floor              {:.1} s, ratio {:.3}", self.floor_seconds, self.floor_ratio)?;
        writeln!(f, "batch proof        {} bytes", self.proof_bytes)?;
        match self.peak_rss_bytes {
            Some(bytes) => write!(f, "peak memory        {:.2} GiB", gib(bytes)),
            None => write!(f, "peak memory        unknown"),
        }
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / (1u64 << 30) as f64
}

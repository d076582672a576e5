//! `cairn demo`: the whole system in one process.

use super::bars;
use super::crawl::Reading;
use super::funds::sol;
use anyhow::{Context, Result};
use cairn_client::submit;
use cairn_client::warc;
use cairn_localnet::demo::Observer;
use cairn_localnet::{Demo as Run, Summary};
use cairn_prover::Profile;
use cairn_sequencer::BatchEvent;
use clap::Args;
use comfy_table::{Table, presets};
use indicatif::{HumanBytes, MultiProgress, ProgressBar};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Take WARC files through the whole system on this machine and verify every receipt
///
/// Runs sequencer, prover, embedded Solana chain and indexer in this process: registers a node on chain, reads the files, signs
/// and submits a receipt per fetch over gRPC, seals, proves, publishes, submits the header to the chain, has the program on
/// chain verify the proof, indexes, writes a .cairnproof per receipt into DIR/proofs, and checks that each leads to a batch
/// that the chain has settled. The registration is a batch of its own, for a key signs from the batch after the one that
/// registers it. DIR can be used again: what was acknowledged is not sent twice.
///
/// Exit status: 0 every receipt verified; 1 one did not; 2 something could not be done.
#[derive(Args)]
pub struct Demo {
    /// WARC file, plain or gzip; may be given many times
    #[arg(long = "warc", value_name = "FILE", required = true)]
    warcs: Vec<PathBuf>,
    /// Data directory [default: a new one under ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Security profile of the proofs: production (100 bits conjectured, 80 proven) or dev (faster, weaker)
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    /// Print one JSON object on the last line instead of a table
    #[arg(long)]
    json: bool,
}

impl Demo {
    /// Runs the demo and prints its summary.
    ///
    /// # Errors
    /// When a stage fails; the data directory keeps what was done.
    pub async fn run(self) -> Result<ExitCode> {
        let data = self.data.unwrap_or_else(|| {
            PathBuf::from("data").join(format!("demo-{}", chrono::Utc::now().format("%Y%m%d-%H%M%S")))
        });
        let run = Run { warcs: self.warcs, data: data.clone(), profile: self.profile };
        let bars = Arc::new(Bars::new());
        let outcome = run.run(Arc::clone(&bars)).await;
        bars.clear();
        let summary = outcome.with_context(|| format!("demo in {}", data.display()))?;
        if self.json {
            println!("{}", serde_json::to_string(&summary)?);
        } else {
            print(&summary, self.profile);
        }
        Ok(ExitCode::from(u8::from(summary.failed > 0)))
    }
}

fn print(summary: &Summary, profile: Profile) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    let bytes = |count: u64| HumanBytes(count).to_string();
    for (name, value) in [
        ("receipts", summary.receipts.to_string()),
        ("  already acknowledged before", summary.already_acknowledged.to_string()),
        ("records without a receipt", summary.skipped.to_string()),
        ("payload", bytes(summary.payload_bytes)),
        ("signed as node", summary.node_index.to_string()),
        ("batches on chain", summary.batches.to_string()),
        ("  settled: proof verified by the chain", summary.settled.to_string()),
        ("prove time", format!("{:.1} s ({profile})", summary.prove_seconds)),
        ("compute units to submit", summary.compute_units.to_string()),
        ("compute units to verify", summary.verify_compute_units.to_string()),
        (
            "transactions to settle",
            format!("{} to upload, {} to verify", summary.upload_transactions, summary.verify_transactions),
        ),
        ("fees", format!("{} SOL", sol(summary.lamports_fees))),
        ("rent", format!("{} SOL paid, {} SOL back", sol(summary.lamports_locked), sol(summary.lamports_refunded))),
        ("proof size", bytes(summary.proof_bytes)),
        ("blob size", bytes(summary.blob_bytes)),
        ("receipts verified in settled batches", summary.verified.to_string()),
        ("failed", summary.failed.to_string()),
    ] {
        table.add_row([name, &value]);
    }
    println!("{table}");
    let folder = summary.state_dir.display();
    println!("data directory  {folder}");
    for anchor in &summary.anchors {
        println!("anchor          {anchor}");
    }
    if let Some(anchor) = summary.anchors.last() {
        println!("\nNext: cairn verify {folder}/proofs --root {anchor}\n      cairn indexer --data {folder}");
    }
}

/// One bar per stage, each shown when its stage begins.
struct Bars {
    group: MultiProgress,
    reading: Reading,
    circuits: ProgressBar,
    acknowledged: ProgressBar,
    proving: ProgressBar,
    uploading: ProgressBar,
    verified: ProgressBar,
    /// Why the node waits, as it was last said.
    waiting: Mutex<String>,
}

impl Bars {
    fn new() -> Self {
        let group = bars::group();
        let add = |bar| group.add(bar);
        Self {
            circuits: add(bars::steps("circuits")),
            reading: Reading(add(bars::bytes("reading"))),
            acknowledged: add(bars::steps("acknowledged")),
            proving: add(bars::steps("proving")),
            uploading: add(bars::steps("uploading")),
            verified: add(bars::steps("verified")),
            waiting: Mutex::default(),
            group,
        }
    }

    fn clear(&self) {
        let bars =
            [&self.circuits, &self.reading.0, &self.acknowledged, &self.proving, &self.uploading, &self.verified];
        bars.into_iter().for_each(ProgressBar::finish);
        self.group.clear().ok();
    }

    fn say(&self, line: &str) {
        self.group.suspend(|| eprintln!("{line}"));
    }
}

impl warc::Progress for Bars {
    fn expect(&self, bytes: u64) {
        self.reading.expect(bytes);
    }
    fn advance(&self, bytes: u64) {
        self.reading.advance(bytes);
    }
}

impl submit::Progress for Bars {
    fn expect(&self, _bundles: u64, receipts: u64) {
        self.acknowledged.set_length(receipts);
    }
    fn acknowledged(&self, receipts: u64) {
        self.acknowledged.inc(receipts);
    }
    fn waiting(&self, reason: &str, _delay: Duration) {
        // It is tried again many times a second: once for each reason is enough to say.
        let mut said = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != reason {
            self.say(&format!("waiting    {reason}"));
            reason.clone_into(&mut said);
        }
    }
}

impl Observer for Bars {
    fn circuits(&self, done: usize, total: usize) {
        bars::step(&self.circuits, done, total);
    }

    fn registered(&self, node_index: u32) {
        self.say(&format!("registered node {node_index} on chain"));
    }

    fn read(&self, report: &warc::Report) {
        self.say(report.to_string().trim_end());
    }

    fn batch(&self, event: &BatchEvent) {
        match event {
            BatchEvent::Sealed(batch) => {
                self.say(&format!(
                    "sealed     batch {}: {} receipts in {} bundles",
                    batch.number, batch.receipts, batch.bundles
                ));
            }
            BatchEvent::Published { batch, path, blob_bytes, .. } => {
                self.say(&format!("published  batch {}: {path}, {}", batch.number, HumanBytes(*blob_bytes)));
            }
            BatchEvent::ProvingProgress { batch, part, done, total } => {
                bars::step(&self.proving, *done as usize, *total as usize);
                self.proving.set_message(format!("batch {}: {}", batch.number, part.name()));
            }
            BatchEvent::Proved { batch, took, proof_bytes } => {
                self.say(&format!(
                    "proved     batch {}: {:.1} s, {}",
                    batch.number,
                    took.as_secs_f64(),
                    HumanBytes(*proof_bytes)
                ));
            }
            BatchEvent::Submitted { batch, signature, slot, compute_units, .. } => {
                let slot = slot.map(|slot| format!(" in slot {slot}")).unwrap_or_default();
                let units = compute_units.map(|units| format!(", {units} compute units")).unwrap_or_default();
                let signature = signature.as_deref().unwrap_or("an earlier transaction");
                self.say(&format!("submitted  batch {}{slot}{units}: {signature}", batch.number));
            }
            BatchEvent::Uploading { batch, done, total } => {
                bars::step(&self.uploading, *done as usize, *total as usize);
                self.uploading.set_message(format!("proof of batch {} to the chain", batch.number));
            }
            BatchEvent::Settled { batch, settlement, .. } => {
                self.say(&format!(
                    "settled    batch {}: its proof is verified by the chain, {} transactions to upload, {} to verify, {} compute units",
                    batch.number,
                    settlement.upload_transactions,
                    settlement.verify_transactions,
                    settlement.verify_compute_units
                ));
            }
            BatchEvent::ProofAccountClosed { lamports_refunded, .. } => {
                self.say(&format!("closed     the proof account: {} SOL of rent back", sol(*lamports_refunded)));
            }
            BatchEvent::Retrying { number, stage, reason, after } => {
                self.say(&format!(
                    "batch {number}: not {stage} yet: {reason}; again in {}",
                    humantime::format_duration(*after)
                ));
            }
            BatchEvent::Proving(_) | BatchEvent::Sent { .. } | BatchEvent::Confirmed { .. } => {}
        }
    }

    fn verified(&self, done: usize, total: usize) {
        bars::step(&self.verified, done, total);
    }
}

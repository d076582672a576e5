//! What happened when, for whoever reads the run.

use cairn_sequencer::BatchEvent;
use comfy_table::{Table, presets};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line.
#[derive(Debug, Clone)]
struct Line {
    at: Duration,
    what: String,
    slot: Option<u64>,
    signature: String,
}

/// Lines as they come, from any task.
#[derive(Debug, Clone)]
pub struct Record {
    began: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Record {
    pub fn new() -> Self {
        Self { began: Instant::now(), lines: Arc::default() }
    }

    /// Something without a transaction.
    pub fn note(&self, what: impl Into<String>) {
        self.transaction(what, None, "");
    }

    pub fn transaction(&self, what: impl Into<String>, slot: Option<u64>, signature: &str) {
        let line = Line { at: self.began.elapsed(), what: what.into(), slot, signature: signature.to_owned() };
        println!("{:>8.2} s  {} {}", line.at.as_secs_f64(), line.what, line.signature);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// An event of the sequencer's.
    pub fn event(&self, event: &BatchEvent) {
        match event {
            BatchEvent::Sealed(batch) => self.note(format!(
                "batch {} sealed: {} receipts, {} registrations",
                batch.number, batch.receipts, batch.entries
            )),
            BatchEvent::Published { batch, .. } => self.note(format!("batch {} published", batch.number)),
            BatchEvent::Proved { batch, took, .. } => {
                self.note(format!("batch {} proved in {:.1} s", batch.number, took.as_secs_f64()));
            }
            BatchEvent::Sent { batch, signature, attempt, sends } => {
                let what = format!("batch {} sent: transaction {}, {sends} times", batch.number, attempt + 1);
                self.transaction(what, None, signature);
            }
            BatchEvent::Confirmed { batch, slot, .. } => {
                self.transaction(format!("batch {} confirmed", batch.number), *slot, "");
            }
            BatchEvent::Submitted { batch, signature, slot, compute_units, fee, .. } => {
                let cost = match (compute_units, fee) {
                    (Some(units), Some(fee)) => format!(": {units} units, fee {fee} lamports"),
                    _ => String::new(),
                };
                let what = format!("batch {} FINALIZED{cost}", batch.number);
                self.transaction(what, *slot, signature.as_deref().unwrap_or_default());
            }
            BatchEvent::Settled { batch, settlement, .. } => self.note(format!(
                "batch {} SETTLED: {} transactions to upload its proof, {} to verify it in {} units, fees {} lamports",
                batch.number,
                settlement.upload_transactions,
                settlement.verify_transactions,
                settlement.verify_compute_units,
                settlement.lamports_fees
            )),
            BatchEvent::ProofAccountClosed { lamports_refunded, .. } => {
                self.note(format!("proof account closed: {lamports_refunded} lamports back"));
            }
            BatchEvent::Retrying { number, stage, reason, .. } => {
                self.note(format!("batch {number} not {stage} yet: {reason}"));
            }
            BatchEvent::Proving(_) | BatchEvent::ProvingProgress { .. } | BatchEvent::Uploading { .. } => {}
        }
    }

    pub fn print(&self, title: &str) {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY);
        table.set_header(["seconds", title, "slot", "signature"]);
        for line in self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let slot = line.slot.map(|slot| slot.to_string()).unwrap_or_default();
            table.add_row([format!("{:.2}", line.at.as_secs_f64()), line.what.clone(), slot, line.signature.clone()]);
        }
        println!("{table}");
    }
}

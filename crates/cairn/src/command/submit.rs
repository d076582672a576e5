//! `cairn submit`: WARC files to acknowledged receipts.

use super::bars;
use super::crawl::Reading;
use anyhow::{Context, Result};
use cairn_client::journal::Journal;
use cairn_client::submit::{Config, Node, Progress};
use cairn_client::warc;
use clap::Args;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Make a receipt of every fetch in WARC files and submit them to a sequencer
///
/// WARC 1.0 and 1.1, plain or gzip. Every HTTP response gives a receipt, and every revisit whose earlier capture is in one of the
/// files. What gives none is counted and named. Bundles are written to a journal before they are sent and acknowledged
/// by the sequencer after they are on its disk: running the command again, also after a crash, submits nothing twice.
#[derive(Args)]
pub struct Submit {
    /// WARC files; revisits find their captures in any of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The sequencer
    #[arg(long, env = "CAIRN_SEQUENCER", default_value = "http://127.0.0.1:7420", value_name = "URL")]
    sequencer: String,
    /// Index of the node that fetched
    #[arg(long, env = "CAIRN_NODE_INDEX", default_value_t = 0, value_name = "INDEX")]
    node_index: u32,
    /// The node's journal, made the first time: keep it, it is what knows what was submitted
    #[arg(long, env = "CAIRN_JOURNAL", default_value = "journal.redb", value_name = "FILE")]
    journal: PathBuf,
    /// Name of the crawl job, which goes into the receipts
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Submit receipts again that were acknowledged before
    #[arg(long)]
    again: bool,
    /// Only read the files and report; nothing is sent
    #[arg(long)]
    dry_run: bool,
    /// Write every record without a receipt, and every oddity, to this file, one JSON object per line
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

struct Acknowledged(ProgressBar);

impl Progress for Acknowledged {
    fn expect(&self, _bundles: u64, receipts: u64) {
        self.0.set_length(receipts);
    }
    fn acknowledged(&self, receipts: u64) {
        self.0.inc(receipts);
    }
    fn waiting(&self, reason: &str, delay: Duration) {
        self.0.suspend(|| eprintln!("{reason}; again in {}", humantime::format_duration(delay)));
    }
}

impl Submit {
    /// Reads, submits and reports.
    ///
    /// # Errors
    /// When a file cannot be read or the sequencer refuses.
    pub async fn run(self) -> Result<ExitCode> {
        let sending = Acknowledged(bars::steps("acknowledged"));
        let mut node = Node::connect(&self.sequencer, self.node_index, Config::default(), &sending)
            .await
            .with_context(|| format!("cannot submit to {}", self.sequencer))?;
        let rollup_id = node.info().rollup_id;
        let reading = warc::Options { rollup_id, node_index: self.node_index, job: self.job.clone() };
        let bar = bars::bytes("reading");
        let crawl = warc::read_files(&self.files, &reading, &Reading(bar.clone()))?;
        bar.finish_and_clear();
        eprint!("{}", crawl.report);
        if let Some(path) = &self.report {
            write_report(path, &crawl.report).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        let journal = Journal::open(&self.journal, rollup_id, self.node_index)?;
        let submitted = node.submit(&crawl.receipts, &journal, self.again, &sending).await?;
        sending.0.finish_and_clear();
        println!(
            "{} receipts acknowledged in {} bundles, {} were before",
            submitted.receipts, submitted.bundles, submitted.skipped
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn write_report(path: &Path, report: &warc::Report) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for skipped in &report.skipped {
        let line = serde_json::json!({
            "file": *skipped.file, "offset": skipped.offset, "receipt": false, "reason": skipped.reason.name(), "detail": skipped.detail,
        });
        writeln!(file, "{line}")?;
    }
    for note in &report.notes {
        let line = serde_json::json!({
            "file": *note.file, "offset": note.offset, "receipt": true, "reason": note.oddity.name(), "detail": note.detail,
        });
        writeln!(file, "{line}")?;
    }
    Ok(file.flush()?)
}

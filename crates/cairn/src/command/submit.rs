//! `cairn submit`: WARC files to acknowledged receipts.

use super::bars;
use super::crawl::Reading;
use super::node_args::NodeArgs;
use anyhow::{Context, Result};
use cairn_client::submit::{Node, Progress, SubmitError, SubmitReport};
use cairn_client::warc;
use cairn_types::Digest;
use clap::Args;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Failures in a row after which the sequencer is given up on.
const MAX_FAILURES: usize = 10;

/// Make a receipt of every fetch in WARC files, sign and submit them to a sequencer
///
/// WARC 1.0 and 1.1, plain or gzip. Every HTTP response gives a receipt, and every revisit whose earlier capture is in one of the
/// files. What gives none is counted and named. Receipts are written to the node's spool before the sequencer is called, signed
/// in bundles, and acknowledged by the sequencer after they are on its disk: running the command again, also after a
/// crash, submits nothing twice. Without files, it submits what is left in the spool.
#[derive(Args)]
pub struct Submit {
    /// WARC files; revisits find their captures in any of them
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Name of the crawl job, which goes into the receipts
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Submit receipts again that were submitted before
    #[arg(long)]
    again: bool,
    /// Only read the files and report: no key is needed, and nothing is written or sent
    #[arg(long, requires = "files")]
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
        self.0.suspend(|| eprintln!("{reason}; again in {}", humantime::format_duration(round(delay))));
    }
}

/// Without the nanoseconds of a random delay.
fn round(delay: Duration) -> Duration {
    Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

impl Submit {
    /// Reads, submits and reports.
    ///
    /// # Errors
    /// When a file cannot be read or the sequencer refuses.
    pub async fn run(self) -> Result<ExitCode> {
        if self.dry_run {
            // What the receipts would say about rollup and node is in no report.
            self.read(&warc::Options { rollup_id: Digest::ZERO, node_index: 0, job: self.job.clone() })?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut node = self.node.open(Some(MAX_FAILURES))?;
        let sending = Acknowledged(bars::steps("acknowledged"));
        if node.spool().identity()?.is_none() {
            // Receipts name rollup and node, so the first run has to ask before it reads.
            node.greet(&sending).await?;
        }
        let crawl = self.read(&node.reading(self.job.clone())?)?;
        let submitted = node.submit(&crawl.receipts, self.again, &sending).await;
        sending.0.finish_and_clear();
        let submitted = submitted.map_err(|error| explain(error, &node))?;
        self.tell(&submitted);
        Ok(ExitCode::SUCCESS)
    }

    fn read(&self, options: &warc::Options) -> Result<warc::Crawl> {
        let bar = bars::bytes("reading");
        let crawl = warc::read_files(&self.files, options, &Reading(bar.clone()))?;
        bar.finish_and_clear();
        if !self.files.is_empty() {
            eprint!("{}", crawl.report);
        }
        if let Some(path) = &self.report {
            write_report(path, &crawl.report).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(crawl)
    }

    fn tell(&self, submitted: &SubmitReport) {
        println!(
            "{} receipts acknowledged in {} bundles, {} were before",
            submitted.receipts, submitted.bundles, submitted.skipped
        );
        eprintln!("`cairn receipts --spool {}` lists them", self.node.spool.spool.display());
    }
}

/// Says what has become of the receipts when the sequencer is away.
fn explain(error: SubmitError, node: &Node) -> anyhow::Error {
    let away = matches!(error, SubmitError::Unreachable { .. });
    let error = anyhow::Error::from(error);
    if !away {
        return error;
    }
    let path = node.spool().path().display().to_string();
    error.context(format!("the receipts are safe in {path}: run `cairn submit` again, without files, to send them"))
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

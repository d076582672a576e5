//! `cairn node`: receipts of everything that a crawler finishes, for as long as it crawls.

use super::node_args::{NodeArgs, duration};
use super::shutdown;
use anyhow::{Context, Result};
use cairn_client::node::{self, Options, Status, metrics};
use clap::Args;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Failures in a row after which `--once` gives up.
const MAX_FAILURES: usize = 10;

/// Watch a folder for WARC files, and sign and submit receipts of what is in them as a crawler finishes them
///
/// Knows how Heritrix, Browsertrix and wget finish files: a file counts when its name ends in .warc or .warc.gz and it was just
/// renamed to that, or nobody has written to it for --settle. What was read is remembered in the spool, so that a restart
/// neither repeats nor loses a record, and a record that the end of a file cuts off is read when it is whole. While the
/// sequencer is away, receipts wait in the spool. Stop it with Ctrl-C or SIGTERM: bundles in flight are waited for.
#[derive(Args)]
pub struct NodeCommand {
    /// Folder in which the crawler writes, with everything below it
    #[arg(long, env = "CAIRN_WATCH", value_name = "DIR")]
    watch: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    /// Read and submit what is there now, finished or not, and end
    #[arg(long)]
    once: bool,
    /// Receipts wait so long for others to fill their bundle
    #[arg(long, env = "CAIRN_BUNDLE_AGE", default_value = "30s", value_name = "TIME", value_parser = duration)]
    bundle_age: Duration,
    /// A file that nobody has written to for so long counts as finished
    #[arg(long, env = "CAIRN_SETTLE", default_value = "10s", value_name = "TIME", value_parser = duration)]
    settle: Duration,
    /// Look through the folder so often, whatever the system tells about it
    #[arg(long, env = "CAIRN_RESCAN", default_value = "30s", value_name = "TIME", value_parser = duration)]
    rescan: Duration,
    /// Ask the sequencer so often how far bundles have come
    #[arg(long, env = "CAIRN_REFRESH", default_value = "15s", value_name = "TIME", value_parser = duration)]
    refresh: Duration,
    /// Name of the crawl job, which goes into the receipts
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Serve Prometheus metrics at this address, as in 127.0.0.1:7422 [default: nowhere]
    #[arg(long, env = "CAIRN_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
}

impl NodeCommand {
    /// Runs until told to stop, or with `--once` until everything is acknowledged.
    ///
    /// # Errors
    /// When it cannot start, or the sequencer refuses for good or answers falsely.
    pub async fn run(self) -> Result<ExitCode> {
        if !self.watch.is_dir() {
            anyhow::bail!("--watch {}: there is no such folder", self.watch.display());
        }
        if let Some(address) = self.metrics_listen {
            let exporter = PrometheusBuilder::new().with_http_listener(address);
            exporter.install().with_context(|| format!("--metrics-listen {address}"))?;
            metrics::describe();
        }
        let node = self.node.open(self.once.then_some(MAX_FAILURES))?;
        eprintln!("spool      {}", node.spool().path().display());
        eprintln!("sequencer  {}", self.node.sequencer.sequencer);
        let options = Options {
            watch: self.watch,
            once: self.once,
            settle: self.settle,
            rescan: self.rescan,
            bundle_age: self.bundle_age,
            refresh: self.refresh,
            job: self.job,
        };
        let (status, mut heard) = tokio::sync::watch::channel(Status::default());
        let line = ProgressBar::new_spinner();
        line.set_style(ProgressStyle::with_template("{spinner} {wide_msg}")?);
        line.enable_steady_tick(Duration::from_millis(200));
        let shown = {
            let line = line.clone();
            tokio::spawn(async move {
                while heard.changed().await.is_ok() {
                    line.set_message(describe(&heard.borrow_and_update()));
                }
                heard.borrow().clone()
            })
        };
        let outcome = node::run(node, options, status, shutdown::token()).await;
        let last = shown.await?;
        line.finish_and_clear();
        println!("{}", describe(&last));
        outcome?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One line.
fn describe(status: &Status) -> String {
    let mut text = format!(
        "{} files ({}) read, {} receipts taken; {} waiting, {} bundles to send, {} receipts acknowledged in {} bundles, {} settled",
        HumanCount(status.files),
        HumanBytes(status.bytes),
        HumanCount(status.receipts),
        HumanCount(status.waiting),
        HumanCount(status.pending),
        HumanCount(status.acknowledged_receipts),
        HumanCount(status.acknowledged),
        HumanCount(status.settled),
    );
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    };
    add(status.unreadable, "files cannot be read");
    add(status.overdue, "bundles overdue");
    add(status.evidence, "faulty answers kept");
    if let Some(problem) = &status.problem {
        text.push_str(&format!(" | {problem}"));
    }
    text
}

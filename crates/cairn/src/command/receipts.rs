//! `cairn receipts`: what a node has submitted, and what it was promised for it.

use super::node_args::{SequencerArgs, SpoolArgs};
use anyhow::{Result, anyhow};
use cairn_client::spool::{BundleRecord, Evidence, Filter, Identity, Line, Promise, Spool, Stage};
use cairn_client::submit::{Followed, Observer};
use clap::Args;
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);

/// List acknowledged bundles and receipts from the node's spool
///
/// Works without the sequencer, and beside a running `cairn node`. Where the sequencer answers, it is asked first how far the bundles
/// have come. Each acknowledgement is an ed25519 signature over "cairn v1 ack", the rollup id, and the fields log_index,
/// node_index, sequence, bundle_digest and settle_by_slot; --json prints all of them, so that anyone can check it.
///
/// Exit status: 0 listed; 1 the spool holds answers that show a fault of the sequencer, see --evidence; 2 it cannot be read.
#[derive(Args)]
pub struct Receipts {
    #[command(flatten)]
    spool: SpoolArgs,
    #[command(flatten)]
    sequencer: SequencerArgs,
    /// Leave the sequencer alone
    #[arg(long)]
    offline: bool,
    /// List single receipts, not only their bundles
    #[arg(long, short)]
    receipts: bool,
    /// Only receipts whose URL contains this
    #[arg(long, value_name = "TEXT")]
    url: Option<String>,
    /// Only receipts of this registrable domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Only this bundle
    #[arg(long, value_name = "SEQUENCE")]
    bundle: Option<u64>,
    /// Only bundles that have come at least so far: signed, acknowledged, sealed, published, proved, submitted, settled
    #[arg(long, default_value = "acknowledged", value_name = "STAGE", value_parser = stage)]
    stage: Stage,
    /// List the answers of the sequencer that show a fault instead
    #[arg(long)]
    evidence: bool,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    json: bool,
}

fn stage(name: &str) -> Result<Stage> {
    let found = Stage::ALL.into_iter().find(|stage| stage.name() == name);
    found.ok_or_else(|| anyhow!("there is no stage {name}"))
}

impl Receipts {
    /// Lists.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub async fn run(self) -> Result<ExitCode> {
        let spool = Arc::new(Spool::open_existing(&self.spool.spool)?);
        let identity = spool.bound()?;
        let evidence = spool.evidence()?;
        if self.evidence {
            self.print_evidence(&evidence);
            return Ok(ExitCode::from(u8::from(!evidence.is_empty())));
        }
        let followed = match self.offline || !spool.is_writable() {
            true => None,
            false => self.follow(&spool).await,
        };
        self.print(&spool, &identity)?;
        if let Some(followed) = followed.filter(|followed| followed.overdue > 0) {
            eprintln!("{} bundles are overdue: slot {} has passed", followed.overdue, followed.slot);
        }
        let evidence = spool.evidence()?;
        if !evidence.is_empty() {
            eprintln!("{} answers of the sequencer show a fault: see --evidence", evidence.len());
        }
        Ok(ExitCode::from(u8::from(!evidence.is_empty())))
    }

    /// Brings stages up to date, if the sequencer can be asked. No key is needed: nothing is signed.
    async fn follow(&self, spool: &Arc<Spool>) -> Option<Followed> {
        let followed = match Observer::new(&self.sequencer.address(), Arc::clone(spool), TIMEOUT) {
            Ok(observer) => observer.follow().await,
            Err(error) => Err(error),
        };
        followed.inspect_err(|error| eprintln!("stages are as they were last seen: {error}")).ok()
    }

    fn print(&self, spool: &Spool, identity: &Identity) -> Result<()> {
        let filter = Filter {
            sequences: self.bundle.map_or(0..=u64::MAX, |sequence| sequence..=sequence),
            from: self.stage,
            url: self.url.clone(),
            domain: self.domain.clone(),
        };
        let lines = self.receipts || filter.is_of_receipts();
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        match lines {
            true => table.set_header(["receipt", "fetched", "status", "url", "bundle", "stage", "batch"]),
            false => {
                table.set_header(["bundle", "receipts", "stage", "batch", "log index", "settle by", "acknowledged"])
            }
        };
        let (mut bundles, mut receipts) = (0_u64, 0_u64);
        let mut output = std::io::stdout().lock();
        let mut broken = None;
        spool.list(&filter, lines, |record, found| {
            bundles += 1;
            receipts += if lines { found.len() as u64 } else { u64::from(record.receipts) };
            if !self.json {
                rows(&mut table, &record, &found, lines);
                return true;
            }
            let written = writeln!(output, "{}", bundle_json(&record, identity, lines.then_some(&found)));
            // A reader that has seen enough is no error.
            broken = written.err();
            broken.is_none()
        })?;
        if !self.json {
            writeln!(output, "{table}")?;
            writeln!(output, "receipts {receipts}, bundles {bundles}, node {}", identity.node_index)?;
            let (waiting, pending) = (spool.waiting()?.receipts, spool.first_pending()?.0);
            if waiting > 0 || pending > 0 {
                writeln!(output, "besides, receipts in no bundle yet {waiting}, signed bundles to be sent {pending}")?;
            }
        }
        Ok(())
    }

    fn print_evidence(&self, evidence: &[Evidence]) {
        for found in evidence {
            let object = json!({
                "at": time(found.at_ms),
                "breach": found.breach.name(),
                "sequencer": found.endpoint,
                "sequence": found.sequence,
                "bundle_digest": found.ours.to_hex(),
                "answer": hex::encode(&found.answer),
            });
            match self.json {
                true => println!("{object}"),
                false => println!(
                    "{}  bundle {}  {}  from {}\n  signed  {}\n  answer  {}",
                    time(found.at_ms),
                    found.sequence,
                    found.breach.name(),
                    found.endpoint,
                    found.ours,
                    hex::encode(&found.answer)
                ),
            }
        }
    }
}

fn rows(table: &mut Table, record: &BundleRecord, found: &[Line], lines: bool) {
    let or_dash = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let batch = or_dash(record.batch.map(|batch| batch.number));
    let stage = record.stage.name().to_owned();
    if lines {
        for line in found {
            table.add_row([
                line.digest.to_hex(),
                time(line.fetch_time),
                line.status.to_string(),
                line.url.clone(),
                record.sequence.to_string(),
                stage.clone(),
                batch.clone(),
            ]);
        }
        return;
    }
    table.add_row([
        record.sequence.to_string(),
        record.receipts.to_string(),
        stage,
        batch,
        or_dash(record.promise.map(|promise| promise.log_index)),
        or_dash(record.promise.map(|promise| promise.settle_by_slot)),
        record.promise.map_or_else(|| "-".to_owned(), |promise| time(promise.received_ms)),
    ]);
}

fn bundle_json(record: &BundleRecord, identity: &Identity, lines: Option<&Vec<Line>>) -> Value {
    let promise = |promise: Promise| {
        json!({
            "log_index": promise.log_index,
            "settle_by_slot": promise.settle_by_slot,
            "signature": hex::encode(promise.signature),
            "key": bs58::encode(promise.key).into_string(),
            "received": time(promise.received_ms),
        })
    };
    let mut object = json!({
        "rollup_id": identity.rollup_id.to_hex(),
        "node_index": identity.node_index,
        "sequence": record.sequence,
        "bundle_digest": record.digest.to_hex(),
        "receipts": record.receipts,
        "bytes": record.bytes.to_string(),
        "first_fetch": time(record.times.0),
        "last_fetch": time(record.times.1),
        "signed": time(record.signed_ms),
        "stage": record.stage.name(),
        "batch": record.batch.map(|batch| batch.number),
        "header_digest": record.batch.map(|batch| batch.header_digest.to_hex()),
        "acknowledgement": record.promise.map(promise),
    });
    if let Some(lines) = lines {
        object["lines"] = lines
            .iter()
            .map(|line| {
                json!({
                    "receipt_digest": line.digest.to_hex(),
                    "fetched": time(line.fetch_time),
                    "status": line.status,
                    "url": line.url,
                    "domain": line.domain,
                })
            })
            .collect();
    }
    object
}

/// A time as RFC 3339 in UTC.
fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(chrono::DateTime::from_timestamp_millis);
    time.map_or_else(|| ms.to_string(), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

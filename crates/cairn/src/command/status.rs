//! `cairn status`: how far a sequencer is, and this node.

use super::node_args::{SequencerArgs, SpoolArgs};
use anyhow::{Context, Result};
use cairn_client::spool::{Spool, SpoolError};
use cairn_client::status::SequencerStatus;
use clap::Args;
use comfy_table::{Table, presets};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// How far a sequencer is with its batches, and what this node has on its way
///
/// The node's part is from its spool, and is left out where there is none.
///
/// Exit status: 0 the sequencer answers; 2 it does not.
#[derive(Args)]
pub struct Status {
    #[command(flatten)]
    sequencer: SequencerArgs,
    #[command(flatten)]
    spool: SpoolArgs,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Asks the sequencer, reads the spool, prints both.
    ///
    /// # Errors
    /// When the sequencer does not answer, or the spool cannot be read.
    pub async fn run(self) -> Result<ExitCode> {
        let spool = match Spool::open_existing(&self.spool.spool) {
            Ok(spool) => Some(spool),
            Err(SpoolError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let asked = SequencerStatus::ask(&self.sequencer.address(), TIMEOUT).await;
        let node = spool.as_ref().map(node_part).transpose()?;
        if self.json {
            let sequencer = asked.as_ref().ok().map(|status| object(sequencer_part(status)));
            println!("{}", json!({ "sequencer": sequencer, "node": node.map(object) }));
        } else {
            if let Ok(status) = &asked {
                print_table(&sequencer_part(status));
            }
            if let Some(node) = &node {
                println!();
                print_table(node);
            }
        }
        asked.with_context(|| format!("cannot ask {}", self.sequencer.sequencer))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Names and values, in the order in which people read them.
pub type Part = Vec<(String, Value)>;

fn sequencer_part(status: &SequencerStatus) -> Part {
    let info = &status.info;
    let base58 = |bytes: [u8; 32]| json!(bs58::encode(bytes).into_string());
    let mut part: Part = Vec::new();
    let mut add = |name: &str, value: Value| part.push((name.to_owned(), value));
    add("rollup_id", json!(status.rollup_id.to_hex()));
    if info.rollup_id != status.rollup_id {
        add("problem", json!(format!("it says that it serves rollup {}, which is false", info.rollup_id)));
    }
    add("profile", json!(info.profile.name()));
    add("program", base58(info.program_id));
    add("rollup", base58(info.rollup_address));
    add("acknowledgement_key", base58(info.acknowledgement_key));
    add("slot", json!(info.slot));
    add("bundles_acknowledged", json!(status.bundles_acknowledged));
    add("bundles_unsealed", json!(status.bundles_unsealed));
    add("queue_entries_seen", json!(status.queue_entries.0));
    add("queue_entries_consumed", json!(status.queue_entries.1));
    for stage in &status.stages {
        add(&format!("batches_{}", stage.name), json!(stage.batches));
    }
    for stage in &status.stages {
        if let Some(digest) = &stage.header_digest {
            add(&format!("last_{}", stage.name), json!(digest.to_hex()));
        }
    }
    part
}

/// What a spool says about its node, without the sequencer.
///
/// # Errors
/// When it cannot be read.
pub fn node_part(spool: &Spool) -> Result<Part> {
    let sums = spool.sums()?;
    let mut part: Part = Vec::new();
    let mut add = |name: &str, value: Value| part.push((name.to_owned(), value));
    add("spool", json!(spool.path().display().to_string()));
    add("node_index", json!(spool.identity()?.map(|identity| identity.node_index)));
    add("next_sequence", json!(spool.next_sequence()?));
    add("receipts_waiting", json!(spool.waiting()?.receipts));
    // Zeros would hide what there is.
    for (stage, (bundles, receipts)) in &sums.stages {
        add(&format!("bundles_{}", stage.name()), json!(bundles));
        add(&format!("receipts_{}", stage.name()), json!(receipts));
    }
    add("files_read", json!(spool.files()?.len()));
    add("faulty_answers", json!(spool.evidence()?.len()));
    Ok(part)
}

/// A part as JSON.
pub fn object(part: Part) -> Value {
    Value::Object(part.into_iter().collect::<Map<_, _>>())
}

/// A part as a table of two columns, without what is not known.
pub fn print_table(part: &Part) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for (name, value) in part {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_null() {
            table.add_row([name.replace('_', " "), text]);
        }
    }
    println!("{table}");
}

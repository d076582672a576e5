//! `cairn whoami`: which node this is.

use super::node_args::{SequencerArgs, SpoolArgs};
use super::status::{Part, object, print_table};
use anyhow::{Context, Result};
use cairn_client::key::ReceiptKeyFile;
use cairn_client::spool::{Spool, SpoolError};
use cairn_client::status::{NodeState, NodeStatus, ask_node};
use cairn_types::Profile;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Which node this key signs for: by the spool, and by the sequencer if it answers
///
/// Nothing is signed, written or sent but the question.
///
/// Exit status: 0 the key signs for a node; 1 the sequencer knows no node that it signs for; 2 the key cannot be read, or the
/// sequencer does not answer (what key and spool say is printed all the same).
#[derive(Args)]
pub struct Whoami {
    /// The node's receipt key, as `cairn keygen` made it
    #[arg(long, env = "CAIRN_KEY", default_value = "node.key", value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    spool: SpoolArgs,
    #[command(flatten)]
    sequencer: SequencerArgs,
    /// Leave the sequencer alone
    #[arg(long)]
    offline: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Whoami {
    /// Reads, asks, prints.
    ///
    /// # Errors
    /// When the key cannot be read, or the sequencer does not answer.
    pub async fn run(self) -> Result<ExitCode> {
        let key = ReceiptKeyFile::read(&self.key)?.public();
        let mut part: Part = vec![("receipt_key".to_owned(), json!(key.to_string()))];
        match Spool::open_existing(&self.spool.spool) {
            Ok(spool) => spool_part(&spool, &mut part)?,
            Err(SpoolError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let asked = match self.offline {
            true => None,
            false => Some(ask_node(&self.sequencer.address(), &key, TIMEOUT).await),
        };
        let mut code = ExitCode::SUCCESS;
        match &asked {
            None | Some(Err(_)) => {}
            Some(Ok(None)) => {
                part.push(("state".to_owned(), json!("unknown to the sequencer: see `cairn register`")));
                code = ExitCode::from(1);
            }
            Some(Ok(Some(status))) => node_part(status, &mut part),
        }
        match self.json {
            true => println!("{}", object(part)),
            false => print_table(&part),
        }
        if let Some(asked) = asked {
            asked.with_context(|| format!("cannot ask {}", self.sequencer.sequencer))?;
        }
        Ok(code)
    }
}

fn spool_part(spool: &Spool, part: &mut Part) -> Result<()> {
    let mut add = |name: &str, value: Value| part.push((name.to_owned(), value));
    add("spool", json!(spool.path().display().to_string()));
    let Some(identity) = spool.identity()? else { return Ok(()) };
    let base58 = |bytes: [u8; 32]| json!(bs58::encode(bytes).into_string());
    add("rollup_id", json!(identity.rollup_id.to_hex()));
    add("genesis_hash", base58(identity.genesis_hash));
    add("program", base58(identity.program_id));
    add("rollup", base58(identity.rollup_address));
    add("profile", json!(Profile::try_from(identity.profile).map(Profile::name).unwrap_or("unknown")));
    add("acknowledgement_key", base58(identity.acknowledgement_key));
    add("spool_node_index", json!(identity.node_index));
    add("spool_receipt_key", json!(identity.key.to_string()));
    add("spool_next_sequence", json!(spool.next_sequence()?));
    Ok(())
}

fn node_part(status: &NodeStatus, part: &mut Part) {
    let mut add = |name: &str, value: Value| part.push((name.to_owned(), value));
    let account = &status.account;
    add("node_index", json!(status.node_index));
    add("next_sequence", json!(account.next_sequence));
    add("receipts_total", json!(account.receipts_total));
    add("bytes_total", json!(account.bytes_total));
    let state = match status.state {
        NodeState::Registering => "registering: no batch has taken it in yet",
        NodeState::Active => "active",
        NodeState::Rotating(_) => "rotating: no batch has taken its new key in yet",
        NodeState::Deactivating => "deactivating",
        NodeState::Deactivated => "deactivated",
    };
    add("state", json!(state));
    if let NodeState::Rotating(next) = status.state {
        add("next_receipt_key", json!(next.to_string()));
    }
}

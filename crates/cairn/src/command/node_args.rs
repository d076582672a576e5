//! What every command of a node takes: its key, its spool, and where the sequencer is.

use anyhow::{Context, Result, anyhow};
use cairn_client::connect::Address;
use cairn_client::key::ReceiptKeyFile;
use cairn_client::spool::Spool;
use cairn_client::submit::{Config, Node, Pins};
use cairn_types::Digest;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a node keeps what it knows.
#[derive(Args)]
pub struct SpoolArgs {
    /// The node's spool, made the first time: keep it, it knows what was signed and holds the acknowledgements
    #[arg(long, env = "CAIRN_SPOOL", default_value = "spool.redb", value_name = "FILE")]
    pub spool: PathBuf,
}

/// Where the sequencer is.
#[derive(Args)]
pub struct SequencerArgs {
    /// The sequencer, as http://host:port or https://host:port
    #[arg(long, env = "CAIRN_SEQUENCER", default_value = "http://127.0.0.1:7420", value_name = "URL")]
    pub sequencer: String,
    /// Trust only the certificates in this PEM file to sign the sequencer's [default: those of the system]
    #[arg(long, env = "CAIRN_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}

/// What a node that signs takes.
#[derive(Args)]
pub struct NodeArgs {
    /// The node's receipt key, as `cairn keygen` made it
    #[arg(long, env = "CAIRN_KEY", default_value = "node.key", value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub spool: SpoolArgs,
    #[command(flatten)]
    pub sequencer: SequencerArgs,
    /// Sign for this rollup only [default: the first one that the spool meets]
    #[arg(long, env = "CAIRN_ROLLUP_ID", value_name = "HEX")]
    rollup_id: Option<Digest>,
    /// Sign as this node only, the index that `cairn register` printed; give it the first time, for anybody can register a key
    /// that he has only seen [default: the node with the key, and from then on the one that the spool is bound to]
    #[arg(long, env = "CAIRN_NODE_INDEX", value_name = "INDEX")]
    node_index: Option<u32>,
    /// Take acknowledgements by this ed25519 key only, as the Rollup account has it [default: the first one that the
    /// spool meets]
    #[arg(long, env = "CAIRN_ACKNOWLEDGEMENT_KEY", value_name = "BASE58", value_parser = acknowledgement_key)]
    acknowledgement_key: Option<[u8; 32]>,
    /// Receipts in a bundle, at most
    #[arg(long, env = "CAIRN_BUNDLE_RECEIPTS", default_value_t = 256, value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    bundle_receipts: u16,
    /// Send again, as they were signed, bundles that the sequencer acknowledged and has lost
    #[arg(long)]
    resubmit: bool,
}

impl SequencerArgs {
    pub fn address(&self) -> Address {
        Address { url: self.sequencer.clone(), tls_ca: self.tls_ca.clone() }
    }
}

impl NodeArgs {
    /// Opens the spool and makes the node, without calling the sequencer. `max_failures` in a row are the last;
    /// without it, it is tried again for ever.
    pub fn open(&self, max_failures: Option<usize>) -> Result<Node> {
        let key = ReceiptKeyFile::read(&self.key)?;
        let spool = Arc::new(Spool::open(&self.spool.spool)?);
        let pins = Pins {
            rollup_id: self.rollup_id,
            node_index: self.node_index,
            acknowledgement_key: self.acknowledgement_key,
        };
        let config = Config {
            max_failures,
            bundle_receipts: self.bundle_receipts.into(),
            resubmit: self.resubmit,
            ..Config::default()
        };
        Node::new(&self.sequencer.address(), key.key().clone(), spool, pins, config)
            .with_context(|| format!("cannot submit to {}", self.sequencer.sequencer))
    }
}

/// A key in base58, as Solana's tools write it, or in hexadecimal.
fn acknowledgement_key(text: &str) -> Result<[u8; 32]> {
    let bytes = match text.len() {
        64 => hex::decode(text).map_err(|_| anyhow!("not 64 hexadecimal digits"))?,
        _ => bs58::decode(text).into_vec().map_err(|_| anyhow!("neither base58 nor 64 hexadecimal digits"))?,
    };
    bytes.try_into().map_err(|_| anyhow!("an ed25519 key is 32 bytes"))
}

/// Lengths of time as people write them: `30s`, `5m`.
pub fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).map_err(|error| anyhow!("{error}; write it as 30s or 5m"))
}

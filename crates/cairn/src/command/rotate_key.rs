//! `cairn rotate-key`: another receipt key for a node.

use super::on_chain::OnChain;
use anyhow::{Context, Result, bail};
use cairn_client::ReceiptKeyFile;
use cairn_types::EntryKind;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Give a registered node another receipt key
///
/// Make the new key first (`cairn keygen --out NEW`), and keep the old one until the rotation counts: it goes into a queue on chain, and
/// bundles signed with the old key are taken until a batch has consumed its entry, those signed with the new key from then on.
/// Running the command again says where it stands.
///
/// One rotation of a node can wait at a time. When a key may be known to others, and the node's receipts matter more than
/// its index, `cairn deactivate` always goes through.
#[derive(Args)]
pub struct RotateKey {
    /// The new receipt key file
    #[arg(long, env = "CAIRN_KEY", default_value = "node.key", value_name = "FILE")]
    key: PathBuf,
    /// Ask the chain's faucet for what the authority is short of; local and test networks have one
    #[arg(long)]
    airdrop: bool,
    #[command(flatten)]
    on_chain: OnChain,
}

impl RotateKey {
    /// Rotates, or finds that it is done.
    ///
    /// # Errors
    /// When the node does not have this key afterwards, or is not about to.
    pub async fn run(self) -> Result<ExitCode> {
        let key = ReceiptKeyFile::read(&self.key)?.public();
        let mut session = self.on_chain.open().await?;
        let node = session.node().await?;
        if !node.is_active() {
            bail!("node {} is deactivated for good: register with another --authority", node.index);
        }
        if node.receipt_key != key {
            if node.last_kind == EntryKind::Rotate && !session.is_settled(node.last_position) {
                bail!(
                    "node {} waits for its rotation to {} (entry {} of the queue): run the command again once the batch that consumes it is settled",
                    node.index,
                    node.receipt_key,
                    node.last_position
                );
            }
            session.require_fee(self.airdrop).await?;
        }
        let done = session.client.ensure_key(&session.authority, &key).await;
        let (node, sent) = done.context("the key is not rotated; run the command again once that is mended")?;
        session.refresh().await?;
        let outcome = if sent.is_some() { "rotating" } else { "already rotated" };
        if self.on_chain.json {
            println!("{}", session.object(outcome, &node, sent.as_ref()));
            return Ok(ExitCode::SUCCESS);
        }
        let next = if session.is_consumed(node.last_position) {
            format!("the node signs with {}; the old key is of no use any more", self.key.display())
        } else {
            format!(
                "sign with the old key until entry {} is consumed, from then on with {}",
                node.last_position,
                self.key.display()
            )
        };
        session.print(outcome, &node, sent.as_ref(), &next);
        Ok(ExitCode::SUCCESS)
    }
}

//! `cairn deactivate`: the end of a node, and its bond.

use super::on_chain::{OnChain, Session, sol};
use anyhow::{Context, Result, bail};
use cairn_chain::Submitted;
use cairn_interface::Node;
use clap::Args;
use std::process::ExitCode;

/// Take a node out of the rollup for good, and get its bond back
///
/// From the batch on that consumes the entry, no bundle of the node is taken whatever signs it; its receipts and totals stay. Neither
/// the index nor the authority can be used again in this rollup.
///
/// The bond is free once that batch is settled: run the command again then, and it goes back to whoever paid it.
#[derive(Args)]
pub struct Deactivate {
    /// Really do it: there is no way back
    #[arg(long)]
    yes: bool,
    /// Ask the chain's faucet for what the authority is short of; local and test networks have one
    #[arg(long)]
    airdrop: bool,
    #[command(flatten)]
    on_chain: OnChain,
}

impl Deactivate {
    /// Deactivates, or refunds the bond of a node that is deactivated.
    ///
    /// # Errors
    /// When the node is not deactivated afterwards, or its bond could have been refunded and was not.
    pub async fn run(self) -> Result<ExitCode> {
        let mut session = self.on_chain.open().await?;
        let node = session.node().await?;
        if node.is_active() {
            if !self.yes {
                bail!(
                    "node {} with receipt key {} would be deactivated for good: run the command again with --yes",
                    node.index,
                    node.receipt_key
                );
            }
            session.require_fee(self.airdrop).await?;
            let done = session.client.ensure_deactivated(&session.authority).await;
            let (node, sent) =
                done.context("the node is not deactivated; run the command again once that is mended")?;
            session.refresh().await?;
            self.report(&session, "deactivating", &node, sent.as_ref());
            return Ok(ExitCode::SUCCESS);
        }
        if node.bond == 0 || !session.is_settled(node.last_position) {
            self.report(&session, "already deactivated", &node, None);
            return Ok(ExitCode::SUCCESS);
        }
        session.require_fee(self.airdrop).await?;
        let bond = node.bond;
        let refund = session.client.refund_bond(&session.authority, &node.authority, &node.payer).await;
        let sent = refund.context("the bond is not refunded; run the command again once that is mended")?;
        let node = session.node().await?;
        session.refresh().await?;
        self.report(&session, &format!("bond of {} SOL refunded", sol(bond)), &node, Some(&sent));
        Ok(ExitCode::SUCCESS)
    }

    fn report(&self, session: &Session, outcome: &str, node: &Node, sent: Option<&Submitted>) {
        if self.on_chain.json {
            println!("{}", session.object(outcome, node, sent));
            return;
        }
        let position = node.last_position;
        let next = match (session.is_consumed(position), session.is_settled(position), node.bond) {
            (false, _, 0) => format!("a batch consumes entry {position}; until then the old key still counts"),
            (true, _, 0) => "nothing: the node is gone".to_owned(),
            (_, false, _) => {
                format!(
                    "run the command again once the batch that consumes entry {position} is settled: the bond is free then"
                )
            }
            (_, true, _) => "run the command again for the bond".to_owned(),
        };
        session.print(outcome, node, sent, &next);
    }
}

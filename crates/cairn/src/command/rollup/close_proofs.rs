//! `cairn rollup close-proofs`.

use super::{OfRollup, Opened, require_fees};
use crate::command::funds::sol;
use anyhow::{Context, Result, bail};
use cairn_chain::{Address, HeldProof, Keypair, Submitted};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Close the accounts that a key has uploaded proofs to, and get their rent back
///
/// A running sequencer closes its account by itself when it has nothing to settle. This is for accounts that no sequencer knows any more: of a
/// key that was replaced, of a data directory that was lost, of a version whose proofs had another length. Stop the key's sequencer
/// before: an account that it is uploading to would be closed as well.
#[derive(Args)]
pub struct CloseProofs {
    /// Keypair that the accounts were opened with: the sequencer's, or a former one's. It signs and pays the fees
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
    /// Close this account only
    #[arg(long, value_name = "ADDRESS")]
    account: Option<Address>,
    /// Really close them; without it they are only listed
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    of: OfRollup,
}

impl CloseProofs {
    /// Lists or closes them.
    ///
    /// # Errors
    /// When one is not closed that should be.
    pub async fn run(self) -> Result<ExitCode> {
        let authority = Keypair::load(&self.authority).context("--authority")?;
        let Opened { chain, client, .. } = self.of.open().await?;
        let mut held = client.proofs_of(&authority.address()).await?;
        if let Some(account) = self.account {
            held.retain(|held| held.address == account);
            if held.is_empty() {
                bail!("--account {account} is no proof account that {} can close", authority.address());
            }
        }
        let mut closed = Vec::with_capacity(held.len());
        if self.yes {
            require_fees(&chain, &client, &authority.address(), 0, held.len() as u64, self.of.airdrop).await?;
            for held in &held {
                let sent = client.close_held_proof(&authority, held).await;
                closed.push(sent.with_context(|| format!("{} is not closed; run the command again", held.address))?);
            }
        }
        self.print(&held, &closed);
        Ok(ExitCode::SUCCESS)
    }

    /// Those that are closed come first in `held`.
    fn print(&self, held: &[HeldProof], closed: &[Submitted]) {
        let transactions = closed.iter().map(|sent| Some(sent.signature.to_string())).chain(std::iter::repeat(None));
        let rows: Vec<_> = held.iter().zip(transactions).collect();
        // A server says how many; none of them makes this fail.
        let lamports = held.iter().fold(0, |sum: u64, held| sum.saturating_add(held.lamports));
        let outcome = match (held.len(), self.yes) {
            (0, _) => "no proof accounts".to_owned(),
            (count, true) => format!("proof accounts closed: {count}"),
            (count, false) => format!("proof accounts that --yes would close: {count}"),
        };
        if self.of.place.json {
            let account = |(held, transaction): &(&HeldProof, Option<String>)| {
                json!({
                    "account": held.address.to_string(),
                    "payer": held.owners.payer.to_string(),
                    "lamports": held.lamports.to_string(),
                    "transaction": transaction,
                })
            };
            let accounts: Vec<_> = rows.iter().map(account).collect();
            println!("{}", json!({ "outcome": outcome, "accounts": accounts, "lamports": lamports.to_string() }));
            return;
        }
        println!("{outcome}: {} SOL", sol(lamports));
        for (held, transaction) in rows {
            let fate = transaction.map(|signature| format!(", closed by {signature}")).unwrap_or_default();
            println!("  {} {} SOL of {}{fate}", held.address, sol(held.lamports), held.owners.payer);
        }
    }
}

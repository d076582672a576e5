//! `cairn register`: a node's place in a rollup.

use super::on_chain::{OnChain, Session, sol};
use anyhow::{Context, Result, bail};
use cairn_chain::{Chain as _, Keypair, NewNode, Submitted};
use cairn_client::ReceiptKeyFile;
use cairn_interface::{NODE, Node};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Register a node on chain, so that the rollup takes what its receipt key signs
///
/// The authority's signature binds the receipt key (`cairn keygen`) to a node index, which the program gives and this command
/// prints. Registration goes into a queue on chain and counts once a batch has consumed it, usually the next; until then the
/// sequencer knows the node but takes no bundles from it. It costs rent and, without the registrar's signature, a bond, which
/// comes back after `cairn deactivate`.
///
/// Running it again is safe: when the authority is registered with this key it only says so. One authority has one node
/// per rollup, for good; another key for it is `cairn rotate-key`.
#[derive(Args)]
pub struct Register {
    /// The node's receipt key file, whose public half is registered
    #[arg(long, env = "CAIRN_KEY", default_value = "node.key", value_name = "FILE")]
    key: PathBuf,
    /// Make the authority's keypair file when there is none
    #[arg(long)]
    new_authority: bool,
    /// Keypair that pays rent, bond and fee, and gets the bond back [default: the authority]
    #[arg(long, env = "CAIRN_PAYER", value_name = "FILE")]
    payer: Option<PathBuf>,
    /// Keypair of the rollup's registrar: with its signature there is no bond
    #[arg(long, env = "CAIRN_REGISTRAR", value_name = "FILE")]
    registrar: Option<PathBuf>,
    /// Ask the chain's faucet for what the payer is short of; local and test networks have one
    #[arg(long)]
    airdrop: bool,
    #[command(flatten)]
    on_chain: OnChain,
}

impl Register {
    /// Registers, or finds that it is done.
    ///
    /// # Errors
    /// When the node is not registered with this key afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let key = ReceiptKeyFile::read(&self.key)?.public();
        let payer = load(self.payer.as_deref(), "--payer")?;
        let registrar = load(self.registrar.as_deref(), "--registrar")?;
        let mut session = match self.new_authority {
            true => self.on_chain.open_as(Keypair::load_or_generate(&self.on_chain.authority)?).await?,
            false => self.on_chain.open().await?,
        };
        let authority = session.authority.clone();
        let new =
            NewNode { authority: &authority, payer: payer.as_ref(), registrar: registrar.as_ref(), receipt_key: key };
        if session.client.node(&authority.address()).await?.is_none() {
            self.check_terms(&session, &new).await?;
        }
        let done = session.client.ensure_registered(&new).await;
        let (node, sent) = done.context("the node is not registered; run the command again once that is mended")?;
        if !node.is_active() {
            bail!(
                "authority {} had node {} in this rollup, and deactivated it for good: register with another --authority",
                node.authority,
                node.index
            );
        }
        if node.receipt_key != key {
            bail!(
                "authority {} has node {} with receipt key {}, not {key}: `cairn rotate-key` gives it another key, and another \
                 --authority registers another node",
                node.authority,
                node.index,
                node.receipt_key
            );
        }
        session.refresh().await?;
        self.report(&session, &node, sent.as_ref());
        Ok(ExitCode::SUCCESS)
    }

    /// Whether registration can succeed: said before anything is signed, in terms of the options.
    async fn check_terms(&self, session: &Session, new: &NewNode<'_>) -> Result<()> {
        let registry = &session.read.rollup.registry;
        match new.registrar.map(Keypair::address) {
            None if registry.bond == 0 => bail!(
                "this rollup registers only whom its registrar {} signs for: give its keypair as --registrar, or ask its owner",
                registry.registrar
            ),
            Some(given) if given != registry.registrar && registry.registrar.is_zero() => {
                bail!(
                    "this rollup has no registrar: leave --registrar away, and pay the bond of {} SOL",
                    sol(registry.bond)
                )
            }
            Some(given) if given != registry.registrar => {
                bail!("--registrar is the keypair of {given}, the rollup's registrar is {}", registry.registrar)
            }
            _ => {}
        }
        let payer = new.payer.unwrap_or(new.authority).address();
        let mut signers = vec![payer, new.authority.address()];
        signers.extend(new.registrar.map(Keypair::address));
        signers.sort();
        signers.dedup();
        let rent = session.chain.minimum_balance(NODE.size).await?;
        // An account that keeps anything keeps at least this much.
        let rest = session.chain.minimum_balance(0).await?;
        let bond = if new.registrar.is_some() { 0 } else { registry.bond };
        let fee = session.highest_fee(signers.len());
        let why =
            format!("rent {}, bond {}, a fee of at most {}, and {} to stay", sol(rent), sol(bond), sol(fee), sol(rest));
        session.require_balance(&payer, rent + bond + fee + rest, &why, self.airdrop).await
    }

    fn report(&self, session: &Session, node: &Node, sent: Option<&Submitted>) {
        let outcome = if sent.is_some() { "registered" } else { "already registered" };
        if self.on_chain.json {
            println!("{}", session.object(outcome, node, sent));
            return;
        }
        let next = if session.is_consumed(node.last_position) {
            format!(
                "the sequencer takes bundles: `cairn submit --key {} FILE…` or `cairn node --watch DIR`",
                self.key.display()
            )
        } else {
            format!(
                "a batch consumes entry {}, then `cairn submit --key {} FILE…`; this command says again where it stands",
                node.last_position,
                self.key.display()
            )
        };
        session.print(outcome, node, sent, &next);
    }
}

fn load(path: Option<&Path>, option: &str) -> Result<Option<Keypair>> {
    path.map(|path| Keypair::load(path).with_context(|| option.to_owned())).transpose()
}

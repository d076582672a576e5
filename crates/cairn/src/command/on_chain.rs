//! What the commands about a node's registration share: where the rollup is, who signs, what is said about a node.

use super::delivery;
pub use super::funds::sol;
use super::funds::{self, SIGNATURE_FEE};
use super::program_args::{ProgramArgs, unreadable};
use super::rpc_args::RpcArgs;
use anyhow::{Context, Result, bail};
use cairn_chain::{Address, Chain as _, FinalizedQueue, Keypair, RollupClient, RpcChain, Submitted};
use cairn_interface::Node;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Which rollup, and in whose name.
#[derive(Args)]
pub struct OnChain {
    /// Address of the rollup's account on the chain
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    rollup: Address,
    #[command(flatten)]
    program: ProgramArgs,
    /// Keypair of the node's authority, as Solana's tools write it: it signs for the node on chain, and pays
    #[arg(long, env = "CAIRN_AUTHORITY", value_name = "FILE")]
    pub authority: PathBuf,
    /// One JSON object instead of text; 64-bit numbers are strings in it
    #[arg(long)]
    pub json: bool,
    // Last, because its heading holds for all that follows.
    #[command(flatten)]
    rpc: RpcArgs,
}

/// A rollup that answered, and the key that signs.
pub struct Session {
    pub chain: Arc<RpcChain>,
    pub client: RollupClient,
    pub authority: Keypair,
    pub read: FinalizedQueue,
}

impl OnChain {
    /// Reads the key, connects, and reads the rollup.
    ///
    /// # Errors
    /// With the option to change.
    pub async fn open(&self) -> Result<Session> {
        let authority = Keypair::load(&self.authority).with_context(|| {
            format!("--authority: make one with `cairn keygen --solana --out {}`", self.authority.display())
        })?;
        self.open_as(authority).await
    }

    /// As [`Self::open`], with a key that was read already.
    pub async fn open_as(&self, authority: Keypair) -> Result<Session> {
        let chain = Arc::new(self.rpc.connect().await?);
        let client = delivery::shown(RollupClient::new(chain.clone(), self.program.address(), self.rollup));
        let read = client.finalized_queue().await.map_err(|error| unreadable(self.rollup, error))?;
        Ok(Session { chain, client, authority, read })
    }
}

impl Session {
    /// The authority's node.
    ///
    /// # Errors
    /// When it has none.
    pub async fn node(&self) -> Result<Node> {
        let address = self.authority.address();
        match self.client.node(&address).await? {
            Some(node) => Ok(node),
            None => bail!(
                "authority {address} has no node in this rollup: register one with `cairn register`, or name the --authority that did"
            ),
        }
    }

    /// Makes sure that the authority can pay for a transaction with its signature alone.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn require_fee(&self, airdrop: bool) -> Result<()> {
        let rest = self.chain.minimum_balance(0).await?;
        let fee = self.highest_fee(1);
        let why = format!("a fee of at most {}, and {} to stay", sol(fee), sol(rest));
        self.require_balance(&self.authority.address(), fee + rest, &why, airdrop).await
    }

    /// What a transaction with so many signatures costs at most, in lamports.
    pub fn highest_fee(&self, signatures: usize) -> u64 {
        SIGNATURE_FEE * signatures as u64 + self.client.fees().max_lamports
    }

    /// Makes sure that `payer` has `lamports`, from the faucet when that is wanted.
    ///
    /// # Errors
    /// When it does not, with what is missing.
    pub async fn require_balance(&self, payer: &Address, lamports: u64, why: &str, airdrop: bool) -> Result<()> {
        funds::require_balance(&self.chain, payer, lamports, why, airdrop).await
    }

    /// Reads the rollup again: after a change.
    ///
    /// # Errors
    /// When the chain does not answer any more.
    pub async fn refresh(&mut self) -> Result<()> {
        self.read = self.client.finalized_queue().await?;
        Ok(())
    }

    /// Whether a submitted batch has consumed the queue up to and with this position: whose key counts follows from that.
    pub fn is_consumed(&self, position: u64) -> bool {
        position <= self.consumed()
    }

    /// Whether a settled batch has, so that it cannot be abandoned any more: rotations and bonds wait for that.
    pub fn is_settled(&self, position: u64) -> bool {
        position <= self.settled()
    }

    fn consumed(&self) -> u64 {
        self.read.rollup.tip.queue.position
    }

    fn settled(&self) -> u64 {
        self.read.rollup.consumed_position()
    }

    /// What is said about a node, in JSON.
    pub fn object(&self, outcome: &str, node: &Node, sent: Option<&Submitted>) -> Value {
        let position = node.last_position;
        json!({
            "outcome": outcome,
            "rollup": self.client.address().to_string(),
            "rollup_id": self.read.rollup.rollup_id.to_hex(),
            "node_index": node.index,
            "authority": node.authority.to_string(),
            "payer": node.payer.to_string(),
            "receipt_key": node.receipt_key.to_string(),
            "active": node.is_active(),
            "bond_lamports": node.bond.to_string(),
            "registered_slot": node.registered_slot.to_string(),
            "queue_kind": node.last_kind.name(),
            "queue_position": position.to_string(),
            "queue_consumed": self.consumed().to_string(),
            "queue_settled": self.settled().to_string(),
            "consumed": self.is_consumed(position),
            "settled": self.is_settled(position),
            "transaction": sent.map(|sent| sent.signature.to_string()),
            "slot": sent.map(|sent| sent.slot.to_string()),
            "fee_lamports": sent.and_then(|sent| sent.fee).map(|fee| fee.to_string()),
        })
    }

    /// What is said about a node, as text: `outcome` first, `next` last.
    pub fn print(&self, outcome: &str, node: &Node, sent: Option<&Submitted>, next: &str) {
        println!("{outcome}: node {} of rollup {}", node.index, self.client.address());
        println!("  receipt key  {}", node.receipt_key);
        println!("  authority    {}", node.authority);
        if node.bond > 0 {
            println!("  bond         {} SOL, back to {} after deactivation", sol(node.bond), node.payer);
        }
        if let Some(sent) = sent {
            let fee = sent.fee.map(|fee| format!(", fee {} SOL", sol(fee))).unwrap_or_default();
            println!("  transaction  {} in slot {}{fee}", sent.signature, sent.slot);
        }
        let (position, consumed) = (node.last_position, self.consumed());
        let standing = match position.checked_sub(consumed) {
            None | Some(0) if self.is_settled(position) => "consumed by a settled batch".to_owned(),
            None | Some(0) => "consumed by a batch that is not settled yet".to_owned(),
            Some(1) => "next to be consumed".to_owned(),
            Some(more) => format!("{} more to be consumed before it", more - 1),
        };
        println!("  queue        entry {position} ({}): {standing}", node.last_kind.name());
        println!("  next         {next}");
    }
}

//! `cairn rollup`: a rollup's admin, on any chain with Solana's JSON-RPC.

mod abandon;
mod change;
mod close_proofs;
mod create;
mod report;
mod show;
mod terms;

use super::delivery;
use super::funds::{SIGNATURE_FEE, require_balance, sol};
use super::program_args::{ProgramArgs, unreadable};
use super::rpc_args::RpcArgs;
use anyhow::{Context, Result, bail};
use cairn_chain::{Address, Chain as _, Commitment, FinalizedQueue, Keypair, RollupClient, RpcChain, Submitted};
use clap::{Args, Subcommand};
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Create a rollup on a chain, look at it, change what its admin may change, and tidy up what is not settled
///
/// A rollup is an account of the settlement program. Its admin's key creates it and pays; the sequencer's key, another one,
/// submits its batches. Keys are files as `solana-keygen new` writes them. Every change waits until it is final, and running a
/// command again is safe: what is so already is said to be, and nothing is sent.
#[derive(Subcommand)]
pub enum Rollup {
    Create(create::Create),
    Show(show::Show),
    SetSequencer(change::SetSequencer),
    SetRegistry(change::SetRegistry),
    SetBlobLocation(change::SetBlobLocation),
    Pause(change::Pause),
    Unpause(change::Unpause),
    Abandon(abandon::Abandon),
    CloseProofs(close_proofs::CloseProofs),
}

impl Rollup {
    /// Runs it.
    ///
    /// # Errors
    /// When what was asked for is not so afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Create(command) => command.run().await,
            Self::Show(command) => command.run().await,
            Self::SetSequencer(command) => command.run().await,
            Self::SetRegistry(command) => command.run().await,
            Self::SetBlobLocation(command) => command.run().await,
            Self::Pause(command) => command.run().await,
            Self::Unpause(command) => command.run().await,
            Self::Abandon(command) => command.run().await,
            Self::CloseProofs(command) => command.run().await,
        }
    }
}

/// Which chain and program, and how the answer is printed.
#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    program: ProgramArgs,
    /// One JSON object instead of text; 64-bit numbers are strings in it
    #[arg(long)]
    json: bool,
    // Last, because its heading holds for all that follows.
    #[command(flatten)]
    rpc: RpcArgs,
}

/// Who signs and pays.
#[derive(Args)]
pub struct Admin {
    /// Keypair of the rollup's admin, as Solana's tools write it: it signs, and pays
    #[arg(long, env = "CAIRN_ADMIN", value_name = "FILE")]
    admin: PathBuf,
    /// Ask the chain's faucet for what the admin is short of; local and test networks have one
    #[arg(long)]
    airdrop: bool,
}

impl Admin {
    fn key(&self) -> Result<Keypair> {
        Keypair::load(&self.admin)
            .with_context(|| format!("--admin: make one with `cairn keygen --solana --out {}`", self.admin.display()))
    }
}

/// Which rollup, and who signs.
#[derive(Args)]
pub struct OfAdmin {
    /// Address of the rollup's account on the chain
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    rollup: Address,
    #[command(flatten)]
    admin: Admin,
    #[command(flatten)]
    place: Place,
}

/// Which rollup, whoever signs.
#[derive(Args)]
pub struct OfRollup {
    /// Ask the chain's faucet for what the signer is short of; local and test networks have one
    #[arg(long)]
    airdrop: bool,
    /// Address of the rollup's account on the chain
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    rollup: Address,
    #[command(flatten)]
    place: Place,
}

/// A rollup that answered.
struct Opened {
    chain: Arc<RpcChain>,
    client: RollupClient,
    rollup: cairn_interface::Rollup,
}

impl OfRollup {
    /// Connects, reads the rollup.
    async fn open(&self) -> Result<Opened> {
        let chain = Arc::new(self.place.rpc.connect().await?);
        let client = delivery::shown(RollupClient::new(chain.clone(), self.place.program.address(), self.rollup));
        let rollup = client.rollup().await.map_err(|error| unreadable(self.rollup, error))?;
        Ok(Opened { chain, client, rollup })
    }
}

/// A rollup that answered, and its admin.
pub struct Session {
    chain: Arc<RpcChain>,
    client: RollupClient,
    admin: Keypair,
    read: FinalizedQueue,
    airdrop: bool,
    json: bool,
}

impl OfAdmin {
    /// Reads the key, connects, reads the rollup.
    async fn open(&self) -> Result<Session> {
        let admin = self.admin.key()?;
        let chain = Arc::new(self.place.rpc.connect().await?);
        let client = delivery::shown(RollupClient::new(chain.clone(), self.place.program.address(), self.rollup));
        let read = client.finalized_queue().await.map_err(|error| unreadable(self.rollup, error))?;
        if read.rollup.admin != admin.address() {
            bail!("--admin is the keypair of {}, the rollup's admin is {}", admin.address(), read.rollup.admin);
        }
        Ok(Session { chain, client, admin, read, airdrop: self.admin.airdrop, json: self.place.json })
    }
}

impl Session {
    /// Makes sure that the admin can pay for a transaction.
    async fn require_fee(&self) -> Result<()> {
        require_fees(&self.chain, &self.client, &self.admin.address(), 0, 1, self.airdrop).await
    }

    /// Reads the rollup again and says what became of it.
    async fn report(self, outcome: &str, sent: &[Submitted]) -> Result<ExitCode> {
        Report::read(&self.chain, &self.client, outcome, sent).await?.print(self.json);
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes sure that `payer` can pay `rent`, and for `transactions` with its signature alone.
async fn require_fees(
    chain: &RpcChain,
    client: &RollupClient,
    payer: &Address,
    rent: u64,
    transactions: u64,
    airdrop: bool,
) -> Result<()> {
    let fee = transactions * (SIGNATURE_FEE + client.fees().max_lamports);
    // An account that keeps anything keeps at least this much.
    let rest = chain.minimum_balance(0).await?;
    let rent_part = if rent > 0 { format!("rent {}, ", sol(rent)) } else { String::new() };
    let why = format!("{rent_part}fees of at most {}, and {} to stay", sol(fee), sol(rest));
    require_balance(chain, payer, rent + fee + rest, &why, airdrop).await
}

/// The cluster's clock, finalized, in seconds since the Unix epoch: what pauses are measured by.
async fn cluster_time(chain: &RpcChain) -> Result<i64> {
    const CLOCK: Address = Address::constant("SysvarC1ock11111111111111111111111111111111");
    // Slot, start of the epoch, epoch, epoch of the leader schedule; then the time.
    const TIME_AT: usize = 4 * 8;
    let account = chain.account(&CLOCK, Commitment::Finalized).await?.context("the chain has no clock")?;
    let bytes = account.data.get(TIME_AT..).and_then(|tail| tail.first_chunk());
    Ok(i64::from_le_bytes(*bytes.context("the chain's clock is too short")?))
}

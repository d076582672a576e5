//! `cairn indexer`: rebuilds and serves what is on chain.

use super::program_args::unreadable;
use super::rpc_args::RpcArgs;
use super::shutdown;
use anyhow::{Context, Result};
use cairn_chain::{RollupClient, program_id};
use cairn_indexer::{Blobs, Config, Indexer as Service, IndexerArgs, metrics};
use cairn_localnet::Home;
use cairn_prover::Profile;
use clap::Args;
use object_store::ObjectStore;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Follow a rollup, recompute every batch from its published data, and serve receipts and proofs
///
/// Without --rpc, DIR is the data directory of `cairn sequencer`, `cairn localnet` or `cairn demo`; that process may be running or
/// not. With --rpc and --rollup, it follows any rollup on any Solana cluster, and DIR holds the index alone; the data comes from
/// where the rollup says on chain, or from --blobs. A batch whose data does not give the header on chain is refused and named in
/// /v1/status.
///
/// Answers are of what is final on chain; with ?commitment=confirmed also of what is confirmed only. What the chain replaced is kept and
/// listed at /v1/replaced.
///
/// JSON: /v1/status, /v1/batches/N, /v1/batches/N/entries, /v1/batches/N/bundles/M, /v1/nodes, /v1/nodes/INDEX, /v1/nodes/INDEX/proof,
/// /v1/nodes/INDEX/bundles, /v1/keys/KEY, /v1/receipts/DIGEST, /v1/receipts/DIGEST/proof, /v1/content/{blake3|sha256|sha1}:HEX.
/// Metrics: /metrics. gRPC: cairn.v1.Indexer, with reflection.
#[derive(Args)]
pub struct Indexer {
    /// Data directory
    #[arg(long, env = "CAIRN_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Security profile of the rollup that --rpc and --rollup name, which has a settlement program of its own: production or dev
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    #[command(flatten)]
    rpc: Option<RpcArgs>,
    #[command(flatten)]
    indexer: IndexerArgs,
}

impl Indexer {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When it cannot start or its store fails.
    pub async fn run(self) -> Result<ExitCode> {
        let (home, rollup, own) = self.open().await?;
        let config = Config::new(self.indexer, home.indexer(), rollup.program(), rollup.address())?;
        let blobs = Blobs::open(&config.blobs, own).context("--blobs")?;
        let metrics = metrics::install().context("cannot install the metrics recorder")?;
        let service =
            Service::start(config, Arc::clone(rollup.chain()), blobs, Some(metrics), shutdown::token()).await?;
        eprintln!(
            "indexer  http://{} (JSON, metrics), http://{} (gRPC)",
            service.http_address(),
            service.grpc_address()
        );
        service.stopped().await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Where the index lies, the rollup, and the data directory's own published data.
    async fn open(&self) -> Result<(Home, RollupClient, Option<Arc<dyn ObjectStore>>)> {
        if let Some(rpc) = &self.rpc {
            let rollup =
                self.indexer.rollup.context("--rollup: with --rpc (or CAIRN_RPC), name the rollup to follow")?;
            let home = Home::create(&self.data)?;
            let chain = Arc::new(rpc.connect().await?);
            let program = self.indexer.program.unwrap_or_else(|| program_id(self.profile));
            let client = RollupClient::new(chain, program, rollup);
            client.rollup().await.map_err(|error| unreadable(rollup, error))?;
            return Ok((home, client, None));
        }
        let home = Home::existing(&self.data)?;
        let own = cairn_objects::local_folder(&home.objects()).context("cannot open the object store")?;
        let rollup = home.follow_rollup()?;
        Ok((home, rollup, Some(Arc::new(own))))
    }
}

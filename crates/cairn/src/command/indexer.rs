//! `cairn indexer`: rebuilds and serves what is on chain.

use super::shutdown;
use anyhow::{Context, Result};
use cairn_indexer::{Config, Indexer as Service, IndexerArgs, metrics};
use cairn_localnet::Home;
use cairn_sequencer::objects;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Follow a rollup, recompute every batch from its published data, and serve receipts and proofs
///
/// DIR is the data directory of `cairn sequencer` or `cairn demo`; that process may be running or not. A batch whose data does not give
/// the header on chain is refused and named in /v1/status.
///
/// JSON: /v1/status, /v1/batches/N, /v1/batches/N/entries, /v1/batches/N/bundles/M, /v1/nodes, /v1/nodes/INDEX, /v1/nodes/INDEX/proof,
/// /v1/nodes/INDEX/bundles, /v1/keys/KEY, /v1/receipts/DIGEST, /v1/receipts/DIGEST/proof, /v1/content/{blake3|sha256|sha1}:HEX.
/// Metrics: /metrics. gRPC: cairn.v1.Indexer, with reflection.
#[derive(Args)]
pub struct Indexer {
    /// Data directory
    #[arg(long, env = "CAIRN_DATA", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    indexer: IndexerArgs,
}

impl Indexer {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When it cannot start or its store fails.
    pub async fn run(self) -> Result<ExitCode> {
        let home = Home::existing(&self.data)?;
        let rollup = home.follow_rollup()?;
        let config = Config::new(self.indexer, home.indexer(), rollup.address())?;
        let objects = Arc::new(objects::local_folder(&home.objects()).context("cannot open the object store")?);
        let metrics = metrics::install().context("cannot install the metrics recorder")?;
        let service =
            Service::start(config, Arc::clone(rollup.chain()), objects, Some(metrics), shutdown::token()).await?;
        eprintln!(
            "indexer  http://{} (JSON, metrics), http://{} (gRPC)",
            service.http_address(),
            service.grpc_address()
        );
        service.stopped().await?;
        Ok(ExitCode::SUCCESS)
    }
}

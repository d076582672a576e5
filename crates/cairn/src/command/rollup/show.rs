//! `cairn rollup show`.

use super::Place;
use super::report::Report;
use crate::command::program_args::unreadable;
use anyhow::{Context, Result};
use cairn_chain::{Address, RollupClient};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;

/// Show everything that the chain has about a rollup
///
/// All of it is read at commitment finalized, which is never rolled back, but for the confirmed tip, which stands beside it. The
/// rollup's identity is recomputed from the chain's genesis hash; an account that does not fit it is an error.
#[derive(Args)]
pub struct Show {
    /// Address of the rollup's account on the chain
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    rollup: Address,
    #[command(flatten)]
    place: Place,
}

impl Show {
    /// Reads and prints.
    ///
    /// # Errors
    /// When there is no such rollup.
    pub async fn run(self) -> Result<ExitCode> {
        let chain = Arc::new(self.place.rpc.connect().await?);
        let client = RollupClient::new(chain.clone(), self.place.program.address(), self.rollup);
        client.rollup().await.map_err(|error| unreadable(self.rollup, error))?;
        let report = Report::read(&chain, &client, "rollup", &[]).await;
        report.with_context(|| format!("--rollup {}", self.rollup))?.print(self.place.json);
        Ok(ExitCode::SUCCESS)
    }
}

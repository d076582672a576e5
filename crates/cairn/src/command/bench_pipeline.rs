//! `cairn bench pipeline`: every stage of the system under a crowd of nodes.

use super::bars;
use anyhow::{Context, Result};
use cairn_localnet::Pipeline as Run;
use cairn_localnet::pipeline::Watch;
use cairn_prover::Profile;
use clap::Args;
use indicatif::ProgressBar;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take a crowd of nodes and their receipts through every stage, with time and memory of each
///
/// Registers the nodes by transactions on an embedded chain, proves the batches that consume the registrations, signs and submits
/// the receipts over gRPC, seals, proves, submits, indexes, and verifies some proof files. Nothing is short-cut. The floor is what
/// plonky2 needs to prove two bare Poseidon permutations for each receipt, measured in the same run.
#[derive(Args)]
pub struct Pipeline {
    /// Nodes to register
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    nodes: usize,
    /// Receipts to submit, spread evenly over the nodes
    #[arg(long, default_value_t = 100_000, value_name = "COUNT")]
    receipts: usize,
    /// Receipts in a bundle, at most
    #[arg(long, default_value_t = 256, value_name = "COUNT")]
    bundle_receipts: usize,
    /// Proof files to fetch and verify
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    verified: usize,
    /// Security profile: production or dev
    #[arg(long, default_value_t = Profile::Production)]
    profile: Profile,
    /// Threads that prove [default: one per core]
    #[arg(long, value_name = "COUNT")]
    threads: Option<NonZeroUsize>,
    /// Data directory, which must be new [default: one under ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

struct Bar(ProgressBar);

impl Watch for Bar {
    fn step(&self, name: &'static str, done: usize, total: usize) {
        self.0.set_message(name);
        bars::step(&self.0, done, total);
    }
}

impl Pipeline {
    /// Runs it.
    ///
    /// # Errors
    /// When a stage fails.
    pub async fn run(self) -> Result<ExitCode> {
        let data = self.data.unwrap_or_else(|| {
            PathBuf::from("data").join(format!("pipeline-{}", chrono::Utc::now().format("%Y%m%d-%H%M%S")))
        });
        let run = Run {
            nodes: self.nodes,
            receipts: self.receipts,
            bundle_receipts: self.bundle_receipts,
            verified: self.verified,
            profile: self.profile,
            threads: self.threads,
            data: data.clone(),
        };
        let bar = Bar(bars::steps("pipeline"));
        let outcome = run.run(&bar).await;
        bar.0.finish_and_clear();
        let report = outcome.with_context(|| format!("pipeline in {}", data.display()))?;
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            println!("{report}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

//! `cairn bench`: how fast this machine is.

use super::{bars, bench_pipeline};
use anyhow::Result;
use cairn_prover::bench::{self, Sample};
use cairn_prover::{Options, Profile, Stage};
use cairn_types::limits::MAX_BUNDLE_RECEIPTS;
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;
use std::process::ExitCode;

/// Measure this machine
#[derive(Subcommand)]
pub enum Bench {
    Prove(Prove),
    Pipeline(bench_pipeline::Pipeline),
}

/// Prove a batch of made-up, signed receipts and the bare Poseidon permutations behind it
///
/// The floor is what plonky2 needs to prove as many Poseidon permutations as the receipts need at the very least (two each), with
/// nothing else, in the same run, profile and thread pool. The ratio says how much of the time goes into that.
#[derive(Args)]
pub struct Prove {
    /// Receipts to prove [default: as many as a batch of such bundles holds]
    #[arg(long, value_name = "COUNT")]
    receipts: Option<usize>,
    /// Receipts in each bundle, which has one signature
    #[arg(long, default_value_t = MAX_BUNDLE_RECEIPTS, value_name = "COUNT")]
    bundle_receipts: usize,
    /// Security profile: production or dev
    #[arg(long, default_value_t = Profile::Production)]
    profile: Profile,
    /// Threads that prove [default: one per core]
    #[arg(long, value_name = "COUNT")]
    threads: Option<NonZeroUsize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Runs it.
    ///
    /// # Errors
    /// When proving fails.
    pub fn run(self) -> Result<ExitCode> {
        let prove = match self {
            Self::Prove(prove) => prove,
            Self::Pipeline(pipeline) => return super::runtime()?.block_on(pipeline.run()),
        };
        let bar = bars::steps("proving");
        let options = Options { threads: prove.threads, ..Options::new(prove.profile) };
        let full = Sample::full(prove.bundle_receipts);
        let sample = Sample { receipts: prove.receipts.unwrap_or(full.receipts), ..full };
        let report = bench::prove(options, sample, &|stage: Stage, done: usize, total: usize| {
            bars::step(&bar, done, total);
            bar.set_message(stage.name());
        })?;
        bar.finish_and_clear();
        if prove.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            println!("{report}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

//! `cairn bench`: how fast this machine is.

use super::bars;
use anyhow::Result;
use cairn_prover::Profile;
use cairn_prover::bench::{self, Bench as Run};
use clap::{Args, Subcommand};
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;

/// Measure this machine
#[derive(Subcommand)]
pub enum Bench {
    Prove(Prove),
}

/// Prove a batch of made-up receipts and the bare Poseidon permutations behind it
///
/// The floor is what plonky2 needs to prove as many Poseidon permutations as the receipts need at the very least (two each), with
/// nothing else, in the same run, profile and thread pool. The ratio says how much of the time goes into that.
#[derive(Args)]
pub struct Prove {
    /// Receipts to prove, in full bundles of 256
    #[arg(long, default_value = "8192", value_name = "COUNT")]
    receipts: NonZeroU32,
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
        let Self::Prove(prove) = self;
        let bar = bars::steps("proving");
        let run = Run { receipts: prove.receipts, profile: prove.profile, threads: prove.threads };
        let report = bench::run(&run, &|stage: cairn_prover::Stage, done, total| {
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

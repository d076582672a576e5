//! `cairn`: the one command. Each subcommand is a file of `command/`; what they do is in the crates below.

mod command;
mod telemetry;

use clap::Parser;
use std::process::ExitCode;

/// Provenance receipts for AI training data, proved with plonky2 and anchored on Solana.
///
/// Start with `cairn demo --warc FILE`: it takes a crawl through the whole system on this machine, and ends with one
/// proof file per fetched page. Then look at `cairn verify --help`.
#[derive(Parser)]
#[command(name = "cairn", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as cairn_sequencer=debug
    #[arg(long, global = true, env = "CAIRN_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = telemetry::start(&cli.log) {
        eprintln!("error: --log {}: {error}", cli.log);
        return ExitCode::from(2);
    }
    match cli.command.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

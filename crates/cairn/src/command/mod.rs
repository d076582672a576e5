//! The subcommands.

mod bars;
mod bench;
mod check_proof;
mod crawl;
mod demo;
mod indexer;
mod sequencer;
mod shutdown;
mod submit;
mod verify;

use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// What `cairn` can do.
#[derive(Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Submit(submit::Submit),
    Verify(verify::Verify),
    CheckProof(check_proof::CheckProof),
    Sequencer(sequencer::Sequencer),
    Indexer(indexer::Indexer),
    #[command(subcommand)]
    Bench(bench::Bench),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When it cannot do what it was asked for; the exit code then is 2.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Demo(command) => runtime()?.block_on(command.run()),
            Self::Submit(command) => runtime()?.block_on(command.run()),
            Self::Verify(command) => command.run(),
            Self::CheckProof(command) => command.run(),
            Self::Sequencer(command) => runtime()?.block_on(command.run()),
            Self::Indexer(command) => runtime()?.block_on(command.run()),
            Self::Bench(command) => command.run(),
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

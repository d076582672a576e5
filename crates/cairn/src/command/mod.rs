//! The subcommands.

mod bars;
mod bench;
mod bench_pipeline;
mod check_proof;
mod cluster;
mod crawl;
mod deactivate;
mod delivery;
mod demo;
mod funds;
mod indexer;
mod keygen;
mod localnet;
mod node;
mod node_args;
mod on_chain;
mod program_args;
mod prover;
mod prover_args;
mod receipts;
mod register;
mod rollup;
mod rotate_key;
mod rpc_args;
mod sequencer;
mod shutdown;
mod status;
mod submit;
mod verify;
mod whoami;

use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// What `cairn` can do.
#[derive(Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Localnet(localnet::Localnet),
    Keygen(keygen::Keygen),
    Register(register::Register),
    RotateKey(rotate_key::RotateKey),
    Deactivate(deactivate::Deactivate),
    #[command(subcommand)]
    Rollup(rollup::Rollup),
    Submit(submit::Submit),
    Node(node::NodeCommand),
    Receipts(receipts::Receipts),
    Whoami(whoami::Whoami),
    Status(status::Status),
    Verify(verify::Verify),
    CheckProof(check_proof::CheckProof),
    Sequencer(Box<sequencer::Sequencer>),
    Prover(prover::ProverCommand),
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
            Self::Localnet(command) => runtime()?.block_on(command.run()),
            Self::Keygen(command) => command.run(),
            Self::Register(command) => runtime()?.block_on(command.run()),
            Self::RotateKey(command) => runtime()?.block_on(command.run()),
            Self::Deactivate(command) => runtime()?.block_on(command.run()),
            Self::Rollup(command) => runtime()?.block_on(command.run()),
            Self::Submit(command) => runtime()?.block_on(command.run()),
            Self::Node(command) => runtime()?.block_on(command.run()),
            Self::Receipts(command) => runtime()?.block_on(command.run()),
            Self::Whoami(command) => runtime()?.block_on(command.run()),
            Self::Status(command) => runtime()?.block_on(command.run()),
            Self::Verify(command) => command.run(),
            Self::CheckProof(command) => command.run(),
            Self::Sequencer(command) => runtime()?.block_on(command.run()),
            Self::Prover(command) => runtime()?.block_on(command.run()),
            Self::Indexer(command) => runtime()?.block_on(command.run()),
            Self::Bench(command) => command.run(),
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

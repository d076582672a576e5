//! `cairn keygen`: a fresh key.

use anyhow::{Context, Result};
use cairn_chain::Keypair;
use cairn_client::key::ReceiptKeyFile;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a node's receipt key, which signs its receipts, and print the public half
///
/// The file is readable by its owner only and never overwritten. Back it up: who has it signs as the node, and without it
/// the node has to rotate to another key. `cairn register` puts the public key on chain.
///
/// With --solana it makes a Solana key pair instead, as `solana-keygen new` does: for a rollup's admin, its sequencer, its
/// acknowledgements, its registrar, or a node's authority. It prints the address.
#[derive(Args)]
pub struct Keygen {
    /// Where to write the key
    #[arg(long, env = "CAIRN_KEY", default_value = "node.key", value_name = "FILE")]
    out: PathBuf,
    /// Make a Solana key pair, in the format of Solana's tools
    #[arg(long)]
    solana: bool,
}

impl Keygen {
    /// Writes the key and prints its public half.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn run(self) -> Result<ExitCode> {
        if self.solana {
            let pair = Keypair::generate();
            pair.save(&self.out).context("--out")?;
            eprintln!("the key pair is in {}", self.out.display());
            println!("{}", pair.address());
            return Ok(ExitCode::SUCCESS);
        }
        let file = ReceiptKeyFile::generate(&self.out)?;
        eprintln!("the secret key is in {}", file.path().display());
        println!("{}", file.public());
        Ok(ExitCode::SUCCESS)
    }
}

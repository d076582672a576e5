//! `cairn check-proof`: whether a batch's header is proved.

use super::bars;
use anyhow::{Context, Result};
use cairn_prover::{BatchProof, LocalProver, Options, Profile, Prover};
use cairn_types::Digest;
use clap::Args;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check the plonky2 proof of a batch, as the sequencer publishes it
///
/// The proof says that the header with the given digest states the true roots, counts, bytes, times and verdict counts of
/// well-formed receipts. The circuits are built here and compared with the pinned ones, so nothing is taken from the file but
/// the proof itself; that takes some seconds.
///
/// Exit status: 0 the proof is valid and of a header digest given as --root; 1 it is not; 2 the file cannot be used;
/// 3 it is valid, but without --root nothing says that its header is real.
#[derive(Args)]
pub struct CheckProof {
    /// The proof, from `proofs/` of the object store
    #[arg(value_name = "FILE.proof")]
    file: PathBuf,
    /// Header digest of the batch, taken from the chain; may be given many times
    #[arg(long = "root", value_name = "HEX")]
    roots: Vec<Digest>,
    /// Profile that the proof must be of: production or dev
    #[arg(long, default_value_t = Profile::Production)]
    profile: Profile,
}

impl CheckProof {
    /// Verifies the file.
    ///
    /// # Errors
    /// When it cannot be read or is not a batch proof, or the circuits are not the pinned ones.
    pub fn run(&self) -> Result<ExitCode> {
        let file = self.file.display();
        let proof = read(&self.file)?;
        if proof.profile != self.profile {
            println!("{file}: INVALID: it is of the profile {}, not {}: see --profile", proof.profile, self.profile);
            return Ok(ExitCode::from(1));
        }
        if !self.roots.is_empty() && !self.roots.contains(&proof.statement) {
            println!("{file}: INVALID: it is about the header {}, which is none of the --root given", proof.statement);
            return Ok(ExitCode::from(1));
        }
        let bar = bars::steps("circuits");
        let prover = LocalProver::start(Options::new(self.profile), &|_, done, total| bars::step(&bar, done, total))?;
        bar.finish_and_clear();
        if let Err(error) = prover.verify(&proof) {
            println!("{file}: INVALID: {:#}", anyhow::Error::from(error));
            return Ok(ExitCode::from(1));
        }
        let (state, code) = if self.roots.is_empty() { ("proved, not anchored", 3) } else { ("proved", 0) };
        println!("{file}: {state}: header {}, profile {}, {} bytes", proof.statement, proof.profile, proof.bytes.len());
        Ok(ExitCode::from(code))
    }
}

fn read(path: &Path) -> Result<BatchProof> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.take(BatchProof::MAX_BYTES)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    BatchProof::decode(&bytes).with_context(|| format!("{} is not a batch proof", path.display()))
}

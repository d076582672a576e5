//! `cairn check-proof`: whether a batch's header is proved.

use anyhow::{Context, Result, ensure};
use cairn_prover::Profile;
use cairn_types::Digest;
use cairn_verifier::{proof_bytes_of as proof_bytes, verify_profile};
use clap::Args;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check the plonky2 proof of a batch, as the sequencer publishes it
///
/// The proof says that the header with the given digest states the true roots, counts, bytes, times and verdict counts of
/// well-formed receipts. It is checked by the verifier that the program on chain runs, with its constants of the pinned circuits:
/// nothing is taken from the file but the proof itself. A settled batch needs no such check: the chain has done it.
///
/// Exit status: 0 the proof is valid and of a header digest given as --root; 1 it is not; 2 the file cannot be used;
/// 3 it is valid for the header digest that is the file's name, but without --root nothing says that such a header is real.
#[derive(Args)]
pub struct CheckProof {
    /// The proof, from `proofs/` of the object store
    #[arg(value_name = "FILE.proof")]
    file: PathBuf,
    /// Header digest of the batch, taken from the chain; may be given many times [default: the file's name]
    #[arg(long = "root", value_name = "HEX")]
    roots: Vec<Digest>,
    /// Profile that the proof must be of: production or dev
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
}

impl CheckProof {
    /// Verifies the file.
    ///
    /// # Errors
    /// When it cannot be read or is not a batch proof, or nothing says which header it is of.
    pub fn run(&self) -> Result<ExitCode> {
        let file = self.file.display();
        let bytes = read(&self.file)?;
        let profile = profile_of(&bytes);
        let profile = profile.with_context(|| format!("{file} is not a batch proof: {}", lengths(bytes.len())))?;
        if profile != self.profile {
            println!("{file}: INVALID: it is of the profile {profile}, not {}: see --profile", self.profile);
            return Ok(ExitCode::from(1));
        }
        let statements = match self.roots.as_slice() {
            [] => vec![named(&self.file)?],
            roots => roots.to_vec(),
        };
        let mut reasons = Vec::new();
        for statement in statements {
            match verify_profile(profile, &bytes, &statement) {
                Ok(()) => {
                    let (state, code) = if self.roots.is_empty() { ("proved, not anchored", 3) } else { ("proved", 0) };
                    println!("{file}: {state}: header {statement}, profile {profile}, {} bytes", bytes.len());
                    return Ok(ExitCode::from(code));
                }
                Err(rejection) => reasons.push(format!("it does not prove header {statement}: {rejection}")),
            }
        }
        println!("{file}: INVALID: {}", reasons.join("; "));
        Ok(ExitCode::from(1))
    }
}

/// The file, as far as a proof can be long, and one byte more.
fn read(path: &Path) -> Result<Vec<u8>> {
    let longest = Profile::ALL.into_iter().map(proof_bytes).max().unwrap_or_default();
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.take(longest as u64 + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// A proof's length is its profile's.
fn profile_of(bytes: &[u8]) -> Option<Profile> {
    Profile::ALL.into_iter().find(|profile| proof_bytes(*profile) == bytes.len())
}

fn lengths(found: usize) -> String {
    let each = Profile::ALL.map(|profile| format!("one of {profile} has {} bytes", proof_bytes(profile)));
    format!("{}, and this has {found} or more", each.join(", "))
}

/// The header digest that a published proof has as its name.
fn named(path: &Path) -> Result<Digest> {
    let digest = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
    ensure!(digest.is_some(), "--root: say which header {} is of, as its name does not", path.display());
    digest.context("--root")
}

//! `cairn verify`: what a proof file shows.

mod chain;
mod show;

use anyhow::Result;
use cairn_client::verify::{Verdict, VerifyError, read_account_proof, read_proof, verify, verify_account};
use cairn_types::{
    ACCOUNT_PROOF_FILE_EXTENSION, BatchHeader, Digest, PROOF_FILE_EXTENSION, VerifiedAccount, VerifiedReceipt,
};
use chain::{Anchor, ChainArgs, OnChain};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check that receipts are in a batch, or what a node's totals are after it
///
/// A .cairnproof is recomputed from the receipt's bytes: leaf, bundle, batch root, header. A .cairnaccount is recomputed
/// from a node's account: key, bundles, receipts, bytes, state root, header. Either ends in a header's digest, and what
/// the file says is worth as much as that. It is anchored by --root, digests that you trust, or by --rpc, servers that
/// you ask what is on chain. Given both, a file has to satisfy both.
///
/// With --rpc, the rollup, its program and its chain (--cluster or --genesis) are yours to know: the file's rollup_id has
/// to be the hash of them. Every server has to answer, and all have to say the same of the file's batch at `finalized`;
/// one that is behind is waited for. A file is valid once its batch is settled: its header is final on chain, and the program
/// has verified the proof that the header is true. --require submitted also takes a batch whose proof the chain has not
/// verified yet: its sequencer answers for it, and it can still be abandoned; `cairn check-proof` checks a published proof.
///
/// Exit status: 0 every file is valid and anchored; 1 a file is invalid, is of another rollup, or ends in a header that
/// is none of the given ones or not the one on chain; 2 a file cannot be used, or the servers do not answer or do not
/// agree; 3 every file is consistent, but nothing says that its header is real: neither --root nor --rpc is given, or its
/// batch is not on chain or not settled, or its account there is closed.
#[derive(Args)]
pub struct Verify {
    /// Proof files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Header digest of a batch that you took from the chain; may be given many times
    #[arg(long = "root", value_name = "HEX")]
    roots: Vec<Digest>,
    /// One JSON object per file instead of text; 64-bit numbers are strings in it
    #[arg(long)]
    json: bool,
    /// Print only files that are not valid and anchored
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    chain: ChainArgs,
}

/// Proof files in a folder.
const EXTENSIONS: [&str; 2] = [PROOF_FILE_EXTENSION, ACCOUNT_PROOF_FILE_EXTENSION];
/// Files that are read before the chain is asked about their batches, and in memory at once.
const AT_ONCE: usize = 1_024;

/// Outcomes, in order of how much they matter when there are several files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Valid,
    NotAnchored,
    Unusable,
    Invalid,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotAnchored => "consistent, not anchored",
            Self::Unusable => "unusable",
            Self::Invalid => "INVALID",
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Unusable => 2,
            Self::NotAnchored => 3,
        }
    }
}

/// What a file shows.
enum Shown {
    Receipt(Box<VerifiedReceipt>),
    Account(Box<VerifiedAccount>),
}

impl Shown {
    fn header(&self) -> &BatchHeader {
        match self {
            Self::Receipt(verified) => &verified.header,
            Self::Account(verified) => &verified.header,
        }
    }

    fn header_digest(&self) -> Digest {
        match self {
            Self::Receipt(verified) => verified.header_digest,
            Self::Account(verified) => verified.header_digest,
        }
    }
}

/// A file and what is thought of it so far.
struct Judged {
    path: PathBuf,
    outcome: Outcome,
    detail: Option<String>,
    shown: Option<Shown>,
    anchor: Option<Anchor>,
}

impl Judged {
    /// The header whose place on chain decides about the file; `None` when it is decided already.
    fn claim(&self) -> Option<&BatchHeader> {
        let open = matches!(self.outcome, Outcome::Valid | Outcome::NotAnchored);
        self.shown.as_ref().filter(|_| open).map(Shown::header)
    }

    fn digest(&self) -> Option<Digest> {
        self.shown.as_ref().map(Shown::header_digest)
    }
}

impl Verify {
    /// Judges each file and exits with the gravest outcome.
    ///
    /// # Errors
    /// When a folder cannot be listed, or options do not fit together.
    pub fn run(&self) -> Result<ExitCode> {
        let mut chain = self.chain.open()?;
        let files = expand(&self.files)?;
        let alone = files.len() == 1;
        let mut gravest = Outcome::Valid;
        for part in files.chunks(AT_ONCE) {
            let mut judged: Vec<_> = part.iter().map(|file| self.judge(file)).collect();
            if let Some(chain) = &mut chain {
                chain.judge(&mut judged);
            }
            for file in judged {
                gravest = gravest.max(file.outcome);
                self.print(&file, chain.as_ref().filter(|_| alone || self.json));
            }
        }
        if let Some(chain) = chain.filter(|_| !(alone || self.quiet || self.json)) {
            show::print_summary(&chain);
        }
        Ok(ExitCode::from(gravest.exit_code()))
    }

    /// Prints a file: as text with what the chain says only when it is the only one.
    fn print(&self, file: &Judged, chain: Option<&OnChain>) {
        if self.quiet && file.outcome == Outcome::Valid {
            return;
        }
        if self.json {
            println!("{}", show::object(file, chain));
        } else {
            show::print(file, self.files.len() == 1, chain);
        }
    }

    /// Judges a file by itself and by --root.
    fn judge(&self, path: &Path) -> Judged {
        let unusable = |error: VerifyError| (Outcome::Unusable, Some(error_text(error)), None);
        let (outcome, detail, shown) =
            if path.extension().is_some_and(|extension| extension == ACCOUNT_PROOF_FILE_EXTENSION) {
                match read_account_proof(path) {
                    Ok(proof) => outcome(verify_account(&proof, &self.roots), Shown::Account),
                    Err(error) => unusable(error),
                }
            } else {
                match read_proof(path) {
                    Ok(proof) => outcome(verify(&proof, &self.roots), Shown::Receipt),
                    Err(error) => unusable(error),
                }
            };
        Judged { path: path.to_owned(), outcome, detail, shown, anchor: None }
    }
}

fn error_text(error: VerifyError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

fn outcome<T, E: ToString>(
    verdict: Verdict<T, E>,
    shown: impl Fn(Box<T>) -> Shown,
) -> (Outcome, Option<String>, Option<Shown>) {
    match verdict {
        Verdict::Anchored(verified) => (Outcome::Valid, None, Some(shown(verified))),
        Verdict::Consistent(verified) => {
            let shown = shown(verified);
            let hint =
                format!("ask servers for {} with --rpc, or give it as --root if you know it", shown.header_digest());
            (Outcome::NotAnchored, Some(hint), Some(shown))
        }
        Verdict::Foreign(verified) => {
            let shown = shown(verified);
            let detail = format!("its header digest is {}, which is none of the --root given", shown.header_digest());
            (Outcome::Invalid, Some(detail), Some(shown))
        }
        Verdict::Invalid(error) => (Outcome::Invalid, Some(error.to_string()), None),
    }
}

/// Folders stand for the proof files in them.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    use anyhow::Context;
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = path.read_dir().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut inside: Vec<_> = entries
            .with_context(|| format!("cannot list {}", path.display()))?
            .into_iter()
            .map(|entry| entry.path())
            .filter(|file| file.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known)))
            .collect();
        inside.sort();
        anyhow::ensure!(!inside.is_empty(), "{} holds no .{} files", path.display(), EXTENSIONS.join(" or ."));
        files.append(&mut inside);
    }
    Ok(files)
}

//! `cairn verify`: what a proof file shows.

use anyhow::Result;
use cairn_client::verify::{Verdict, read_proof, verify};
use cairn_types::{Digest, VERDICT_NAMES, VerifiedReceipt};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check that receipts are in a batch, from the receipt's bytes up to the batch's header
///
/// A proof file is recomputed from the receipt's bytes: leaf, bundle, batch root, header. The header's digest is then compared with
/// the digests that you trust, which are the ones on chain.
///
/// Exit status: 0 every file is valid and anchored; 1 a file is invalid, or ends in a header that is none of the
/// given ones; 2 a file cannot be used; 3 every file is consistent, but without --root nothing says that its header is real.
#[derive(Args)]
pub struct Verify {
    /// Proof files, or folders of them
    #[arg(required = true, value_name = "FILE.cairnproof")]
    files: Vec<PathBuf>,
    /// Header digest of a batch that you took from the chain; may be given many times
    #[arg(long = "root", value_name = "HEX")]
    roots: Vec<Digest>,
    /// One JSON object per file instead of text
    #[arg(long)]
    json: bool,
    /// Print only files that are not valid and anchored
    #[arg(long, short)]
    quiet: bool,
}

/// Outcomes, in order of how much they matter when there are several files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

impl Verify {
    /// Judges each file and exits with the gravest outcome.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn run(&self) -> Result<ExitCode> {
        let mut gravest = Outcome::Valid;
        for file in expand(&self.files)? {
            let (outcome, detail, verified) = self.judge(&file);
            gravest = gravest.max(outcome);
            if self.quiet && outcome == Outcome::Valid {
                continue;
            }
            if self.json {
                println!("{}", self.object(&file, outcome, detail.as_deref(), verified.as_deref()));
            } else {
                self.print(&file, outcome, detail.as_deref(), verified.as_deref());
            }
        }
        Ok(ExitCode::from(gravest.exit_code()))
    }

    fn judge(&self, file: &Path) -> (Outcome, Option<String>, Option<Box<VerifiedReceipt>>) {
        let proof = match read_proof(file) {
            Ok(proof) => proof,
            Err(error) => return (Outcome::Unusable, Some(format!("{:#}", anyhow::Error::from(error))), None),
        };
        match verify(&proof, &self.roots) {
            Verdict::Anchored(verified) => (Outcome::Valid, None, Some(verified)),
            Verdict::Consistent(verified) => {
                let hint = format!("compare {} with the chain and give it as --root", verified.header_digest);
                (Outcome::NotAnchored, Some(hint), Some(verified))
            }
            Verdict::Foreign(verified) => {
                let detail =
                    format!("its header digest is {}, which is none of the --root given", verified.header_digest);
                (Outcome::Invalid, Some(detail), Some(verified))
            }
            Verdict::Invalid(error) => (Outcome::Invalid, Some(error.to_string()), None),
        }
    }

    fn print(&self, file: &Path, outcome: Outcome, detail: Option<&str>, verified: Option<&VerifiedReceipt>) {
        println!(
            "{}: {}{}",
            file.display(),
            outcome.word(),
            detail.map(|detail| format!(": {detail}")).unwrap_or_default()
        );
        if let (Some(verified), true) = (verified, outcome != Outcome::Invalid && self.files.len() == 1) {
            let receipt = &verified.receipt;
            let verdicts = VERDICT_NAMES.iter().zip(receipt.rights.verdicts.to_array());
            let rights: Vec<_> = verdicts.map(|(name, verdict)| format!("{name} {}", verdict.name())).collect();
            println!("  url       {}", receipt.url);
            println!(
                "  fetched   {} by node {}, status {}",
                time(receipt.fetch_time),
                receipt.node_index,
                receipt.status
            );
            println!("  payload   {} bytes, sha256 {}", receipt.content_length, hex::encode(receipt.payload_sha256));
            println!("  rights    {} (as the node read them)", rights.join(", "));
            println!("  receipt   {}", verified.receipt_digest);
            println!("  batch     {}, header {}", verified.header.number, verified.header_digest);
        }
    }

    fn object(&self, file: &Path, outcome: Outcome, detail: Option<&str>, verified: Option<&VerifiedReceipt>) -> Value {
        let mut object = json!({ "file": file.display().to_string(), "outcome": outcome.word(), "anchored": outcome == Outcome::Valid });
        if let Some(detail) = detail {
            object["detail"] = detail.into();
        }
        if let Some(verified) = verified {
            let receipt = &verified.receipt;
            object["receipt_digest"] = verified.receipt_digest.to_hex().into();
            object["header_digest"] = verified.header_digest.to_hex().into();
            object["batch"] = verified.header.number.to_string().into();
            object["rollup_id"] = receipt.rollup_id.to_hex().into();
            object["node_index"] = receipt.node_index.into();
            object["url"] = receipt.url.clone().into();
            object["fetch_time"] = time(receipt.fetch_time).into();
            object["status"] = receipt.status.into();
            object["content_length"] = receipt.content_length.to_string().into();
            object["payload_blake3"] = hex::encode(receipt.payload_blake3).into();
            object["payload_sha256"] = hex::encode(receipt.payload_sha256).into();
            object["payload_sha1"] = hex::encode(receipt.payload_sha1).into();
            object["claimed_verdicts"] = VERDICT_NAMES
                .iter()
                .zip(receipt.rights.verdicts.to_array())
                .map(|(name, verdict)| ((*name).to_string(), Value::from(verdict.name())))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        object
    }
}

/// RFC 3339 in UTC.
fn time(milliseconds: u64) -> String {
    i64::try_from(milliseconds)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(|| format!("{milliseconds} ms"), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
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
            .filter(|file| file.extension().is_some_and(|extension| extension == cairn_types::PROOF_FILE_EXTENSION))
            .collect();
        inside.sort();
        anyhow::ensure!(!inside.is_empty(), "{} holds no .{} files", path.display(), cairn_types::PROOF_FILE_EXTENSION);
        files.append(&mut inside);
    }
    Ok(files)
}

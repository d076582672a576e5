//! `cairn verify`: what a proof file shows.

use anyhow::Result;
use cairn_client::verify::{Verdict, VerifyError, read_account_proof, read_proof, verify, verify_account};
use cairn_types::{
    ACCOUNT_PROOF_FILE_EXTENSION, Digest, PROOF_FILE_EXTENSION, VERDICT_NAMES, VerifiedAccount, VerifiedReceipt,
};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check that receipts are in a batch, or what a node's totals are after it
///
/// A .cairnproof is recomputed from the receipt's bytes: leaf, bundle, batch root, header. A .cairnaccount is recomputed from a node's
/// account: key, bundles, receipts, bytes, state root, header. The header's digest is then compared with the digests that you
/// trust, which are the ones on chain.
///
/// Exit status: 0 every file is valid and anchored; 1 a file is invalid, or ends in a header that is none of the
/// given ones; 2 a file cannot be used; 3 every file is consistent, but without --root nothing says that its header is real.
#[derive(Args)]
pub struct Verify {
    /// Proof files, or folders of them
    #[arg(required = true, value_name = "FILE")]
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

/// Proof files in a folder.
const EXTENSIONS: [&str; 2] = [PROOF_FILE_EXTENSION, ACCOUNT_PROOF_FILE_EXTENSION];

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
            let (outcome, detail, shown) = self.judge(&file);
            gravest = gravest.max(outcome);
            if self.quiet && outcome == Outcome::Valid {
                continue;
            }
            if self.json {
                println!("{}", self.object(&file, outcome, detail.as_deref(), shown.as_ref()));
            } else {
                self.print(&file, outcome, detail.as_deref(), shown.as_ref());
            }
        }
        Ok(ExitCode::from(gravest.exit_code()))
    }

    fn judge(&self, file: &Path) -> (Outcome, Option<String>, Option<Shown>) {
        let unusable =
            |error: VerifyError| (Outcome::Unusable, Some(format!("{:#}", anyhow::Error::from(error))), None);
        if file.extension().is_some_and(|extension| extension == ACCOUNT_PROOF_FILE_EXTENSION) {
            match read_account_proof(file) {
                Ok(proof) => outcome(verify_account(&proof, &self.roots), Shown::Account),
                Err(error) => unusable(error),
            }
        } else {
            match read_proof(file) {
                Ok(proof) => outcome(verify(&proof, &self.roots), Shown::Receipt),
                Err(error) => unusable(error),
            }
        }
    }

    fn print(&self, file: &Path, outcome: Outcome, detail: Option<&str>, shown: Option<&Shown>) {
        println!(
            "{}: {}{}",
            file.display(),
            outcome.word(),
            detail.map(|detail| format!(": {detail}")).unwrap_or_default()
        );
        if outcome == Outcome::Invalid || self.files.len() > 1 {
            return;
        }
        match shown {
            Some(Shown::Receipt(verified)) => print_receipt(verified),
            Some(Shown::Account(verified)) => print_account(verified),
            None => {}
        }
    }

    fn object(&self, file: &Path, outcome: Outcome, detail: Option<&str>, shown: Option<&Shown>) -> Value {
        let mut object = json!({ "file": file.display().to_string(), "outcome": outcome.word(), "anchored": outcome == Outcome::Valid });
        if let Some(detail) = detail {
            object["detail"] = detail.into();
        }
        let fields = match shown {
            Some(Shown::Receipt(verified)) => receipt_fields(verified),
            Some(Shown::Account(verified)) => account_fields(verified),
            None => Value::Null,
        };
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        object
    }
}

/// What a file shows.
enum Shown {
    Receipt(Box<VerifiedReceipt>),
    Account(Box<VerifiedAccount>),
}

impl Shown {
    fn header_digest(&self) -> Digest {
        match self {
            Self::Receipt(verified) => verified.header_digest,
            Self::Account(verified) => verified.header_digest,
        }
    }
}

fn outcome<T, E: ToString>(
    verdict: Verdict<T, E>,
    shown: impl Fn(Box<T>) -> Shown,
) -> (Outcome, Option<String>, Option<Shown>) {
    match verdict {
        Verdict::Anchored(verified) => (Outcome::Valid, None, Some(shown(verified))),
        Verdict::Consistent(verified) => {
            let shown = shown(verified);
            let hint = format!("compare {} with the chain and give it as --root", shown.header_digest());
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

fn print_receipt(verified: &VerifiedReceipt) {
    let receipt = &verified.receipt;
    let verdicts = VERDICT_NAMES.iter().zip(receipt.rights.verdicts.to_array());
    let rights: Vec<_> = verdicts.map(|(name, verdict)| format!("{name} {}", verdict.name())).collect();
    println!("  url       {}", receipt.url);
    println!("  fetched   {} by node {}, status {}", time(receipt.fetch_time), receipt.node_index, receipt.status);
    println!("  payload   {} bytes, sha256 {}", receipt.content_length, hex::encode(receipt.payload_sha256));
    println!("  rights    {} (as the node read them)", rights.join(", "));
    println!("  receipt   {}", verified.receipt_digest);
    println!("  batch     {}, header {}", verified.header.number, verified.header_digest);
}

fn print_account(verified: &VerifiedAccount) {
    println!("  node      {}", verified.node_index);
    match &verified.account {
        None => println!("  account   none was registered"),
        Some(account) if account.key.is_zero() => println!("  key       none: the node is deactivated"),
        Some(account) => println!("  key       {}", account.key),
    }
    if let Some(account) = &verified.account {
        println!(
            "  signed    {} receipts of {} bytes in {} bundles",
            account.receipts_total, account.bytes_total, account.next_sequence
        );
    }
    println!("  after     batch {}, header {}", verified.header.number, verified.header_digest);
}

fn receipt_fields(verified: &VerifiedReceipt) -> Value {
    let receipt = &verified.receipt;
    let verdicts = VERDICT_NAMES.iter().zip(receipt.rights.verdicts.to_array());
    json!({
        "receipt_digest": verified.receipt_digest.to_hex(),
        "header_digest": verified.header_digest.to_hex(),
        "batch": verified.header.number.to_string(),
        "rollup_id": receipt.rollup_id.to_hex(),
        "node_index": receipt.node_index,
        "url": receipt.url,
        "fetch_time": time(receipt.fetch_time),
        "status": receipt.status,
        "content_length": receipt.content_length.to_string(),
        "payload_blake3": hex::encode(receipt.payload_blake3),
        "payload_sha256": hex::encode(receipt.payload_sha256),
        "payload_sha1": hex::encode(receipt.payload_sha1),
        "claimed_verdicts": verdicts
            .map(|(name, verdict)| ((*name).to_string(), Value::from(verdict.name())))
            .collect::<serde_json::Map<_, _>>(),
    })
}

fn account_fields(verified: &VerifiedAccount) -> Value {
    let account = verified.account.map(|account| {
        json!({
            "receipt_key": account.key.to_string(),
            "bundles": account.next_sequence.to_string(),
            "receipts": account.receipts_total.to_string(),
            "bytes": account.bytes_total.to_string(),
        })
    });
    json!({
        "node_index": verified.node_index,
        "account": account,
        "header_digest": verified.header_digest.to_hex(),
        "batch": verified.header.number.to_string(),
        "rollup_id": verified.header.rollup_id.to_hex(),
    })
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
            .filter(|file| file.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known)))
            .collect();
        inside.sort();
        anyhow::ensure!(!inside.is_empty(), "{} holds no .{} files", path.display(), EXTENSIONS.join(" or ."));
        files.append(&mut inside);
    }
    Ok(files)
}

//! The command line from end to end: a crawl goes in, receipts that verify against the chain come out, and whatever is
//! changed on the way is found.

use cairn_types::{Leaf, Receipt, ReceiptProof, tree};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const CAIRN: &str = env!("CARGO_BIN_EXE_cairn");

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/warc/site.warc.gz")
}

fn cairn(arguments: &[&str]) -> Output {
    Command::new(CAIRN).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One demo of the fixture crawl, shared by the tests: it proves a batch, which takes a while.
struct Demo {
    _folder: tempfile::TempDir,
    data: PathBuf,
    summary: Value,
}

fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let summary = run_demo(&data);
        Demo { _folder: folder, data, summary }
    })
}

fn run_demo(data: &Path) -> Value {
    let (warc, data) = (fixture(), data.to_str().expect("a path of text"));
    let output = cairn(&["demo", "--warc", warc.to_str().expect("text"), "--data", data, "--profile", "dev", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    serde_json::from_str(stdout.lines().last().expect("a last line")).expect("JSON on the last line")
}

impl Demo {
    fn anchor(&self) -> &str {
        self.summary["anchors"][1].as_str().expect("a text")
    }

    fn proof_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.data.join("proofs"))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }

    /// Writes `bytes` to a file of its own and verifies it against the anchor.
    fn verify_changed(&self, name: &str, bytes: &[u8]) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("written");
        let output = cairn(&["verify", file.to_str().expect("text"), "--root", self.anchor()]);
        (output.status.code(), text(&output.stdout))
    }
}

#[test]
fn every_receipt_of_the_crawl_is_proved_and_verified() {
    let demo = demo();
    let count = |key: &str| demo.summary[key].as_u64().unwrap_or_else(|| panic!("{key} in {}", demo.summary));
    assert!(count("receipts") > 0);
    assert_eq!(count("verified"), count("receipts"));
    assert_eq!(count("failed"), 0);
    assert_eq!(count("batches"), 2, "one registers the node, one holds its receipts");
    assert!(count("compute_units") > 100_000, "the program recomputed a statement of six permutations");
    assert_eq!(count("settled"), count("batches"), "the chain has verified the proof of each");
    assert!(count("upload_transactions") > 2 * 50, "a transaction holds about a kilobyte of a proof");
    assert!(count("verify_transactions") >= 2, "one for each proof of the profile `dev`, unless it is sent again");
    assert!(count("verify_compute_units") > 2 * 500_000);
    assert!(count("lamports_fees") >= 5_000 * (count("upload_transactions") + count("verify_transactions")));
    assert!(count("lamports_locked") > 0);
    assert_eq!(count("lamports_refunded"), count("lamports_locked"), "no rent stays behind");
    assert!(demo.summary["prove_seconds"].as_f64().expect("a number") > 0.0);
    assert_eq!(demo.proof_files().len() as u64, count("receipts"));

    let transactions = fs::read_to_string(demo.data.join("transactions.jsonl")).expect("the chain's log");
    let lines: Vec<Value> = transactions.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|line| line["signature"].is_string() && line["logs"].is_array()), "{transactions}");
}

#[test]
fn verify_exits_as_its_help_says() {
    let demo = demo();
    let folder = demo.data.join("proofs");
    let all = folder.to_str().expect("text");
    assert_eq!(cairn(&["verify", all, "--root", demo.anchor()]).status.code(), Some(0));

    let unanchored = cairn(&["verify", all]);
    assert_eq!(unanchored.status.code(), Some(3));
    assert!(text(&unanchored.stdout).contains("consistent, not anchored"));

    let foreign = cairn(&["verify", all, "--root", &"00".repeat(32)]);
    assert_eq!(foreign.status.code(), Some(1));
    assert!(text(&foreign.stdout).contains("none of the --root given"));

    assert_eq!(cairn(&["verify", "/nonexistent.cairnproof"]).status.code(), Some(2));
    assert_eq!(cairn(&["verify", all, "--root", "xyz"]).status.code(), Some(2));
    assert_eq!(demo.verify_changed("junk.cairnproof", b"not a proof").0, Some(2));
}

#[test]
fn a_changed_payload_digest_is_invalid_and_says_what_differs() {
    let demo = demo();
    let mut proof = ReceiptProof::decode(&fs::read(&demo.proof_files()[0]).expect("read")).expect("a proof file");
    let mut receipt = Receipt::decode(&proof.receipt).expect("a receipt");
    receipt.payload_sha256[0] ^= 1;
    proof.receipt = receipt.encode().expect("a receipt");
    let (code, stdout) = demo.verify_changed("changed.cairnproof", &proof.encode());
    assert_eq!(code, Some(1));
    assert!(stdout.contains("batch_root"), "{stdout}");

    // The forger goes on and recomputes every hash up to the header: only the anchor tells.
    let leaf = Leaf::of(&receipt, &proof.receipt).expect("a leaf");
    let verified = ReceiptProof::decode(&fs::read(&demo.proof_files()[0]).expect("read"))
        .expect("decoded")
        .verify()
        .expect("valid");
    let mut bundle = verified.bundle;
    bundle.receipts_root =
        tree::fold(leaf.digest(), u64::from(proof.leaf_index), &proof.leaf_path).expect("in the tree");
    let mut header = verified.header;
    header.batch_root =
        tree::fold(bundle.digest(), u64::from(proof.bundle_index), &proof.bundle_path).expect("in the tree");
    proof.header = header.words();
    let (code, stdout) = demo.verify_changed("forged.cairnproof", &proof.encode());
    assert_eq!(code, Some(1));
    assert!(stdout.contains("none of the --root given"), "{stdout}");
}

#[test]
fn the_published_batch_proof_is_checked_by_the_verifier_of_the_chain() {
    let demo = demo();
    let file = demo.data.join("objects/proofs").join(format!("{}.proof", demo.anchor()));
    let check = |file: &Path, root: &str| {
        cairn(&["check-proof", file.to_str().expect("text"), "--profile", "dev", "--root", root])
    };
    let output = check(&file, demo.anchor());
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));

    let folder = tempfile::tempdir().expect("a folder");
    let changed = folder.path().join("changed.proof");
    let mut bytes = fs::read(&file).expect("the proof");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&changed, &bytes).expect("written");
    let output = check(&changed, demo.anchor());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_eq!(check(&file, &"00".repeat(32)).status.code(), Some(1));

    // Its name says which header it is of; that such a header is real it does not say.
    let check = |file: &Path, more: &[&str]| {
        cairn(&[&["check-proof", file.to_str().expect("text"), "--profile", "dev"], more].concat())
    };
    let named = check(&file, &[]);
    assert_eq!(named.status.code(), Some(3), "{}", text(&named.stdout));
    assert!(text(&named.stdout).contains("proved, not anchored"), "{}", text(&named.stdout));
    let renamed = folder.path().join("renamed.proof");
    fs::copy(&file, &renamed).expect("copied");
    let unnamed = check(&renamed, &[]);
    assert_eq!(unnamed.status.code(), Some(2));
    assert!(text(&unnamed.stderr).contains("--root"), "{}", text(&unnamed.stderr));
    let several = check(&renamed, &["--root", &"00".repeat(32), "--root", demo.anchor()]);
    assert_eq!(several.status.code(), Some(0), "{}", text(&several.stdout));
    let production = cairn(&["check-proof", file.to_str().expect("text"), "--root", demo.anchor()]);
    assert_eq!(production.status.code(), Some(1));
    assert!(text(&production.stdout).contains("it is of the profile dev"), "{}", text(&production.stdout));
    fs::write(&changed, &bytes[..bytes.len() - 8]).expect("written");
    assert_eq!(check(&changed, &["--root", demo.anchor()]).status.code(), Some(2), "no proof has this length");
}

#[test]
fn a_second_demo_in_the_same_directory_submits_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = run_demo(folder.path());
    let second = run_demo(folder.path());
    assert_eq!(second["batches"], first["batches"]);
    assert_eq!(second["anchors"], first["anchors"]);
    assert_eq!(second["verified"], first["receipts"]);
    assert_eq!((&second["settled"], &second["upload_transactions"]), (&first["settled"], &Value::from(0)));
}

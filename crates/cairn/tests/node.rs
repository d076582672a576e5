//! A node's commands without a sequencer: what they do alone, and what they say when it is away.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn cairn(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.current_dir(folder).env("CAIRN_SEQUENCER", NOWHERE).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/warc/site.warc.gz")
}

#[test]
fn a_key_is_made_once_for_its_owner_alone_and_printed_in_public() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = cairn(folder.path(), &["keygen", "--out", "n.key"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let public = text(&made.stdout).trim().to_owned();
    assert_eq!(public.len(), 80, "{public}");
    let path = folder.path().join("n.key");
    let file = fs::read_to_string(&path).expect("a file");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let secret = file.lines().last().and_then(|line| line.strip_prefix("secret ")).expect("a secret");
    assert!(!text(&made.stdout).contains(secret) && !text(&made.stderr).contains(secret));

    let again = cairn(folder.path(), &["keygen", "--out", "n.key"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&path).expect("a file"), file, "it is not overwritten");

    let shown = cairn(folder.path(), &["whoami", "--key", "n.key", "--offline", "--json"]);
    assert_eq!(shown.status.code(), Some(0));
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["receipt_key"], public.as_str());

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
    let open = cairn(folder.path(), &["whoami", "--key", "n.key", "--offline"]);
    assert_eq!(open.status.code(), Some(2));
    assert!(text(&open.stderr).contains("chmod 600"), "{}", text(&open.stderr));
}

#[test]
fn a_dry_run_needs_neither_key_nor_sequencer_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let warc = fixture();
    let output =
        cairn(folder.path(), &["submit", "--dry-run", "--report", "report.jsonl", warc.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("9  receipts"), "{}", text(&output.stderr));
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(left, ["report.jsonl"]);
    let without_files = cairn(folder.path(), &["submit", "--dry-run"]);
    assert_eq!(without_files.status.code(), Some(2));
}

#[test]
fn what_is_missing_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(&[&str], &str); 6] = [
        (&["submit", "site.warc.gz"], "cairn keygen"),
        (&["node", "--watch", "nowhere"], "there is no such folder"),
        (&["receipts"], "there is no spool"),
        (&["status"], NOWHERE),
        (&["status", "--sequencer", "ftp://x"], "http://host:port"),
        (&["status", "--tls-ca", "ca.pem"], "https://"),
    ];
    for (arguments, expected) in cases {
        let output = cairn(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
    cairn(folder.path(), &["keygen"]);
    let away = cairn(folder.path(), &["whoami"]);
    assert_eq!(away.status.code(), Some(2));
    assert!(text(&away.stdout).contains("receipt key"), "what is known is said all the same");
    let wrong = cairn(folder.path(), &["node", "--watch", ".", "--acknowledgement-key", "abc"]);
    assert!(text(&wrong.stderr).contains("32 bytes"), "{}", text(&wrong.stderr));
}

//! Programs for tests.

use std::path::Path;
use std::process::Command;

/// Writes a shell script that can be started. Another process writes it: while this one has it open for writing, whatever
/// another test starts meanwhile has it open too, and until that has let go of it nobody can start it.
pub fn write(path: &Path, text: &str) {
    let script = r#"printf '#!/bin/sh\n%s\n' "$1" >"$0" && chmod 755 "$0""#;
    assert!(Command::new("sh").arg("-c").arg(script).arg(path).arg(text).status().unwrap().success());
}

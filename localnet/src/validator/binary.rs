//! The `solana-test-validator` binary: where one is looked for, and whether it is of a version that is known to work.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names a binary that is taken before any other.
pub const VARIABLE: &str = "CAIRN_TEST_VALIDATOR";
/// Name of the binary.
const NAME: &str = "solana-test-validator";
/// What its `--version` begins with: the major version whose flags and RPC are the ones used here.
const VERSION: &str = "solana-test-validator 4.";
/// The most that is read of what a binary says about itself.
const MAX_VERSION_BYTES: u64 = 1_024;

/// Why there is no binary.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// None was found.
    #[error(
        "no {NAME} 4.x was found in ${VARIABLE}, {cache} or on PATH: run `make validator`, which builds one, or give --validator PATH"
    )]
    Missing {
        /// Where it is kept.
        cache: PathBuf,
    },
    /// The file does not run.
    #[error("{path} does not run: give --validator a {NAME} for this machine, or run `make validator`")]
    Run {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another program, or another version.
    #[error("{path} is not {NAME} 4.x but says {said:?}: run `make validator`, or give --validator another file")]
    Version {
        /// Which file.
        path: PathBuf,
        /// The first line it printed.
        said: String,
    },
}

/// Checks that `path` runs and is of a known version; gives the version it says.
///
/// # Errors
/// [`BinaryError`].
pub fn check(path: &Path) -> Result<String, BinaryError> {
    let run = |source| BinaryError::Run { path: path.to_owned(), source };
    let mut command = Command::new(path);
    let mut child = command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(run)?;
    let mut said = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(MAX_VERSION_BYTES).read_to_end(&mut said),
        None => Ok(0),
    };
    // It may be anything: what goes on talking is ended.
    if said.len() as u64 == MAX_VERSION_BYTES {
        child.kill().map_err(run)?;
    }
    child.wait().map_err(run)?;
    read.map_err(run)?;
    let said = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned();
    match said.starts_with(VERSION) {
        true => Ok(said),
        false => Err(BinaryError::Version { path: path.to_owned(), said }),
    }
}

/// A usable binary: the one that `$CAIRN_TEST_VALIDATOR` names, else that of `make validator`, else the one on `PATH`.
/// A binary that is named but not usable is an error; it is not passed over.
///
/// # Errors
/// [`BinaryError`].
pub fn find() -> Result<PathBuf, BinaryError> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return check(&named).map(|_| named);
    }
    let cached = cache(env::var_os("CAIRN_CACHE").as_deref(), env::var_os("HOME").as_deref());
    if cached.is_file() {
        return check(&cached).map(|_| cached);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(NAME)).find(|file| check(file).is_ok());
    found.ok_or(BinaryError::Missing { cache: cached })
}

/// Where `make validator` puts it.
fn cache(cache: Option<&OsStr>, home: Option<&OsStr>) -> PathBuf {
    let folder = match cache.filter(|cache| !cache.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(home.unwrap_or_default()).join(".cache").join("cairn"),
    };
    folder.join("bin").join(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validator::script;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join(format!("said-{}", text.len()));
        script::write(&path, text);
        path
    }

    #[test]
    fn a_binary_is_taken_by_the_version_it_says_and_refused_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let good = script(folder.path(), "echo 'solana-test-validator 4.2.2 (src:0; client:Agave)'");
        assert_eq!(check(&good).unwrap(), "solana-test-validator 4.2.2 (src:0; client:Agave)");
        for text in ["echo 'solana-test-validator 2.0.1'", "echo", "exec yes solana-test-validator", "exit 1"] {
            let bad = script(folder.path(), text);
            let error = check(&bad).unwrap_err();
            assert!(matches!(error, BinaryError::Version { .. }), "{text}: {error}");
            assert!(error.to_string().contains(bad.to_str().unwrap()), "{error}");
        }
        let missing = check(&folder.path().join("none")).unwrap_err();
        assert!(matches!(missing, BinaryError::Run { .. }), "{missing}");
    }

    #[test]
    fn the_cache_is_where_the_variable_says_or_below_home() {
        let at = |given: Option<&str>| cache(given.map(OsStr::new), Some(OsStr::new("/home/a")));
        assert_eq!(at(Some("/c")), Path::new("/c/bin/solana-test-validator"));
        assert_eq!(at(None), Path::new("/home/a/.cache/cairn/bin/solana-test-validator"));
        assert_eq!(at(Some("")), at(None));
    }
}

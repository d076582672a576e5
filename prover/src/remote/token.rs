//! The secret that workers show to the coordinator.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

/// Characters of a token, at least: 96 bits if they are drawn from 64.
pub const MIN_CHARACTERS: usize = 16;
/// Characters of a token, at most.
pub const MAX_CHARACTERS: usize = 512;

/// Name of the metadata that carries it.
const HEADER: &str = "authorization";
/// What stands before it.
const SCHEME: &str = "Bearer ";

/// A shared secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    value: MetadataValue<Ascii>,
    /// Compared instead of the secret, in constant time.
    digest: blake3::Hash,
}

/// Why a file holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read the token in {}: make one with `openssl rand -hex 32 > {}` and `chmod 600` it", path.display(), path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the token in {} can be read by others (mode {mode:o}): run `chmod 600` on it", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is none.
    #[error("{} holds no token: {MIN_CHARACTERS} to {MAX_CHARACTERS} printable ASCII characters without spaces, on one line", path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
}

impl Token {
    /// A token; `None` unless it is [`MIN_CHARACTERS`] to [`MAX_CHARACTERS`] printable ASCII characters without spaces.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (MIN_CHARACTERS..=MAX_CHARACTERS).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let text = format!("{SCHEME}{text}");
        let mut value: MetadataValue<Ascii> = text.parse().ok()?;
        value.set_sensitive(true);
        Some(Self { value, digest: blake3::hash(text.as_bytes()) })
    }

    /// Reads a token from a file that its owner alone may read. Space around it does not count.
    ///
    /// # Errors
    /// When there is no such file, or no token in it.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let failed = |source| TokenError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        check_mode(path, &file.metadata().map_err(failed)?)?;
        let mut text = String::new();
        // Two characters more than a line may have end in a refusal, not in half a token.
        file.take(MAX_CHARACTERS as u64 + 3).read_to_string(&mut text).map_err(failed)?;
        Self::new(text.trim()).ok_or_else(|| TokenError::Form { path: path.to_owned() })
    }

    /// Writes it into the metadata of a call.
    pub fn show(&self, metadata: &mut MetadataMap) {
        metadata.insert(HEADER, self.value.clone());
    }

    /// Whether the metadata of a call have this token.
    #[must_use]
    pub fn is_shown(&self, metadata: &MetadataMap) -> bool {
        // Comparing digests takes as long wherever they differ.
        metadata.get(HEADER).is_some_and(|value| blake3::hash(value.as_bytes()) == self.digest)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), TokenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(TokenError::Permissions { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), TokenError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_accepted() {
        let token = Token::new("0123456789abcdef").unwrap();
        let mut metadata = MetadataMap::new();
        assert!(!token.is_shown(&metadata));
        token.show(&mut metadata);
        assert!(token.is_shown(&metadata));
        for other in ["0123456789abcdeg", "0123456789abcdef0", "1123456789abcdef"] {
            Token::new(other).unwrap().show(&mut metadata);
            assert!(!token.is_shown(&metadata), "{other}");
        }
        metadata.insert(HEADER, "0123456789abcdef".parse().unwrap());
        assert!(!token.is_shown(&metadata), "without its scheme");
    }

    #[test]
    fn a_token_is_neither_short_nor_long_nor_in_parts_and_is_never_printed() {
        for text in ["", "0123456789abcde", "0123456789 abcdef", "0123456789abcdé0", &"x".repeat(513)] {
            assert!(Token::new(text).is_none(), "{text}");
        }
        assert!(Token::new(&"x".repeat(512)).is_some());
        assert!(!format!("{:?}", Token::new("0123456789abcdef")).contains("0123"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(matches!(Token::read(&path), Err(TokenError::Read { .. })));
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        #[cfg(unix)]
        {
            use std::fs::{Permissions, set_permissions};
            use std::os::unix::fs::PermissionsExt as _;
            set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(Token::read(&path), Err(TokenError::Permissions { mode: 0o644, .. })));
            set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(Token::read(&path).unwrap(), Token::new("0123456789abcdef").unwrap());
        std::fs::write(&path, "x".repeat(600)).unwrap();
        assert!(matches!(Token::read(&path), Err(TokenError::Form { .. })));
    }
}

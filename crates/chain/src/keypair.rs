//! Signing keys, in the JSON files that Solana's own tools read and write.

use crate::{Address, Signature};
use solana_sdk::signer::Signer as _;
use solana_sdk::signer::keypair::Keypair as SolanaKeypair;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// An ed25519 signing key. Its secret leaves memory only through [`Keypair::save`] and [`Keypair::to_bytes`].
pub struct Keypair(SolanaKeypair);

/// Why a key file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file could not be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("key file {path} is not a JSON array of 64 bytes (a Solana keypair, public half matching the secret half)")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("key file {path} can be read by others (mode {mode:o}): run `chmod 600` on it")]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// 64 numbers of three digits with their commas and some white space.
const MAX_KEY_FILE_BYTES: u64 = 4_096;

impl Keypair {
    /// A fresh key from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(SolanaKeypair::new())
    }

    /// The key of a 32-byte ed25519 seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SolanaKeypair::new_from_array(seed))
    }

    /// The 64 bytes that key files hold: secret half, then public half. `None` when the halves do not belong together.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Option<Self> {
        SolanaKeypair::try_from(bytes.as_slice()).ok().map(Self)
    }

    /// The 64 bytes that [`Self::from_bytes`] takes: for who keeps a key among records of its own.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0.to_bytes()
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError`] when it cannot be read, is open to others, or is not a keypair.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        check_permissions(path, &file.metadata().map_err(io)?)?;
        let mut text = Vec::new();
        file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut text).map_err(io)?;
        let format = || KeyFileError::Format { path: path.to_owned() };
        let bytes: Vec<u8> = serde_json::from_slice(&text).map_err(|_| format())?;
        let bytes = <[u8; 64]>::try_from(bytes).map_err(|_| format())?;
        Self::from_bytes(&bytes).ok_or_else(format)
    }

    /// Writes a new key file that only its owner may read, durably. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`KeyFileError::Io`], also when the file exists.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        let text = serde_json::to_vec(self.0.to_bytes().as_slice()).map_err(|e| io(e.into()))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)
    }

    /// Reads the key file at `path`, or makes one there when there is none.
    ///
    /// # Errors
    /// As [`Self::load`] and [`Self::save`].
    pub fn load_or_generate(path: &Path) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let fresh = Self::generate();
                fresh.save(path)?;
                Ok(fresh)
            }
            found => found,
        }
    }

    /// The public key.
    #[must_use]
    pub fn address(&self) -> Address {
        Address(self.0.pubkey().to_bytes())
    }

    /// Signs a message. Never one that somebody else chose: it could be a transaction.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign_message(message).into())
    }
}

impl Clone for Keypair {
    fn clone(&self) -> Self {
        Self(self.0.insecure_clone())
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.0.pubkey())
    }
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn saved_key_is_private_and_comes_back_as_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id.json");
        let key = Keypair::load_or_generate(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keypair::load_or_generate(&path).unwrap().address(), key.address());
        assert!(matches!(Keypair::generate().save(&path), Err(KeyFileError::Io { .. })), "must not overwrite");
    }

    #[test]
    fn key_file_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id.json");
        Keypair::generate().save(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Keypair::load(&path), Err(KeyFileError::Permissions { mode: 0o644, .. })));
    }

    #[test]
    fn key_file_with_halves_of_two_keys_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id.json");
        let mut bytes = Keypair::generate().0.to_bytes();
        bytes[32..].copy_from_slice(&Keypair::generate().address().0);
        std::fs::write(&path, serde_json::to_vec(bytes.as_slice()).unwrap()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Keypair::load(&path), Err(KeyFileError::Format { .. })));
    }
}

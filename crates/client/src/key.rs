//! The file that holds a node's receipt key.
//!
//! Three lines of text: what it is, the public key, the secret key, both in hexadecimal. Whoever has the secret signs as
//! the node, so the file is made for its owner alone and is not read when anybody else may.

use cairn_schnorr::SigningKey;
use cairn_types::{Digest, KeyError, ReceiptKey, ReceiptSignature};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize as _, Zeroizing};

/// First line of a key file.
const HEADER: &str = "cairn receipt key 1";
/// Bytes of a secret key.
const SECRET_BYTES: usize = 40;
/// Longest file that is looked at: the three lines are 200 bytes.
const MAX_FILE_BYTES: usize = 1024;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is one already.
    #[error("key file {path} exists and is not overwritten: a lost key can sign no more; name another file with --out")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("there is no key file {path}: make one with `cairn keygen --out {path}`, or name another with --key")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("key file {path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may read it.
    #[error(
        "key file {path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and rotate the key if others may have read it"
    )]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is something else.
    #[error("{path} is no receipt key file: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system gives no randomness.
    #[error("the system gives no random bytes")]
    Random(#[source] rand::Error),
}

/// A node's signing key. The secret is wiped when it is dropped, and printed nowhere.
#[derive(Clone)]
pub struct NodeKey {
    secret: SigningKey,
    public: ReceiptKey,
}

impl NodeKey {
    /// A fresh key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyFileError::Random`].
    pub fn generate() -> Result<Self, KeyFileError> {
        let mut random = rand::rngs::OsRng;
        // `OsRng` panics where it fails; asked this way it says why.
        rand::RngCore::try_fill_bytes(&mut random, &mut [0; 8]).map_err(KeyFileError::Random)?;
        Ok(Self::from(SigningKey::generate(&mut random)))
    }

    /// The public key, which the chain registers.
    #[must_use]
    pub const fn public(&self) -> ReceiptKey {
        self.public
    }

    /// Signs the digest of a bundle's statement.
    #[must_use]
    pub fn sign(&self, bundle: &Digest) -> ReceiptSignature {
        ReceiptSignature::from_bytes(self.secret.sign(&bundle.words()).to_bytes())
    }
}

impl From<SigningKey> for NodeKey {
    fn from(secret: SigningKey) -> Self {
        let public = ReceiptKey::from_words(secret.public_key().words());
        Self { secret, public: public.expect("the encoding of a point is canonical") }
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.public)
    }
}

/// A key and the file that it is kept in.
#[derive(Debug, Clone)]
pub struct ReceiptKeyFile {
    path: PathBuf,
    key: NodeKey,
}

impl ReceiptKeyFile {
    /// Makes a key and writes it, durably, to a file of mode 0600 that must not exist yet.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], or when the file cannot be written.
    pub fn generate(path: &Path) -> Result<Self, KeyFileError> {
        let key = NodeKey::generate()?;
        let secret = key.secret.to_bytes();
        let mut digits = Zeroizing::new([0_u8; 2 * SECRET_BYTES]);
        hex::encode_to_slice(&secret[..], &mut digits[..]).expect("two digits per byte");
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES));
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
            _ => KeyFileError::Io { path: path.to_owned(), source },
        };
        write!(text, "{HEADER}\npublic {}\nsecret ", key.public).map_err(failed)?;
        text.extend_from_slice(&digits[..]);
        text.push(b'\n');
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), key })
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// When it is missing, open to others, damaged, or no key file.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
            _ => KeyFileError::Io { path: path.to_owned(), source },
        };
        let file = File::open(path).map_err(failed)?;
        check_permissions(path, &file.metadata().map_err(failed)?)?;
        // Of full size from the start: a buffer that grows leaves copies of the secret behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
        file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut text).map_err(failed)?;
        let key = parse(&text).map_err(|reason| KeyFileError::Format { path: path.to_owned(), reason })?;
        Ok(Self { path: path.to_owned(), key })
    }

    /// Reads the key file at `path`, or makes one where there is none.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::generate`].
    pub fn read_or_generate(path: &Path) -> Result<Self, KeyFileError> {
        match Self::read(path) {
            Err(KeyFileError::Missing { .. }) => Self::generate(path),
            found => found,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &NodeKey {
        &self.key
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> ReceiptKey {
        self.key.public
    }
}

fn parse(text: &[u8]) -> Result<NodeKey, &'static str> {
    if text.len() > MAX_FILE_BYTES {
        return Err("it is too long");
    }
    let text = str::from_utf8(text).map_err(|_| "it is not text")?;
    let mut lines = text.lines().map(str::trim_end);
    if lines.next() != Some(HEADER) {
        return Err("its first line is not `cairn receipt key 1`");
    }
    let mut value = |name| lines.next().and_then(|line| line.strip_prefix(name)).map(str::trim);
    let public = value("public ").ok_or("its second line does not hold the public key")?;
    let public = public.parse().map_err(|_: KeyError| "its public key is damaged")?;
    let digits = value("secret ").ok_or("its third line does not hold the secret key")?;
    let mut secret = [0; SECRET_BYTES];
    let decoded = hex::decode_to_slice(digits, &mut secret).map_err(|_| "its secret key is not 80 hexadecimal digits");
    let key = decoded.and_then(|()| SigningKey::from_bytes(&secret).map_err(|_| "its secret key is out of range"));
    secret.zeroize();
    let key = NodeKey::from(key?);
    if lines.any(|line| !line.is_empty()) {
        return Err("it has more than three lines");
    }
    if key.public != public {
        return Err("its public key is not that of its secret key, so one of them is damaged");
    }
    Ok(key)
}

/// Makes a new name in the folder of `path` durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn generated() -> (tempfile::TempDir, PathBuf, ReceiptKeyFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let file = ReceiptKeyFile::generate(&path).unwrap();
        (folder, path, file)
    }

    fn refusal(path: &Path, text: &str) -> String {
        fs::write(path, text).unwrap();
        ReceiptKeyFile::read(path).unwrap_err().to_string()
    }

    #[test]
    fn a_key_comes_back_from_its_file_and_signs_alike() {
        let (_folder, path, file) = generated();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = ReceiptKeyFile::read(&path).unwrap();
        assert_eq!(read.public(), file.public());
        let digest = Digest::constant([1, 2, 3, 4]);
        let signature = read.key().sign(&digest);
        assert_eq!(signature, file.key().sign(&digest));
        assert_eq!(file.public().verify(&digest, &signature), Ok(()));
        assert!(file.public().verify(&Digest::constant([1, 2, 3, 5]), &signature).is_err());
    }

    #[test]
    fn two_keys_differ_and_none_is_overwritten() {
        let (folder, path, file) = generated();
        assert!(matches!(ReceiptKeyFile::generate(&path), Err(KeyFileError::Exists { .. })));
        assert_eq!(ReceiptKeyFile::read_or_generate(&path).unwrap().public(), file.public());
        let other = ReceiptKeyFile::read_or_generate(&folder.path().join("other")).unwrap();
        assert_ne!(other.public(), file.public());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        let (_folder, path, _) = generated();
        for mode in [0o640, 0o604, 0o660, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = ReceiptKeyFile::read(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Permissions { mode: found, .. } if found == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn every_damaged_line_is_named() {
        let (folder, path, file) = generated();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let other = ReceiptKeyFile::generate(&folder.path().join("other")).unwrap().public();
        let cases = [
            (text.replace("key 1", "key 2"), "first line"),
            (String::new(), "first line"),
            (format!("{}\n{}\n", lines[0], lines[2]), "second line"),
            (format!("{}\n{}\n", lines[0], lines[1]), "third line"),
            (format!("{text}more\n"), "more than three lines"),
            (text.replace(&file.public().to_string(), &other.to_string()), "not that of its secret key"),
            (text.replace(&file.public().to_string(), &"ff".repeat(40)), "public key is damaged"),
            (format!("{}\n{}\nsecret {}\n", lines[0], lines[1], "00".repeat(40)), "out of range"),
            (format!("{}\n{}\nsecret {}\n", lines[0], lines[1], "ff".repeat(40)), "out of range"),
            (format!("{}\n{}\nsecret zz\n", lines[0], lines[1]), "80 hexadecimal digits"),
            ("x".repeat(2 * MAX_FILE_BYTES), "too long"),
        ];
        for (changed, reason) in cases {
            let message = refusal(&path, &changed);
            assert!(message.contains(reason), "{message}, not {reason}");
            assert!(!message.contains(lines[2].trim_start_matches("secret ")), "{message}");
        }
        assert!(matches!(ReceiptKeyFile::read(&path.join("none")), Err(KeyFileError::Io { .. })));
        let missing = ReceiptKeyFile::read(&path.with_file_name("none")).unwrap_err();
        assert!(missing.to_string().contains("cairn keygen"), "{missing}");
    }

    #[test]
    fn a_key_shows_its_public_half_only() {
        let (_folder, path, file) = generated();
        let secret = fs::read_to_string(&path).unwrap().lines().nth(2).unwrap().replace("secret ", "");
        let shown = format!("{file:?}");
        assert!(shown.contains(&file.public().to_string()) && !shown.contains(&secret), "{shown}");
    }
}

//! Certificates of both sides, read from files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, Server, ServerTlsConfig};

/// A PEM file is not longer than this: a chain of some dozen certificates.
const MAX_PEM_BYTES: u64 = 1 << 20;
/// A client that has not finished its handshake by then is not one.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate chain and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key, readable by its owner only.
    pub key: PathBuf,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is far too long.
    #[error("{} is over {MAX_PEM_BYTES} bytes, it holds something else than certificates or a key", path.display())]
    Long {
        /// Which file.
        path: PathBuf,
    },
    /// Nothing of the kind is in it.
    #[error("there is no {what} in PEM in {}", path.display())]
    Nothing {
        /// What was looked for.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// Others may read the private key.
    #[error("{} can be read by others (mode {mode:o}): run `chmod 600` on it", path.display())]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Certificate and key do not make an identity.
    #[error("{} and {} are not a certificate chain and its private key in PEM, or the workers' authorities are none", certificate.display(), key.display())]
    Identity {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// TLS's own words.
        #[source]
        source: tonic::transport::Error,
    },
}

/// The coordinator's side: an identity, and the authorities of the workers that are let in; without these, all are.
///
/// # Errors
/// When a file cannot be read, the key is open to others, or they do not belong together.
pub fn server(identity: &IdentityFiles, workers: Option<&Path>) -> Result<ServerTlsConfig, TlsError> {
    let mut config = ServerTlsConfig::new().identity(self::identity(identity)?).timeout(HANDSHAKE);
    if let Some(path) = workers {
        config = config.client_ca_root(certificate(path)?);
    }
    // The identity is looked at only here: better before anything listens.
    match Server::builder().tls_config(config.clone()) {
        Ok(_) => Ok(config),
        Err(source) => {
            let IdentityFiles { certificate, key } = identity.clone();
            Err(TlsError::Identity { certificate, key, source })
        }
    }
}

/// A worker's side: the authorities that alone are trusted to sign the coordinator's certificate (without them, those of the
/// system), and the worker's own identity where one is asked for.
///
/// # Errors
/// When a file cannot be read, or the key is open to others.
pub fn client(authorities: Option<&Path>, identity: Option<&IdentityFiles>) -> Result<ClientTlsConfig, TlsError> {
    let mut config = ClientTlsConfig::new();
    config = match authorities {
        Some(path) => config.ca_certificate(certificate(path)?),
        None => config.with_enabled_roots(),
    };
    if let Some(files) = identity {
        config = config.identity(self::identity(files)?);
    }
    Ok(config)
}

fn identity(files: &IdentityFiles) -> Result<Identity, TlsError> {
    let chain = read(&files.certificate, false, "certificate", b"-----BEGIN CERTIFICATE-----")?;
    Ok(Identity::from_pem(chain, read(&files.key, true, "private key", b"PRIVATE KEY-----")?))
}

fn certificate(path: &Path) -> Result<Certificate, TlsError> {
    Ok(Certificate::from_pem(read(path, false, "certificate", b"-----BEGIN CERTIFICATE-----")?))
}

fn read(path: &Path, private: bool, what: &'static str, mark: &[u8]) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if private {
        check_mode(path, &file.metadata().map_err(failed)?)?;
    }
    let mut pem = Vec::new();
    file.take(MAX_PEM_BYTES + 1).read_to_end(&mut pem).map_err(failed)?;
    if pem.len() as u64 > MAX_PEM_BYTES {
        return Err(TlsError::Long { path: path.to_owned() });
    }
    if !pem.windows(mark.len()).any(|window| window == mark) {
        return Err(TlsError::Nothing { what, path: path.to_owned() });
    }
    Ok(pem)
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(TlsError::Permissions { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), TlsError> {
    Ok(())
}

//! The server's TLS identity, read from files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::config::TlsFiles;

/// A PEM file is not longer than this: a chain of some dozen certificates.
const MAX_PEM_BYTES: u64 = 1 << 20;
/// A client that has not finished its handshake by then is not one.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why TLS cannot be served.
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
    /// Others may read the private key.
    #[error("{} can be read by others (mode {mode:o}): run `chmod 600` on it", path.display())]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Certificate and key do not make an identity.
    #[error("{} and {} are not a certificate chain and its private key in PEM, or the client authorities are none", certificate.display(), key.display())]
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

/// Reads an identity and tries it.
///
/// # Errors
/// When a file cannot be read, the key is open to others, or they do not belong together.
pub fn load(files: &TlsFiles) -> Result<ServerTlsConfig, TlsError> {
    let certificate = read(&files.certificate, false)?;
    let key = read(&files.key, true)?;
    let mut config = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key)).timeout(HANDSHAKE);
    if let Some(path) = &files.client_ca {
        config = config.client_ca_root(Certificate::from_pem(read(path, false)?));
    }
    // The identity is looked at only here: better before anything listens.
    match Server::builder().tls_config(config.clone()) {
        Ok(_) => Ok(config),
        Err(source) => {
            Err(TlsError::Identity { certificate: files.certificate.clone(), key: files.key.clone(), source })
        }
    }
}

fn read(path: &Path, private: bool) -> Result<Vec<u8>, TlsError> {
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
    Ok(pem)
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(TlsError::Permissions { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), TlsError> {
    Ok(())
}

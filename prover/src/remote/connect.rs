//! Reaching a coordinator.

use super::tls::{self, IdentityFiles, TlsError};
use super::token::Token;
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// A silent connection is asked this often whether it is still there, and has as long to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// A connection is made within this time.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a coordinator is, and how both sides know one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `http://host:port`, or `https://host:port` for TLS.
    pub url: String,
    /// The shared secret.
    pub token: Option<Token>,
    /// Certificates (PEM) that alone are trusted to sign the coordinator's; without them, those of the system.
    pub authorities: Option<PathBuf>,
    /// The worker's own certificate, where the coordinator asks for one.
    pub identity: Option<IdentityFiles>,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It is none.
    #[error("{url} is no address of a coordinator: write it as http://host:port or https://host:port")]
    Url {
        /// As given.
        url: String,
    },
    /// Certificates for an address without TLS.
    #[error("certificates are for addresses that begin with https://, and {url} does not")]
    Plain {
        /// As given.
        url: String,
    },
    /// The certificates cannot be read.
    #[error(transparent)]
    Files(#[from] TlsError),
    /// TLS cannot be set up.
    #[error("cannot use TLS with {url}")]
    Tls {
        /// As given.
        url: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
}

impl Connection {
    /// In clear text and without a secret: for one machine.
    #[must_use]
    pub fn plain(url: &str) -> Self {
        Self { url: url.to_owned(), token: None, authorities: None, identity: None }
    }

    /// A channel, which connects when it is first used, and again when it was lost.
    ///
    /// # Errors
    /// When the address is none, or its certificates cannot be used.
    pub(super) fn channel(&self) -> Result<Channel, ConnectError> {
        let url = || self.url.clone();
        let endpoint = Endpoint::from_shared(url()).map_err(|_| ConnectError::Url { url: url() })?;
        let is_tls = match endpoint.uri().scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(ConnectError::Url { url: url() }),
        };
        if endpoint.uri().host().is_none_or(str::is_empty) {
            return Err(ConnectError::Url { url: url() });
        }
        let mut endpoint = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        if is_tls {
            let config = tls::client(self.authorities.as_deref(), self.identity.as_ref())?;
            endpoint = endpoint.tls_config(config).map_err(|source| ConnectError::Tls { url: url(), source })?;
        } else if self.authorities.is_some() || self.identity.is_some() {
            return Err(ConnectError::Plain { url: url() });
        }
        Ok(endpoint.connect_lazy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_addresses_of_http_and_https_are_taken() {
        for url in ["", "no address", "localhost:7420", "ftp://localhost", "/tmp/socket", "http://"] {
            assert!(matches!(Connection::plain(url).channel(), Err(ConnectError::Url { .. })), "{url}");
        }
        assert!(Connection::plain("http://localhost:7430").channel().is_ok());
        assert!(Connection::plain("https://localhost:7430").channel().is_ok());
    }

    #[tokio::test]
    async fn certificates_must_be_there_and_be_for_tls() {
        let missing = Some(PathBuf::from("no-such-file.pem"));
        let with = |url: &str| Connection { authorities: missing.clone(), ..Connection::plain(url) };
        assert!(matches!(with("http://localhost:7430").channel(), Err(ConnectError::Plain { .. })));
        let error = with("https://localhost:7430").channel().unwrap_err();
        assert!(matches!(error, ConnectError::Files(TlsError::Read { .. })), "{error}");
    }
}

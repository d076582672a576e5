//! Reaching a sequencer.

use cairn_proto::MAX_MESSAGE_BYTES;
use cairn_proto::v1::sequencer_client::SequencerClient;
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

/// A silent connection is asked this often whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Longest file of certificates, in bytes.
const MAX_CA_BYTES: u64 = 1 << 20;

/// Where a sequencer is, and how to know that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http://host:port`, or `https://host:port` for TLS.
    pub url: String,
    /// File with the certificates, in PEM, that alone are trusted to sign the sequencer's; without it, those of the
    /// system and of the browsers' programme are.
    pub tls_ca: Option<PathBuf>,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("{url} is no address of a sequencer: write it as http://host:port or https://host:port")]
    Url {
        /// As given.
        url: String,
    },
    /// Certificates for an address without TLS.
    #[error("--tls-ca is for addresses that begin with https://, and {url} does not")]
    Plain {
        /// As given.
        url: String,
    },
    /// The certificates cannot be read.
    #[error("cannot read the certificates in {path}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
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

impl From<&str> for Address {
    fn from(url: &str) -> Self {
        Self { url: url.to_owned(), tls_ca: None }
    }
}

impl Address {
    /// A client, which connects when it is first used.
    ///
    /// # Errors
    /// When the address is none, or its certificates cannot be used.
    pub fn client(&self, timeout: Duration) -> Result<SequencerClient<Channel>, AddressError> {
        let url = || self.url.clone();
        let no_address = || AddressError::Url { url: url() };
        let endpoint = Endpoint::from_shared(self.url.clone()).map_err(|_| no_address())?;
        let is_tls = match endpoint.uri().scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(no_address()),
        };
        if endpoint.uri().host().is_none_or(str::is_empty) {
            return Err(no_address());
        }
        let mut endpoint = endpoint
            .connect_timeout(timeout)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(timeout);
        if is_tls {
            endpoint = endpoint.tls_config(self.tls()?).map_err(|source| AddressError::Tls { url: url(), source })?;
        } else if self.tls_ca.is_some() {
            return Err(AddressError::Plain { url: url() });
        }
        Ok(SequencerClient::new(endpoint.connect_lazy()).max_decoding_message_size(MAX_MESSAGE_BYTES))
    }

    fn tls(&self) -> Result<ClientTlsConfig, AddressError> {
        let Some(path) = &self.tls_ca else { return Ok(ClientTlsConfig::new().with_enabled_roots()) };
        let failed = |source| AddressError::Certificates { path: path.clone(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mut pem = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_CA_BYTES), &mut pem).map_err(failed)?;
        if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidData, "there is no certificate in PEM in it");
            return Err(failed(error));
        }
        Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str, tls_ca: Option<PathBuf>) -> AddressError {
        Address { url: url.to_owned(), tls_ca }.client(Duration::from_secs(1)).unwrap_err()
    }

    #[tokio::test]
    async fn only_addresses_of_http_and_https_are_taken() {
        for url in ["", "no address", "localhost:7420", "ftp://localhost", "/tmp/socket", "http://"] {
            assert!(matches!(refusal(url, None), AddressError::Url { .. }), "{url}");
        }
        assert!(Address::from("http://localhost:7420").client(Duration::from_secs(1)).is_ok());
        assert!(Address::from("https://localhost:7420").client(Duration::from_secs(1)).is_ok());
    }

    #[tokio::test]
    async fn certificates_must_be_there_and_be_for_tls() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let plain = refusal("http://localhost:7420", Some(path.clone()));
        assert!(matches!(plain, AddressError::Plain { .. }), "{plain}");
        let missing = refusal("https://localhost:7420", Some(path.clone()));
        assert!(matches!(missing, AddressError::Certificates { .. }), "{missing}");
        std::fs::write(&path, "no certificate").unwrap();
        let empty = refusal("https://localhost:7420", Some(path));
        assert!(matches!(empty, AddressError::Certificates { .. }), "{empty}");
    }
}

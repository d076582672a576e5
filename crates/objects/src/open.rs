//! From a base URL to an object store.

use crate::location::shown;
use crate::net::Connector;
use crate::{Location, LocationError, Trust};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreScheme, RetryConfig};
use std::path::Path as FolderPath;
use std::sync::Arc;
use std::time::Duration;
use url::{Position, Url};

/// How often a request is sent again that did not reach anybody or met a server's failure.
const RETRIES: usize = 3;
/// After this long, none is sent again.
const RETRY_TIME: Duration = Duration::from_secs(30);
/// The longest pause between two.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not to be followed.
    #[error("{url} is not followed: {source}")]
    Location {
        /// The URL, without the parts that may hold a key.
        url: String,
        /// Why.
        #[source]
        source: LocationError,
    },
    /// It is a folder that is not there.
    #[error("{url} is not a folder that can be read: give --blobs one that exists")]
    Folder {
        /// The URL.
        url: String,
    },
    /// The store refuses its configuration.
    #[error("{url} cannot be opened: {reason}")]
    Store {
        /// The URL, without the parts that may hold a key.
        url: String,
        /// The object store's own words.
        reason: String,
    },
}

/// Opens the place at `url` for reading and, where an operator's credentials allow it, writing.
///
/// An operator's `s3`, `gs` and `az` take credentials and settings from `AWS_…`, `GOOGLE_…` and `AZURE_…` variables. What the
/// chain says is read as everybody reads it: over https, unsigned, without a look at this machine's environment.
///
/// # Errors
/// [`OpenError`]. Nobody is connected to yet.
pub fn open(url: &Url, trust: Trust) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let location = Location::new(url, trust).map_err(|source| OpenError::Location { url: shown(url), source })?;
    location.open()
}

impl Location {
    /// As [`open`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, OpenError> {
        let shown = || self.to_string();
        let failed =
            |error: object_store::Error| OpenError::Store { url: shown(), reason: redacted(&error.to_string()) };
        if self.trust() == Trust::Chain {
            let url = self.public().map_err(|source| OpenError::Location { url: shown(), source })?;
            return web(&url, Connector::new(Trust::Chain)).map_err(failed);
        }
        if let ("file", Ok(folder)) = (self.url().scheme(), self.url().to_file_path()) {
            // A reader makes no folders: an empty one would look like data that is missing.
            let found = LocalFileSystem::new_with_prefix(folder);
            return found.map(|store| Arc::new(store) as _).map_err(|_| OpenError::Folder { url: shown() });
        }
        self.signed(Connector::new(Trust::Operator)).map_err(failed)
    }

    /// An operator's store, with what the environment says.
    fn signed(&self, connector: Connector) -> object_store::Result<Arc<dyn ObjectStore>> {
        let url = self.url();
        let (scheme, prefix) = ObjectStoreScheme::parse(url)?;
        Ok(match scheme {
            ObjectStoreScheme::AmazonS3 => {
                let builder = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry());
                below(builder.with_http_connector(connector).build()?, prefix)
            }
            ObjectStoreScheme::GoogleCloudStorage => {
                let builder = GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry());
                below(builder.with_http_connector(connector).build()?, prefix)
            }
            ObjectStoreScheme::MicrosoftAzure => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry());
                below(builder.with_http_connector(connector).build()?, prefix)
            }
            _ => web(url, connector)?,
        })
    }
}

/// A folder of this machine as an object store, made if it is not there: every object is on disk before its `put` returns.
///
/// # Errors
/// When the folder cannot be made or used.
pub fn local_folder(folder: &FolderPath) -> Result<LocalFileSystem, object_store::Error> {
    std::fs::create_dir_all(folder)
        .map_err(|source| object_store::Error::Generic { store: "LocalFileSystem", source: source.into() })?;
    Ok(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
}

/// Makes ring the cryptography of this process's TLS, unless something else is already: the HTTP client has none built in.
pub fn install_tls() {
    // Whoever came first has settled it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A web server that has the objects as files.
pub(crate) fn web(url: &Url, connector: Connector) -> object_store::Result<Arc<dyn ObjectStore>> {
    let prefix = Path::from_url_path(url.path())?;
    let builder = HttpBuilder::new().with_url(&url[..Position::BeforePath]).with_retry(retry());
    Ok(below(builder.with_http_connector(connector).build()?, prefix))
}

fn below(store: impl ObjectStore, prefix: Path) -> Arc<dyn ObjectStore> {
    if prefix.as_ref().is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) }
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: RETRY_PAUSE, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIME }
}

/// A message without queries of the URLs in it, which may hold a signature.
pub(crate) fn redacted(message: &str) -> String {
    let words = message.split(' ').map(|word| match word.split_once('?') {
        Some((before, _)) if before.contains("://") => before,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_every_kind_open_without_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let texts = ["https://blobs.example.org/rollup", "s3://bucket/path", "az://container@account/path"];
        for text in texts {
            Location::parse(text, Trust::Chain).unwrap().open().unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        for text in ["http://localhost:1/x", "https://blobs.example.org", "s3://bucket/path"] {
            open(&Url::parse(text).unwrap(), Trust::Operator).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        let there = Location::parse(folder.path().to_str().unwrap(), Trust::Operator).unwrap();
        there.open().unwrap();
        let error = open(&Url::parse("file:///no/such/folder").unwrap(), Trust::Operator).unwrap_err().to_string();
        assert!(error.contains("file:///no/such/folder") && error.contains("--blobs"), "{error}");
        let error = open(&Url::parse("file:///etc").unwrap(), Trust::Chain).unwrap_err();
        assert!(matches!(error, OpenError::Location { .. }), "{error}");
    }

    #[test]
    fn messages_lose_the_queries_of_their_urls() {
        let message = "Error performing GET https://a.example/x?sig=sesame in 3ms, is it there?";
        assert_eq!(redacted(message), "Error performing GET https://a.example/x in 3ms, is it there?");
    }
}

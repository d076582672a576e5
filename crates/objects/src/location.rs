//! Base URLs of published data, and on whose word each kind is followed.
//!
//! | scheme | an operator's | the chain's |
//! |---|---|---|
//! | `file://`, or a plain path | yes | no |
//! | `http` | yes | no |
//! | `https` | yes | yes |
//! | `s3`, `gs`, `az`/`abfs` | yes, signed with what the environment has | yes, as the public https address, unsigned |
//!
//! What the chain says is written by a rollup's admin, who may be anybody: it never makes this machine read its own files,
//! talk to its own network, or show a credential. Keys have no place in a URL, so one with a query or a password is refused.

use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The longest base URL that is read, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// Whose word a base URL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Who runs this process: a flag or an environment variable.
    Operator,
    /// An account on the chain.
    Chain,
}

/// Why a base URL is not followed. Messages never hold a query or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It is no URL.
    #[error("it is not a URL: {0}; write as in https://host/path or s3://bucket/path")]
    Syntax(String),
    /// It is too long.
    #[error("it has {0} bytes, at most {MAX_URL_BYTES} are read")]
    Long(usize),
    /// Nothing is known of its scheme.
    #[error("its scheme {0} is unknown: use file, http, https, s3, gs or az")]
    Scheme(String),
    /// Only an operator may say so.
    #[error("its scheme {0} is followed from --blobs only, not from what the chain says")]
    Untrusted(String),
    /// It points into this machine or its network.
    #[error("its host {0} is not on the public network, where alone what the chain says is followed")]
    Private(String),
    /// A part that may hold a key.
    #[error("it has a {0}: keys belong in environment variables, not in URLs")]
    Secret(&'static str),
    /// A part is missing.
    #[error("it names no {0}")]
    Missing(&'static str),
    /// The local path cannot be used.
    #[error("the folder {0} cannot be written as a URL: give an absolute path")]
    Folder(String),
}

/// A base URL that may be opened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    url: Url,
    trust: Trust,
}

impl Location {
    /// Reads a base URL; from an operator also a plain path.
    ///
    /// # Errors
    /// [`LocationError`] when nothing is to be opened there.
    pub fn parse(text: &str, trust: Trust) -> Result<Self, LocationError> {
        if text.len() > MAX_URL_BYTES {
            return Err(LocationError::Long(text.len()));
        }
        if trust == Trust::Operator && !text.contains("://") && !text.is_empty() {
            let folder = std::path::absolute(text).map_err(|_| LocationError::Folder(text.to_owned()))?;
            let url = Url::from_directory_path(&folder).map_err(|()| LocationError::Folder(text.to_owned()))?;
            return Self::new(&url, trust);
        }
        let url = Url::parse(text).map_err(|error| LocationError::Syntax(error.to_string()))?;
        Self::new(&url, trust)
    }

    /// Checks a base URL.
    ///
    /// # Errors
    /// [`LocationError`] when nothing is to be opened there.
    pub fn new(url: &Url, trust: Trust) -> Result<Self, LocationError> {
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(LocationError::Long(url.as_str().len()));
        }
        if url.query().is_some() {
            return Err(LocationError::Secret("query"));
        }
        if url.fragment().is_some() {
            return Err(LocationError::Secret("fragment"));
        }
        if url.password().is_some() {
            return Err(LocationError::Secret("password"));
        }
        let scheme = url.scheme();
        let azure = matches!(scheme, "az" | "abfs" | "abfss");
        if !azure && !url.username().is_empty() {
            return Err(LocationError::Secret("user name"));
        }
        match (scheme, trust) {
            ("file" | "http", Trust::Chain) => return Err(LocationError::Untrusted(scheme.to_owned())),
            ("file", _) => {
                // Another machine's files are not files.
                let path = url.to_file_path();
                return path
                    .map(|_| Self { url: url.clone(), trust })
                    .map_err(|()| LocationError::Folder(url.path().to_owned()));
            }
            ("http" | "https" | "s3" | "gs" | "az" | "abfs" | "abfss", _) => {}
            _ => return Err(LocationError::Scheme(scheme.to_owned())),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(LocationError::Missing(if scheme.starts_with("http") { "host" } else { "bucket" }));
        }
        let location = Self { url: url.clone(), trust };
        if trust == Trust::Chain {
            check_public(&location.public()?)?;
        }
        Ok(location)
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whose word it is.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The https address under which everybody reads it: for what the chain says, clouds are no more than web servers.
    pub(crate) fn public(&self) -> Result<Url, LocationError> {
        let host = self.url.host_str().unwrap_or_default();
        let path = self.url.path().trim_start_matches('/');
        let text = match self.url.scheme() {
            "s3" if is_label(host) => format!("https://{host}.s3.amazonaws.com/{path}"),
            "s3" if is_bucket(host) => format!("https://s3.amazonaws.com/{host}/{path}"),
            "gs" if is_bucket(host) => format!("https://storage.googleapis.com/{host}/{path}"),
            "az" | "abfs" | "abfss" => {
                let container = self.url.username();
                let account = host
                    .strip_suffix(".dfs.core.windows.net")
                    .or_else(|| host.strip_suffix(".blob.core.windows.net"))
                    .unwrap_or(host);
                if container.is_empty() {
                    return Err(LocationError::Missing("account: write az://container@account/path"));
                }
                if !is_label(container) || !is_label(account) {
                    return Err(LocationError::Syntax("container or account is not a name".to_owned()));
                }
                format!("https://{account}.blob.core.windows.net/{container}/{path}")
            }
            "https" => return Ok(self.url.clone()),
            _ => return Err(LocationError::Syntax("the bucket is not a name".to_owned())),
        };
        Url::parse(&text).map_err(|error| LocationError::Syntax(error.to_string()))
    }
}

/// Without the parts that may hold a key.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

/// A URL without the parts that may hold a key: password, query, and a user name that is no container.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_password(None);
    if !matches!(url.scheme(), "az" | "abfs" | "abfss") {
        let _ = url.set_username("");
    }
    url.to_string()
}

/// One label of a host name.
fn is_label(text: &str) -> bool {
    is_bucket(text) && !text.contains(['.', '_'])
}

/// A bucket's name as the clouds admit it: it changes nothing in a URL that it stands in.
fn is_bucket(text: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(byte);
    (1..=222).contains(&bytes.len()) && end(bytes.first()) && end(bytes.last()) && bytes.iter().all(inside)
}

fn check_public(url: &Url) -> Result<(), LocationError> {
    let private = match url.host() {
        None => return Err(LocationError::Missing("host")),
        Some(Host::Ipv4(ip)) => !is_public(ip.into()),
        Some(Host::Ipv6(ip)) => !is_public(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // A name without a dot is one of the local network.
            !name.contains('.')
                || ["localhost", "local", "internal", "home.arpa", "lan"]
                    .iter()
                    .any(|end| name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')))
        }
    };
    if private { Err(LocationError::Private(url.host_str().unwrap_or_default().to_owned())) } else { Ok(()) }
}

/// Whether an address is one of the public network: not of this machine, its links, private or shared networks, nor of those
/// set aside for documentation, tests and the like (RFC 6890).
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(a == 0
                || a >= 224
                || ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            // An address of the older kind inside one of the newer is judged as what it is.
            if let Some(ip) = ip.to_ipv4_mapped() {
                return is_public(ip.into());
            }
            if first == 0x0064 && second == 0xff9b || first == 0x2002 {
                return false;
            }
            (0x2000..0x4000).contains(&first) && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_may_name_every_kind_of_place() {
        let texts = [
            "file:///srv/data",
            "http://localhost:8080/data",
            "http://192.168.0.7",
            "https://blobs.example.org/rollup/",
            "s3://bucket/path",
            "gs://bucket",
            "az://container/path",
            "abfs://container@account.dfs.core.windows.net/path",
        ];
        for text in texts {
            assert_eq!(Location::parse(text, Trust::Operator).map(|found| found.trust), Ok(Trust::Operator), "{text}");
        }
        let path = Location::parse("/srv/data", Trust::Operator).unwrap();
        assert_eq!(path.url().as_str(), "file:///srv/data/");
        assert!(Location::parse("data", Trust::Operator).unwrap().url().as_str().ends_with("/data/"));
    }

    #[test]
    fn the_chain_names_public_addresses_only_and_clouds_are_read_unsigned() {
        let cases = [
            ("https://blobs.example.org/rollup", "https://blobs.example.org/rollup"),
            ("https://93.184.215.14/x", "https://93.184.215.14/x"),
            ("s3://bucket/path", "https://bucket.s3.amazonaws.com/path"),
            ("s3://www.bucket/path", "https://s3.amazonaws.com/www.bucket/path"),
            ("gs://bucket/a/b", "https://storage.googleapis.com/bucket/a/b"),
            ("az://container@account/path", "https://account.blob.core.windows.net/container/path"),
            ("abfs://c1@account.dfs.core.windows.net/p", "https://account.blob.core.windows.net/c1/p"),
        ];
        for (text, public) in cases {
            let found = Location::parse(text, Trust::Chain).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(found.public().unwrap().as_str(), public, "{text}");
        }
    }

    #[test]
    fn what_the_chain_says_never_leads_into_this_machine_or_its_network() {
        let untrusted = ["file:///etc/passwd", "http://blobs.example.org/"];
        for text in untrusted {
            let error = Location::parse(text, Trust::Chain).unwrap_err();
            assert!(matches!(error, LocationError::Untrusted(_)), "{text}: {error}");
            assert!(error.to_string().contains("--blobs"), "{error}");
        }
        let private = [
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://nas/",
            "https://printer.local/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://224.0.0.1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/",
        ];
        for text in private {
            let error = Location::parse(text, Trust::Chain).unwrap_err();
            assert!(matches!(error, LocationError::Private(_)), "{text}: {error}");
        }
        let names = ["s3://bucket@host/x", "s3://-/x", "gs://a%2fb/x", "az://container/x", "az://c@a.b.evil.example/x"];
        for text in names {
            assert!(Location::parse(text, Trust::Chain).is_err(), "{text}");
        }
        for text in ["", "blobs", "/srv/data", "ftp://example.org/", "memory:///", "data:text/plain,x", "https://"] {
            assert!(Location::parse(text, Trust::Chain).is_err(), "{text:?}");
        }
        assert!(matches!(
            Location::parse(&format!("https://example.org/{}", "x".repeat(MAX_URL_BYTES)), Trust::Chain),
            Err(LocationError::Long(_))
        ));
    }

    #[test]
    fn keys_in_urls_are_refused_and_never_shown() {
        for text in [
            "https://example.org/data?sig=sesame",
            "https://sesame@example.org/data",
            "https://me:sesame@example.org/data",
            "s3://bucket/path#sesame",
            "az://container:sesame@account/path",
        ] {
            for trust in [Trust::Operator, Trust::Chain] {
                let error = Location::parse(text, trust).unwrap_err();
                assert!(matches!(error, LocationError::Secret(_)), "{text}: {error}");
                assert!(!error.to_string().contains("sesame"), "{error}");
            }
            let shown = shown(&Url::parse(text).unwrap());
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}

//! Servers whose opinions can be independent.

use crate::{Chain, InvalidRpcOptions, RpcChain, RpcOptions, Websocket};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// A server, asked on its own: never a pool that falls back on another.
#[derive(Clone)]
pub struct Server {
    /// How messages name it.
    pub name: String,
    /// The chain as it shows it.
    pub chain: Arc<dyn Chain>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.name).finish()
    }
}

/// Why servers are no independent witnesses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIndependent {
    /// One has no URL.
    #[error("{0}")]
    Url(#[from] InvalidRpcOptions),
    /// Two are one.
    #[error("{first} and {second} are one host, which is no second opinion: name servers of different operators")]
    SameHost {
        /// As it is shown.
        first: String,
        /// As it is shown.
        second: String,
    },
}

/// A server for each URL, one question to which may take `budget`, repetitions included. Two of one host are refused, whatever port and path say. On this machine, where a port may
/// lead anywhere (a tunnel, a validator of one's own), it is the ports that must differ.
///
/// That hosts differ does not make operators differ: this is for whoever chooses the servers to see to.
///
/// # Errors
/// [`NotIndependent`].
pub fn independent(urls: &[String], budget: Duration) -> Result<Vec<Server>, NotIndependent> {
    let mut servers: Vec<(Server, Place)> = Vec::with_capacity(urls.len());
    for url in urls {
        // That a server lags is for whoever compares to find: it is not passed over here.
        let options = RpcOptions { budget, stall: None, websocket: Websocket::Off, ..RpcOptions::new([url.as_str()]) };
        let chain = RpcChain::with_options(&options)?;
        let (name, place) = (RpcChain::shown(url), Place::of(url));
        if let Some((first, _)) = servers.iter().find(|(_, other)| *other == place) {
            return Err(NotIndependent::SameHost { first: first.name.clone(), second: name });
        }
        servers.push((Server { name, chain: Arc::new(chain) }, place));
    }
    Ok(servers.into_iter().map(|(server, _)| server).collect())
}

/// What two servers must not share.
#[derive(PartialEq, Eq)]
enum Place {
    Here(Option<u16>),
    Host(String),
}

impl Place {
    fn of(url: &str) -> Self {
        let Ok(url) = Url::parse(url) else { return Self::Host(url.to_owned()) };
        let here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
            Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
            None => false,
        };
        if here {
            return Self::Here(url.port_or_known_default());
        }
        // A final dot names the same host. The parser has made letters small already.
        Self::Host(url.host_str().unwrap_or_default().trim_end_matches('.').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(urls: &[&str]) -> Result<Vec<String>, NotIndependent> {
        let urls: Vec<_> = urls.iter().map(|url| (*url).to_owned()).collect();
        Ok(independent(&urls, RpcOptions::BUDGET)?.into_iter().map(|server| server.name).collect())
    }

    #[test]
    fn one_host_is_one_opinion() {
        for [first, second] in [
            ["https://rpc.example.org", "https://rpc.example.org"],
            ["https://rpc.example.org/one?key=a", "https://RPC.example.org./two?key=b"],
            ["https://rpc.example.org", "http://rpc.example.org:8899"],
            ["http://127.0.0.1:7440", "http://localhost:7440/x"],
            ["http://127.0.0.1:7440", "http://[::1]:7440"],
            ["http://[::ffff:127.0.0.1]", "http://127.0.0.1:80"],
        ] {
            let error = servers(&[first, "https://other.example.com", second]).unwrap_err();
            assert!(matches!(&error, NotIndependent::SameHost { .. }), "{first} {second}: {error:?}");
            assert!(!error.to_string().contains("key"), "{error}");
        }
    }

    #[test]
    fn different_hosts_and_different_ports_of_this_machine_pass() {
        let names = servers(&["https://a.example.org/key", "https://b.example.org", "http://127.0.0.1:1"]).unwrap();
        assert_eq!(names, ["https://a.example.org", "https://b.example.org", "http://127.0.0.1:1"]);
        assert_eq!(servers(&["http://127.0.0.1:1", "http://localhost:2"]).unwrap().len(), 2);
        assert!(matches!(servers(&["ftp://a.example.org"]), Err(NotIndependent::Url(_))));
    }
}

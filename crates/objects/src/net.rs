//! Connections to object stores: no redirects, bounded waits, and for what the chain says nothing but public addresses.

use crate::location::is_public;
use crate::{Trust, install_tls};
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be silent while something is awaited from it.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes the clients that object stores send their requests with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connector {
    pub trust: Trust,
    pub silence: Duration,
}

impl Connector {
    pub fn new(trust: Trust) -> Self {
        Self { trust, silence: SILENCE }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        install_tls();
        // A redirect would lead where nobody looked whether it may be followed.
        let client = reqwest::Client::builder()
            .user_agent(concat!("cairn/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(self.silence)
            .pool_max_idle_per_host(4);
        let client = match self.trust {
            Trust::Operator => client,
            // Neither this machine's proxies nor its names.
            Trust::Chain => client.https_only(true).no_proxy().dns_resolver(Arc::new(PublicOnly)),
        };
        let client =
            client.build().map_err(|error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) })?;
        Ok(HttpClient::new(client))
    }
}

/// Resolves names, and forgets every address that is not of the public network: a name that anybody chose may lead anywhere.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                let reason = format!("{} has no address on the public network", name.as_str());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let error = PublicOnly.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(error.to_string().contains("no address on the public network"), "{error}");
    }
}

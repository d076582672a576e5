//! URLs of RPC servers, which may hold a key that nobody should see in a log.

use hyper::Uri;

/// Text that is not the URL of an RPC server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL of an RPC server looks like http://127.0.0.1:7440 or https://api.devnet.solana.com: {0}")]
pub struct InvalidUrl(&'static str);

/// Where requests go, and how that is shown.
pub(super) struct Endpoint {
    pub uri: Uri,
    /// Scheme, host and port only.
    pub place: String,
}

pub(super) fn parse(text: &str) -> Result<Endpoint, InvalidUrl> {
    if text.len() > 2_048 {
        return Err(InvalidUrl("this text is too long"));
    }
    let url = url::Url::parse(text).map_err(|_| InvalidUrl("this text is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(InvalidUrl("the scheme is http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidUrl("a user name or password in it is not sent: put the key where the provider says"));
    }
    let host = url.host_str().ok_or(InvalidUrl("it names no host"))?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let place = format!("{}://{host}{port}", url.scheme());
    let uri = url.as_str().parse().map_err(|_| InvalidUrl("this text is no URL"))?;
    Ok(Endpoint { uri, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_url_is_sent_but_never_shown() {
        let endpoint = parse("https://rpc.example.org:8443/v1/secret?api-key=secret").unwrap();
        assert_eq!(endpoint.place, "https://rpc.example.org:8443");
        assert_eq!(endpoint.uri.path_and_query().unwrap(), "/v1/secret?api-key=secret");
        assert_eq!(parse("http://[::1]:7440").unwrap().place, "http://[::1]:7440");
    }

    #[test]
    fn what_is_no_server_is_refused_with_an_example() {
        let long = format!("http://{}", "a".repeat(3_000));
        for text in ["", "127.0.0.1:7440", "localhost", "ftp://example.org", "ws://h", "http://", "http://u:p@h", &long]
        {
            let Err(error) = parse(text) else { panic!("{text} passed") };
            assert!(error.to_string().contains("http://127.0.0.1:7440"), "{error}");
        }
    }
}

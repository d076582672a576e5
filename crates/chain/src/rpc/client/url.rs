//! URLs of RPC servers, which may hold a key that nobody should see in a log.

use hyper::Uri;
use url::Url;

/// Letters of a URL.
const MAX_URL: usize = 2_048;

/// Text that is not the URL of an RPC server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL of {0}: {1}")]
pub struct InvalidUrl(&'static str, &'static str);

const SERVER: &str = "an RPC server looks like http://127.0.0.1:7440 or https://api.devnet.solana.com";
const WEBSOCKET: &str = "a websocket looks like ws://127.0.0.1:8900 or wss://api.devnet.solana.com";

/// Where requests go, and how that is shown.
pub(super) struct Endpoint {
    pub uri: Uri,
    /// Scheme, host and port only.
    pub place: String,
    /// Where Solana's tools look for the same server's websocket.
    pub websocket: Option<Uri>,
}

pub(super) fn parse(text: &str) -> Result<Endpoint, InvalidUrl> {
    let url = checked(text, ["http", "https"], SERVER, "the scheme is http or https")?;
    let uri = url.as_str().parse().map_err(|_| InvalidUrl(SERVER, "this text is no URL"))?;
    Ok(Endpoint { uri, place: place(&url), websocket: derived(&url) })
}

/// The URL of a websocket, and how it is shown.
pub(super) fn websocket(text: &str) -> Result<(Uri, String), InvalidUrl> {
    let url = checked(text, ["ws", "wss"], WEBSOCKET, "the scheme is ws or wss")?;
    let uri = url.as_str().parse().map_err(|_| InvalidUrl(WEBSOCKET, "this text is no URL"))?;
    Ok((uri, place(&url)))
}

/// How a URL may be shown: scheme, host and port; a placeholder for what is none.
pub(super) fn shown(text: &str) -> String {
    parse(text).map_or_else(|_| "an invalid URL".to_owned(), |endpoint| endpoint.place)
}

fn checked(text: &str, schemes: [&str; 2], what: &'static str, scheme: &'static str) -> Result<Url, InvalidUrl> {
    if text.len() > MAX_URL {
        return Err(InvalidUrl(what, "this text is too long"));
    }
    let url = Url::parse(text).map_err(|_| InvalidUrl(what, "this text is no URL"))?;
    if !schemes.contains(&url.scheme()) {
        return Err(InvalidUrl(what, scheme));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidUrl(what, "a user name or password in it is not sent: put the key where the provider says"));
    }
    match url.host_str() {
        Some(_) => Ok(url),
        None => Err(InvalidUrl(what, "it names no host")),
    }
}

fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The same host and path, `ws` for `http`; a validator's websocket has the port after that of its RPC.
fn derived(url: &Url) -> Option<Uri> {
    let mut url = url.clone();
    url.set_scheme(if url.scheme() == "https" { "wss" } else { "ws" }).ok()?;
    if let Some(port) = url.port() {
        url.set_port(Some(port.checked_add(1)?)).ok()?;
    }
    url.as_str().parse().ok()
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
        assert_eq!(websocket("wss://h:9/secret").unwrap().1, "wss://h:9");
    }

    #[test]
    fn what_is_no_server_is_refused_with_an_example() {
        let long = format!("http://{}", "a".repeat(3_000));
        for text in ["", "127.0.0.1:7440", "localhost", "ftp://example.org", "ws://h", "http://", "http://u:p@h", &long]
        {
            let Err(error) = parse(text) else { panic!("{text} passed") };
            assert!(error.to_string().contains("http://127.0.0.1:7440"), "{error}");
        }
        for text in ["http://h", "ws://", "ws://u:p@h", "8900"] {
            assert!(websocket(text).unwrap_err().to_string().contains("ws://127.0.0.1:8900"));
        }
    }

    #[test]
    fn a_websocket_is_looked_for_where_solanas_tools_look() {
        for (url, expected) in [
            ("http://127.0.0.1:8899", Some("ws://127.0.0.1:8900/")),
            ("https://api.devnet.solana.com", Some("wss://api.devnet.solana.com/")),
            ("https://h.example/key?a=b", Some("wss://h.example/key?a=b")),
            ("https://h.example:8443/key", Some("wss://h.example:8444/key")),
            ("http://h:65535", None),
        ] {
            let found = parse(url).unwrap().websocket.map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }
}

//! Which servers a chain is reached through, and how patiently.

use super::url::{self, InvalidUrl};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// Servers that one chain may have.
pub const MAX_SERVERS: usize = 16;

/// How a chain is reached over JSON-RPC.
#[derive(Clone)]
pub struct RpcOptions {
    /// The servers, the preferred one first; at least one, and at most [`MAX_SERVERS`]. All serve one chain.
    pub urls: Vec<String>,
    /// Genesis hash that every server must have. Without it, the first answer decides for all of them.
    pub genesis: Option<[u8; 32]>,
    /// Requests that one server is sent within a second, and at once; no limit of ours without it.
    pub requests_per_second: Option<NonZeroU32>,
    /// How long one request may take before another server is asked.
    pub attempt: Duration,
    /// How long one call may take, with every server, pause and repetition in it.
    pub budget: Duration,
    /// A server whose slot has not moved for so long is not believed to follow the cluster; `None` believes it.
    pub stall: Option<Duration>,
    /// Where account changes are subscribed to.
    pub websocket: Websocket,
}

/// Where account changes are subscribed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Websocket {
    /// Where Solana's tools look: at the server's own address, a port higher where the URL names one.
    #[default]
    Derived,
    /// Nowhere: accounts are polled.
    Off,
    /// At this URL (`ws` or `wss`), whichever server answers requests.
    At(String),
}

/// Options that make no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRpcOptions {
    /// No server.
    #[error("name at least one RPC server")]
    NoServer,
    /// Too many servers.
    #[error("{0} RPC servers are named, at most {MAX_SERVERS} are used: leave some out")]
    TooMany(usize),
    /// Twice the same.
    #[error("the RPC server {0} is named twice: name each once")]
    Twice(String),
    /// Not the URL of a server.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// Nothing can be answered in no time.
    #[error("the {0} of RPC calls is zero: give it at least some milliseconds")]
    NoTime(&'static str),
}

impl RpcOptions {
    /// How long one call may take, unless told otherwise.
    pub const BUDGET: Duration = Duration::from_secs(60);
    /// How long one request may take, unless told otherwise.
    pub const ATTEMPT: Duration = Duration::from_secs(15);
    /// How long a slot may last, unless told otherwise: 75 of the cluster's usual ones.
    pub const STALL: Duration = Duration::from_secs(30);

    /// These servers, everything else as usual.
    #[must_use]
    pub fn new<T: Into<String>>(urls: impl IntoIterator<Item = T>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            genesis: None,
            requests_per_second: None,
            attempt: Self::ATTEMPT,
            budget: Self::BUDGET,
            stall: Some(Self::STALL),
            websocket: Websocket::Derived,
        }
    }

    /// The same for each server alone: for whoever asks them all and compares.
    #[must_use]
    pub fn each(&self) -> Vec<Self> {
        self.urls.iter().map(|url| Self { urls: vec![url.clone()], ..self.clone() }).collect()
    }

    /// How the servers may be shown, in order: scheme, host and port.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        self.urls.iter().map(|url| url::shown(url)).collect()
    }

    /// Checks everything that can be checked without asking a server.
    ///
    /// # Errors
    /// [`InvalidRpcOptions`] says what to change.
    pub fn check(&self) -> Result<(), InvalidRpcOptions> {
        match self.urls.len() {
            0 => return Err(InvalidRpcOptions::NoServer),
            count if count > MAX_SERVERS => return Err(InvalidRpcOptions::TooMany(count)),
            _ => {}
        }
        let mut uris = Vec::new();
        for text in &self.urls {
            let endpoint = url::parse(text)?;
            if uris.contains(&endpoint.uri) {
                return Err(InvalidRpcOptions::Twice(endpoint.place));
            }
            uris.push(endpoint.uri);
        }
        if let Websocket::At(text) = &self.websocket {
            url::websocket(text)?;
        }
        for (name, time) in [("budget", self.budget), ("time limit of one request", self.attempt)] {
            if time.is_zero() {
                return Err(InvalidRpcOptions::NoTime(name));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RpcOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may hold keys.
        f.debug_struct("RpcOptions")
            .field("servers", &self.places())
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl FromStr for Websocket {
    type Err = InvalidUrl;

    /// `auto`, `off`, or a URL.
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        match text {
            "auto" => Ok(Self::Derived),
            "off" => Ok(Self::Off),
            text => url::websocket(text).map(|_| Self::At(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &RpcOptions) -> String {
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn options_that_make_no_chain_are_refused_with_what_to_change() {
        let good = RpcOptions::new(["http://a.example", "https://b.example/key"]);
        good.check().unwrap();
        assert!(refused(&RpcOptions::new(Vec::<String>::new())).contains("at least one"));
        assert!(refused(&RpcOptions::new((0..17).map(|n| format!("http://h{n}")))).contains("17"));
        assert!(refused(&RpcOptions::new(["http://a.example", "http://A.example/"])).contains("twice"));
        assert!(refused(&RpcOptions::new(["a.example"])).contains("no URL"));
        assert!(refused(&RpcOptions { budget: Duration::ZERO, ..good.clone() }).contains("budget"));
        assert!(refused(&RpcOptions { attempt: Duration::ZERO, ..good.clone() }).contains("request"));
        let websocket = Websocket::At("http://a.example".into());
        assert!(refused(&RpcOptions { websocket, ..good }).contains("ws"));
    }

    #[test]
    fn a_key_in_a_url_is_shown_nowhere() {
        let options = RpcOptions::new(["https://a.example/secret?key=secret"]);
        assert_eq!(options.places(), ["https://a.example"]);
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn a_websocket_is_automatic_off_or_a_url() {
        assert_eq!("auto".parse(), Ok(Websocket::Derived));
        assert_eq!("off".parse(), Ok(Websocket::Off));
        assert_eq!("wss://h:1/key".parse(), Ok(Websocket::At("wss://h:1/key".into())));
        "https://h".parse::<Websocket>().unwrap_err();
        "on".parse::<Websocket>().unwrap_err();
    }
}

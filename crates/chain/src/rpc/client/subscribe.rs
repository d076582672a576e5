//! Being told by a server's websocket that accounts changed: one connection per watch, kept up as long as it is wanted.
//!
//! What it says is a hint, never data: a notification's content is not looked at, and a connection that is made anew
//! wakes as well, for something may have been missed. A server without a websocket leaves its clients to poll.

use super::board::{Board, Next};
use super::health::{At, Why};
use super::http::Failure;
use super::options::{RpcOptions, Websocket};
use super::url;
use crate::{AccountWatch, Address, Commitment, metrics};
use futures::{SinkExt as _, StreamExt as _};
use hyper::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

/// Accounts that one watch subscribes to; more are left to polling.
const MAX_ACCOUNTS: usize = 100;
/// Bytes of a message. Content is not asked for; a server that sends it all the same stays below this.
const MAX_MESSAGE_BYTES: usize = 256 << 10;
/// How long connecting, and then subscribing, may take.
const SETUP: Duration = Duration::from_secs(15);
/// A ping is sent so often,
const PING: Duration = Duration::from_secs(20);
/// and without any frame for so long the connection counts as dead.
const SILENCE: Duration = Duration::from_secs(60);
/// Notifications are read no faster than this: one wakes as well as a hundred.
const PACE: Duration = Duration::from_millis(20);
/// Messages of one connection that are neither notification nor answer.
const MAX_STRANGE: usize = 100;
/// A stand-in is left for a look at the servers before it after this time.
const STAND_IN: Duration = Duration::from_secs(600);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where to subscribe, in order of preference.
pub(super) struct Feeds(Vec<Feed>);

#[derive(Clone)]
struct Feed {
    uri: Uri,
    place: String,
}

#[derive(Deserialize)]
struct Incoming {
    id: Option<u64>,
    result: Option<Value>,
    method: Option<String>,
    params: Option<Notification>,
}

#[derive(Deserialize)]
struct Notification {
    subscription: u64,
}

impl Feeds {
    /// The websockets of these servers.
    pub fn new(options: &RpcOptions) -> Self {
        let feed = |uri: Uri| url::websocket(&uri.to_string()).ok().map(|(uri, place)| Feed { uri, place });
        let derived = |text: &String| url::parse(text).ok()?.websocket.and_then(feed);
        Self(match &options.websocket {
            Websocket::Off => Vec::new(),
            Websocket::At(text) => url::websocket(text).map(|(uri, place)| Feed { uri, place }).into_iter().collect(),
            Websocket::Derived => options.urls.iter().filter_map(derived).collect(),
        })
    }

    /// Starts a task that subscribes to these accounts, until the watch is dropped. Outside of a runtime, and without
    /// a websocket, it never wakes.
    pub fn watch(&self, addresses: &[Address], commitment: Commitment) -> AccountWatch {
        let (Ok(runtime), false, false) =
            (tokio::runtime::Handle::try_current(), self.0.is_empty(), addresses.is_empty())
        else {
            return AccountWatch::never();
        };
        let (changes, receiver) = watch::channel(0);
        let stop = CancellationToken::new();
        let board = Board::new(self.0.iter().map(|feed| feed.place.clone()).collect(), None);
        let names: Vec<_> = addresses.iter().take(MAX_ACCOUNTS).map(Address::to_string).collect();
        let task = Follower { feeds: self.0.clone(), board, started: Instant::now(), names, commitment, changes };
        runtime.spawn(stop.clone().run_until_cancelled_owned(task.run()));
        AccountWatch::new(receiver, Some(stop.drop_guard()))
    }
}

struct Follower {
    feeds: Vec<Feed>,
    board: Board,
    started: Instant,
    names: Vec<String>,
    commitment: Commitment,
    changes: watch::Sender<u64>,
}

/// Sets a gauge back when a connection ends, however that happens.
struct Subscribed<'a>(&'a str);

impl Drop for Subscribed<'_> {
    fn drop(&mut self) {
        metrics::subscribed(self.0, 0);
    }
}

impl Follower {
    fn now(&self) -> At {
        self.started.elapsed()
    }

    async fn run(mut self) {
        loop {
            let begun = self.now();
            let index = match self.board.next(begun, &[]) {
                Next::Ask(index) => index,
                Next::Wait(until) => {
                    sleep(until.saturating_sub(begun)).await;
                    continue;
                }
                // Every failure here is one that may pass.
                Next::Nobody => return,
            };
            let Some(feed) = self.feeds.get(index).cloned() else { return };
            let ended = self.connection(index, &feed).await;
            tracing::debug!(server = feed.place, why = ended, "a websocket ended");
            let now = self.now();
            if now.saturating_sub(begun) > SILENCE {
                // It did hold for a while: the pauses begin short again.
                self.board.answered(index, now);
            }
            self.board.failed(index, now, Failure::new(Why::Unreachable, ended), rand::random());
        }
    }

    /// Subscribes and listens, until the connection ends: why it did.
    async fn connection(&mut self, index: usize, feed: &Feed) -> String {
        let setup = async {
            let mut socket = connect(feed).await?;
            let subscriptions = self.subscribe(&mut socket).await?;
            Ok::<_, String>((socket, subscriptions))
        };
        let (mut socket, subscriptions) = match timeout(SETUP, setup).await {
            Ok(Ok(done)) => done,
            Ok(Err(ended)) => return ended,
            Err(_) => return format!("it was not ready within {} s", SETUP.as_secs()),
        };
        let _subscribed = Subscribed(&feed.place);
        metrics::subscribed(&feed.place, self.names.len());
        self.wake();
        let ended = self.listen(&mut socket, &subscriptions, index, feed).await;
        let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
        ended
    }

    /// Subscribes to every account: the numbers of the subscriptions.
    async fn subscribe(&self, socket: &mut Socket) -> Result<HashSet<u64>, String> {
        for (id, name) in self.names.iter().enumerate() {
            let config = json!({
                "encoding": "base64", "commitment": self.commitment.name(), "dataSlice": { "offset": 0, "length": 0 },
            });
            let request = json!({ "jsonrpc": "2.0", "id": id, "method": "accountSubscribe", "params": [name, config] });
            socket.feed(Message::text(request.to_string())).await.map_err(|error| error.to_string())?;
        }
        socket.flush().await.map_err(|error| error.to_string())?;
        let (mut answered, mut subscriptions, mut strange) = (HashSet::new(), HashSet::new(), 0);
        while answered.len() < self.names.len() {
            let Some(message) = socket.next().await else { return Err("the server closed it".to_owned()) };
            let text = match message.map_err(|error| error.to_string())? {
                Message::Text(text) => text,
                Message::Close(_) => return Err("the server closed it".to_owned()),
                _ => continue,
            };
            let incoming = serde_json::from_str(&text).ok();
            match incoming {
                Some(Incoming { id: Some(id), result, .. }) if (id as usize) < self.names.len() => {
                    let number = result.as_ref().and_then(Value::as_u64);
                    subscriptions.insert(number.ok_or("it takes no subscription to accounts")?);
                    answered.insert(id);
                }
                // One that was subscribed to before the others; everything is looked at once they all are.
                Some(Incoming { method: Some(_), .. }) => {}
                _ => strange += 1,
            }
            if strange > MAX_STRANGE {
                return Err("it says too much that makes no sense".to_owned());
            }
        }
        Ok(subscriptions)
    }

    async fn listen(&mut self, socket: &mut Socket, subscriptions: &HashSet<u64>, index: usize, feed: &Feed) -> String {
        let (begun, mut heard, mut strange) = (Instant::now(), Instant::now(), 0);
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = socket.next() => message,
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        return format!("nothing was heard of it for {} s", SILENCE.as_secs());
                    }
                    if index > 0 && begun.elapsed() > STAND_IN {
                        return "it stood in for another one".to_owned();
                    }
                    match timeout(SETUP, socket.send(Message::Ping(Default::default()))).await {
                        Ok(Ok(())) => continue,
                        _ => return "it takes no ping".to_owned(),
                    }
                }
            };
            let text = match message {
                None | Some(Ok(Message::Close(_))) => return "the server closed it".to_owned(),
                Some(Err(error)) => return error.to_string(),
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    heard = Instant::now();
                    sleep(PACE).await;
                    continue;
                }
                Some(Ok(_)) => return "it sends something that is no text".to_owned(),
            };
            heard = Instant::now();
            match serde_json::from_str(&text) {
                Ok(Incoming { method: Some(method), params: Some(Notification { subscription }), .. })
                    if method == "accountNotification" && subscriptions.contains(&subscription) =>
                {
                    // It does what it is there for.
                    let now = self.now();
                    self.board.answered(index, now);
                    metrics::notified(&feed.place);
                    self.wake();
                }
                _ => strange += 1,
            }
            if strange > MAX_STRANGE {
                return "it says too much that makes no sense".to_owned();
            }
            sleep(PACE).await;
        }
    }

    fn wake(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }
}

async fn connect(feed: &Feed) -> Result<Socket, String> {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let connected = connect_async_with_config(feed.uri.clone(), Some(config), true).await;
    // The error may repeat the URL, and with it a key.
    connected.map(|(socket, _)| socket).map_err(|error| match error {
        tokio_tungstenite::tungstenite::Error::Http(response) => format!("it answered HTTP {}", response.status()),
        tokio_tungstenite::tungstenite::Error::Io(error) => error.to_string(),
        _ => "it cannot be connected to".to_owned(),
    })
}

//! One server: its connection, its rate, and whether it serves our chain.

use super::health::Why;
use super::http::{CallError, Failure, Transport};
use super::options::RpcOptions;
use super::url::{self, InvalidUrl};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A server and what limits us towards it.
pub(super) struct Server {
    pub transport: Transport,
    limiter: Option<DefaultDirectRateLimiter>,
    clock: DefaultClock,
    /// Connections that had been made when the chain behind them was last checked; zero when it has to be.
    checked: AtomicU64,
    /// Held by whoever checks.
    checking: tokio::sync::Mutex<()>,
}

impl Server {
    pub fn new(text: &str, options: &RpcOptions) -> Result<Self, InvalidUrl> {
        Ok(Self {
            transport: Transport::new(url::parse(text)?),
            limiter: options.requests_per_second.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            clock: DefaultClock::default(),
            checked: AtomicU64::new(0),
            checking: tokio::sync::Mutex::new(()),
        })
    }

    pub fn place(&self) -> &str {
        &self.transport.endpoint().place
    }

    /// Asks once, as soon as the rate allows, within `patience` from then on; the answer is of a server of our chain.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
        ours: &OnceLock<[u8; 32]>,
        patience: Duration,
    ) -> Result<T, CallError> {
        self.turn().await;
        let work = async {
            // A transaction is not given to whoever happens to be there.
            if method == "sendTransaction" {
                self.check_chain(ours).await?;
            }
            let answer = self.transport.request(method, params).await;
            if let Ok(_) | Err(CallError::Answer { .. } | CallError::Unable { .. }) = &answer {
                self.check_chain(ours).await?;
            }
            answer
        };
        let answer = tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
            Err(Failure::new(Why::Unreachable, format!("it did not answer within {patience:.1?}")).into())
        });
        if let Err(CallError::Failed(Failure { why: Why::Unreachable, .. })) = &answer {
            // What comes back may be another machine.
            self.checked.store(0, Ordering::SeqCst);
        }
        answer
    }

    /// Waits until the rate allows a request.
    async fn turn(&self) {
        let Some(limiter) = &self.limiter else { return };
        while let Err(early) = limiter.check() {
            tokio::time::sleep(early.wait_time_from(self.clock.now())).await;
        }
    }

    /// Asks for the genesis hash when there is a connection that was made since that was done last.
    async fn check_chain(&self, ours: &OnceLock<[u8; 32]>) -> Result<(), CallError> {
        if self.is_checked() {
            return Ok(());
        }
        let _held = self.checking.lock().await;
        if self.is_checked() {
            return Ok(());
        }
        let made = self.transport.connections();
        self.turn().await;
        let theirs = self.genesis().await?;
        let ours = ours.get_or_init(|| theirs);
        if *ours != theirs {
            let [theirs, ours] = [theirs, *ours].map(|hash| bs58::encode(hash).into_string());
            let what = format!(
                "it serves another chain, with genesis {theirs} where {ours} is wanted: name servers of one cluster only"
            );
            return Err(Failure::new(Why::OtherChain, what).into());
        }
        self.checked.store(made.max(1), Ordering::SeqCst);
        Ok(())
    }

    fn is_checked(&self) -> bool {
        let checked = self.checked.load(Ordering::SeqCst);
        checked > 0 && checked >= self.transport.connections()
    }

    async fn genesis(&self) -> Result<[u8; 32], CallError> {
        let method = "getGenesisHash";
        let text: String = self.transport.request(method, &json!([])).await?;
        Ok(hash(&text).map_err(|reason| Failure::odd(method, reason))?)
    }
}

/// 32 bytes in base58.
pub(super) fn hash(text: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    match bs58::decode(text).onto(&mut bytes) {
        Ok(32) => Ok(bytes),
        _ => Err("a hash is not 32 bytes in base58".to_owned()),
    }
}

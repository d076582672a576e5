//! How often a peer may call and a node may submit.
//!
//! The peer is asked about first, before its call costs anything; the node only once its signature was checked, so that
//! nobody uses up another's share.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Keys that a limiter remembers before it forgets those that have their whole burst again.
const KEYS: usize = 1 << 14;

/// Calls in a second, in the long run, and as many more at once. Zero is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of one peer address.
    pub peer: u32,
    /// Of one node.
    pub node: u32,
}

impl Rates {
    /// No limits.
    pub const NONE: Self = Self { peer: 0, node: 0 };
}

/// Counts calls.
#[derive(Debug)]
pub struct Limiter {
    peers: Option<DefaultKeyedRateLimiter<u128>>,
    nodes: Option<DefaultKeyedRateLimiter<u32>>,
    clock: DefaultClock,
}

impl Limiter {
    /// A limiter of these rates.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self {
            peers: quota(rates.peer).map(RateLimiter::keyed),
            nodes: quota(rates.node).map(RateLimiter::keyed),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a call of a peer. One without an address is on this machine, and free.
    ///
    /// # Errors
    /// When it has called too often: the time until it may again.
    pub fn peer(&self, peer: Option<SocketAddr>) -> Result<(), Duration> {
        match (&self.peers, peer) {
            (Some(peers), Some(peer)) => self.count(peers, peer_key(peer.ip())),
            _ => Ok(()),
        }
    }

    /// Counts a bundle of a node.
    ///
    /// # Errors
    /// When it has submitted too often: the time until it may again.
    pub fn node(&self, node_index: u32) -> Result<(), Duration> {
        self.nodes.as_ref().map_or(Ok(()), |nodes| self.count(nodes, node_index))
    }

    fn count<K: std::hash::Hash + Eq + Clone>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: K,
    ) -> Result<(), Duration> {
        if limiter.len() > KEYS {
            limiter.retain_recent();
        }
        limiter.check_key(&key).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// One network is one peer: an IPv4 address, or the 64 bits of an IPv6 address that a provider gives out whole.
fn peer_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

fn quota(per_second: u32) -> Option<Quota> {
    let per_second = NonZeroU32::new(per_second)?;
    Some(Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::new(2).unwrap())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(text.parse().unwrap(), 1_000))
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_time_to_wait_is_told() {
        let limiter = Limiter::new(Rates { peer: 0, node: 2 });
        for _ in 0..4 {
            limiter.node(7).unwrap();
        }
        let wait = limiter.node(7).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        limiter.node(8).unwrap();
        std::thread::sleep(wait);
        limiter.node(7).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_peer_and_a_mapped_address_is_itself() {
        let limiter = Limiter::new(Rates { peer: 1, node: 0 });
        limiter.peer(peer("2001:db8::1")).unwrap();
        limiter.peer(peer("2001:db8::2")).unwrap();
        limiter.peer(peer("2001:db8::3")).unwrap_err();
        limiter.peer(peer("2001:db8:0:1::3")).unwrap();
        limiter.peer(peer("192.0.2.1")).unwrap();
        limiter.peer(peer("::ffff:192.0.2.1")).unwrap();
        limiter.peer(peer("192.0.2.1")).unwrap_err();
        limiter.peer(peer("192.0.2.2")).unwrap();
    }

    #[test]
    fn zero_is_no_limit() {
        let limiter = Limiter::new(Rates::NONE);
        for _ in 0..10_000 {
            limiter.node(1).unwrap();
            limiter.peer(peer("192.0.2.1")).unwrap();
        }
    }

    #[test]
    fn many_peers_do_not_fill_the_memory() {
        let limiter = Limiter::new(Rates { peer: 1_000_000, node: 0 });
        for address in 0..3 * KEYS as u32 {
            limiter.peer(Some(SocketAddr::new(std::net::Ipv4Addr::from_bits(address).into(), 1))).unwrap();
        }
        assert!(limiter.peers.unwrap().len() <= KEYS + 1);
    }
}

//! Solana's public clusters, told apart by their genesis hashes.

use crate::Address;
use std::fmt;
use std::str::FromStr;

/// A public cluster. Its genesis hash is what Solana's own tools know it by (`solana-cluster-type` 3.1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// Where SOL has a price.
    MainnetBeta,
    /// Where validators try new versions.
    Testnet,
    /// Where programs are tried.
    Devnet,
}

/// Text that names no public cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public cluster is mainnet-beta, testnet or devnet; any other chain is named by its genesis hash")]
pub struct UnknownCluster;

impl Cluster {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MainnetBeta, Self::Testnet, Self::Devnet];

    /// Hash of its first block.
    #[must_use]
    pub const fn genesis_hash(self) -> [u8; 32] {
        // A genesis hash is written like an address: 32 bytes in base58.
        match self {
            Self::MainnetBeta => Address::constant("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").0,
            Self::Testnet => Address::constant("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY").0,
            Self::Devnet => Address::constant("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG").0,
        }
    }

    /// Its name in Solana's tools.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MainnetBeta => "mainnet-beta",
            Self::Testnet => "testnet",
            Self::Devnet => "devnet",
        }
    }

    /// The cluster with this genesis hash.
    #[must_use]
    pub fn of(genesis_hash: &[u8; 32]) -> Option<Self> {
        Self::ALL.into_iter().find(|cluster| cluster.genesis_hash() == *genesis_hash)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cluster {
    type Err = UnknownCluster;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cluster| cluster.name() == text).ok_or(UnknownCluster)
    }
}

/// A chain as a message names it: the cluster, or the genesis hash in base58.
pub(super) fn chain_name(genesis_hash: &[u8; 32]) -> String {
    let hash = Address(*genesis_hash);
    Cluster::of(genesis_hash).map_or_else(|| hash.to_string(), |cluster| format!("{hash} ({cluster})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_begin_as_the_clusters_names_in_caip_2_do() {
        for (cluster, name) in [
            (Cluster::MainnetBeta, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
            (Cluster::Testnet, "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z"),
            (Cluster::Devnet, "EtWTRABZaYq6iMfeYKouRu166VU2xqa1"),
        ] {
            assert_eq!(Address(cluster.genesis_hash()).to_string()[..32], *name);
            assert_eq!(Cluster::of(&cluster.genesis_hash()), Some(cluster));
            assert_eq!(cluster.name().parse(), Ok(cluster));
        }
        assert_eq!(Cluster::of(&[0; 32]), None);
        assert_eq!("mainnet".parse::<Cluster>(), Err(UnknownCluster));
    }
}

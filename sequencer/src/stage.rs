//! The stages that a batch goes through, and the words for them.

use std::fmt;

/// What has happened to a batch. None waits for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Its header is final and on disk.
    Sealed,
    /// Its data is in the object store.
    Published,
    /// A proof of its header is on disk and in the object store.
    Proved,
    /// The chain has its header in a block that a supermajority has voted on, and that may still be dropped.
    Confirmed,
    /// The chain has its header, finally.
    Submitted,
    /// The chain has verified its proof, finally.
    Settled,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 6] =
        [Self::Sealed, Self::Published, Self::Proved, Self::Confirmed, Self::Submitted, Self::Settled];

    /// The word for it, in logs, metrics and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Published => "published",
            Self::Proved => "proved",
            Self::Confirmed => "confirmed",
            Self::Submitted => "submitted",
            Self::Settled => "settled",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

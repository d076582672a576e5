//! The program's accounts, read from their bytes.
//!
//! Each begins with an eight-byte discriminator, followed by fields at fixed offsets without padding between them;
//! integers are little-endian, digests four words. A parser checks length, discriminator and every word's canonical
//! form. **Whether the account belongs to the program is for the caller to check**: anyone can fill an account of
//! their own with any bytes.

mod batch;
mod history;
mod node;
mod proof;
mod queue;
mod reader;
mod rollup;

pub use batch::{Batch, BatchStatus};
pub use history::{History, KEPT_ROOTS};
pub use node::Node;
pub use proof::{Proof, ProofOwners, proof_account};
pub use queue::{Queue, RingEntry, RingError};
pub use rollup::{Registry, Rollup, abandonable_from};

/// What an account's bytes are, for messages and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKind {
    /// The name in the program.
    pub name: &'static str,
    /// First eight bytes: of SHA-256 of `account:` and the name.
    pub discriminator: [u8; 8],
    /// Length in bytes.
    pub size: usize,
}

/// Sizes of what accounts are made of, discriminator excluded.
pub mod layout {
    /// Bytes before the fields.
    pub const DISCRIMINATOR: usize = 8;
    /// A cursor: batches, header digest, state root, queue position, queue digest.
    pub const CURSOR: usize = 8 + 32 + 32 + 8 + 32;
    /// Bytes of a `Rollup` that later versions have for limits and keys.
    pub const ROLLUP_RESERVED: usize = 7 * 8;
    /// The end of a `Rollup`: profile, two bumps, length of the blob location, four zeros, the blob location.
    pub const ROLLUP_TAIL: usize = 8 + crate::MAX_BLOB_LOCATION_BYTES;
    /// A queue before its ring: rollup, length, digest, number of nodes.
    pub const QUEUE_HEAD: usize = 32 + 8 + 32 + 8;
    /// A place of a queue's ring: digest, slot, kind, node index, key.
    pub const RING_ENTRY: usize = 32 + 8 + 4 + 4 + 40;
    /// A `Proof` before what the steps have computed: authority, payer, statement, circuit.
    pub const PROOF_HEAD: usize = 4 * 32;
    /// A root that a `History` keeps: size of the tree, root.
    pub const KEPT_ROOT: usize = 8 + 32;
    /// What one instruction can add to an account, and hence the size at which `initialize` creates a queue.
    pub const GROWTH: usize = 10_240;
}

/// A rollup: keys, identity, cursors, limits, where blobs are.
pub const ROLLUP: AccountKind = AccountKind {
    name: "Rollup",
    discriminator: [0x90, 0x43, 0xc9, 0xd9, 0x1a, 0x52, 0x6c, 0x6a],
    size: layout::DISCRIMINATOR
        + 7 * 32
        + 2 * layout::CURSOR
        + 6 * 8
        + 2 * 4
        + 8
        + layout::ROLLUP_RESERVED
        + layout::ROLLUP_TAIL,
};

/// A registration queue at its full size: length, digest, number of nodes, ring.
pub const QUEUE: AccountKind = AccountKind {
    name: "Queue",
    discriminator: [0xcc, 0xa7, 0x06, 0xf7, 0x14, 0x21, 0x02, 0xbc],
    size: layout::DISCRIMINATOR + layout::QUEUE_HEAD + crate::QUEUE_RING * layout::RING_ENTRY,
};

/// Calls of `extend_queue` after `initialize`.
pub const QUEUE_EXTENSIONS: usize = (QUEUE.size - 1) / layout::GROWTH;

/// A registered node.
pub const NODE: AccountKind = AccountKind {
    name: "Node",
    discriminator: [0xd0, 0x35, 0x01, 0x03, 0x31, 0x7a, 0xb4, 0x31],
    size: layout::DISCRIMINATOR + 3 * 32 + 40 + 3 * 8 + 8,
};

/// A submitted batch.
pub const BATCH: AccountKind = AccountKind {
    name: "Batch",
    discriminator: [0x9c, 0xc2, 0x46, 0x2c, 0x16, 0x58, 0x89, 0x2c],
    size: layout::DISCRIMINATOR + 2 * 32 + 7 * 8 + 32 + 48 * 8,
};

/// The tree of a rollup's settled batches.
pub const HISTORY: AccountKind = AccountKind {
    name: "History",
    discriminator: [0x1f, 0xd8, 0x3c, 0x21, 0xd5, 0xd1, 0x46, 0x65],
    size: layout::DISCRIMINATOR + 32 + 8 + 32 + cairn_types::history::PEAKS * 32 + KEPT_ROOTS * layout::KEPT_ROOT,
};

/// Why bytes are not the account that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Another length, and another kind as far as one can tell.
    #[error("a {account} account is {expected} bytes long, this one {actual}")]
    Length {
        /// What was looked for.
        account: &'static str,
        /// Its length.
        expected: usize,
        /// The length found.
        actual: usize,
    },
    /// Its kind, in another length.
    #[error(
        "this {account} account is {actual} bytes long, and {expected} in this version: it was made by another version, or is \
         not complete yet; use the version that made it, or start over with a new rollup"
    )]
    Version {
        /// What was looked for.
        account: &'static str,
        /// Its length in this version.
        expected: usize,
        /// The length found.
        actual: usize,
    },
    /// Another discriminator.
    #[error("this account is not a {account}: its first eight bytes are those of something else")]
    Discriminator {
        /// What was looked for.
        account: &'static str,
    },
    /// A field holds what the program would not write.
    #[error("field {field} of the {account} account is invalid: {reason}")]
    Field {
        /// What was looked for.
        account: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

#[cfg(test)]
mod tests;

#[cfg(all(test, feature = "derive"))]
mod kinds {
    use super::*;
    use crate::Profile;
    use sha2::{Digest, Sha256};

    #[test]
    fn discriminators_are_hashes_of_the_names() {
        for kind in [ROLLUP, QUEUE, NODE, BATCH, HISTORY, proof_account(Profile::Dev)] {
            let hash = Sha256::new().chain_update("account:").chain_update(kind.name).finalize();
            assert_eq!(hash[..8], kind.discriminator, "{}", kind.name);
        }
    }
}

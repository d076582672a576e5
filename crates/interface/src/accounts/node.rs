//! The `Node` account.

use super::reader::Reader;
use super::{AccountError, NODE};
use crate::Address;
use cairn_types::limits::MAX_NODES;
use cairn_types::{EntryKind, ReceiptKey};

/// A registered node, as the chain has it. It stays for ever: an index and an authority are used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The rollup it is registered in.
    pub rollup: Address,
    /// Who rotates its key and deactivates it.
    pub authority: Address,
    /// Who paid for its registration, and gets the bond back.
    pub payer: Address,
    /// The key it signs with once its last entry is consumed; zero when it is deactivated.
    pub receipt_key: ReceiptKey,
    /// The slot it was registered in.
    pub registered_slot: u64,
    /// Lamports that this account holds beyond its rent until they are refunded.
    pub bond: u64,
    /// Position of its last entry in the queue.
    pub last_position: u64,
    /// Its place in the account tree, given by the program.
    pub index: u32,
    /// What its last entry was.
    pub last_kind: EntryKind,
}

impl Node {
    /// Reads an account that belongs to the program.
    ///
    /// # Errors
    /// When the bytes are not a `Node`.
    pub fn parse(data: &[u8]) -> Result<Self, AccountError> {
        let mut reader = Reader::open(NODE, data)?;
        let rollup = reader.address("rollup")?;
        let authority = reader.address("authority")?;
        let payer = reader.address("payer")?;
        let receipt_key = ReceiptKey::from_bytes(reader.bytes("receipt_key")?)
            .map_err(|_| reader.invalid("receipt_key", "a word is not canonical"))?;
        let registered_slot = reader.word("registered_slot")?;
        let bond = reader.word("bond")?;
        let last_position = reader.word("last_position")?;
        let index = reader.half("index")?;
        if index >= MAX_NODES {
            return Err(reader.invalid("index", "it is not below 2^24"));
        }
        let last_kind = EntryKind::from_code(reader.byte("last_kind")?.into())
            .ok_or(reader.invalid("last_kind", "it is not that of a registration, rotation or deactivation"))?;
        reader.byte("bump")?;
        reader.zeros("padding", 2)?;
        let node =
            Self { rollup, authority, payer, receipt_key, registered_slot, bond, last_position, index, last_kind };
        if node.receipt_key.is_zero() == node.is_active() {
            return Err(reader.invalid("receipt_key", "it is zero exactly when the node is deactivated"));
        }
        Ok(node)
    }

    /// Whether it is registered and has not been deactivated. What batches do with it depends on which of its entries are
    /// consumed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.last_kind != EntryKind::Deactivate
    }
}

//! The registration queue: who may sign, in the order in which the chain said so.

use crate::hash::{Kind, hash};
use crate::limits::MAX_NODES;
use crate::{Digest, QueueCursor, ReceiptKey};
use borsh::io::{Error, ErrorKind, Read, Result as IoResult};
use borsh::{BorshDeserialize, BorshSerialize};

/// What an entry does to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum EntryKind {
    /// Writes a fresh account with the key.
    Register = 1,
    /// Replaces the key; sequence and totals stay.
    Rotate = 2,
    /// Replaces the key by zero; sequence and totals stay.
    Deactivate = 3,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Register, Self::Rotate, Self::Deactivate];

    /// The code in digests and accounts.
    #[must_use]
    pub const fn code(self) -> u64 {
        self as u64
    }

    /// The kind with a code.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            1 => Some(Self::Register),
            2 => Some(Self::Rotate),
            3 => Some(Self::Deactivate),
            _ => None,
        }
    }

    /// What reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Rotate => "rotate",
            Self::Deactivate => "deactivate",
        }
    }
}

/// One entry of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshSerialize)]
pub struct QueueEntry {
    /// What it does.
    pub kind: EntryKind,
    /// To which account, below 2^24.
    pub node_index: u32,
    /// With which key; zero when it deactivates.
    pub key: ReceiptKey,
}

/// Why fields are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Node index over the account tree.
    #[error("node_index {0} of a queue entry is not below 2^24")]
    NodeIndex(u32),
    /// A deactivation that names a key.
    #[error("a deactivation has key zero")]
    Key,
}

impl QueueEntry {
    /// An entry, checked.
    ///
    /// # Errors
    /// When the index is out of range, or a deactivation names a key.
    pub fn new(kind: EntryKind, node_index: u32, key: ReceiptKey) -> Result<Self, EntryError> {
        if node_index >= MAX_NODES {
            return Err(EntryError::NodeIndex(node_index));
        }
        if kind == EntryKind::Deactivate && !key.is_zero() {
            return Err(EntryError::Key);
        }
        Ok(Self { kind, node_index, key })
    }

    /// The words that [`Kind::Queue`] hashes for this entry after `previous`, at `position` (the first is 1).
    #[must_use]
    pub const fn words(&self, previous: &Digest, position: u64) -> [u64; 12] {
        let ([p0, p1, p2, p3], [k0, k1, k2, k3, k4]) = (previous.words(), self.key.words());
        [p0, p1, p2, p3, position, self.kind.code(), self.node_index as u64, k0, k1, k2, k3, k4]
    }
}

impl BorshDeserialize for QueueEntry {
    fn deserialize_reader<R: Read>(reader: &mut R) -> IoResult<Self> {
        let (kind, node_index, key) = BorshDeserialize::deserialize_reader(reader)?;
        Self::new(kind, node_index, key).map_err(|_| Error::new(ErrorKind::InvalidData, "queue entry is out of range"))
    }
}

impl QueueCursor {
    /// The cursor after one more entry: `digest_p = H_queue(digest_{p-1}, p, kind, node_index, key)`.
    #[must_use]
    pub fn push(&self, entry: &QueueEntry) -> Self {
        let position = self.position + 1;
        Self { position, digest: hash(Kind::Queue, &entry.words(&self.digest, position)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ReceiptKey = match ReceiptKey::from_words([1, 2, 3, 4, 5]) {
        Ok(key) => key,
        Err(_) => unreachable!(),
    };

    fn start() -> QueueCursor {
        QueueCursor { position: 0, digest: crate::queue_genesis(&Digest::ZERO) }
    }

    #[test]
    fn every_part_of_an_entry_moves_the_digest() {
        let entry = QueueEntry::new(EntryKind::Register, 7, KEY).unwrap();
        let other_key = ReceiptKey::from_words([1, 2, 3, 4, 6]).unwrap();
        let digest = start().push(&entry).digest;
        for other in [
            QueueEntry { kind: EntryKind::Rotate, ..entry },
            QueueEntry { node_index: 8, ..entry },
            QueueEntry { key: other_key, ..entry },
        ] {
            assert_ne!(start().push(&other).digest, digest);
        }
        let later = QueueCursor { position: 1, ..start() };
        assert_ne!(later.push(&entry).digest, digest);
    }

    #[test]
    fn order_moves_the_digest() {
        let [a, b] = [1, 2].map(|index| QueueEntry::new(EntryKind::Register, index, KEY).unwrap());
        assert_ne!(start().push(&a).push(&b).digest, start().push(&b).push(&a).digest);
    }

    #[test]
    fn bytes_of_an_entry_out_of_range_are_refused() {
        let entry = QueueEntry::new(EntryKind::Rotate, MAX_NODES - 1, KEY).unwrap();
        let bytes = borsh::to_vec(&entry).unwrap();
        assert_eq!(borsh::from_slice::<QueueEntry>(&bytes).unwrap(), entry);
        let far = borsh::to_vec(&QueueEntry { node_index: MAX_NODES, ..entry }).unwrap();
        assert!(borsh::from_slice::<QueueEntry>(&far).is_err());
        let named = borsh::to_vec(&QueueEntry { kind: EntryKind::Deactivate, ..entry }).unwrap();
        assert!(borsh::from_slice::<QueueEntry>(&named).is_err());
    }

    #[test]
    fn codes_and_kinds_agree() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(EntryKind::from_code(0), None);
        assert_eq!(EntryKind::from_code(4), None);
    }
}

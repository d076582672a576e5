//! The account proof: what a node's account was after a batch, tied to that batch's header.

use crate::limits::{ACCOUNTS_DEPTH, MAX_NODES};
use crate::state::PartialState;
use crate::{Account, BatchHeader, Digest, HEADER_WORDS, HeaderError, tree};
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Extension of account proof files.
pub const ACCOUNT_PROOF_FILE_EXTENSION: &str = "cairnaccount";
/// First bytes of an account proof, with its version.
const MAGIC: [u8; 8] = *b"CAIRNA\x00\x01";
/// Length of the longest file: all of it is of fixed size but the account, which may be absent.
const LONGEST: usize = 8 + 4 + (1 + 40 + 3 * 8) + 32 * ACCOUNTS_DEPTH + 8 * HEADER_WORDS;

/// The path from a place in the account tree to the header of a batch, in whose new state root it ends.
///
/// As a receipt's proof file it holds nothing that can be derived. Without an account it proves that none was registered.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountProof {
    magic: [u8; 8],
    /// The node.
    pub node_index: u32,
    /// Its account after the batch; `None` if none was ever registered there.
    pub account: Option<Account>,
    /// Siblings from the account up to the state root.
    pub path: [Digest; ACCOUNTS_DEPTH],
    /// The 48 words of the header.
    pub header: [u64; HEADER_WORDS],
}

/// What a consistent account proof shows. It is worth as much as the trust in `header_digest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedAccount {
    /// The node.
    pub node_index: u32,
    /// Its account after the batch: who signs for it from then on, and what it signed until then.
    pub account: Option<Account>,
    /// Header of the batch.
    pub header: BatchHeader,
    /// Digest of that header: compare it with the chain.
    pub header_digest: Digest,
}

/// Why an account proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountProofError {
    /// Not an account proof at all.
    #[error("not a Cairn account proof: {0}")]
    Format(String),
    /// The header is not one.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// No account has this index.
    #[error("node_index {0} is not below 2^24")]
    NodeIndex(u32),
    /// The account is not one that the tree holds.
    #[error("a number of the account is not below the field modulus")]
    Account,
    /// The path leads elsewhere.
    #[error("new_state_root of the path from the account is {path}, of the header {header}")]
    Root {
        /// Where it leads.
        path: Digest,
        /// Where it should.
        header: Digest,
    },
}

impl AccountProof {
    /// The proof for `node_index` in the state after the batch with `header`. `None` when `state` was opened without that
    /// account, or is not the state after the batch.
    #[must_use]
    pub fn new(header: &BatchHeader, state: &PartialState, node_index: u32) -> Option<Self> {
        let (account, path) = (state.account(node_index).ok()?, state.path(node_index).ok()?);
        (state.root() == header.new_state_root).then(|| Self {
            magic: MAGIC,
            node_index,
            account,
            path,
            header: header.words(),
        })
    }

    /// The bytes of the file.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("borsh to memory")
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are not an account proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, AccountProofError> {
        if bytes.len() > LONGEST {
            return Err(AccountProofError::Format(alloc::format!("{} bytes, at most {LONGEST} are", bytes.len())));
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(AccountProofError::Format("it does not begin with the magic bytes and version 1".into()));
        }
        borsh::from_slice(bytes).map_err(|error| AccountProofError::Format(alloc::format!("{error}")))
    }

    /// Recomputes the path from the account to the header.
    ///
    /// # Errors
    /// The first step that does not hold, with what differs.
    pub fn verify(&self) -> Result<VerifiedAccount, AccountProofError> {
        let node_index = self.node_index;
        if node_index >= MAX_NODES {
            return Err(AccountProofError::NodeIndex(node_index));
        }
        let header = BatchHeader::from_words(&self.header)?;
        let leaf = match &self.account {
            None => Digest::ZERO,
            Some(account) if account.words().iter().all(|word| cairn_goldilocks::is_canonical(*word)) => {
                account.digest()
            }
            Some(_) => return Err(AccountProofError::Account),
        };
        let path =
            tree::fold(leaf, u64::from(node_index), &self.path).ok_or(AccountProofError::NodeIndex(node_index))?;
        if path != header.new_state_root {
            return Err(AccountProofError::Root { path, header: header.new_state_root });
        }
        Ok(VerifiedAccount { node_index, account: self.account, header, header_digest: header.statement() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::MemoryState;
    use crate::{Batch, Cursor, EntryKind, QueueEntry, ReceiptKey};

    /// Three nodes registered in batch 0, of which the second is deactivated in it.
    fn registered() -> (BatchHeader, MemoryState) {
        let rollup_id = Digest::from_byte_digest([3; 32]);
        let key = |word| ReceiptKey::from_words([word; 5]).unwrap();
        let mut entries: Vec<_> = (0..3)
            .map(|index| QueueEntry::new(EntryKind::Register, index, key(7 + u64::from(index))).unwrap())
            .collect();
        entries.push(QueueEntry::new(EntryKind::Deactivate, 1, ReceiptKey::ZERO).unwrap());
        let mut tree = MemoryState::default();
        let mut state = tree.open(0..3);
        let cursor = Cursor::genesis(&rollup_id);
        let batch = Batch::seal(&cursor, rollup_id, Vec::new(), entries, &mut state).unwrap();
        tree.commit(&state);
        (batch.header, tree)
    }

    #[test]
    fn an_account_an_empty_slot_and_a_deactivated_node_are_proved_and_read_back() {
        let (header, tree) = registered();
        for index in [0, 1, 2, 3, MAX_NODES - 1] {
            let proof = AccountProof::new(&header, &tree.open([index]), index).unwrap();
            assert_eq!(AccountProof::decode(&proof.encode()).as_ref(), Ok(&proof));
            assert!(proof.encode().len() <= LONGEST);
            let shown = proof.verify().unwrap();
            assert_eq!((shown.node_index, shown.header_digest), (index, header.statement()));
            assert_eq!(shown.account.is_some(), index < 3, "node {index}");
            assert_eq!(shown.account.is_some_and(|account| account.key.is_zero()), index == 1);
        }
    }

    #[test]
    fn no_changed_byte_shows_anything_under_the_same_header() {
        let (header, tree) = registered();
        for index in [1, 3] {
            let bytes = AccountProof::new(&header, &tree.open([index]), index).unwrap().encode();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                let shown = AccountProof::decode(&changed).and_then(|proof| proof.verify());
                assert!(shown.is_err() || shown.unwrap().header_digest != header.statement(), "byte {at}");
            }
            for length in 0..bytes.len() {
                assert!(AccountProof::decode(&bytes[..length]).is_err());
            }
        }
    }

    #[test]
    fn the_account_of_one_node_is_not_that_of_another() {
        let (header, tree) = registered();
        let mut proof = AccountProof::new(&header, &tree.open([0]), 0).unwrap();
        proof.node_index = 2;
        assert!(matches!(proof.verify(), Err(AccountProofError::Root { .. })));
        proof.node_index = MAX_NODES;
        assert_eq!(proof.verify(), Err(AccountProofError::NodeIndex(MAX_NODES)));
        let mut wrapped = AccountProof::new(&header, &tree.open([0]), 0).unwrap();
        wrapped.account.as_mut().unwrap().bytes_total = cairn_goldilocks::MODULUS;
        assert_eq!(wrapped.verify(), Err(AccountProofError::Account), "the same element in another form");
    }

    #[test]
    fn a_state_before_or_beside_the_batch_gives_no_proof() {
        let (header, tree) = registered();
        assert_eq!(AccountProof::new(&header, &MemoryState::default().open([0]), 0), None);
        assert_eq!(AccountProof::new(&header, &tree.open([0]), 1), None);
    }
}

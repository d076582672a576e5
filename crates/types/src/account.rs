//! A node's account: its key and the proved totals of what it signed.

use crate::hash::{Kind, hash};
use crate::limits::MAX_COUNTER;
use crate::{Bundle, Digest, ReceiptKey};
use borsh::{BorshDeserialize, BorshSerialize};

/// A leaf of the account tree, at the index of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Who signs for the node; zero when it is deactivated.
    pub key: ReceiptKey,
    /// Bundles so far: the sequence of the next one.
    pub next_sequence: u64,
    /// Receipts in those bundles.
    pub receipts_total: u64,
    /// Content lengths of those receipts.
    pub bytes_total: u64,
}

/// Why an account does not take a bundle (clauses 3 and 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Not the node's next bundle.
    #[error("sequence {given} is not the node's next, {expected}")]
    Sequence {
        /// The account's next sequence.
        expected: u64,
        /// The bundle's.
        given: u64,
    },
    /// The signature does not count.
    #[cfg(feature = "native-hash")]
    #[error(transparent)]
    Signature(#[from] crate::SignatureError),
    /// The total would reach 2^62.
    #[error("the account's bytes_total would reach 2^62")]
    Bytes,
}

impl Account {
    /// The account that a registration writes.
    #[must_use]
    pub const fn new(key: ReceiptKey) -> Self {
        Self { key, next_sequence: 0, receipts_total: 0, bytes_total: 0 }
    }

    /// The words that [`Kind::Account`] hashes.
    #[must_use]
    pub const fn words(&self) -> [u64; 8] {
        let [k0, k1, k2, k3, k4] = self.key.words();
        [k0, k1, k2, k3, k4, self.next_sequence, self.receipts_total, self.bytes_total]
    }

    /// The account's leaf in the tree.
    #[must_use]
    pub fn digest(&self) -> Digest {
        hash(Kind::Account, &self.words())
    }

    /// The same account under another key.
    #[must_use]
    pub const fn with_key(self, key: ReceiptKey) -> Self {
        Self { key, ..self }
    }

    /// The account after a bundle whose signature is checked already: clause 4.
    ///
    /// # Errors
    /// When it is not the next bundle, or a total would leave its range.
    pub fn counting(&self, bundle: &Bundle) -> Result<Self, AccountError> {
        if bundle.sequence != self.next_sequence {
            return Err(AccountError::Sequence { expected: self.next_sequence, given: bundle.sequence });
        }
        let bytes_total = self.bytes_total.checked_add(bundle.bytes).filter(|total| *total < MAX_COUNTER);
        Ok(Self {
            key: self.key,
            next_sequence: self.next_sequence + 1,
            receipts_total: self.receipts_total + u64::from(bundle.count),
            bytes_total: bytes_total.ok_or(AccountError::Bytes)?,
        })
    }

    /// The account after a bundle: clauses 3 and 4.
    ///
    /// # Errors
    /// The first that the bundle breaks. The sequence is looked at first: a bundle sent again is no forgery.
    #[cfg(feature = "native-hash")]
    pub fn after(&self, bundle: &Bundle, signature: &crate::ReceiptSignature) -> Result<Self, AccountError> {
        let after = self.counting(bundle)?;
        self.key.verify(&bundle.digest(), signature)?;
        Ok(after)
    }
}

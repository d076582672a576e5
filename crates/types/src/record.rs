//! The receipts of a bundle as they travel and are published.

use crate::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_RECEIPTS, RECEIPTS_DEPTH};
use crate::{Bundle, BundleError, Digest, Leaf, ReceiptSignature, Totals, tree};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// A receipt's bytes and the leaf that stands for it.
///
/// Nothing in a proof ties the two together: whoever reads a record derives the leaf from the bytes and compares.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// The canonical encoding of a receipt.
    pub receipt: Vec<u8>,
    /// Its leaf.
    pub leaf: Leaf,
}

/// A bundle with everything in it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BundleData {
    /// The node.
    pub node_index: u32,
    /// Number of bundles of this node before it.
    pub sequence: u64,
    /// The node's signature over the bundle's digest.
    pub signature: ReceiptSignature,
    /// Its receipts, in order of fetch time.
    pub records: Vec<Record>,
}

impl BundleData {
    /// Runs the native twin of clauses 1, 2 and 8 and gives the statement, which the signature is to be over.
    ///
    /// # Errors
    /// The first rule that the bundle breaks.
    pub fn statement(&self, rollup_id: &Digest) -> Result<Bundle, BundleError> {
        self.statement_and_totals(rollup_id).map(|(bundle, _)| bundle)
    }

    /// As [`Self::statement`], with the sums that go into a header.
    ///
    /// # Errors
    /// The first rule that the bundle breaks.
    pub fn statement_and_totals(&self, rollup_id: &Digest) -> Result<(Bundle, Totals), BundleError> {
        if !(1..=MAX_BUNDLE_RECEIPTS).contains(&self.records.len()) {
            return Err(BundleError::Count(self.records.len()));
        }
        Bundle::check_place(self.node_index, self.sequence)?;
        let size = self.records.iter().map(|record| record.receipt.len()).sum();
        if size > MAX_BUNDLE_BYTES {
            return Err(BundleError::Bytes(size));
        }
        let mut totals = Totals::default();
        for (index, record) in self.records.iter().enumerate() {
            let parts = record.leaf.parts().map_err(|source| BundleError::Leaf { index, source })?;
            if parts.time < totals.time_max {
                return Err(BundleError::Order { index, time: parts.time, previous: totals.time_max });
            }
            totals.add(&parts);
        }
        let bundle = Bundle {
            rollup_id: *rollup_id,
            node_index: self.node_index,
            sequence: self.sequence,
            receipts_root: tree::root(RECEIPTS_DEPTH, &self.leaf_digests()),
            count: self.records.len() as u16,
            time_min: totals.time_min,
            time_max: totals.time_max,
            bytes: totals.bytes,
        };
        Ok((bundle, totals))
    }

    /// Digests of the leaves, in order.
    #[must_use]
    pub fn leaf_digests(&self) -> Vec<Digest> {
        self.records.iter().map(|record| record.leaf.digest()).collect()
    }
}

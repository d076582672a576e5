//! The proof file: everything that ties one receipt to one header.

use crate::limits::{BATCH_DEPTH, MAX_BUNDLE_RECEIPTS, MAX_RECEIPT_BYTES, RECEIPTS_DEPTH};
use crate::{
    Batch, BatchHeader, Bundle, Digest, HEADER_WORDS, HeaderError, InclusionPath, Leaf, LeafError, Receipt,
    ReceiptError, tree,
};
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Extension of proof files.
pub const PROOF_FILE_EXTENSION: &str = "cairnproof";
/// First bytes of a proof file, with its version.
const MAGIC: [u8; 8] = *b"CAIRNP\x00\x01";
/// Bytes beside the receipt: all of fixed size.
const FIXED_BYTES: usize =
    8 + 4 + 2 + 32 * RECEIPTS_DEPTH + (4 + 8 + 2 + 8 + 8 + 8) + 2 + 32 * BATCH_DEPTH + 8 * HEADER_WORDS;

/// The path from a receipt's bytes to a batch header.
///
/// It holds nothing that can be derived: the leaf, both roots on the way and the bundle's rollup come from the receipt
/// and the paths, so a file cannot state them wrongly.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReceiptProof {
    magic: [u8; 8],
    /// Canonical bytes of the receipt.
    pub receipt: Vec<u8>,
    /// Slot of the receipt in its bundle.
    pub leaf_index: u16,
    /// Siblings from the leaf up to `receipts_root`.
    pub leaf_path: [Digest; RECEIPTS_DEPTH],
    /// The bundle's node.
    pub node_index: u32,
    /// The bundle's sequence.
    pub sequence: u64,
    /// Receipts in the bundle.
    pub count: u16,
    /// Earliest fetch time in the bundle.
    pub time_min: u64,
    /// Latest fetch time in the bundle.
    pub time_max: u64,
    /// Sum of content lengths in the bundle.
    pub bytes: u64,
    /// Slot of the bundle in its batch.
    pub bundle_index: u16,
    /// Siblings from the bundle's digest up to `batch_root`.
    pub bundle_path: [Digest; BATCH_DEPTH],
    /// The 48 words of the header.
    pub header: [u64; HEADER_WORDS],
}

/// What a consistent proof file shows. It is worth as much as the trust in `header_digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// Its digest.
    pub receipt_digest: Digest,
    /// Its leaf.
    pub leaf: Leaf,
    /// Statement of its bundle.
    pub bundle: Bundle,
    /// Header of its batch.
    pub header: BatchHeader,
    /// Digest of that header: compare it with the chain.
    pub header_digest: Digest,
}

/// Why a proof file shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// Not a proof file at all.
    #[error("not a Cairn proof file: {0}")]
    Format(String),
    /// The receipt is not one.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The receipt has no leaf.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The header is not one.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// An index is outside what it indexes.
    #[error("{what} {index} is not below {limit}")]
    Index {
        /// Which index.
        what: &'static str,
        /// Its value.
        index: u64,
        /// The first value that is too large.
        limit: u64,
    },
    /// Two parts of the file contradict one another.
    #[error("{what} of {left} is {left_value}, of {right} {right_value}")]
    Differs {
        /// What differs.
        what: &'static str,
        /// Where one comes from.
        left: &'static str,
        /// Its value.
        left_value: String,
        /// Where the other comes from.
        right: &'static str,
        /// Its value.
        right_value: String,
    },
    /// The receipt's time is not within its bundle's.
    #[error("the receipt's fetch_time {time} is outside its bundle's {min} to {max}")]
    Time {
        /// Of the receipt.
        time: u64,
        /// Of the bundle.
        min: u64,
        /// Of the bundle.
        max: u64,
    },
}

impl ReceiptProof {
    /// The proof of receipt `leaf_index` of bundle `bundle_index`. `None` when the batch has no such receipt.
    #[must_use]
    pub fn new(batch: &Batch, bundle_index: usize, leaf_index: usize) -> Option<Self> {
        let (data, statement) = (batch.bundles.get(bundle_index)?, batch.statements.get(bundle_index)?);
        Some(Self {
            magic: MAGIC,
            receipt: data.records.get(leaf_index)?.receipt.clone(),
            leaf_index: leaf_index as u16,
            leaf_path: tree::path(RECEIPTS_DEPTH, &data.leaf_digests(), leaf_index).try_into().ok()?,
            node_index: statement.node_index,
            sequence: statement.sequence,
            count: statement.count,
            time_min: statement.time_min,
            time_max: statement.time_max,
            bytes: statement.bytes,
            bundle_index: bundle_index as u16,
            bundle_path: tree::path(BATCH_DEPTH, &batch.bundle_digests(), bundle_index).try_into().ok()?,
            header: batch.header.words(),
        })
    }

    /// The path alone, for a program that has both of its ends: the leaf and a settled batch.
    #[must_use]
    pub const fn path(&self) -> InclusionPath {
        InclusionPath {
            leaf_index: self.leaf_index,
            leaf_path: self.leaf_path,
            sequence: self.sequence,
            count: self.count,
            time_min: self.time_min,
            time_max: self.time_max,
            bytes: self.bytes,
            bundle_index: self.bundle_index,
            bundle_path: self.bundle_path,
        }
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
    /// When they are not a proof file.
    pub fn decode(bytes: &[u8]) -> Result<Self, InclusionError> {
        let longest = FIXED_BYTES + MAX_RECEIPT_BYTES;
        if bytes.len() > longest {
            return Err(InclusionError::Format(alloc::format!("{} bytes, at most {longest} are", bytes.len())));
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(InclusionError::Format("it does not begin with the magic bytes and version 1".into()));
        }
        borsh::from_slice(bytes).map_err(|error| InclusionError::Format(alloc::format!("{error}")))
    }

    /// Recomputes the path from the receipt's bytes to the header.
    ///
    /// # Errors
    /// The first step that does not hold, with what differs.
    pub fn verify(&self) -> Result<VerifiedReceipt, InclusionError> {
        let receipt = Receipt::decode(&self.receipt)?;
        let leaf = Leaf::of(&receipt, &self.receipt)?;
        let header = BatchHeader::from_words(&self.header)?;
        equal("rollup_id", ("the receipt", receipt.rollup_id), ("the header", header.rollup_id))?;
        equal("node_index", ("the receipt", receipt.node_index), ("the bundle", self.node_index))?;
        within("count", u64::from(self.count), MAX_BUNDLE_RECEIPTS as u64 + 1)?;
        within("leaf_index", u64::from(self.leaf_index), u64::from(self.count))?;
        within("bundle_index", u64::from(self.bundle_index), u64::from(header.bundles))?;
        if !(self.time_min..=self.time_max).contains(&receipt.fetch_time) {
            return Err(InclusionError::Time { time: receipt.fetch_time, min: self.time_min, max: self.time_max });
        }
        let bundle = Bundle {
            rollup_id: receipt.rollup_id,
            node_index: self.node_index,
            sequence: self.sequence,
            receipts_root: fold("leaf_index", leaf.digest(), self.leaf_index, &self.leaf_path)?,
            count: self.count,
            time_min: self.time_min,
            time_max: self.time_max,
            bytes: self.bytes,
        };
        if let Some(at) = bundle.words().iter().position(|word| !cairn_goldilocks::is_canonical(*word)) {
            return Err(InclusionError::Format(alloc::format!("bundle word {at} is not below the field modulus")));
        }
        let batch_root = fold("bundle_index", bundle.digest(), self.bundle_index, &self.bundle_path)?;
        equal("batch_root", ("the path from the receipt", batch_root), ("the header", header.batch_root))?;
        let receipt_digest = Receipt::digest_of(&self.receipt);
        Ok(VerifiedReceipt { receipt, receipt_digest, leaf, bundle, header, header_digest: header.statement() })
    }
}

fn within(what: &'static str, index: u64, limit: u64) -> Result<(), InclusionError> {
    if index < limit { Ok(()) } else { Err(InclusionError::Index { what, index, limit }) }
}

fn fold(what: &'static str, leaf: Digest, index: u16, path: &[Digest]) -> Result<Digest, InclusionError> {
    let index = u64::from(index);
    tree::fold(leaf, index, path).ok_or(InclusionError::Index { what, index, limit: 1 << path.len() })
}

fn equal<T: PartialEq + alloc::string::ToString>(
    what: &'static str,
    (left, left_value): (&'static str, T),
    (right, right_value): (&'static str, T),
) -> Result<(), InclusionError> {
    if left_value == right_value {
        return Ok(());
    }
    let (left_value, right_value) = (left_value.to_string(), right_value.to_string());
    Err(InclusionError::Differs { what, left, left_value, right, right_value })
}

//! From a header on chain and the bytes published under its digest to a batch that may be served.
//!
//! Pure: no clock, no network, no disk. What does not follow from the bytes is refused, with the value that differs.

mod clause;

use cairn_types::limits::{MAX_BATCH_QUEUE_ENTRIES, MAX_NODES, MAX_RECEIPT_BYTES};
use cairn_types::state::PartialState;
use cairn_types::{
    Batch, BatchHeader, Blob, BlobError, BundleData, Cursor, Digest, Leaf, LeafError, Receipt, ReceiptError,
    ReceiptKey, Record,
};

/// A batch header as the chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBatch {
    /// Number that the chain keeps it under.
    pub number: u64,
    /// Its header.
    pub header: BatchHeader,
    /// Digest that the program computed.
    pub header_digest: Digest,
    /// Slot of its submission.
    pub slot: u64,
}

/// Why a batch is not served. Each variant names what differs.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The header is not what its digest says.
    #[error("header digest on chain is {on_chain}, recomputed from the header's words it is {recomputed}")]
    HeaderDigest {
        /// What the chain keeps.
        on_chain: Digest,
        /// What the words give.
        recomputed: Digest,
    },
    /// The header belongs to another rollup.
    #[error("header names rollup {found}, this is rollup {expected}")]
    Rollup {
        /// In the header.
        found: Digest,
        /// This one.
        expected: Digest,
    },
    /// The header does not follow from the batches before it.
    #[error("header does not continue from batch {previous}: its {part} differs")]
    Chain {
        /// Number of the batch before it, or "genesis".
        previous: String,
        /// What differs.
        part: &'static str,
    },
    /// The header announces more bytes than its counts allow.
    #[error(
        "header says data_length {data_length}, its {receipts} receipts, {bundles} bundles and {entries} queue entries fill at most {most}"
    )]
    DataLength {
        /// As the header says.
        data_length: u64,
        /// As the header says.
        receipts: u32,
        /// As the header says.
        bundles: u32,
        /// As the header says.
        entries: u64,
        /// What they can fill.
        most: u64,
    },
    /// The data has more or fewer parts than the header says. Nothing is read from the state for it.
    #[error("clause {clause}: the blob has {found} {what}, its header says {stated}")]
    Count {
        /// The clause of the statement.
        clause: u8,
        /// What is counted.
        what: &'static str,
        /// In the blob.
        found: u64,
        /// By the header.
        stated: u64,
    },
    /// A bundle is of a node that no account tree has.
    #[error("clause 4: node_index {node_index} of a bundle is not below 2^24")]
    NodeIndex {
        /// As the bundle says.
        node_index: u32,
    },
    /// The data breaks a clause of the statement that a proof makes about the header.
    #[error("clause {clause}: {source}")]
    Clause {
        /// Its number.
        clause: u8,
        /// How.
        #[source]
        source: BlobError,
    },
    /// The data is not what the header says, outside of any clause.
    #[error("{0}")]
    Blob(#[source] BlobError),
}

impl Refusal {
    /// Whether the bytes are not those that the header's digest names: other mirrors may have the right ones.
    #[must_use]
    pub fn is_other_data(&self) -> bool {
        matches!(self, Self::Blob(BlobError::Length { .. } | BlobError::Digest { .. }))
    }

    /// The clause of the statement that is broken, where it is one.
    #[must_use]
    pub fn clause(&self) -> Option<u8> {
        match self {
            Self::Count { clause, .. } | Self::Clause { clause, .. } => Some(*clause),
            Self::NodeIndex { .. } => Some(4),
            _ => None,
        }
    }
}

impl From<BlobError> for Refusal {
    fn from(source: BlobError) -> Self {
        match clause::of(&source) {
            Some(clause) => Self::Clause { clause, source },
            None => Self::Blob(source),
        }
    }
}

/// A batch whose data gives the header on chain.
#[derive(Debug)]
pub struct VerifiedBatch {
    /// The batch.
    pub batch: Batch,
    /// Digest of its header.
    pub header_digest: Digest,
    /// Slot of its submission.
    pub slot: u64,
    /// For each bundle, for each of its records: the receipt, or why it is not the leaf's.
    pub receipts: Vec<Vec<Result<Receipt, LeafMismatch>>>,
    /// For each bundle, the key that its signature verifies under: its node's before the batch.
    pub keys: Vec<ReceiptKey>,
    /// The accounts that the batch touches, as they are after it.
    pub state: PartialState,
}

impl VerifiedBatch {
    /// Receipts whose bytes do not give their leaf.
    #[must_use]
    pub fn leaf_mismatches(&self) -> u64 {
        self.receipts.iter().flatten().filter(|receipt| receipt.is_err()).count() as u64
    }
}

/// Why a receipt's bytes do not stand behind its leaf. The rest of the batch is served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafMismatch {
    /// The bytes are not a receipt.
    #[error("{0}")]
    Receipt(#[from] ReceiptError),
    /// The receipt has no leaf.
    #[error("{0}")]
    Leaf(#[from] LeafError),
    /// The receipt gives another leaf.
    #[error("word {word} of the leaf differs from the receipt's")]
    Word {
        /// The first that differs.
        word: usize,
    },
    /// The receipt is another rollup's or another node's.
    #[error("{field} of the receipt differs from its bundle's")]
    Origin {
        /// Which field.
        field: &'static str,
    },
}

/// Checks a header against its digest and the batches before it; the blob is fetched only for headers that pass.
///
/// # Errors
/// The first thing that does not follow.
pub fn check_header(found: &ChainBatch, rollup_id: &Digest, cursor: &Cursor) -> Result<(), Refusal> {
    let header = found.header;
    let recomputed = header.statement();
    if recomputed != found.header_digest {
        return Err(Refusal::HeaderDigest { on_chain: found.header_digest, recomputed });
    }
    if header.rollup_id != *rollup_id {
        return Err(Refusal::Rollup { found: header.rollup_id, expected: *rollup_id });
    }
    header.continues(cursor).map_err(|part| Refusal::Chain {
        previous: cursor.batches.checked_sub(1).map_or("genesis".to_owned(), |last| last.to_string()),
        part,
    })?;
    if header.number != found.number {
        return Err(Refusal::Chain { previous: found.number.to_string(), part: "number" });
    }
    let (receipts, bundles) = (header.receipts, header.bundles);
    let entries = entries_of(&header);
    let most = BLOB_BYTES
        + u64::from(bundles) * BUNDLE_BYTES
        + u64::from(receipts) * RECORD_BYTES
        + entries.min(MAX_BATCH_QUEUE_ENTRIES) * ENTRY_BYTES;
    if header.data_length > most {
        let data_length = header.data_length;
        return Err(Refusal::DataLength { data_length, receipts, bundles, entries, most });
    }
    Ok(())
}

/// Fixed part of a blob: magic bytes, rollup id, number, queue position, two counts.
const BLOB_BYTES: u64 = 8 + 32 + 8 + 8 + 4 + 4;
/// Fixed part of a bundle in a blob: node, sequence, signature, count.
const BUNDLE_BYTES: u64 = 4 + 8 + 80 + 4;
/// The longest record in a blob: a receipt with its length, and a leaf.
const RECORD_BYTES: u64 = 4 + MAX_RECEIPT_BYTES as u64 + 64;
/// A queue entry in a blob: kind, node, key.
const ENTRY_BYTES: u64 = 1 + 4 + 40;

/// Reads the blob that `found` names, and checks what can be checked without a state: what it returns is bounded by the
/// header, and names no account outside the tree.
///
/// # Errors
/// The first thing that is not what the header says.
pub fn open_blob(found: &ChainBatch, data: &[u8]) -> Result<Blob, Refusal> {
    let blob = Blob::decode(data, &found.header)?;
    let header = &found.header;
    let counts = [
        (7, "bundles", blob.bundles.len() as u64, u64::from(header.bundles)),
        (5, "queue entries", blob.entries.len() as u64, entries_of(header)),
    ];
    if let Some((clause, what, found, stated)) = counts.into_iter().find(|(_, _, found, stated)| found != stated) {
        return Err(Refusal::Count { clause, what, found, stated });
    }
    match blob.bundles.iter().find(|bundle| bundle.node_index >= MAX_NODES) {
        Some(bundle) => Err(Refusal::NodeIndex { node_index: bundle.node_index }),
        None => Ok(blob),
    }
}

/// Recomputes a whole batch from its blob: every leaf digest, tree and sum, every signature and sequence, every queue
/// entry, the accounts and the header.
///
/// `state` is opened for [`Blob::touched`], at the root that `cursor` names.
///
/// # Errors
/// The first clause that is broken, or the first value that is not what the header says.
pub fn check_batch(
    found: &ChainBatch,
    cursor: &Cursor,
    blob: Blob,
    mut state: PartialState,
) -> Result<VerifiedBatch, Refusal> {
    // The key that a bundle is signed with is that of the state before the batch, also when the batch rotates it.
    let key = |bundle: &BundleData| state.account(bundle.node_index).ok().flatten().map(|account| account.key);
    let keys = blob.bundles.iter().map(|bundle| key(bundle).unwrap_or_default()).collect();
    let batch = blob.into_batch(&found.header, cursor, &mut state)?;
    let rollup_id = &found.header.rollup_id;
    let check =
        |bundle: &BundleData| bundle.records.iter().map(|record| check_record(record, bundle, rollup_id)).collect();
    let receipts = batch.bundles.iter().map(check).collect();
    Ok(VerifiedBatch { header_digest: found.header_digest, slot: found.slot, receipts, keys, state, batch })
}

/// Queue entries that a header consumes.
fn entries_of(header: &BatchHeader) -> u64 {
    header.queue_to.position.saturating_sub(header.queue_from.position)
}

/// Derives the leaf from the receipt's bytes and compares.
fn check_record(record: &Record, bundle: &BundleData, rollup_id: &Digest) -> Result<Receipt, LeafMismatch> {
    let receipt = Receipt::decode(&record.receipt)?;
    let derived = Leaf::of(&receipt, &record.receipt)?;
    if let Some(word) = derived.words().iter().zip(record.leaf.words()).position(|(derived, stated)| *derived != stated)
    {
        return Err(LeafMismatch::Word { word });
    }
    if receipt.rollup_id != *rollup_id {
        return Err(LeafMismatch::Origin { field: "rollup_id" });
    }
    if receipt.node_index != bundle.node_index {
        return Err(LeafMismatch::Origin { field: "node_index" });
    }
    Ok(receipt)
}

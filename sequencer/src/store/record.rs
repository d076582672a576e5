//! What the store keeps, as values. Field order is the format: a change needs a new [`super::SCHEMA_VERSION`].

use borsh::{BorshDeserialize, BorshSerialize};
use cairn_proto::Acknowledgement;
use cairn_types::{
    Acknowledgement as Promise, BatchHeader, BundleData, Digest, HEADER_WORDS, QueueCursor, QueueEntry, ReceiptKey,
};

/// An acknowledged bundle.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredBundle {
    /// Digest of its statement.
    pub digest: Digest,
    /// When it arrived, in milliseconds since the Unix epoch. Decides when a batch is old enough to be sealed, and
    /// nothing else.
    pub arrived_ms: u64,
    /// Node, sequence, signature and receipts.
    pub data: BundleData,
}

impl StoredBundle {
    /// Bytes that it takes in a batch's data, less a few of framing.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.data.records.iter().map(|record| (record.receipt.len() + size_of::<cairn_types::Leaf>()) as u64).sum()
    }
}

/// Where a node's sequence is in the log, and what was promised for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Placed {
    /// Place over all nodes.
    pub log_index: u64,
    /// Digest of the bundle that has it.
    pub digest: Digest,
    /// The key that the bundle was signed with: it also judges another bundle that claims this sequence.
    pub key: ReceiptKey,
    /// The slot that was promised.
    pub settle_by_slot: u64,
    /// The acknowledgement key's signature under the promise: sent again, it is the same.
    pub acknowledged: [u8; 64],
}

impl Placed {
    /// The acknowledgement, as it was first sent.
    #[must_use]
    pub fn acknowledgement(&self, rollup_id: &Digest, node_index: u32, sequence: u64) -> Acknowledgement {
        let promise = Promise {
            rollup_id: *rollup_id,
            log_index: self.log_index,
            node_index,
            sequence,
            bundle_digest: self.digest,
            settle_by_slot: self.settle_by_slot,
        };
        Acknowledgement::of(&promise, self.acknowledged)
    }
}

/// An entry of the registration queue that is final on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Queued {
    /// Its position, and the queue's digest with it.
    pub cursor: QueueCursor,
    /// What it says.
    pub entry: QueueEntry,
    /// The slot in which it was added.
    pub slot: u64,
    /// When it was seen, in milliseconds since the Unix epoch. Decides when a batch is sealed for it, and nothing else.
    pub seen_ms: u64,
}

/// A sealed batch: its header, and the bundles that it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedBatch {
    /// The final header.
    pub header: BatchHeader,
    /// Its digest.
    pub header_digest: Digest,
    /// Log index of the first bundle.
    pub first: u64,
    /// Log index after the last bundle.
    pub end: u64,
    /// When it was sealed, in milliseconds since the Unix epoch.
    pub sealed_ms: u64,
    /// The first slot that was promised for one of its bundles.
    pub settle_by_slot: Option<u64>,
}

/// [`SealedBatch`] as bytes: words, because they have one form only.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct SealedBatchBytes {
    pub(super) words: [u64; HEADER_WORDS],
    pub(super) header_digest: Digest,
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) sealed_ms: u64,
    pub(super) settle_by_slot: Option<u64>,
}

/// A header that the chain has, finally.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Submission {
    /// Digest of the header.
    pub header_digest: Digest,
    /// Signature of the transaction, where this sequencer sent it.
    pub signature: Option<[u8; 64]>,
    /// Slot in which it executed, where known.
    pub slot: Option<u64>,
    /// Compute units it took, where known.
    pub compute_units: Option<u64>,
    /// Fee in lamports, where known.
    pub fee: Option<u64>,
}

/// What it took to have the chain verify a batch's proof: what the process that saw it settled has sent for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct Settlement {
    /// Transactions that opened the account, emptied it, or wrote to it.
    pub upload_transactions: u64,
    /// Transactions that verified, or settled what was verified.
    pub verify_transactions: u64,
    /// Compute units of these.
    pub verify_compute_units: u64,
    /// Lamports of fees for all of them.
    pub lamports_fees: u64,
    /// Lamports that the account was given when it was opened.
    pub lamports_locked: u64,
}

/// A proof of a batch.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StoredProof {
    /// The header digest that it proves.
    pub statement: Digest,
    /// The proof, as the program reads it.
    pub bytes: Vec<u8>,
    /// Time of proving, in milliseconds.
    pub prove_ms: u64,
}

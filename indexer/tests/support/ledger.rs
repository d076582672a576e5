//! What a sequencer knows: nodes with their keys, the account tree, and how batches are sealed from them.

use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, StateRead as _, touched};
use cairn_types::{
    Account, Batch, BatchHeader, Blob, BundleData, Cursor, Digest, EntryKind, QueueEntry, ReceiptKey, ReceiptSignature,
    Record, data_digest,
};

/// A key that is the same in every run.
pub fn signing_key(seed: u8) -> SigningKey {
    let mut secret = [seed; 40];
    secret[39] = 0;
    SigningKey::from_bytes(&secret).unwrap()
}

pub fn receipt_key(key: &SigningKey) -> ReceiptKey {
    ReceiptKey::from_words(key.public_key().words()).unwrap()
}

pub fn register(node_index: u32, key: &SigningKey) -> QueueEntry {
    QueueEntry::new(EntryKind::Register, node_index, receipt_key(key)).unwrap()
}

pub fn rotate(node_index: u32, key: &SigningKey) -> QueueEntry {
    QueueEntry::new(EntryKind::Rotate, node_index, receipt_key(key)).unwrap()
}

pub fn deactivate(node_index: u32) -> QueueEntry {
    QueueEntry::new(EntryKind::Deactivate, node_index, ReceiptKey::ZERO).unwrap()
}

/// A bundle that `key` signs.
pub fn signed(rollup_id: Digest, key: &SigningKey, node_index: u32, sequence: u64, records: Vec<Record>) -> BundleData {
    let signature = ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]);
    let mut bundle = BundleData { node_index, sequence, signature, records };
    let digest = bundle.statement(&rollup_id).unwrap().digest();
    bundle.signature = ReceiptSignature::from_bytes(key.sign(&digest.words()).to_bytes());
    bundle
}

/// A rollup as its sequencer has it.
#[derive(Clone)]
pub struct Ledger {
    pub rollup_id: Digest,
    pub cursor: Cursor,
    pub tree: MemoryState,
}

impl Ledger {
    pub fn new(rollup_id: Digest) -> Self {
        Self { rollup_id, cursor: Cursor::genesis(&rollup_id), tree: MemoryState::default() }
    }

    pub fn account(&self, index: u32) -> Option<Account> {
        let Ok(account) = self.tree.account(index);
        account
    }

    /// A sealed batch after the last committed one.
    pub fn seal(&self, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Batch {
        let mut state = self.tree.open(touched(&bundles, &entries));
        Batch::seal(&self.cursor, self.rollup_id, bundles, entries, &mut state).unwrap()
    }

    /// Goes on after `batch`.
    pub fn commit(&mut self, batch: &Batch) {
        let blob = self.blob(batch);
        let mut state = self.tree.open(blob.touched());
        blob.into_batch(&batch.header, &self.cursor, &mut state).unwrap();
        self.tree.commit(&state);
        self.cursor = batch.header.cursor();
    }

    pub fn blob(&self, batch: &Batch) -> Blob {
        Blob::new(self.rollup_id, &self.cursor, batch.bundles.clone(), batch.entries.clone())
    }

    /// What a lying sequencer publishes instead of `batch`: a blob that `change` tampered with, and a header that is honest
    /// but for the blob's digest and length.
    pub fn tamper(&self, batch: &Batch, change: impl FnOnce(&mut Blob)) -> (BatchHeader, Vec<u8>) {
        let mut blob = self.blob(batch);
        change(&mut blob);
        let data = blob.encode();
        let header = BatchHeader { data_digest: data_digest(&data), data_length: data.len() as u64, ..batch.header };
        (header, data)
    }
}

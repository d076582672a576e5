//! A rollup with one node, and batches of it.
#![allow(dead_code)] // each test binary uses a part

use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, PartialState, touched};
use cairn_types::{
    Batch, BundleData, Cursor, Digest, EntryKind, Leaf, QueueEntry, ReceiptKey, ReceiptSignature, Record,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// The node that signs.
pub const NODE: u32 = 77;

fn signing_key(name: u64) -> SigningKey {
    SigningKey::generate(&mut StdRng::seed_from_u64(name))
}

fn rollup_id() -> Digest {
    Digest::from_byte_digest([3; 32])
}

/// An entry with a key that no node has.
pub fn entry(kind: EntryKind, node: u32) -> QueueEntry {
    let key = ReceiptKey::from_words(signing_key(1_000 + u64::from(node)).public_key().words()).unwrap();
    QueueEntry::new(kind, node, key).unwrap()
}

/// A signed bundle of the node.
pub fn bundle(sequence: u64, receipts: u64) -> BundleData {
    let record =
        |n: u64| Record { receipt: vec![n as u8], leaf: Leaf::from_words([1_000 + n, 500, n, 0, 1, 2, 3, n]).unwrap() };
    let signature = ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]);
    let mut data = BundleData { node_index: NODE, sequence, signature, records: (0..receipts).map(record).collect() };
    let digest = data.statement(&rollup_id()).unwrap().digest();
    data.signature = ReceiptSignature::from_bytes(signing_key(NODE.into()).sign(&digest.words()).to_bytes());
    data
}

/// A rollup in which the node is registered.
#[derive(Clone)]
pub struct Rollup(MemoryState);

impl Default for Rollup {
    fn default() -> Self {
        let key = ReceiptKey::from_words(signing_key(NODE.into()).public_key().words()).unwrap();
        let mut state = MemoryState::default();
        let mut registered = state.open([NODE]);
        registered.apply_entry(&QueueEntry::new(EntryKind::Register, NODE, key).unwrap()).unwrap();
        state.commit(&registered);
        Self(state)
    }
}

impl Rollup {
    /// Opens its state.
    pub fn open(&self, indices: impl IntoIterator<Item = u32>) -> PartialState {
        self.0.open(indices)
    }

    /// A batch, and the state before it.
    pub fn seal(&self, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> (Batch, PartialState) {
        let before = self.open(touched(&bundles, &entries));
        let cursor = Cursor { state_root: before.root(), ..Cursor::genesis(&rollup_id()) };
        let batch = Batch::seal(&cursor, rollup_id(), bundles, entries, &mut before.clone()).unwrap();
        (batch, before)
    }

    /// What a batch leaves.
    pub fn after(&self, batch: &Batch, before: &PartialState) -> Self {
        let mut state = before.clone();
        for (statement, data) in batch.statements.iter().zip(&batch.bundles) {
            state.apply_bundle(statement, &data.signature).unwrap();
        }
        for entry in &batch.entries {
            state.apply_entry(entry).unwrap();
        }
        let mut after = self.clone();
        after.0.commit(&state);
        after
    }
}

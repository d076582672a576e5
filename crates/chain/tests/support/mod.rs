//! A node and a sequencer in a few lines: enough to seal the batches that a rollup on a chain takes.

use cairn_chain::FinalizedQueue;
use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, touched};
use cairn_types::{Batch, BundleData, Cursor, Digest, Leaf, QueueEntry, Receipt, ReceiptKey, ReceiptSignature, Record};

/// When the receipts were fetched: in the past of every clock here.
pub const FETCH_TIME: u64 = 1_700_000_000_000;

pub fn receipt_key(key: &SigningKey) -> ReceiptKey {
    ReceiptKey::from_words(key.public_key().words()).unwrap()
}

pub fn signing_key() -> SigningKey {
    SigningKey::generate(&mut rand::rngs::OsRng)
}

/// Account tree and cursor, as a sequencer keeps them.
pub struct Sealer {
    pub rollup_id: Digest,
    pub cursor: Cursor,
    state: MemoryState,
}

impl Sealer {
    pub fn new(rollup_id: Digest) -> Self {
        Self { rollup_id, cursor: Cursor::genesis(&rollup_id), state: MemoryState::default() }
    }

    /// One bundle of one receipt, signed.
    pub fn bundle(&self, key: &SigningKey, node_index: u32, sequence: u64, fetch_time: u64) -> BundleData {
        let receipt = Receipt {
            media_type: Some("text/html".into()),
            content_length: 10,
            payload_blake3: [1; 32],
            payload_sha256: [2; 32],
            payload_sha1: [3; 20],
            ..Receipt::new(self.rollup_id, node_index, "https://example.org/", "example.org", fetch_time)
        };
        let bytes = receipt.encode().unwrap();
        let leaf = Leaf::of(&receipt, &bytes).unwrap();
        let records = vec![Record { receipt: bytes, leaf }];
        let signature = ReceiptSignature::from_bytes([0; 80]);
        let mut bundle = BundleData { node_index, sequence, signature, records };
        let statement = bundle.statement(&self.rollup_id).unwrap();
        bundle.signature = ReceiptSignature::from_bytes(key.sign(&statement.digest().words()).to_bytes());
        bundle
    }

    /// The batch that comes next. The cursor moves on [`Self::accepted`].
    pub fn seal(&self, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Batch {
        let mut state = self.state.open(touched(&bundles, &entries));
        Batch::seal(&self.cursor, self.rollup_id, bundles, entries, &mut state).unwrap()
    }

    /// Continues after a batch that the chain took.
    pub fn accepted(&mut self, batch: &Batch) {
        let mut state = self.state.open(touched(&batch.bundles, &batch.entries));
        let (bundles, entries) = (batch.bundles.clone(), batch.entries.clone());
        Batch::seal(&self.cursor, self.rollup_id, bundles, entries, &mut state).unwrap();
        self.state.commit(&state);
        self.cursor = batch.header.cursor();
    }

    /// The queue's entries that no batch has consumed.
    pub fn waiting(&self, read: &FinalizedQueue) -> Vec<QueueEntry> {
        let entries = read.queue.entries_from(&self.cursor.queue, read.queue.end.position).unwrap();
        entries.iter().map(|entry| entry.entry).collect()
    }
}

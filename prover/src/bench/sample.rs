//! The batch that a benchmark proves.

use super::BenchError;
use cairn_schnorr::SigningKey;
use cairn_types::leaf::bits;
use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BUNDLE_RECEIPTS};
use cairn_types::state::{MemoryState, PartialState};
use cairn_types::{
    Batch, BundleData, Cursor, Digest, EntryKind, Leaf, QueueEntry, ReceiptKey, ReceiptSignature, Record,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Nodes that sign the sample in turn, far apart in the account tree.
const NODES: u32 = 64;

/// What is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Receipts, all together.
    pub receipts: usize,
    /// Receipts in each bundle; the last one may have fewer.
    pub bundle_receipts: usize,
}

impl Sample {
    /// As many bundles of this many receipts as a batch holds.
    #[must_use]
    pub const fn full(bundle_receipts: usize) -> Self {
        Self { receipts: MAX_BATCH_BUNDLES.saturating_mul(bundle_receipts), bundle_receipts }
    }

    /// Bundles in it.
    #[must_use]
    pub const fn bundles(self) -> usize {
        self.receipts.div_ceil(self.bundle_receipts)
    }

    /// Refuses samples that are no batch.
    pub(super) fn check(self) -> Result<(), BenchError> {
        if !(1..=MAX_BUNDLE_RECEIPTS).contains(&self.bundle_receipts) {
            return Err(BenchError::BundleReceipts(self.bundle_receipts));
        }
        let most = MAX_BATCH_BUNDLES * self.bundle_receipts;
        if !(1..=most).contains(&self.receipts) {
            return Err(BenchError::Receipts { receipts: self.receipts, most, bundle_receipts: self.bundle_receipts });
        }
        Ok(())
    }

    /// A batch with random but well-formed leaves, signed by registered nodes, and the state before it.
    pub fn batch(self) -> Result<(Batch, PartialState), BenchError> {
        let rng = &mut StdRng::seed_from_u64(self.receipts as u64);
        let rollup_id = Digest::from_byte_digest([1; 32]);
        let keys: Vec<_> = (0..NODES).map(|node| (node << 18 | 5, SigningKey::generate(rng))).collect();
        let mut registered = MemoryState::default().open(keys.iter().map(|(index, _)| *index));
        for (index, key) in &keys {
            let key = ReceiptKey::from_words(key.public_key().words()).expect("an encoding is canonical");
            let entry = QueueEntry { kind: EntryKind::Register, node_index: *index, key };
            registered.apply_entry(&entry).expect("an account that was opened");
        }
        let mut bundles = Vec::with_capacity(self.bundles());
        for number in 0..self.bundles() {
            let (node_index, key) = &keys[number % keys.len()];
            let count = self.bundle_receipts.min(self.receipts - number * self.bundle_receipts);
            let records = records(rng, count)?;
            let signature = ReceiptSignature::from_bytes([0; ReceiptSignature::BYTES]);
            let sequence = (number / keys.len()) as u64;
            let mut bundle = BundleData { node_index: *node_index, sequence, signature, records };
            let digest = bundle.statement(&rollup_id)?.digest();
            bundle.signature = ReceiptSignature::from_bytes(key.sign(&digest.words()).to_bytes());
            bundles.push(bundle);
        }
        let cursor = Cursor { state_root: registered.root(), ..Cursor::genesis(&rollup_id) };
        let before = registered.clone();
        Ok((Batch::seal(&cursor, rollup_id, bundles, vec![], &mut registered)?, before))
    }
}

fn records(rng: &mut StdRng, count: usize) -> Result<Vec<Record>, BenchError> {
    let mut time = 1_700_000_000_000;
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        time += rng.gen_range(0..1_000);
        let packed = rng.gen_range(0..1 << 24) | 200 << bits::STATUS | rng.gen_range(0..1 << 10) << bits::VERDICTS;
        let mut word = || rng.gen_range(0..1 << 63);
        let words = [time, packed, word(), word() & ((1 << bits::METHOD) - 1), word(), word(), word(), word()];
        records.push(Record { receipt: vec![0; 64], leaf: Leaf::from_words(words)? });
    }
    Ok(records)
}

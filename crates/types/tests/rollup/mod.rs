//! A rollup in memory whose nodes sign, for the tests of this folder.
#![allow(dead_code, reason = "each test file uses its part")]

use cairn_schnorr::SigningKey;
use cairn_types::state::{MemoryState, touched};
use cairn_types::{
    Batch, BundleData, Cursor, Digest, EntryKind, Leaf, QueueEntry, Receipt, ReceiptKey, ReceiptSignature, Record,
    Rights, SealError, Verdict, Verdicts,
};

pub fn rollup_id() -> Digest {
    Digest::from_byte_digest([9; 32])
}

/// A key made from a number.
pub fn secret(number: u8) -> SigningKey {
    let mut bytes = [0; 40];
    (bytes[0], bytes[20]) = (number + 1, 77);
    SigningKey::from_bytes(&bytes).unwrap()
}

pub fn public(secret: &SigningKey) -> ReceiptKey {
    ReceiptKey::from_words(secret.public_key().words()).unwrap()
}

pub fn register(node_index: u32, secret: &SigningKey) -> QueueEntry {
    QueueEntry::new(EntryKind::Register, node_index, public(secret)).unwrap()
}

pub fn receipt(node_index: u32, n: u64) -> Receipt {
    Receipt {
        media_type: Some("text/html".into()),
        content_length: 100 + n,
        truncated: n.is_multiple_of(7),
        payload_blake3: [n as u8; 32],
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        rights: Rights {
            signals: vec![],
            verdicts: Verdicts { robots: Verdict::ALL[n as usize % 4], tdm: Verdict::Refused, ..Verdicts::default() },
        },
        ..Receipt::new(
            rollup_id(),
            node_index,
            &format!("https://example.org/{n}"),
            "example.org",
            1_700_000_000_000 + n / 2,
        )
    }
}

pub fn record(receipt: &Receipt) -> Record {
    let bytes = receipt.encode().unwrap();
    Record { leaf: Leaf::of(receipt, &bytes).unwrap(), receipt: bytes }
}

pub fn bundle(secret: &SigningKey, node_index: u32, sequence: u64, receipts: std::ops::Range<u64>) -> BundleData {
    let records = receipts.map(|n| record(&receipt(node_index, n))).collect();
    let mut bundle = BundleData { node_index, sequence, signature: ReceiptSignature::from_bytes([0; 80]), records };
    sign(secret, &mut bundle);
    bundle
}

pub fn sign(secret: &SigningKey, bundle: &mut BundleData) {
    let digest = bundle.statement(&rollup_id()).unwrap().digest();
    bundle.signature = ReceiptSignature::from_bytes(secret.sign(&digest.words()).to_bytes());
}

/// Where the rollup stands.
pub struct Rollup {
    pub cursor: Cursor,
    pub state: MemoryState,
}

impl Rollup {
    pub fn new() -> Self {
        Self { cursor: Cursor::genesis(&rollup_id()), state: MemoryState::default() }
    }

    /// A rollup whose nodes 0, 1, … have the keys 0, 1, …
    pub fn with_nodes(count: u8) -> Self {
        let mut rollup = Self::new();
        rollup.seal(vec![], (0..count).map(|n| register(n.into(), &secret(n))).collect()).unwrap();
        rollup
    }

    /// Seals without moving on.
    pub fn attempt(&self, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Result<Batch, SealError> {
        let mut part = self.state.open(touched(&bundles, &entries));
        Batch::seal(&self.cursor, rollup_id(), bundles, entries, &mut part)
    }

    pub fn seal(&mut self, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Result<Batch, SealError> {
        let mut part = self.state.open(touched(&bundles, &entries));
        let batch = Batch::seal(&self.cursor, rollup_id(), bundles, entries, &mut part)?;
        self.state.commit(&part);
        self.cursor = batch.header.cursor();
        Ok(batch)
    }
}

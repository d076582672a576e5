//! Random valid bundles and batches, from a seed.

use crate::scene::{key, receipt_key, signing_key};
use cairn_types::leaf::bits;
use cairn_types::state::{MemoryState, PartialState};
use cairn_types::{Account, Batch, BundleData, Cursor, Digest, EntryKind, Leaf, QueueEntry, ReceiptSignature, Record};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The rollup of all samples.
pub fn rollup_id() -> Digest {
    Digest::from_byte_digest([7; 32])
}

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A well-formed leaf at `time`.
pub fn leaf(rng: &mut StdRng, time: u64) -> [u64; 8] {
    let length = if rng.gen_bool(0.1) { (1 << 40) - 1 } else { rng.gen_range(0..10_000_000) };
    let status: u64 = rng.gen_range(0..1024);
    let verdicts: u64 = rng.gen_range(0..1024);
    let packed = length | status << bits::STATUS | verdicts << bits::VERDICTS;
    // Word 3 with method and media class zero, which are known codes.
    let tag_high = rng.gen_range(0..1 << bits::METHOD);
    let mut word = || rng.gen_range(0..1 << 63);
    [time, packed, word(), tag_high, word(), word(), word(), word()]
}

/// A bundle of `receipts` receipts whose times do not fall, without a signature.
pub fn bundle(rng: &mut StdRng, node_index: u32, sequence: u64, receipts: usize) -> BundleData {
    let mut time = rng.gen_range(1..1 << 41);
    let records = (0..receipts)
        .map(|index| {
            time += rng.gen_range(0..3) * rng.gen_range(0..1 << 30);
            let leaf = Leaf::from_words(leaf(rng, time)).unwrap();
            Record { receipt: vec![index as u8; 3], leaf }
        })
        .collect();
    BundleData { node_index, sequence, signature: ReceiptSignature::from_bytes([0; 80]), records }
}

/// The signature of the key with this name.
pub fn signature(name: u64, digest: &Digest) -> ReceiptSignature {
    ReceiptSignature::from_bytes(signing_key(name).sign(&digest.words()).to_bytes())
}

/// A state in which each node is registered with the key of its own number, opened around `indices`.
pub fn state(nodes: &[u32], indices: impl IntoIterator<Item = u32>) -> PartialState {
    let mut state = MemoryState::default();
    let mut registered = state.open(nodes.iter().copied());
    for &node in nodes {
        registered.apply_entry(&entry(EntryKind::Register, node, key(node.into()))).unwrap();
    }
    state.commit(&registered);
    state.open(indices)
}

/// An entry.
pub fn entry(kind: EntryKind, node: u32, key: [u64; 5]) -> QueueEntry {
    QueueEntry::new(kind, node, receipt_key(key)).unwrap()
}

/// A sealed batch of signed bundles of nodes 0 to 2 with these receipt counts and then `entries`, and the state before it.
pub fn batch(seed: u64, receipts: &[usize], entries: Vec<QueueEntry>) -> (Batch, PartialState) {
    let rng = &mut rng(seed);
    let mut sequences = [0; 3];
    let bundles: Vec<_> = receipts
        .iter()
        .enumerate()
        .map(|(index, &count)| {
            let node = index % 3;
            let mut data = bundle(rng, node as u32, sequences[node], count);
            sequences[node] += 1;
            data.signature = signature(node as u64, &data.statement(&rollup_id()).unwrap().digest());
            data
        })
        .collect();
    let before = state(&[0, 1, 2], (0..8).chain(entries.iter().map(|entry| entry.node_index)));
    let cursor = Cursor { state_root: before.root(), ..Cursor::genesis(&rollup_id()) };
    let batch = Batch::seal(&cursor, rollup_id(), bundles, entries, &mut before.clone()).unwrap();
    (batch, before)
}

/// The account of a node in a state.
pub fn account(state: &PartialState, node: u32) -> Account {
    state.account(node).unwrap().unwrap()
}

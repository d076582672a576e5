//! Random valid bundles and batches, from a seed.

use cairn_types::leaf::bits;
use cairn_types::{Batch, BundleData, Cursor, Digest, Leaf, Record};
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

/// A bundle of `receipts` receipts whose times do not fall.
pub fn bundle(rng: &mut StdRng, node_index: u32, sequence: u64, receipts: usize) -> BundleData {
    let mut time = rng.gen_range(1..1 << 41);
    let records = (0..receipts)
        .map(|index| {
            time += rng.gen_range(0..3) * rng.gen_range(0..1 << 30);
            let leaf = Leaf::from_words(leaf(rng, time)).unwrap();
            Record { receipt: vec![index as u8; 3], leaf }
        })
        .collect();
    BundleData { node_index, sequence, records }
}

/// A sealed batch 0 of bundles with these receipt counts.
pub fn batch(seed: u64, receipts: &[usize]) -> Batch {
    let rng = &mut rng(seed);
    let bundles =
        receipts.iter().enumerate().map(|(index, &count)| bundle(rng, index as u32 % 3, index as u64, count)).collect();
    Batch::seal(&Cursor::genesis(&rollup_id()), rollup_id(), bundles).unwrap()
}

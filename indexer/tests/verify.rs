//! A sequencer that lies consistently: data that has the digest in the header, and a header that has the digest on chain.

mod support;

use cairn_indexer::verify::{ChainBatch, check_data, check_header};
use cairn_indexer::{LeafMismatch, Refusal};
use cairn_types::{Batch, BatchHeader, BlobError, BundleData, Cursor, Digest, data_digest};
use support::{receipt, record};

struct Lie {
    cursor: Cursor,
    batch: Batch,
    data: Vec<u8>,
}

impl Lie {
    fn new() -> Self {
        let rollup_id = Digest::from_byte_digest([7; 32]);
        let cursor = Cursor::genesis(&rollup_id);
        let bundle = |sequence, seeds: [u64; 2]| BundleData {
            node_index: 3,
            sequence,
            records: seeds.iter().map(|seed| record(&receipt(rollup_id, *seed))).collect(),
        };
        let batch = Batch::seal(&cursor, rollup_id, vec![bundle(0, [1, 2]), bundle(1, [3, 4])]).unwrap();
        let data = batch.blob(&cursor);
        Self { cursor, batch, data }
    }

    /// What the chain would have for this header.
    fn found(header: BatchHeader) -> ChainBatch {
        ChainBatch { number: header.number, header, header_digest: header.statement(), slot: 1 }
    }

    fn check(&self, header: BatchHeader, data: &[u8]) -> Result<cairn_indexer::VerifiedBatch, Refusal> {
        let found = Self::found(header);
        check_header(&found, &self.batch.header.rollup_id, &self.cursor)?;
        check_data(&found, &self.cursor, data)
    }
}

#[test]
fn no_changed_byte_of_the_data_passes_even_under_its_own_digest() {
    let lie = Lie::new();
    assert_eq!(lie.check(lie.batch.header, &lie.data).unwrap().leaf_mismatches(), 0);
    let receipts: usize =
        lie.batch.bundles.iter().flat_map(|bundle| &bundle.records).map(|record| record.receipt.len()).sum();
    let (mut refused, mut mismatched) = (0, 0);
    for at in 0..lie.data.len() {
        let mut data = lie.data.clone();
        data[at] ^= 1;
        let honest = lie.check(lie.batch.header, &data).unwrap_err();
        assert!(matches!(honest, Refusal::Blob(BlobError::Digest { .. })), "byte {at}: {honest}");
        let header = BatchHeader { data_digest: data_digest(&data), ..lie.batch.header };
        match lie.check(header, &data) {
            Err(_) => refused += 1,
            // Nothing proves the receipt's bytes but the leaf: the change is found there, and that receipt alone falls.
            Ok(verified) => {
                assert_eq!(verified.leaf_mismatches(), 1, "byte {at}");
                mismatched += 1;
            }
        }
    }
    assert_eq!(mismatched, receipts, "all bytes of receipts, and none but these");
    assert_eq!(refused, lie.data.len() - receipts);
}

#[test]
fn no_length_but_the_right_one_passes() {
    let lie = Lie::new();
    for length in 0..lie.data.len() {
        let data = &lie.data[..length];
        let header = BatchHeader { data_digest: data_digest(data), data_length: length as u64, ..lie.batch.header };
        assert!(lie.check(header, data).is_err(), "cut at {length}");
    }
    let longer = [&lie.data[..], &[0]].concat();
    let header =
        BatchHeader { data_digest: data_digest(&longer), data_length: longer.len() as u64, ..lie.batch.header };
    assert!(lie.check(header, &longer).is_err());
}

#[test]
fn each_statement_of_a_header_that_its_data_does_not_give_is_named() {
    let lie = Lie::new();
    let other = Digest::constant([1, 2, 3, 4]);
    let changes: [(&str, fn(&mut BatchHeader, Digest)); 14] = [
        ("rollup", |header, _| header.rollup_id = Digest::from_byte_digest([8; 32])),
        ("number", |header, _| header.number = 1),
        ("previous", |header, other| header.previous = other),
        ("batch_root", |header, other| header.batch_root = other),
        ("old state root", |header, other| header.old_state_root = other),
        ("new_state_root", |header, other| header.new_state_root = other),
        ("queue", |header, other| header.queue_from.digest = other),
        ("queue", |header, other| header.queue_to.digest = other),
        ("receipts", |header, _| header.receipts = 3),
        ("bytes", |header, _| header.bytes += 1),
        ("time_min", |header, _| header.time_min -= 1),
        ("time_max", |header, _| header.time_max += 1),
        ("verdict counts", |header, _| header.verdicts[2].refused = 1),
        ("tier counts", |header, _| header.tiers[0] = 1),
    ];
    for (part, change) in changes {
        let mut header = lie.batch.header;
        change(&mut header, other);
        let reason = lie.check(header, &lie.data).unwrap_err().to_string();
        assert!(reason.replace('_', " ").contains(&part.replace('_', " ")), "{part}: {reason}");
    }
}

#[test]
fn a_data_length_that_the_counts_do_not_allow_is_refused_before_anything_is_fetched() {
    let lie = Lie::new();
    let header = BatchHeader { data_length: 1 << 30, ..lie.batch.header };
    let error = check_header(&Lie::found(header), &header.rollup_id, &lie.cursor).unwrap_err();
    assert!(matches!(error, Refusal::DataLength { data_length, .. } if data_length == 1 << 30), "{error}");
    check_header(&Lie::found(lie.batch.header), &header.rollup_id, &lie.cursor).unwrap();
}

#[test]
fn each_kind_of_leaf_mismatch_is_named() {
    let lie = Lie::new();
    let rollup_id = lie.batch.header.rollup_id;
    let (mut other_node, foreign) = (receipt(rollup_id, 3), receipt(Digest::from_byte_digest([9; 32]), 4));
    other_node.node_index = 4;
    let mut swapped = record(&receipt(rollup_id, 1));
    swapped.receipt = record(&receipt(rollup_id, 2)).receipt;
    let mut garbage = record(&receipt(rollup_id, 2));
    garbage.receipt = Vec::new();
    let records = vec![swapped, garbage, record(&other_node), record(&foreign)];
    let batch = Batch::seal(&lie.cursor, rollup_id, vec![BundleData { node_index: 3, sequence: 0, records }]).unwrap();
    let verified = lie.check(batch.header, &batch.blob(&lie.cursor)).unwrap();
    let found: Vec<_> = verified.receipts[0].iter().map(|receipt| receipt.as_ref().unwrap_err()).collect();
    assert!(matches!(found[0], LeafMismatch::Word { word: 0 }), "{}", found[0]);
    assert!(matches!(found[1], LeafMismatch::Receipt(_)), "{}", found[1]);
    assert_eq!(*found[2], LeafMismatch::Origin { field: "node_index" });
    assert_eq!(*found[3], LeafMismatch::Origin { field: "rollup_id" });
}

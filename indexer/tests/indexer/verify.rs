//! A sequencer that lies consistently: data that has the digest in the header, and a header that has the digest on chain.

use crate::support::ledger::{deactivate, register, rotate};
use crate::support::{Ledger, NODE, receipt, receipt_key, record, signed, signing_key};
use cairn_indexer::verify::{ChainBatch, check_batch, check_header, open_blob};
use cairn_indexer::{LeafMismatch, Refusal, VerifiedBatch};
use cairn_types::{Batch, BatchHeader, Blob, BlobError, Digest, data_digest};

/// Three nodes, and a batch that uses two of them, rotates, deactivates and registers.
struct Lie {
    ledger: Ledger,
    batch: Batch,
    data: Vec<u8>,
}

impl Lie {
    fn new() -> Self {
        let rollup_id = Digest::from_byte_digest([7; 32]);
        let ledger = registered(rollup_id);
        let bundles = vec![
            bundle(&ledger, 0, 1, 0, [1, 2]),
            bundle(&ledger, NODE, 2, 0, [3, 4]),
            bundle(&ledger, NODE, 2, 1, [5, 6]),
        ];
        let entries = vec![rotate(0, &signing_key(9)), deactivate(2), register(3, &signing_key(4))];
        let batch = ledger.seal(bundles, entries);
        let data = batch.blob(&ledger.cursor);
        Self { ledger, batch, data }
    }

    /// What the chain would have for this header.
    fn found(header: BatchHeader) -> ChainBatch {
        ChainBatch { number: header.number, header, header_digest: header.statement(), slot: 1 }
    }

    fn check(&self, header: BatchHeader, data: &[u8]) -> Result<VerifiedBatch, Refusal> {
        check(&self.ledger, header, data)
    }

    /// Why the batch is refused when its blob is changed, and the header states the changed blob's digest.
    fn refusal(&self, change: impl FnOnce(&mut Blob)) -> Refusal {
        let (header, data) = self.ledger.tamper(&self.batch, change);
        self.check(header, &data).unwrap_err()
    }
}

fn check(ledger: &Ledger, header: BatchHeader, data: &[u8]) -> Result<VerifiedBatch, Refusal> {
    let found = Lie::found(header);
    check_header(&found, &ledger.rollup_id, &ledger.cursor)?;
    let blob = open_blob(&found, data)?;
    let state = ledger.tree.open(blob.touched());
    check_batch(&found, &ledger.cursor, blob, state)
}

/// Nodes 0, 1 and 2 with keys 1, 2 and 3.
fn registered(rollup_id: Digest) -> Ledger {
    let mut ledger = Ledger::new(rollup_id);
    let entries = (0..3).map(|index| register(index, &signing_key(index as u8 + 1))).collect();
    let batch = ledger.seal(Vec::new(), entries);
    ledger.commit(&batch);
    ledger
}

fn bundle(ledger: &Ledger, node: u32, key: u8, sequence: u64, seeds: [u64; 2]) -> cairn_types::BundleData {
    let records = seeds.map(|seed| {
        let mut receipt = receipt(ledger.rollup_id, seed);
        receipt.node_index = node;
        record(&receipt)
    });
    signed(ledger.rollup_id, &signing_key(key), node, sequence, records.to_vec())
}

#[test]
fn an_honest_batch_leads_to_its_header_and_says_who_signed() {
    let lie = Lie::new();
    let verified = lie.check(lie.batch.header, &lie.data).unwrap();
    assert_eq!((verified.leaf_mismatches(), &verified.batch), (0, &lie.batch));
    // Node 0 signed with the key that this very batch rotates away.
    assert_eq!(verified.keys, [1, 2, 2].map(|seed| receipt_key(&signing_key(seed))));
    assert_eq!(verified.state.root(), lie.batch.header.new_state_root);
    let account = |index| verified.state.account(index).unwrap().unwrap();
    assert_eq!((account(0).key, account(0).next_sequence), (receipt_key(&signing_key(9)), 1));
    assert_eq!((account(NODE).next_sequence, account(NODE).receipts_total), (2, 4));
    assert!(account(2).key.is_zero());
    assert_eq!((account(3).key, account(3).next_sequence), (receipt_key(&signing_key(4)), 0));
}

#[test]
fn every_clause_about_signatures_sequences_and_the_queue_is_checked_and_named() {
    let lie = Lie::new();
    let other_rollup = registered(Digest::from_byte_digest([8; 32]));
    type Change<'a> = Box<dyn FnOnce(&mut Blob) + 'a>;
    let change = |change: fn(&mut Blob)| -> Change<'_> { Box::new(change) };
    let cases: Vec<(&str, u8, &str, Change<'_>)> = vec![
        (
            "a changed signature",
            3,
            "bundle 1: node 1",
            change(|blob| {
                let mut bytes = *blob.bundles[1].signature.as_bytes();
                bytes[50] ^= 1;
                blob.bundles[1].signature = cairn_types::ReceiptSignature::from_bytes(bytes);
            }),
        ),
        (
            "the signature of another bundle",
            3,
            "bundle 1: node 1",
            change(|blob| {
                blob.bundles[1].signature = blob.bundles[2].signature;
            }),
        ),
        ("another node's key", 3, "bundle 0: node 0", {
            Box::new(|blob| blob.bundles[0] = bundle(&lie.ledger, 0, 2, 0, [1, 2]))
        }),
        ("the key that this batch rotates to", 3, "bundle 0: node 0", {
            Box::new(|blob| blob.bundles[0] = bundle(&lie.ledger, 0, 9, 0, [1, 2]))
        }),
        ("a bundle signed for another rollup", 3, "bundle 1: node 1", {
            Box::new(|blob| blob.bundles[1] = bundle(&other_rollup, NODE, 2, 0, [3, 4]))
        }),
        (
            "a receipt taken out of a signed bundle",
            3,
            "bundle 2: node 1",
            change(|blob| {
                blob.bundles[2].records.pop();
            }),
        ),
        ("a bundle moved to another node", 3, "bundle 0: node 2", change(|blob| blob.bundles[0].node_index = 2)),
        ("a bundle of a node that nobody registered", 3, "node_index 7 is not registered", {
            Box::new(|blob| blob.bundles[0] = bundle(&lie.ledger, 7, 1, 0, [1, 2]))
        }),
        ("a bundle of the node that this batch registers", 3, "node_index 3 is not registered", {
            Box::new(|blob| blob.bundles[0] = bundle(&lie.ledger, 3, 4, 0, [1, 2]))
        }),
        (
            "bundles of one node in another order",
            4,
            "sequence 1 is not the node's next, 0",
            change(|blob| {
                blob.bundles.swap(1, 2);
            }),
        ),
        (
            "a bundle twice",
            4,
            "sequence 0 is not the node's next, 1",
            change(|blob| {
                blob.bundles[2] = blob.bundles[1].clone();
            }),
        ),
        ("a sequence left out", 4, "sequence 2 is not the node's next, 1", {
            Box::new(|blob| blob.bundles[2] = bundle(&lie.ledger, NODE, 2, 2, [5, 6]))
        }),
        ("a node that no tree has", 4, "not below 2^24", change(|blob| blob.bundles[0].node_index = 1 << 24)),
        ("bundles of two nodes in another order", 2, "batch_root", change(|blob| blob.bundles.swap(0, 1))),
        ("a bundle left out", 7, "2 bundles, its header says 3", change(|blob| drop(blob.bundles.pop()))),
        (
            "an entry left out",
            5,
            "2 queue entries, its header says 3",
            change(|blob| blob.entries.retain(|entry| !entry.key.is_zero())),
        ),
        (
            "an entry too many",
            5,
            "4 queue entries, its header says 3",
            change(|blob| {
                blob.entries.push(register(4, &signing_key(5)));
            }),
        ),
        ("entries in another order", 5, "queue_to", change(|blob| blob.entries.swap(0, 1))),
        (
            "a rotation of a node that nobody registered",
            6,
            "new state root",
            change(|blob| {
                blob.entries[0] = rotate(8, &signing_key(9));
            }),
        ),
        (
            "an entry with another key",
            6,
            "new state root",
            change(|blob| {
                blob.entries[0] = rotate(0, &signing_key(10));
            }),
        ),
        ("another position in the queue", 0, "queue position", change(|blob| blob.queue_position = 4)),
    ];
    for (name, clause, reason, change) in cases {
        let refusal = lie.refusal(change);
        assert_eq!(refusal.clause().unwrap_or(0), clause, "{name}: {refusal}");
        assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
        assert!(clause == 0 || refusal.to_string().starts_with(&format!("clause {clause}: ")), "{name}: {refusal}");
    }
}

#[test]
fn after_a_rotation_only_the_new_key_signs_and_after_a_deactivation_none() {
    let lie = Lie::new();
    let mut ledger = lie.ledger.clone();
    ledger.commit(&lie.batch);
    let next = ledger.seal(vec![bundle(&ledger, 0, 9, 1, [7, 8])], Vec::new());
    check(&ledger, next.header, &next.blob(&ledger.cursor)).unwrap();
    let cases = [
        ("the old key", bundle(&ledger, 0, 1, 1, [7, 8]), "not the receipt key's"),
        ("a deactivated node", bundle(&ledger, 2, 3, 0, [7, 8]), "deactivated"),
    ];
    for (name, bundle, reason) in cases {
        let (header, data) = ledger.tamper(&next, |blob| blob.bundles[0] = bundle);
        let refusal = check(&ledger, header, &data).unwrap_err();
        assert_eq!(refusal.clause(), Some(3), "{name}: {refusal}");
        assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
    }
}

#[test]
fn a_registered_key_that_encodes_no_point_is_consumed_and_signs_nothing() {
    let lie = Lie::new();
    let mut ledger = lie.ledger.clone();
    // Half of all words encode no point; one of the first few does not.
    let no_point = (1..)
        .map(|word| [word, 0, 0, 0, 0])
        .find(|words| cairn_schnorr::PublicKey::decode(*words).is_err())
        .map(|words| cairn_types::ReceiptKey::from_words(words).unwrap())
        .unwrap();
    let entry = cairn_types::QueueEntry::new(cairn_types::EntryKind::Register, 3, no_point).unwrap();
    let batch = ledger.seal(Vec::new(), vec![entry]);
    check(&ledger, batch.header, &batch.blob(&ledger.cursor)).unwrap();
    ledger.commit(&batch);
    let next = ledger.seal(vec![bundle(&ledger, 0, 1, 0, [7, 8])], Vec::new());
    let (header, data) = ledger.tamper(&next, |blob| blob.bundles[0] = bundle(&ledger, 3, 4, 0, [7, 8]));
    let refusal = check(&ledger, header, &data).unwrap_err();
    assert_eq!(refusal.clause(), Some(3));
    assert!(refusal.to_string().contains("encodes no point"), "{refusal}");
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
    let changes: [(&str, Option<u8>, fn(&mut BatchHeader, Digest)); 15] = [
        ("rollup", None, |header, _| header.rollup_id = Digest::from_byte_digest([8; 32])),
        ("number", None, |header, _| header.number = 2),
        ("previous", None, |header, other| header.previous = other),
        ("batch_root", Some(2), |header, other| header.batch_root = other),
        ("old state root", None, |header, other| header.old_state_root = other),
        ("new_state_root", Some(6), |header, other| header.new_state_root = other),
        ("queue", None, |header, other| header.queue_from.digest = other),
        ("queue_to", Some(5), |header, other| header.queue_to.digest = other),
        ("queue entries", Some(5), |header, _| header.queue_to.position += 1),
        ("receipts", Some(7), |header, _| header.receipts = 5),
        ("bytes", Some(7), |header, _| header.bytes += 1),
        ("time_min", Some(7), |header, _| header.time_min -= 1),
        ("time_max", Some(7), |header, _| header.time_max += 1),
        ("verdict counts", Some(7), |header, _| header.verdicts[2].refused = 1),
        ("tier counts", Some(7), |header, _| header.tiers[0] = 1),
    ];
    for (part, clause, change) in changes {
        let mut header = lie.batch.header;
        change(&mut header, other);
        let refusal = lie.check(header, &lie.data).unwrap_err();
        assert_eq!(refusal.clause(), clause, "{part}: {refusal}");
        let reason = refusal.to_string();
        assert!(reason.replace('_', " ").contains(&part.replace('_', " ")), "{part}: {reason}");
    }
}

#[test]
fn a_data_length_that_the_counts_do_not_allow_is_refused_before_anything_is_fetched() {
    let lie = Lie::new();
    let header = BatchHeader { data_length: 1 << 30, ..lie.batch.header };
    let error = check_header(&Lie::found(header), &header.rollup_id, &lie.ledger.cursor).unwrap_err();
    assert!(matches!(error, Refusal::DataLength { data_length, .. } if data_length == 1 << 30), "{error}");
    check_header(&Lie::found(lie.batch.header), &header.rollup_id, &lie.ledger.cursor).unwrap();
}

#[test]
fn each_kind_of_leaf_mismatch_is_named() {
    let ledger = registered(Digest::from_byte_digest([7; 32]));
    let rollup_id = ledger.rollup_id;
    let (mut other_node, foreign) = (receipt(rollup_id, 3), receipt(Digest::from_byte_digest([9; 32]), 4));
    other_node.node_index = 4;
    let mut swapped = record(&receipt(rollup_id, 1));
    swapped.receipt = record(&receipt(rollup_id, 2)).receipt;
    let mut garbage = record(&receipt(rollup_id, 2));
    garbage.receipt = Vec::new();
    let records = vec![swapped, garbage, record(&other_node), record(&foreign)];
    let batch = ledger.seal(vec![signed(rollup_id, &signing_key(2), NODE, 0, records)], Vec::new());
    let verified = check(&ledger, batch.header, &batch.blob(&ledger.cursor)).unwrap();
    let found: Vec<_> = verified.receipts[0].iter().map(|receipt| receipt.as_ref().unwrap_err()).collect();
    assert!(matches!(found[0], LeafMismatch::Word { word: 0 }), "{}", found[0]);
    assert!(matches!(found[1], LeafMismatch::Receipt(_)), "{}", found[1]);
    assert_eq!(*found[2], LeafMismatch::Origin { field: "node_index" });
    assert_eq!(*found[3], LeafMismatch::Origin { field: "rollup_id" });
}

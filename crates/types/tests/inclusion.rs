//! From receipts to a batch, its blob and proof files, and what becomes of each when a byte is changed.

mod rollup;

use cairn_types::tree::fold;
use cairn_types::{
    Batch, BatchScope, Blob, BlobError, BundleData, BundleError, InclusionPath, InclusionPathError, Leaf, Receipt,
    ReceiptProof, SealError, data_digest,
};
use rollup::{Rollup, secret};

const NODE: u32 = 0;

fn bundle(sequence: u64, receipts: std::ops::Range<u64>) -> BundleData {
    rollup::bundle(&secret(0), NODE, sequence, receipts)
}

fn batch() -> (Rollup, Batch) {
    let rollup = Rollup::with_nodes(1);
    let batch = rollup.attempt(vec![bundle(0, 0..5), bundle(1, 5..261), bundle(2, 261..262)], vec![]).unwrap();
    (rollup, batch)
}

fn open(rollup: &Rollup, bytes: &[u8], batch: &cairn_types::BatchHeader) -> Result<Batch, BlobError> {
    let blob = Blob::decode(bytes, batch)?;
    let mut state = rollup.state.open(blob.touched());
    blob.into_batch(batch, &rollup.cursor, &mut state)
}

#[test]
fn header_states_the_sums_over_all_receipts() {
    let (_, batch) = batch();
    let header = batch.header;
    assert_eq!((header.bundles, header.receipts), (3, 262));
    assert_eq!(header.bytes, (0..262).map(|n| 100 + n).sum::<u64>());
    assert_eq!((header.time_min, header.time_max), (1_700_000_000_000, 1_700_000_000_000 + 130));
    let [robots, _, _, tdm, _] = header.verdicts;
    assert_eq!((robots.allowed, robots.refused, robots.conditional), (66, 65, 65));
    assert_eq!(tdm.refused, 262);
    assert_ne!(header.old_state_root, header.new_state_root);
    assert_eq!(header.queue_from, header.queue_to);
    assert_eq!(header.tiers, [0; 5]);
}

#[test]
fn every_receipt_of_a_batch_has_a_proof_and_only_for_its_slot() {
    let (_, batch) = batch();
    for (bundle, leaf) in [(0, 0), (0, 4), (1, 0), (1, 128), (1, 255), (2, 0)] {
        let proof = ReceiptProof::new(&batch, bundle, leaf).unwrap();
        let read = ReceiptProof::decode(&proof.encode()).unwrap();
        let verified = read.verify().unwrap();
        assert_eq!(verified.header_digest, batch.header.statement());
        assert_eq!(verified.bundle, batch.statements[bundle]);
        assert_eq!(verified.receipt, Receipt::decode(&batch.bundles[bundle].records[leaf].receipt).unwrap());
    }
    assert_eq!(ReceiptProof::new(&batch, 0, 5), None);
    assert_eq!(ReceiptProof::new(&batch, 3, 0), None);
}

/// A changed byte is refused, or leads to a header that is not the anchor: nothing in between.
#[test]
fn no_changed_byte_of_a_proof_file_keeps_the_header_digest() {
    let (_, batch) = batch();
    let anchor = batch.header.statement();
    let bytes = ReceiptProof::new(&batch, 1, 3).unwrap().encode();
    for at in 0..bytes.len() {
        for bit in [1_u8, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let outcome = ReceiptProof::decode(&changed).and_then(|proof| proof.verify());
            assert!(!outcome.is_ok_and(|verified| verified.header_digest == anchor), "byte {at}");
        }
    }
    for length in 0..bytes.len() {
        assert!(ReceiptProof::decode(&bytes[..length]).is_err(), "cut at {length}");
    }
    assert!(ReceiptProof::decode(&[&bytes[..], &[0]].concat()).is_err());
}

/// The forger recomputes everything inside the file: it is consistent, and its header is another.
#[test]
fn recomputed_hashes_around_a_changed_payload_digest_miss_the_anchor() {
    let (_, batch) = batch();
    let mut proof = ReceiptProof::new(&batch, 1, 3).unwrap();
    let mut receipt = Receipt::decode(&proof.receipt).unwrap();
    receipt.payload_blake3[0] ^= 1;
    proof.receipt = receipt.encode().unwrap();
    assert!(proof.verify().unwrap_err().to_string().contains("batch_root"));

    let leaf = Leaf::of(&receipt, &proof.receipt).unwrap();
    let mut bundle = batch.statements[1];
    bundle.receipts_root = fold(leaf.digest(), u64::from(proof.leaf_index), &proof.leaf_path).unwrap();
    let root = fold(bundle.digest(), u64::from(proof.bundle_index), &proof.bundle_path).unwrap();
    let mut header = batch.header;
    header.batch_root = root;
    proof.header = header.words();
    let verified = proof.verify().expect("consistent in itself");
    assert_ne!(verified.header_digest, batch.header.statement());
}

#[test]
fn the_same_leaf_cannot_be_shown_at_a_second_index() {
    let (_, batch) = batch();
    let proof = ReceiptProof::new(&batch, 0, 2).unwrap();
    for index in [3, 5, 2 + 256, u16::MAX] {
        let mut moved = proof.clone();
        moved.leaf_index = index;
        assert!(moved.verify().is_err(), "leaf_index {index}");
        let mut moved = proof.clone();
        moved.bundle_index = index;
        assert!(moved.verify().is_err(), "bundle_index {index}");
    }
}

#[test]
fn a_blob_opens_to_the_batch_that_its_header_describes() {
    let (rollup, batch) = batch();
    let bytes = batch.blob(&rollup.cursor);
    assert_eq!(batch.header.data_digest, data_digest(&bytes));
    assert_eq!(open(&rollup, &bytes, &batch.header).unwrap(), batch);
}

#[test]
fn a_changed_shortened_or_lengthened_blob_is_refused_and_says_why() {
    let (rollup, batch) = batch();
    let (bytes, header) = (batch.blob(&rollup.cursor), &batch.header);
    for at in (0..bytes.len()).step_by(997) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(matches!(open(&rollup, &changed, header), Err(BlobError::Digest { .. })), "byte {at}");
    }
    assert!(matches!(open(&rollup, &bytes[1..], header), Err(BlobError::Length { .. })));
    assert!(matches!(open(&rollup, &[&bytes[..], &[0]].concat(), header), Err(BlobError::Length { .. })));
}

/// A sequencer that publishes other data and puts its true digest into the header is found out by recomputing.
#[test]
fn a_blob_whose_digest_is_right_and_whose_receipts_are_not_is_refused() {
    let (rollup, batch) = batch();
    let other = rollup.attempt(vec![bundle(0, 0..5), bundle(1, 5..261), bundle(2, 262..263)], vec![]).unwrap();
    let bytes = other.blob(&rollup.cursor);
    let mut header = batch.header;
    (header.data_digest, header.data_length) = (data_digest(&bytes), bytes.len() as u64);
    let error = open(&rollup, &bytes, &header).unwrap_err();
    assert!(matches!(error, BlobError::Mismatch { part: "batch_root" }), "{error}");
}

/// As above, with a signature that nobody made.
#[test]
fn a_blob_with_a_forged_signature_is_refused_under_its_own_digest() {
    let (rollup, batch) = batch();
    let mut bundles = batch.bundles.clone();
    bundles[1].signature = bundles[0].signature;
    let bytes = Blob::new(batch.header.rollup_id, &rollup.cursor, bundles, vec![]).encode();
    let mut header = batch.header;
    (header.data_digest, header.data_length) = (data_digest(&bytes), bytes.len() as u64);
    let error = open(&rollup, &bytes, &header).unwrap_err();
    assert!(matches!(error, BlobError::Seal(SealError::Unauthorised { index: 1, .. })), "{error}");
}

#[test]
fn a_blob_that_names_an_account_outside_the_tree_is_refused() {
    let (rollup, batch) = batch();
    let mut bundles = batch.bundles.clone();
    bundles[2].node_index = u32::MAX;
    let bytes = Blob::new(batch.header.rollup_id, &rollup.cursor, bundles, vec![]).encode();
    let mut header = batch.header;
    (header.data_digest, header.data_length) = (data_digest(&bytes), bytes.len() as u64);
    assert!(matches!(open(&rollup, &bytes, &header), Err(BlobError::Seal(SealError::Bundle { index: 2, .. }))));
}

#[test]
fn seal_refuses_what_no_circuit_could_prove() {
    let rollup = Rollup::with_nodes(1);
    let seal = |bundles| rollup.attempt(bundles, vec![]);
    assert_eq!(seal(vec![bundle(0, 0..1); 513]), Err(SealError::Bundles(513)));
    let broken = |change: fn(&mut BundleData)| {
        let mut data = bundle(1, 0..4);
        change(&mut data);
        match seal(vec![bundle(0, 0..1), data]) {
            Err(SealError::Bundle { index: 1, source }) => source,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(broken(|data| data.records.clear()), BundleError::Count(0));
    assert_eq!(broken(|data| data.node_index = 1 << 24), BundleError::NodeIndex(1 << 24));
    assert_eq!(broken(|data| data.sequence = 1 << 62), BundleError::Sequence(1 << 62));
    assert!(matches!(broken(|data| data.records.reverse()), BundleError::Order { index: 2, .. }));
    assert!(matches!(
        broken(|data| {
            let mut words = data.records[1].leaf.words();
            words[1] |= 1 << cairn_types::leaf::bits::TIER;
            data.records[1].leaf = Leaf::from_words(words).unwrap();
        }),
        BundleError::Leaf { index: 1, .. }
    ));
}

/// The path without its ends says the same as the proof file, and every word of it matters.
#[test]
fn a_path_leads_to_the_batch_root_from_its_own_leaf_and_place_only() {
    let (_, batch) = batch();
    let header = batch.header;
    let scope = BatchScope { rollup_id: header.rollup_id, bundles: u64::from(header.bundles) };
    for (bundle, leaf) in [(0, 0), (0, 4), (1, 128), (1, 255), (2, 0)] {
        let path = ReceiptProof::new(&batch, bundle, leaf).unwrap().path();
        let own = batch.bundles[bundle].records[leaf].leaf;
        let bytes = path.to_bytes();
        assert_eq!(InclusionPath::from_bytes(&bytes), Ok(path));
        assert_eq!(path.batch_root(&own, NODE, &scope), Ok(header.batch_root));

        let other_leaf = batch.bundles[0].records[if (bundle, leaf) == (0, 1) { 2 } else { 1 }].leaf;
        assert_ne!(path.batch_root(&other_leaf, NODE, &scope), Ok(header.batch_root));
        assert_ne!(path.batch_root(&own, NODE + 1, &scope), Ok(header.batch_root));
        let other_rollup = cairn_types::Digest::from_byte_digest([8; 32]);
        assert_ne!(
            path.batch_root(&own, NODE, &BatchScope { rollup_id: other_rollup, ..scope }),
            Ok(header.batch_root)
        );
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 1;
            let root = InclusionPath::from_bytes(&changed).and_then(|path| path.batch_root(&own, NODE, &scope));
            assert_ne!(root, Ok(header.batch_root), "byte {at}");
        }
    }
}

#[test]
fn a_path_outside_its_bundle_or_batch_leads_nowhere() {
    let (_, batch) = batch();
    let header = batch.header;
    let path = ReceiptProof::new(&batch, 1, 3).unwrap().path();
    let leaf = batch.bundles[1].records[3].leaf;
    let scope = |bundles| BatchScope { rollup_id: header.rollup_id, bundles };
    let root = |path: InclusionPath, bundles| path.batch_root(&leaf, NODE, &scope(bundles));

    // A full bundle and a full batch: only the depth is left to say that the index is too large.
    for (leaf_index, count) in [(256, 256), (256 + 3, 256), (5, 5), (u16::MAX, 1)] {
        let outside = InclusionPathError::LeafIndex { index: leaf_index, count };
        assert_eq!(root(InclusionPath { leaf_index, count, ..path }, 3), Err(outside));
    }
    for count in [0, 257, u16::MAX] {
        assert_eq!(root(InclusionPath { count, ..path }, 3), Err(InclusionPathError::Count(count)));
    }
    for (bundle_index, bundles) in [(3, 3), (1, 1), (512, 512), (512 + 1, 1 << 40), (u16::MAX, u64::MAX)] {
        let outside = InclusionPathError::BundleIndex { index: bundle_index, bundles };
        assert_eq!(root(InclusionPath { bundle_index, ..path }, bundles), Err(outside));
    }
    let far = path.batch_root(&leaf, 1 << 24, &scope(3));
    assert_eq!(far, Err(InclusionPathError::NodeIndex(1 << 24)));

    let modulus = modulus_bytes();
    let bytes = path.to_bytes();
    for end in 0..bytes.len() {
        assert_eq!(InclusionPath::from_bytes(&bytes[..end]), Err(InclusionPathError::NonCanonical), "cut at {end}");
    }
    assert!(InclusionPath::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    for at in [2, 2 + 256 - 8, 258, 268, 276, 284, 294, bytes.len() - 8] {
        let mut changed = bytes;
        changed[at..at + 8].copy_from_slice(&modulus);
        assert_eq!(InclusionPath::from_bytes(&changed), Err(InclusionPathError::NonCanonical), "word at {at}");
    }
}

/// The smallest word that is not canonical.
fn modulus_bytes() -> [u8; 8] {
    (u64::MAX - u64::from(u32::MAX) + 1).to_le_bytes()
}

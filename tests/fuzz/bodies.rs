//! What the fuzz targets do with bytes. Shared with the test that replays the corpus.

use cairn_client::ReceiptKeyFile;
use cairn_client::warc::{Options, read_inputs};
use cairn_interface::{
    Batch as BatchAccount, History, MAX_BLOB_LOCATION_BYTES, Node, Profile, Proof, Queue, Rollup, blob_location_in,
    blob_location_place, is_blob_location,
};
use cairn_proto::v1::{self, SubmitBundleRequest};
use cairn_proto::{Acknowledgement, Submission};
use cairn_types::limits::MAX_NODES;
use cairn_types::state::{MemoryState, PartialState};
use cairn_types::{
    Account, AccountProof, Batch, BatchHeader, Blob, Cursor, Digest, EntryKind, QueueCursor, QueueEntry, Receipt,
    ReceiptKey, ReceiptProof, ReceiptSignature,
};
use cairn_verifier::{Dev, NativeKeccak, Progress as FinalProgress, Step, all_queries, step, verify};
use prost::Message;
use std::io::{Cursor as Bytes, Write as _};
use std::sync::LazyLock;

/// Reads bytes as a WARC file, once alone and once as two inputs: every receipt must be valid, every receipt and every
/// skipped record must lie inside the file, and reading twice must give the same.
pub fn warc(data: &[u8]) {
    let options = Options { rollup_id: Digest::from_byte_digest([1; 32]), node_index: 1, job: None };
    let read = |inputs: &[&[u8]]| {
        let inputs = inputs.iter().map(|bytes| ("input".to_owned(), Bytes::new(bytes.to_vec()))).collect();
        read_inputs(inputs, &options, &()).expect("memory can always be read")
    };
    let crawl = read(&[data]);
    assert_eq!(crawl, read(&[data]));
    for receipt in &crawl.receipts {
        let bytes = receipt.encode().expect("a receipt that is given is valid");
        assert_eq!(Receipt::decode(&bytes).as_ref(), Ok(receipt));
        if let Some(locator) = &receipt.locator {
            assert!(locator.offset + locator.length <= data.len() as u64);
        }
    }
    assert!(crawl.report.skipped.iter().all(|skipped| skipped.offset < data.len() as u64));
    let (front, back) = data.split_at(data.len() / 2);
    read(&[back, front]);
}

/// Reads bytes as a receipt: what is read has no other encoding.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::decode(data) {
        assert_eq!(receipt.encode().as_deref(), Ok(data));
    }
}

/// Reads bytes as a message with a bundle: one that has a statement survives the wire.
pub fn bundle(data: &[u8]) {
    let Ok(request) = SubmitBundleRequest::decode(data) else { return };
    let Ok(submission) = Submission::try_from(request) else { return };
    if let Ok(statement) = submission.bundle.statement(&submission.rollup_id) {
        assert_eq!(usize::from(statement.count), submission.bundle.records.len());
        let again = Submission::try_from(SubmitBundleRequest::from(submission.clone()));
        assert_eq!(again.as_ref(), Ok(&submission));
    }
}

/// The node that seeds are signed by, and its key's secret.
pub const NODE: u32 = 7;
pub const SECRET: [u8; 40] = {
    let mut secret = [7; 40];
    secret[39] = 0;
    secret
};

/// An account tree in which [`NODE`] is registered.
pub static TREE: LazyLock<MemoryState> = LazyLock::new(|| {
    let secret = cairn_schnorr::SigningKey::from_bytes(&SECRET).expect("it is below the group's order");
    let key = ReceiptKey::from_words(secret.public_key().words()).expect("the words of a key are canonical");
    let mut tree = MemoryState::default();
    let mut state = tree.open([NODE]);
    let entry = QueueEntry::new(EntryKind::Register, NODE, key).expect("it is in range");
    state.apply_entry(&entry).expect("whatever the chain registers is applied");
    tree.commit(&state);
    tree
});

/// Where a rollup with that tree stands.
pub fn cursor(rollup_id: &Digest) -> Cursor {
    Cursor { state_root: TREE.open([]).root(), ..Cursor::genesis(rollup_id) }
}

/// Reads bytes as a blob: one that can be sealed decodes under the header that sealing gives, and gives the batch again.
pub fn blob(data: &[u8]) {
    let Ok(blob) = borsh::from_slice::<Blob>(data) else { return };
    assert_eq!(blob.encode(), data);
    // A reader compares the counts with the header, and the indices with the tree, before it opens a state.
    if blob.touched().iter().any(|index| *index >= MAX_NODES) {
        return;
    }
    let (cursor, rollup_id) = (cursor(&blob.rollup_id), blob.rollup_id);
    let mut state = TREE.open(blob.touched());
    if let Ok(batch) = Batch::seal(&cursor, rollup_id, blob.bundles, blob.entries, &mut state) {
        let bytes = batch.blob(&cursor);
        let read = Blob::decode(&bytes, &batch.header).expect("it has the digest and the length");
        let mut again = TREE.open(read.touched());
        assert_eq!(read.into_batch(&batch.header, &cursor, &mut again).ok(), Some(batch));
        assert_eq!(again, state);
    }
}

/// Reads bytes as a proof file: what is read has no other encoding, and verifying it does not panic.
pub fn proof(data: &[u8]) {
    if let Ok(proof) = ReceiptProof::decode(data) {
        assert_eq!(proof.encode(), data);
        let _ = proof.verify();
    }
}

/// Reads bytes as an account proof: what is read has no other encoding, and verifying it does not panic.
pub fn account_proof(data: &[u8]) {
    if let Ok(proof) = AccountProof::decode(data) {
        assert_eq!(proof.encode(), data);
        if let Ok(shown) = proof.verify() {
            assert!(shown.node_index < MAX_NODES);
        }
    }
}

/// Reads bytes as a key, a signature and a message: each has one encoding, and what is signed is that message alone.
pub fn signature(data: &[u8]) {
    let Some((key, rest)) = data.split_first_chunk::<{ ReceiptKey::BYTES }>() else { return };
    let Some((signature, message)) = rest.split_first_chunk::<{ ReceiptSignature::BYTES }>() else { return };
    if let Ok(key) = cairn_schnorr::PublicKey::from_bytes(key) {
        assert_eq!(cairn_schnorr::PublicKey::decode(key.words()).ok(), Some(key));
    }
    if let Ok(read) = cairn_schnorr::Signature::from_bytes(signature) {
        assert_eq!(read.to_bytes(), *signature);
    }
    let (Ok(key), Ok(message)) = (ReceiptKey::from_bytes(*key), Digest::from_slice(message)) else { return };
    assert_eq!(ReceiptKey::from_bytes(key.to_bytes()), Ok(key));
    let signature = ReceiptSignature::from_bytes(*signature);
    if key.verify(&message, &signature).is_ok() {
        let [a, b, c, d] = message.words();
        if let Ok(other) = Digest::from_words([a, b, c, d ^ 1]) {
            assert!(key.verify(&other, &signature).is_err());
        }
    }
}

/// Reads bytes as each account of the program: a rollup says of its blobs what its program would have taken, a batch has the
/// header's number, an active node has a key, and a queue whose entries chain does so from one end to the other.
pub fn account(data: &[u8]) {
    if let Ok(rollup) = Rollup::parse(data) {
        assert!(is_blob_location(&rollup.blob_location));
        assert!(rollup.pending() <= rollup.tip.batches);
        let _ = (rollup.consumed_position(), rollup.is_paused(i64::MAX), rollup.is_paused(i64::MIN));
    }
    if let Ok(batch) = BatchAccount::parse(data) {
        assert_eq!(BatchHeader::from_bytes(&batch.header.to_bytes()), Ok(batch.header));
    }
    if let Ok(history) = History::parse(data) {
        assert!(history.kept.iter().all(|(size, _)| *size <= history.size));
        assert!(history.size == 0 || history.root_at(history.size) == Some(history.root));
    }
    for profile in Profile::ALL {
        let _ = Proof::parse(profile, data);
    }
    if let Ok(node) = Node::parse(data) {
        assert_eq!(node.is_active(), !node.receipt_key.is_zero());
        assert!(node.index < MAX_NODES);
    }
    let Ok(queue) = Queue::parse(data) else { return };
    assert!(queue.ring.len() as u64 <= queue.end.position);
    let Some(first) = queue.ring.first() else { return };
    assert_eq!(queue.cursor_at(first.cursor.position), Some(first.cursor));
    if let Ok(entries) = queue.entries_from(&first.cursor, queue.end.position) {
        let end = entries.iter().fold(first.cursor, |cursor: QueueCursor, entry| cursor.push(&entry.entry));
        assert_eq!(end, queue.end);
    }
    for (from, to) in [(0, u64::MAX), (queue.end.position, 0), (u64::MAX, u64::MAX)] {
        let _ = queue.entries(from, to);
    }
}

/// The committed final proof of profile `dev`, and what it proves.
static FINAL_PROOF: (&[u8], &str) = (
    include_bytes!("../../crates/verifier/tests/fixtures/dev.proof"),
    include_str!("../../crates/verifier/tests/fixtures/dev.statement"),
);

/// A word of that proof.
pub fn final_proof_word(place: usize) -> u64 {
    bytemuck::pod_collect_to_vec(FINAL_PROOF.0)[place]
}

/// What [`final_proof`] reads as a change of a word.
pub fn change(place: u16, word: u64) -> [u8; 10] {
    let mut change = [0; 10];
    change[..2].copy_from_slice(&place.to_le_bytes());
    change[2..].copy_from_slice(&word.to_le_bytes());
    change
}

/// Reads bytes as a final proof, and as changes to one that is valid: two bytes say which word, eight what it becomes. Only the
/// valid one is accepted, whichever step it is that looks, and no step panics.
pub fn final_proof(data: &[u8]) {
    let (valid, statement) = FINAL_PROOF;
    let mut words = statement.split_whitespace().map(|word| word.parse().expect("a committed word"));
    let statement = std::array::from_fn(|_| words.next().expect("four of them"));
    let verdict = |proof: &[u8]| verify::<Dev, NativeKeccak>(proof, &statement);
    assert!(verdict(data).is_err() || data == valid);

    let mut changed: Vec<u64> = bytemuck::pod_collect_to_vec(valid);
    let unchanged = changed.clone();
    let length = changed.len();
    for [low, high, word @ ..] in data.as_chunks::<10>().0 {
        changed[usize::from(u16::from_le_bytes([*low, *high])) % length] = u64::from_le_bytes(*word);
    }
    assert_eq!(verdict(bytemuck::cast_slice(&changed)).is_ok(), changed == unchanged);

    // The steps after the first, which refuses nearly everything.
    let mut progress = <FinalProgress as bytemuck::Zeroable>::zeroed();
    let mut next = |proof: &[u64], what| step::<Dev, NativeKeccak>(&mut progress, proof, &statement, what);
    assert_eq!(next(&unchanged, Step::Transcript), Ok(()));
    let openings_hold = next(&changed, Step::Constraints).is_ok();
    if !openings_hold {
        assert_eq!(next(&unchanged, Step::Constraints), Ok(()));
    }
    let queries_hold = next(&changed, Step::Queries(all_queries::<Dev>())).is_ok();
    assert!(!(openings_hold && queries_hold) || progress.is_verified::<Dev>());
}

/// Reads bytes as a length and the place of a blob location, the rest of which is zero: a text in it has no other length, and
/// lands in the same place again.
pub fn blob_location(data: &[u8]) {
    let Some(text) = blob_location_of(data) else { return };
    assert!(is_blob_location(&text));
    let (length, place) = blob_location_place(&text);
    assert_eq!(usize::from(length), text.len());
    assert_eq!(blob_location_in(length, &place), Some(text.as_bytes()));
    for other in (0..=u8::MAX).filter(|other| *other != length) {
        assert_eq!(blob_location_in(other, &place), None);
    }
}

/// The text that [`blob_location`] finds, if it does.
pub fn blob_location_of(data: &[u8]) -> Option<String> {
    let (length, text) = data.split_first()?;
    let mut place = [0; MAX_BLOB_LOCATION_BYTES];
    place.get_mut(..text.len())?.copy_from_slice(text);
    let text = blob_location_in(*length, &place)?;
    Some(String::from_utf8(text.to_vec()).expect("printable ASCII is text"))
}

/// Reads bytes as a part of the account tree: one that leads to its root still does after an entry.
pub fn state(data: &[u8]) {
    let Ok(mut state) = borsh::from_slice::<PartialState>(data) else { return };
    let root = state.root();
    let verified = state.verify(&root).is_ok();
    let accounts: Vec<(u32, Account)> = state.accounts().collect();
    for (index, account) in &accounts {
        assert_eq!(state.account(*index), Ok(Some(*account)));
        let path = state.path(*index).expect("it is opened");
        if verified {
            assert_eq!(cairn_types::tree::fold(account.digest(), u64::from(*index), &path), Some(root));
        }
    }
    if let (true, Some((index, account))) = (verified, accounts.first()) {
        let entry = QueueEntry::new(EntryKind::Deactivate, *index, ReceiptKey::ZERO).expect("it is in range");
        state.apply_entry(&entry).expect("the account is there");
        assert_eq!(state.root() == root, account.key.is_zero());
        let after = state.root();
        assert_eq!(state.verify(&after), Ok(()));
    }
}

/// Reads bytes as an acknowledgement: what is read survives the wire, and nobody's key has signed it.
pub fn acknowledgement(data: &[u8]) {
    let Ok(message) = v1::Acknowledgement::decode(data) else { return };
    let Ok(read) = Acknowledgement::try_from(message) else { return };
    assert_eq!(Acknowledgement::try_from(v1::Acknowledgement::from(read)), Ok(read));
    let rollup_id = Digest::from_byte_digest([1; 32]);
    for key in [[0; 32], [1; 32], [0xff; 32]] {
        assert!(read.verify(&rollup_id, &key).is_err());
    }
}

/// Reads bytes as a node's key file: the key that is read signs.
pub fn key_file(data: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("there is a folder for temporary files");
    file.write_all(data).expect("it can be written");
    if let Ok(file) = ReceiptKeyFile::read(file.path()) {
        let message = Digest::constant([1, 2, 3, 4]);
        assert_eq!(file.public().verify(&message, &file.key().sign(&message)), Ok(()));
    }
}

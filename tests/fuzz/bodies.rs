//! What the fuzz targets do with bytes. Shared with the test that replays the corpus.

use cairn_client::warc::{Options, read_inputs};
use cairn_proto::Submission;
use cairn_proto::v1::SubmitBundleRequest;
use cairn_types::{Batch, Blob, Cursor, Digest, Receipt, ReceiptProof};
use prost::Message;
use std::io::Cursor as Bytes;

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

/// Reads bytes as a blob: one that can be sealed opens under the header that sealing gives.
pub fn blob(data: &[u8]) {
    let Ok(blob) = borsh::from_slice::<Blob>(data) else { return };
    assert_eq!(blob.encode(), data);
    let cursor = Cursor::genesis(&blob.rollup_id);
    if let Ok(batch) = Batch::seal(&cursor, blob.rollup_id, blob.bundles) {
        let bytes = batch.blob(&cursor);
        assert_eq!(Blob::open(&bytes, &batch.header, &cursor).ok(), Some(batch));
    }
}

/// Reads bytes as a proof file: what is read has no other encoding, and verifying it does not panic.
pub fn proof(data: &[u8]) {
    if let Ok(proof) = ReceiptProof::decode(data) {
        assert_eq!(proof.encode(), data);
        let _ = proof.verify();
    }
}

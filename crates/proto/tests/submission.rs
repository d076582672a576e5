//! Requests from outside: each limit is named, and no bytes make the reader panic.

use cairn_proto::v1::SubmitBundleRequest;
use cairn_proto::{FieldError, Submission, v1};
use cairn_types::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_RECEIPTS, MAX_COUNTER, MAX_NODES, MAX_RECEIPT_BYTES};
use cairn_types::{Digest, Receipt};
use proptest::prelude::*;
use prost::Message;

const NODE: u32 = 7;

fn rollup() -> Digest {
    Digest::from_byte_digest([1; 32])
}

fn receipt(time: u64) -> Receipt {
    Receipt {
        media_type: Some("text/html".to_owned()),
        content_length: 10,
        payload_blake3: [2; 32],
        payload_sha256: [3; 32],
        payload_sha1: [4; 20],
        ..Receipt::new(rollup(), NODE, &format!("https://example.org/{time}"), "example.org", time)
    }
}

fn request(receipts: u64) -> SubmitBundleRequest {
    SubmitBundleRequest {
        rollup_id: rollup().to_bytes().to_vec(),
        node_index: NODE,
        sequence: 3,
        receipts: (0..receipts).map(|time| receipt(time).encode().unwrap()).collect(),
        signature: (0..80).collect(),
    }
}

fn refusal(change: impl FnOnce(&mut SubmitBundleRequest)) -> FieldError {
    let mut request = request(3);
    change(&mut request);
    Submission::try_from(request).unwrap_err()
}

#[test]
fn submission_round_trips() {
    let submission = Submission::try_from(request(3)).unwrap();
    assert_eq!(submission.bundle.records.len(), 3);
    assert_eq!(SubmitBundleRequest::from(submission), request(3));
}

#[test]
fn a_full_bundle_fits_and_one_more_does_not() {
    assert!(Submission::try_from(request(MAX_BUNDLE_RECEIPTS as u64)).is_ok());
    assert_eq!(Submission::try_from(request(MAX_BUNDLE_RECEIPTS as u64 + 1)).unwrap_err().field(), "receipts");
}

#[test]
fn each_field_over_its_limit_is_named() {
    let mut other_rollup = receipt(1);
    other_rollup.rollup_id = Digest::from_byte_digest([9; 32]);
    let mut other_node = receipt(1);
    other_node.node_index = NODE + 1;
    let cases = [
        ("rollup_id", refusal(|r| r.rollup_id.truncate(31))),
        ("rollup_id", refusal(|r| r.rollup_id = vec![0xff; 32])),
        ("rollup_id", refusal(|r| r.rollup_id.push(0))),
        ("node_index", refusal(|r| r.node_index = MAX_NODES)),
        ("sequence", refusal(|r| r.sequence = MAX_COUNTER)),
        ("signature", refusal(|r| r.signature.clear())),
        ("signature", refusal(|r| r.signature.push(0))),
        ("receipts", refusal(|r| r.receipts.clear())),
        (
            "receipts",
            refusal(|r| r.receipts = vec![vec![1; MAX_RECEIPT_BYTES]; MAX_BUNDLE_BYTES / MAX_RECEIPT_BYTES + 1]),
        ),
        ("receipts[1]", refusal(|r| r.receipts[1].clear())),
        ("receipts[1]", refusal(|r| r.receipts[1] = vec![1; MAX_RECEIPT_BYTES + 1])),
        ("receipts[2]", refusal(|r| r.receipts[2].push(0))),
        ("receipts[2]", refusal(|r| r.receipts[2][0] = 9)),
        ("receipts[0]", refusal(|r| r.receipts[0] = other_rollup.encode().unwrap())),
        ("receipts[0]", refusal(|r| r.receipts[0] = other_node.encode().unwrap())),
    ];
    for (field, error) in cases {
        assert_eq!(error.field(), field, "{error}");
        let status = tonic::Status::from(error);
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(request) = SubmitBundleRequest::decode(&bytes[..]) {
            let _ = Submission::try_from(request);
        }
    }

    #[test]
    fn a_changed_request_is_refused_or_is_another_canonical_submission(
        at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>(), shorten in any::<bool>(),
    ) {
        let mut bytes = request(2).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(request) = SubmitBundleRequest::decode(&bytes[..])
            && let Ok(submission) = Submission::try_from(request.clone())
        {
            prop_assert_eq!(SubmitBundleRequest::from(submission), request);
        }
    }

    #[test]
    fn any_acknowledgement_is_read_or_refused(
        log_index in any::<u64>(), node_index in any::<u32>(), sequence in any::<u64>(),
        bundle_digest in prop::collection::vec(any::<u8>(), 0..40), duplicate in any::<bool>(),
        settle_by_slot in any::<u64>(), signature in prop::collection::vec(any::<u8>(), 60..70),
    ) {
        let message = v1::Acknowledgement {
            log_index, node_index, sequence, bundle_digest, duplicate, settle_by_slot, signature,
        };
        if let Ok(value) = cairn_proto::Acknowledgement::try_from(message.clone()) {
            prop_assert_eq!(v1::Acknowledgement::from(value), message);
        }
    }
}

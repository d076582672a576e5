//! Values for this crate's tests.

use cairn_types::{Capture, Digest, Evidence, Method, Receipt, Rights};

/// A rollup of the tests' own.
pub(crate) const ROLLUP: Digest = Digest::constant([1, 2, 3, 4]);

/// A receipt of node 7 that is told from others by `n`.
pub(crate) fn receipt(n: u64, fetch_time: u64) -> Receipt {
    Receipt {
        rollup_id: ROLLUP,
        node_index: 7,
        url: format!("https://example.org/{n:08}"),
        final_url: None,
        domain: "example.org".to_owned(),
        suffix_list: "2".to_owned(),
        fetch_time,
        fetch_end: None,
        status: 200,
        method: Method::Get,
        media_type: None,
        charset: None,
        language: None,
        content_length: n,
        truncated: false,
        capture: Capture::Response,
        payload_blake3: [1; 32],
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        headers_digest: None,
        job: None,
        rights: Rights::default(),
        evidence: Evidence::default(),
        locator: None,
        lineage: None,
        groups: Vec::new(),
    }
}

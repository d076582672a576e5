//! Values for this crate's tests.

use cairn_types::{Digest, Receipt};

/// A rollup of the tests' own.
pub(crate) const ROLLUP: Digest = Digest::constant([1, 2, 3, 4]);

/// A receipt of node 7 that is told from others by `n`.
pub(crate) fn receipt(n: u64, fetch_time: u64) -> Receipt {
    Receipt {
        content_length: n,
        payload_blake3: [1; 32],
        payload_sha256: [2; 32],
        payload_sha1: [3; 20],
        ..Receipt::new(ROLLUP, 7, &format!("https://example.org/{n:08}"), "example.org", fetch_time)
    }
}

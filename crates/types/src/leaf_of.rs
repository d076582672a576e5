//! From a receipt to its leaf, the way every verifier goes: nothing of a leaf is taken from elsewhere.

use crate::{Leaf, LeafError, LeafParts, Receipt};

/// BLAKE3 key-derivation context of a domain tag.
const DOMAIN_CONTEXT: &str = "cairn v1 domain";

/// Bits 0 to 62 and 63 to 117 of the digest of a registrable domain.
#[must_use]
pub fn domain_tag(domain: &str) -> [u64; 2] {
    let digest = blake3::derive_key(DOMAIN_CONTEXT, domain.as_bytes());
    let bits = digest[..16].iter().rev().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    [(bits & ((1 << 63) - 1)) as u64, (bits >> 63 & ((1 << 55) - 1)) as u64]
}

impl Leaf {
    /// The leaf of a receipt whose canonical encoding is `bytes`.
    ///
    /// # Errors
    /// When a field does not fit, which a validated receipt's fields do.
    pub fn of(receipt: &Receipt, bytes: &[u8]) -> Result<Self, LeafError> {
        LeafParts {
            time: receipt.fetch_time,
            content_length: receipt.content_length,
            status: receipt.status,
            tier: receipt.evidence.tier,
            verdicts: receipt.rights.verdicts,
            domain_tag: domain_tag(&receipt.domain),
            method: receipt.method,
            truncated: receipt.truncated,
            media: receipt.media_class(),
            receipt: Receipt::digest_of(bytes),
        }
        .leaf()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::tests::receipt;

    #[test]
    fn a_leaf_says_what_its_receipt_says() {
        let receipt = receipt();
        let bytes = receipt.encode().unwrap();
        let parts = Leaf::of(&receipt, &bytes).unwrap().parts().unwrap();
        assert_eq!(parts.time, receipt.fetch_time);
        assert_eq!(parts.content_length, receipt.content_length);
        assert_eq!(parts.status, receipt.status);
        assert_eq!(parts.verdicts, receipt.rights.verdicts);
        assert_eq!(parts.receipt, Receipt::digest_of(&bytes));
    }

    #[test]
    fn domain_tags_hold_118_bits_of_the_digest() {
        let digest = blake3::derive_key(DOMAIN_CONTEXT, b"example.org");
        let low = u64::from_le_bytes(digest[..8].try_into().unwrap());
        let high = u64::from_le_bytes(digest[8..16].try_into().unwrap());
        let [a, b] = domain_tag("example.org");
        assert_eq!(a, low & (u64::MAX >> 1));
        assert_eq!(b, (low >> 63 | high << 1) & ((1 << 55) - 1));
        assert_ne!(domain_tag("example.com"), [a, b]);
    }
}

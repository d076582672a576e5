//! What goes into a bundle, and how much of it.

use cairn_proto::Limits;
use cairn_types::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_RECEIPTS};
use cairn_types::{Leaf, LeafError, Receipt, ReceiptError, Record};

/// Bytes that a message needs beyond its receipts: the other fields, and a tag and a length for each receipt.
const FRAMING_BYTES: usize = 256 + 8 * MAX_BUNDLE_RECEIPTS;

/// Why receipts cannot be bundled.
#[derive(Debug, thiserror::Error)]
pub enum BundlingError {
    /// A receipt breaks a limit.
    #[error("receipt of {url}")]
    Receipt {
        /// Its URL.
        url: String,
        /// Which one.
        #[source]
        source: ReceiptError,
    },
    /// A receipt does not fit a leaf.
    #[error("receipt of {url}")]
    Leaf {
        /// Its URL.
        url: String,
        /// Why.
        #[source]
        source: LeafError,
    },
    /// The sequencer takes less than one receipt.
    #[error("a receipt of {bytes} bytes is more than the sequencer takes in one message: {limit}")]
    TooLarge {
        /// Of the encoded receipt.
        bytes: usize,
        /// What fits.
        limit: usize,
    },
}

/// A receipt as it goes into a bundle.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) time: u64,
    pub(crate) record: Record,
}

impl Encoded {
    pub(crate) fn of(receipt: &Receipt) -> Result<Self, BundlingError> {
        let url = || receipt.url.clone();
        let bytes = receipt.encode().map_err(|source| BundlingError::Receipt { url: url(), source })?;
        let leaf = Leaf::of(receipt, &bytes).map_err(|source| BundlingError::Leaf { url: url(), source })?;
        Ok(Self { time: receipt.fetch_time, record: Record { receipt: bytes, leaf } })
    }
}

/// What fits one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) receipts: usize,
    pub(crate) bytes: usize,
}

impl Room {
    /// The lowest of the protocol's limits, the sequencer's, and `receipts` as the node wants it.
    pub(crate) fn of(limits: &Limits, receipts: usize) -> Self {
        let receipts = usize::try_from(limits.receipts_per_bundle).unwrap_or(usize::MAX).min(receipts);
        let message = usize::try_from(limits.message_bytes).unwrap_or(usize::MAX);
        Self {
            receipts: receipts.clamp(1, MAX_BUNDLE_RECEIPTS),
            bytes: message.saturating_sub(FRAMING_BYTES).min(MAX_BUNDLE_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_limit_holds() {
        let limits = Limits {
            receipts_per_bundle: 16,
            receipt_bytes: 1 << 15,
            message_bytes: 10_000,
            bundles_in_flight: 1,
            bundles_per_second: 0,
        };
        assert_eq!(Room::of(&limits, 256), Room { receipts: 16, bytes: 10_000 - FRAMING_BYTES });
        let wide = Limits { receipts_per_bundle: u32::MAX, message_bytes: u32::MAX, ..limits };
        assert_eq!(Room::of(&wide, usize::MAX), Room { receipts: 256, bytes: MAX_BUNDLE_BYTES });
        assert_eq!(Room::of(&wide, 40).receipts, 40);
        assert_eq!(Room::of(&wide, 0).receipts, 1);
    }
}

//! Groups receipts into bundles.

use cairn_proto::Limits;
use cairn_types::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_RECEIPTS};
use cairn_types::{BundleData, Leaf, LeafError, Receipt, ReceiptError, Record};

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
    time: u64,
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
    /// The protocol's limits, or the sequencer's where these are lower.
    pub(crate) fn of(limits: &Limits) -> Self {
        let receipts = usize::try_from(limits.receipts_per_bundle).unwrap_or(usize::MAX);
        let message = usize::try_from(limits.message_bytes).unwrap_or(usize::MAX);
        Self {
            receipts: receipts.clamp(1, MAX_BUNDLE_RECEIPTS),
            bytes: message.saturating_sub(FRAMING_BYTES).min(MAX_BUNDLE_BYTES),
        }
    }
}

/// Bundles with all of `receipts`, in order of fetch time, those of one time in the order given; sequences count up
/// from `sequence`. Every bundle but the last is as full as `room` allows.
pub(crate) fn bundles(
    mut receipts: Vec<Encoded>,
    node_index: u32,
    sequence: u64,
    room: Room,
) -> Result<Vec<BundleData>, BundlingError> {
    receipts.sort_by_key(|receipt| receipt.time);
    let mut bundles: Vec<BundleData> = Vec::new();
    let mut left = Room { receipts: 0, bytes: 0 };
    for Encoded { record, .. } in receipts {
        let bytes = record.receipt.len();
        if bytes > room.bytes {
            return Err(BundlingError::TooLarge { bytes, limit: room.bytes });
        }
        match bundles.last_mut() {
            Some(bundle) if left.receipts > 0 && left.bytes >= bytes => bundle.records.push(record),
            _ => {
                let sequence = sequence + bundles.len() as u64;
                bundles.push(BundleData { node_index, sequence, records: vec![record] });
                left = room;
            }
        }
        left = Room { receipts: left.receipts - 1, bytes: left.bytes - bytes };
    }
    Ok(bundles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ROLLUP, receipt};

    fn encoded(times: &[u64]) -> Vec<Encoded> {
        times.iter().enumerate().map(|(n, time)| Encoded::of(&receipt(n as u64, *time)).unwrap()).collect()
    }

    fn shape(bundles: &[BundleData]) -> Vec<(u64, usize)> {
        bundles.iter().map(|bundle| (bundle.sequence, bundle.records.len())).collect()
    }

    #[test]
    fn bundles_are_full_in_order_and_provable() {
        let times: Vec<u64> = (0..600).map(|n| (n * 7919) % 1000).collect();
        let room = Room { receipts: 256, bytes: MAX_BUNDLE_BYTES };
        let bundles = bundles(encoded(&times), 7, 40, room).unwrap();
        assert_eq!(shape(&bundles), [(40, 256), (41, 256), (42, 88)]);
        let statements: Vec<_> = bundles.iter().map(|bundle| bundle.statement(&ROLLUP).unwrap()).collect();
        assert!(statements.windows(2).all(|pair| pair[0].time_max <= pair[1].time_min));
    }

    #[test]
    fn a_bundle_is_closed_before_its_bytes_overflow() {
        let receipts = encoded(&[1, 2, 3, 4, 5]);
        let each = receipts[0].record.receipt.len();
        let room = Room { receipts: 256, bytes: 2 * each + 1 };
        assert_eq!(shape(&bundles(receipts.clone(), 7, 0, room).unwrap()), [(0, 2), (1, 2), (2, 1)]);
        let error = bundles(receipts, 7, 0, Room { receipts: 256, bytes: each - 1 }).unwrap_err();
        assert!(matches!(error, BundlingError::TooLarge { .. }));
    }

    #[test]
    fn no_receipts_make_no_bundle() {
        assert!(bundles(Vec::new(), 7, 0, Room { receipts: 256, bytes: 1 << 20 }).unwrap().is_empty());
    }

    #[test]
    fn the_lower_limit_holds() {
        let limits =
            Limits { receipts_per_bundle: 16, receipt_bytes: 1 << 15, message_bytes: 10_000, bundles_in_flight: 1 };
        assert_eq!(Room::of(&limits), Room { receipts: 16, bytes: 10_000 - FRAMING_BYTES });
        let wide = Limits { receipts_per_bundle: u32::MAX, message_bytes: u32::MAX, ..limits };
        assert_eq!(Room::of(&wide), Room { receipts: 256, bytes: MAX_BUNDLE_BYTES });
    }
}

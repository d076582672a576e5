//! Where a receipt stands.

use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BUNDLE_RECEIPTS, MAX_COUNTER};

/// The place of a receipt: batch, bundle in the batch, receipt in the bundle. Places are in the order of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Number of the batch.
    pub batch: u64,
    /// Position of the bundle in the batch, below 512.
    pub bundle: u16,
    /// Position of the receipt in the bundle, below 256.
    pub receipt: u16,
}

impl Place {
    /// Bytes of its key form.
    pub(crate) const BYTES: usize = 12;

    /// A place from numbers of any origin; `None` when no batch has such a place.
    #[must_use]
    pub fn checked(batch: u64, bundle: u64, receipt: u64) -> Option<Self> {
        let within = batch < MAX_COUNTER && bundle < MAX_BATCH_BUNDLES as u64 && receipt < MAX_BUNDLE_RECEIPTS as u64;
        within.then_some(Self { batch, bundle: bundle as u16, receipt: receipt as u16 })
    }

    /// Its key form, whose order is the order of places.
    pub(crate) fn to_key(self) -> [u8; Self::BYTES] {
        let mut key = [0; Self::BYTES];
        key[..8].copy_from_slice(&self.batch.to_be_bytes());
        key[8..10].copy_from_slice(&self.bundle.to_be_bytes());
        key[10..].copy_from_slice(&self.receipt.to_be_bytes());
        key
    }

    /// Reads its key form, from a key or from a page token that came back.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let (batch, rest) = key.split_first_chunk::<8>()?;
        let (bundle, rest) = rest.split_first_chunk::<2>()?;
        let receipt = <[u8; 2]>::try_from(rest).ok()?;
        Self::checked(
            u64::from_be_bytes(*batch),
            u64::from(u16::from_be_bytes(*bundle)),
            u64::from(u16::from_be_bytes(receipt)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_places_and_come_back() {
        let places = [(0, 0, 0), (0, 0, 255), (0, 511, 0), (1, 0, 0), (256, 3, 4), (MAX_COUNTER - 1, 511, 255)]
            .map(|(batch, bundle, receipt)| Place::checked(batch, bundle, receipt).unwrap());
        assert!(places.map(Place::to_key).is_sorted());
        for place in places {
            assert_eq!(Place::from_key(&place.to_key()), Some(place));
        }
    }

    #[test]
    fn a_place_that_no_batch_has_is_refused() {
        assert_eq!(Place::checked(MAX_COUNTER, 0, 0), None);
        assert_eq!(Place::checked(0, 512, 0), None);
        assert_eq!(Place::checked(0, 0, 256), None);
        assert_eq!(Place::from_key(&[0; 11]), None);
        assert_eq!(Place::from_key(&[0; 13]), None);
        assert_eq!(Place::from_key(&[0xff; 12]), None);
    }
}

//! Single fields of messages: read with their bounds, refused by name.

use cairn_types::limits::{MAX_COUNTER, MAX_NODES};
use cairn_types::{Digest, DigestError, KeyError, ReceiptKey, ReceiptSignature};

/// Why a message is not acceptable. Every variant begins with the path of the field, as in `receipts[3]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A byte field of a fixed length has another one.
    #[error("{field}: {actual} bytes, must be exactly {expected}")]
    Length {
        /// Path of the field.
        field: String,
        /// Bytes it has.
        actual: usize,
        /// Bytes it must have.
        expected: usize,
    },
    /// A field has too few elements, or too many elements or bytes.
    #[error("{field}: {actual} {unit}, must be {least} to {most}")]
    Size {
        /// Path of the field.
        field: String,
        /// What is counted.
        unit: &'static str,
        /// How many there are.
        actual: usize,
        /// At least this many.
        least: usize,
        /// At most this many.
        most: usize,
    },
    /// A number is out of range.
    #[error("{field}: {actual} is out of range, must be below {bound}")]
    Range {
        /// Path of the field.
        field: String,
        /// The number.
        actual: u64,
        /// It must be below this.
        bound: u64,
    },
    /// A required message is absent.
    #[error("{field}: missing")]
    Missing {
        /// Path of the field.
        field: String,
    },
    /// The bytes of a field do not mean what they must.
    #[error("{field}: {reason}")]
    Malformed {
        /// Path of the field.
        field: String,
        /// What is wrong with them.
        reason: String,
    },
}

impl FieldError {
    /// Path of the field that was refused.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Length { field, .. }
            | Self::Size { field, .. }
            | Self::Range { field, .. }
            | Self::Missing { field }
            | Self::Malformed { field, .. } => field,
        }
    }
}

impl From<FieldError> for tonic::Status {
    fn from(error: FieldError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

/// A digest: 32 bytes, every word canonical.
///
/// # Errors
/// [`FieldError::Length`] or [`FieldError::Malformed`], naming `field`.
pub fn digest(field: &str, bytes: &[u8]) -> Result<Digest, FieldError> {
    Digest::from_slice(bytes).map_err(|error| match error {
        DigestError::Length(actual) => FieldError::Length { field: field.to_owned(), actual, expected: Digest::BYTES },
        other => FieldError::Malformed { field: field.to_owned(), reason: other.to_string() },
    })
}

/// A receipt key: 40 bytes, every word canonical. Whether it is a point shows where it verifies.
///
/// # Errors
/// [`FieldError::Length`] or [`FieldError::Malformed`], naming `field`.
pub fn receipt_key(field: &str, bytes: &[u8]) -> Result<ReceiptKey, FieldError> {
    ReceiptKey::from_slice(bytes).map_err(|error| match error {
        KeyError::Length(actual) => FieldError::Length { field: field.to_owned(), actual, expected: ReceiptKey::BYTES },
        other => FieldError::Malformed { field: field.to_owned(), reason: other.to_string() },
    })
}

/// A receipt key's signature: 80 bytes.
///
/// # Errors
/// [`FieldError::Length`], naming `field`.
pub fn receipt_signature(field: &str, bytes: &[u8]) -> Result<ReceiptSignature, FieldError> {
    array(field, bytes).map(ReceiptSignature::from_bytes)
}

/// Exactly `N` bytes.
///
/// # Errors
/// [`FieldError::Length`], naming `field`.
pub fn array<const N: usize>(field: &str, bytes: &[u8]) -> Result<[u8; N], FieldError> {
    <[u8; N]>::try_from(bytes).map_err(|_| FieldError::Length {
        field: field.to_owned(),
        actual: bytes.len(),
        expected: N,
    })
}

/// A node index.
///
/// # Errors
/// [`FieldError::Range`], naming `field`.
pub fn node_index(field: &str, value: u32) -> Result<u32, FieldError> {
    below(field, u64::from(value), u64::from(MAX_NODES))?;
    Ok(value)
}

/// A sequence, log index or batch number.
///
/// # Errors
/// [`FieldError::Range`], naming `field`.
pub fn counter(field: &str, value: u64) -> Result<u64, FieldError> {
    below(field, value, MAX_COUNTER)
}

/// A number below `bound`.
///
/// # Errors
/// [`FieldError::Range`], naming `field`.
pub fn below(field: &str, value: u64, bound: u64) -> Result<u64, FieldError> {
    if value < bound { Ok(value) } else { Err(FieldError::Range { field: field.to_owned(), actual: value, bound }) }
}

/// A count of `unit` from `least` to `most`.
///
/// # Errors
/// [`FieldError::Size`], naming `field`.
pub fn size(field: &str, unit: &'static str, actual: usize, least: usize, most: usize) -> Result<usize, FieldError> {
    if (least..=most).contains(&actual) {
        Ok(actual)
    } else {
        Err(FieldError::Size { field: field.to_owned(), unit, actual, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_begins_with_its_field() {
        let refusals = [
            digest("rollup_id", &[0; 31]).unwrap_err(),
            digest("bundle_digest", &[0xff; 32]).unwrap_err(),
            array::<20>("sha1", &[0; 21]).unwrap_err(),
            receipt_key("receipt_key", &[0; 41]).unwrap_err(),
            receipt_key("receipt_key", &[0xff; 40]).unwrap_err(),
            receipt_signature("signature", &[0; 79]).unwrap_err(),
            node_index("node_index", MAX_NODES).unwrap_err(),
            counter("sequence", MAX_COUNTER).unwrap_err(),
            size("receipts", "receipts", 0, 1, 256).unwrap_err(),
            FieldError::Missing { field: "limits".to_owned() },
        ];
        for refusal in refusals {
            assert!(refusal.to_string().starts_with(&format!("{}: ", refusal.field())), "{refusal}");
        }
    }

    #[test]
    fn bounds_are_exclusive_above_and_inclusive_for_sizes() {
        assert_eq!(node_index("n", MAX_NODES - 1), Ok(MAX_NODES - 1));
        assert_eq!(counter("s", MAX_COUNTER - 1), Ok(MAX_COUNTER - 1));
        assert_eq!(size("r", "receipts", 256, 1, 256), Ok(256));
        assert!(size("r", "receipts", 257, 1, 256).is_err());
    }
}

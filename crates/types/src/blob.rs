//! The blob: everything in a batch that is not on chain, published under its digest.

use crate::limits::MAX_DATA_LENGTH;
use crate::state::{PartialState, touched};
use crate::{BatchHeader, BundleData, Cursor, Digest, QueueEntry, SealError, batch::Batch};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// First bytes of a blob, with its version.
const MAGIC: [u8; 8] = *b"CAIRNB\x00\x01";
/// BLAKE3 key-derivation context of `data_digest`.
const DIGEST_CONTEXT: &str = "cairn v1 blob";

/// A batch's published data: borsh of these fields, uncompressed. A deterministic function of the sealed batch.
///
/// Sums and digests are left out: a reader recomputes them and compares with the header on chain.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Blob {
    magic: [u8; 8],
    /// The rollup.
    pub rollup_id: Digest,
    /// The batch's number.
    pub number: u64,
    /// Position in the registration queue before the batch.
    pub queue_position: u64,
    /// The bundles, in order, with their signatures.
    pub bundles: Vec<BundleData>,
    /// The queue entries that the batch consumes, in order.
    pub entries: Vec<QueueEntry>,
}

/// Why bytes are not the blob of a batch.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More bytes than the header says.
    #[error("blob is {actual} bytes, its header says {expected}")]
    Length {
        /// Bytes read.
        actual: u64,
        /// Bytes by the header.
        expected: u64,
    },
    /// Other bytes than the header says.
    #[error("blob digest is {actual}, its header says {expected}")]
    Digest {
        /// Digest of the bytes read.
        actual: Digest,
        /// Digest by the header.
        expected: Digest,
    },
    /// Bytes that are not a blob.
    #[error("blob bytes are not canonical: {0}")]
    Encoding(String),
    /// The bundles cannot be sealed.
    #[error("blob does not make a batch: {0}")]
    Seal(#[from] SealError),
    /// The recomputed header is another.
    #[error("{part} recomputed from the blob is not the header's")]
    Mismatch {
        /// First part that differs.
        part: &'static str,
    },
}

/// `data_digest` of the uncompressed bytes of a blob.
#[must_use]
pub fn data_digest(bytes: &[u8]) -> Digest {
    Digest::from_byte_digest(blake3::derive_key(DIGEST_CONTEXT, bytes))
}

/// Where the blob with this digest lies in an object store: zstd over its bytes.
#[must_use]
pub fn blob_path(data_digest: &Digest) -> String {
    alloc::format!("blobs/{data_digest}.zst")
}

impl Blob {
    /// The blob of bundles and entries that are to be batch `cursor.batches`.
    #[must_use]
    pub fn new(rollup_id: Digest, cursor: &Cursor, bundles: Vec<BundleData>, entries: Vec<QueueEntry>) -> Self {
        let (number, queue_position) = (cursor.batches, cursor.queue.position);
        Self { magic: MAGIC, rollup_id, number, queue_position, bundles, entries }
    }

    /// The bytes that are published, before any compression.
    ///
    /// # Panics
    /// Never: writing to memory does not fail, and no list of a batch is longer than a u32 counts.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("borsh to memory")
    }

    /// Reads bytes that are as many as, and have the digest that, `header` says.
    ///
    /// # Errors
    /// The first thing that is not what the header says.
    pub fn decode(bytes: &[u8], header: &BatchHeader) -> Result<Self, BlobError> {
        let (actual, expected) = (bytes.len() as u64, header.data_length);
        if actual != expected || actual > MAX_DATA_LENGTH {
            return Err(BlobError::Length { actual, expected });
        }
        let (actual, expected) = (data_digest(bytes), header.data_digest);
        if actual != expected {
            return Err(BlobError::Digest { actual, expected });
        }
        let blob: Self = borsh::from_slice(bytes).map_err(|error| BlobError::Encoding(alloc::format!("{error}")))?;
        if blob.magic != MAGIC {
            return Err(BlobError::Encoding("it does not begin with the blob's magic bytes and version".into()));
        }
        let parts = [
            ("rollup_id", blob.rollup_id == header.rollup_id),
            ("number", blob.number == header.number),
            ("queue position", blob.queue_position == header.queue_from.position),
        ];
        match parts.iter().find(|(_, same)| !same) {
            Some((part, _)) => Err(BlobError::Mismatch { part }),
            None => Ok(blob),
        }
    }

    /// The accounts that the batch touches: what to open a state for.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<u32> {
        touched(&self.bundles, &self.entries)
    }

    /// Recomputes the batch after `cursor` from everything in the blob and compares it with `header`. `state` is as for
    /// [`Batch::seal`].
    ///
    /// # Errors
    /// The first clause that the blob breaks, or the first part of the header that it does not give.
    pub fn into_batch(
        self,
        header: &BatchHeader,
        cursor: &Cursor,
        state: &mut PartialState,
    ) -> Result<Batch, BlobError> {
        let batch = Batch::seal(cursor, header.rollup_id, self.bundles, self.entries, state)?;
        match batch.header.first_difference(header) {
            Some(part) => Err(BlobError::Mismatch { part }),
            None => Ok(batch),
        }
    }
}

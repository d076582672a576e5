//! The batch: bundles in order, under a header that follows from them.

use crate::blob::{Blob, data_digest};
use crate::limits::{BATCH_DEPTH, MAX_BATCH_BUNDLES, MAX_DATA_LENGTH};
use crate::{BatchHeader, Bundle, BundleData, BundleError, Cursor, Digest, HeaderError, Totals, tree};
use alloc::vec::Vec;

/// A sealed batch. Its header is the one that its bundles give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The header.
    pub header: BatchHeader,
    /// Statement of each bundle.
    pub statements: Vec<Bundle>,
    /// The bundles.
    pub bundles: Vec<BundleData>,
}

/// Why bundles cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// None, or more than fit.
    #[error("a batch holds 1 to {MAX_BATCH_BUNDLES} bundles, not {0}")]
    Bundles(usize),
    /// A bundle breaks a clause.
    #[error("bundle {index}: {source}")]
    Bundle {
        /// Position in the batch.
        index: usize,
        /// The clause.
        source: BundleError,
    },
    /// The blob would be too long.
    #[error("the blob would be {0} bytes, over {MAX_DATA_LENGTH}: seal fewer bundles")]
    Data(u64),
    /// The header would break a bound.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl Batch {
    /// Seals `bundles` as the batch after `cursor`, running the native twin of every clause over all of them.
    ///
    /// # Errors
    /// The first clause or limit that they break.
    pub fn seal(cursor: &Cursor, rollup_id: Digest, bundles: Vec<BundleData>) -> Result<Self, SealError> {
        if !(1..=MAX_BATCH_BUNDLES).contains(&bundles.len()) {
            return Err(SealError::Bundles(bundles.len()));
        }
        let mut totals = Totals::default();
        let mut statements = Vec::with_capacity(bundles.len());
        for (index, bundle) in bundles.iter().enumerate() {
            let (statement, sums) =
                bundle.statement_and_totals(&rollup_id).map_err(|source| SealError::Bundle { index, source })?;
            totals.merge(&sums);
            statements.push(statement);
        }
        let digests: Vec<_> = statements.iter().map(Bundle::digest).collect();
        let blob = Blob::new(rollup_id, cursor, bundles);
        let data = blob.encode();
        if data.len() as u64 > MAX_DATA_LENGTH {
            return Err(SealError::Data(data.len() as u64));
        }
        let header = BatchHeader {
            rollup_id,
            number: cursor.batches,
            previous: cursor.header_digest,
            batch_root: tree::root(BATCH_DEPTH, &digests),
            old_state_root: cursor.state_root,
            new_state_root: cursor.state_root,
            queue_from: cursor.queue,
            queue_to: cursor.queue,
            bundles: statements.len() as u32,
            receipts: totals.receipts,
            bytes: totals.bytes,
            time_min: totals.time_min,
            time_max: totals.time_max,
            verdicts: totals.verdicts,
            tiers: [0; 5],
            data_digest: data_digest(&data),
            data_length: data.len() as u64,
        };
        let header = BatchHeader::from_words(&header.words())?;
        Ok(Self { header, statements, bundles: blob.bundles })
    }

    /// The blob's bytes, whose digest and length the header states.
    #[must_use]
    pub fn blob(&self, cursor: &Cursor) -> Vec<u8> {
        Blob::new(self.header.rollup_id, cursor, self.bundles.clone()).encode()
    }

    /// Digests of the bundles, in order: the leaves of the batch's tree.
    #[must_use]
    pub fn bundle_digests(&self) -> Vec<Digest> {
        self.statements.iter().map(Bundle::digest).collect()
    }
}

impl Totals {
    fn merge(&mut self, bundle: &Self) {
        self.time_min = if self.receipts == 0 { bundle.time_min } else { self.time_min.min(bundle.time_min) };
        self.time_max = self.time_max.max(bundle.time_max);
        self.receipts += bundle.receipts;
        self.bytes += bundle.bytes;
        for (sum, counts) in self.verdicts.iter_mut().zip(bundle.verdicts) {
            sum.allowed += counts.allowed;
            sum.refused += counts.refused;
            sum.conditional += counts.conditional;
        }
    }
}

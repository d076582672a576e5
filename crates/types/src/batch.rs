//! The batch: bundles in order, then queue entries, under a header that follows from them.

use crate::blob::{Blob, data_digest};
use crate::limits::{BATCH_DEPTH, MAX_BATCH_BUNDLES, MAX_DATA_LENGTH, queue_room};
use crate::state::{PartialState, StateError};
use crate::{BatchHeader, Bundle, BundleData, BundleError, Cursor, Digest, HeaderError, QueueEntry, Totals, tree};
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
    /// The queue entries that it consumes, after its bundles.
    pub entries: Vec<QueueEntry>,
}

/// Why bundles cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than fit.
    #[error("a batch holds at most {MAX_BATCH_BUNDLES} bundles, not {0}")]
    Bundles(usize),
    /// More entries than fit beside the bundles.
    #[error("{entries} queue entries do not fit beside {bundles} bundles: at most {room} do", room = queue_room(*bundles))]
    Entries {
        /// Entries.
        entries: usize,
        /// Bundles.
        bundles: usize,
    },
    /// The state is not the one that the batch continues from.
    #[error("the account tree's root is {actual}, the batch continues from {expected}")]
    State {
        /// Its root.
        actual: Digest,
        /// The root before the batch.
        expected: Digest,
    },
    /// A bundle's account does not take it.
    #[error("bundle {index}: {source}")]
    Unauthorised {
        /// Position in the batch.
        index: usize,
        /// Why.
        source: StateError,
    },
    /// An entry cannot be applied.
    #[error("queue entry {index} of the batch: {source}")]
    Entry {
        /// Position in the batch.
        index: usize,
        /// Why.
        source: StateError,
    },
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
    /// Seals `bundles` and then `entries` as the batch after `cursor`, running the native twin of every clause.
    ///
    /// `state` is what [`PartialState::open`] gives for [`crate::state::touched`], at the root of `cursor`. It is left as it
    /// is after the batch, or somewhere on the way there when sealing fails.
    ///
    /// # Errors
    /// The first clause or limit that they break.
    pub fn seal(
        cursor: &Cursor,
        rollup_id: Digest,
        bundles: Vec<BundleData>,
        entries: Vec<QueueEntry>,
        state: &mut PartialState,
    ) -> Result<Self, SealError> {
        if bundles.len() > MAX_BATCH_BUNDLES {
            return Err(SealError::Bundles(bundles.len()));
        }
        if entries.len() > queue_room(bundles.len()) {
            return Err(SealError::Entries { entries: entries.len(), bundles: bundles.len() });
        }
        if state.root() != cursor.state_root {
            return Err(SealError::State { actual: state.root(), expected: cursor.state_root });
        }
        let mut totals = Totals::default();
        let mut statements = Vec::with_capacity(bundles.len());
        for (index, bundle) in bundles.iter().enumerate() {
            let (statement, sums) =
                bundle.statement_and_totals(&rollup_id).map_err(|source| SealError::Bundle { index, source })?;
            state
                .apply_bundle(&statement, &bundle.signature)
                .map_err(|source| SealError::Unauthorised { index, source })?;
            totals.merge(&sums);
            statements.push(statement);
        }
        let mut queue_to = cursor.queue;
        for (index, entry) in entries.iter().enumerate() {
            state.apply_entry(entry).map_err(|source| SealError::Entry { index, source })?;
            queue_to = queue_to.push(entry);
        }
        let digests: Vec<_> = statements.iter().map(Bundle::digest).collect();
        let blob = Blob::new(rollup_id, cursor, bundles, entries);
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
            new_state_root: state.root(),
            queue_from: cursor.queue,
            queue_to,
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
        Ok(Self { header, statements, bundles: blob.bundles, entries: blob.entries })
    }

    /// The blob's bytes, whose digest and length the header states.
    #[must_use]
    pub fn blob(&self, cursor: &Cursor) -> Vec<u8> {
        Blob::new(self.header.rollup_id, cursor, self.bundles.clone(), self.entries.clone()).encode()
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

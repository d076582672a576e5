//! A sealed batch, made again from the log.

use cairn_types::state::{PartialState, StateError};
use cairn_types::{Batch, Cursor, Digest, SealError};

use crate::store::{SealedBatch, Store, StoreError};

/// Why a sealed batch did not come out of the log again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such batch.
    #[error("batch {0} is not sealed")]
    Unsealed(u64),
    /// The account tree before it is gone: the batch is on chain, with a proof.
    #[error("the witness of batch {0} is no longer kept: the batch is submitted, and its proof and data are published")]
    Witness(u64),
    /// The witness is not of the tree before it.
    #[error("the witness of batch {number} is damaged; restore the store's folder from a backup")]
    State {
        /// The batch.
        number: u64,
        /// Why.
        #[source]
        source: StateError,
    },
    /// Its bundles do not seal any more.
    #[error("batch {number} does not seal again; the store is damaged, restore its folder from a backup")]
    Seal {
        /// The batch.
        number: u64,
        /// Why.
        #[source]
        source: SealError,
    },
    /// Its bundles give another header.
    #[error(
        "the bundles of batch {number} give another header ({part} differs); the store is damaged, restore its folder from a backup"
    )]
    Header {
        /// The batch.
        number: u64,
        /// What differs.
        part: &'static str,
    },
}

/// A sealed batch with everything in it.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// The batch.
    pub batch: Batch,
    /// The part of the account tree that it touches, before it.
    pub before: PartialState,
    /// What it continues from.
    pub cursor: Cursor,
    /// Its record in the store.
    pub sealed: SealedBatch,
}

/// Where the log stands after its last sealed batch, or before batch `number`.
///
/// # Errors
/// When the store fails or lacks the batch before.
pub fn cursor_before(store: &Store, rollup_id: &Digest, number: u64) -> Result<Cursor, RebuildError> {
    match number.checked_sub(1) {
        None => Ok(Cursor::genesis(rollup_id)),
        Some(before) => Ok(store.batch(before)?.ok_or(RebuildError::Unsealed(before))?.header.cursor()),
    }
}

/// Makes batch `number` again and compares it with its stored header. Blocks, for up to seconds in a full batch.
///
/// # Errors
/// When the log does not give the header that was sealed.
pub fn rebuild(store: &Store, rollup_id: &Digest, number: u64) -> Result<Rebuilt, RebuildError> {
    let sealed = store.batch(number)?.ok_or(RebuildError::Unsealed(number))?;
    let cursor = cursor_before(store, rollup_id, number)?;
    let bundles = store.bundles(sealed.first..sealed.end)?.into_iter().map(|bundle| bundle.data).collect();
    let positions = cursor.queue.position + 1..sealed.header.queue_to.position + 1;
    let entries = store.queued(positions)?.into_iter().map(|queued| queued.entry).collect();
    let before = store.witness(number)?.ok_or(RebuildError::Witness(number))?;
    before.verify(&cursor.state_root).map_err(|source| RebuildError::State { number, source })?;
    let batch = Batch::seal(&cursor, *rollup_id, bundles, entries, &mut before.clone())
        .map_err(|source| RebuildError::Seal { number, source })?;
    match batch.header.first_difference(&sealed.header) {
        Some(part) => Err(RebuildError::Header { number, part }),
        None => Ok(Rebuilt { batch, before, cursor, sealed }),
    }
}

//! Taking in one batch: fetched, recomputed, stored.

use super::{Follower, Obstacle, refused};
use crate::status::Counted;
use crate::store::{Reach, Store, StoreError};
use crate::verify::{ChainBatch, check_batch, check_header, open_blob};
use crate::{Commitment, VerifiedBatch, metrics};
use cairn_objects::blob_path;
use cairn_types::{Cursor, Digest};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

impl Follower {
    /// Verifies one batch and stores it. `reach` is how far the chain reaches with it.
    pub(super) async fn take(
        &self,
        found: ChainBatch,
        cursor: Cursor,
        reach: Reach,
        token: &CancellationToken,
    ) -> Result<Cursor, Obstacle> {
        let (batch, digest) = (found.number, found.header_digest);
        let started = Instant::now();
        check_header(&found, &self.rollup_id, &cursor).map_err(|source| refused(batch, digest, &source))?;
        let missing = |reason| Obstacle::Missing { batch, digest: Some(digest), reason };
        let mirrors = self.source.mirrors().map_err(missing)?;
        let (path, length) = (blob_path(&found.header.data_digest), found.header.data_length);
        // Bytes with another digest are a mirror's fault, and the next one may do better. With the right digest they are
        // the batch's data, whatever is wrong with it.
        let wanted = found.clone();
        let check = move |data: Vec<u8>| match open_blob(&wanted, &data) {
            Err(refusal) if refusal.is_other_data() => Err(refusal.to_string()),
            opened => Ok((data.len(), opened)),
        };
        let data = mirrors.fetch(&path, length, self.patience, check);
        let data = token.run_until_cancelled(data).await.ok_or(Obstacle::Stopping)?;
        let (bytes, opened) = data.map_err(|error| {
            let reason = error.to_string();
            if error.is_wrong() { Obstacle::Refused { batch, digest, reason } } else { missing(reason) }
        })?;
        metrics::fetched(bytes, started.elapsed());
        let blob = opened.map_err(|source| refused(batch, digest, &source))?;
        let store = self.store.clone();
        let stored = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let state = store.open_state(&cursor, blob.touched())?;
            let checked = check_batch(&found, &cursor, blob, state);
            let verified = checked.map_err(|source| refused(batch, digest, &source))?;
            metrics::verified(verified.batch.header.receipts, started.elapsed());
            log_mismatches(&verified);
            let started = Instant::now();
            store.store(&verified, &reach)?;
            metrics::stored(started.elapsed());
            Ok::<_, Obstacle>((verified, counted(&store, &found.header.rollup_id)?))
        });
        let (verified, counted) = stored.await??;
        let header = verified.batch.header;
        let mismatches = verified.leaf_mismatches();
        metrics::indexed(header.receipts, mismatches);
        let is_final = batch < reach.finalized;
        tracing::info!(batch, header_digest = %digest, receipts = header.receipts, mismatches, is_final, "batch indexed");
        self.status.send_modify(|status| status.problem = None);
        self.counted(&counted);
        Ok(header.cursor())
    }
}

/// What a store holds, at either commitment.
pub(crate) fn counted(store: &Store, rollup_id: &Digest) -> Result<Counted, StoreError> {
    let totals = |commitment| store.view(commitment)?.totals(rollup_id);
    Ok(Counted {
        finalized: totals(Commitment::Finalized)?,
        confirmed: totals(Commitment::Confirmed)?,
        replaced: store.whole()?.replaced_count()?,
    })
}

fn log_mismatches(verified: &VerifiedBatch) {
    let batch = verified.batch.header.number;
    for (bundle, receipts) in verified.receipts.iter().enumerate() {
        let mismatches = receipts.iter().enumerate().filter_map(|(at, found)| Some((at, found.as_ref().err()?)));
        for (receipt, mismatch) in mismatches {
            tracing::warn!(batch, bundle, receipt, %mismatch, "leaf mismatch");
        }
    }
}

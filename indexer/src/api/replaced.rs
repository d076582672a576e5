//! Answers about batches that the chain replaced.

use super::{Api, ApiError};
use crate::Commitment;
use crate::store::{Replaced, ReplacedBatch, ReplacedId, StoredBundle};
use cairn_types::Digest;

impl Api {
    /// Replaced batches by number and header digest: those that had been final, or all.
    pub async fn replaced(
        &self,
        commitment: Commitment,
        from: Option<ReplacedId>,
        limit: usize,
    ) -> Result<(Vec<ReplacedBatch>, Option<ReplacedId>), ApiError> {
        self.read(commitment, move |view| view.replaced(from, limit)).await
    }

    pub async fn replaced_batch(
        &self,
        commitment: Commitment,
        number: u64,
        header_digest: Digest,
    ) -> Result<ReplacedBatch, ApiError> {
        let id = ReplacedId { number, header_digest };
        let found = self.read(commitment, move |view| view.replaced_batch(id)).await?;
        found.ok_or_else(|| unknown(commitment, id))
    }

    pub async fn replaced_bundle(
        &self,
        commitment: Commitment,
        number: u64,
        header_digest: Digest,
        bundle: u16,
    ) -> Result<(StoredBundle, Replaced), ApiError> {
        let batch = self.replaced_batch(commitment, number, header_digest).await?;
        let id = ReplacedId { number, header_digest };
        let found = self.read(commitment, move |view| view.replaced_bundle(id, bundle)).await?;
        found.ok_or_else(|| ApiError::NotFound {
            field: "bundle",
            message: format!("batch {number} had {} bundles", batch.batch.header.bundles),
            fix: "count them from 0".into(),
        })
    }
}

fn unknown(commitment: Commitment, id: ReplacedId) -> ApiError {
    let ReplacedId { number, header_digest } = id;
    ApiError::NotFound {
        field: "replaced",
        message: format!("no batch {number} with header digest {header_digest} was replaced ({commitment})"),
        fix: "see /v1/replaced; those that were never final are in it with commitment=confirmed".into(),
    }
}

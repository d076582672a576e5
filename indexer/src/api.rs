//! What the indexer answers, whatever the interface.

mod nodes;

pub(crate) use nodes::Node;

use crate::status::Status;
use crate::store::{ContentHit, ReceiptEntry, Store, StoreError, StoredBatch};
use crate::{ContentDigest, Place};
use cairn_types::{Digest, ReceiptProof};
use std::sync::Arc;
use tokio::sync::watch;

/// Entries on a page, unless the request asks for fewer.
pub const PAGE_SIZE: usize = 100;

/// The index and the follower's status, for reading.
#[derive(Clone)]
pub(crate) struct Api {
    pub store: Arc<Store>,
    pub status: watch::Receiver<Status>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{field}: {message}")]
    NotFound { field: &'static str, message: String, fix: String },
    /// It is there, and it must not be served as valid.
    #[error("{field}: {message}")]
    Mismatch { field: &'static str, message: String, fix: String },
    #[error("the indexer failed: {0}")]
    Internal(String),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the index failed");
        Self::Internal(error.to_string())
    }
}

impl Api {
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub async fn batch(&self, number: u64) -> Result<StoredBatch, ApiError> {
        let found = self.blocking(move |store| store.batch(number)).await?;
        found.ok_or_else(|| self.unknown_batch(number))
    }

    fn unknown_batch(&self, number: u64) -> ApiError {
        let status = self.status();
        let refused = status.problem.filter(|problem| problem.batch == Some(number));
        let message = match &refused {
            Some(problem) => format!("batch {number} is not served: {}", problem.reason),
            None if number < status.batches_on_chain => format!("batch {number} is on chain and not indexed yet"),
            None => format!("there is no batch {number}: the chain has {}", status.batches_on_chain),
        };
        ApiError::NotFound { field: "number", message, fix: "see /v1/status for what is indexed".into() }
    }

    pub async fn receipt(&self, digest: Digest, from: Option<Place>, limit: usize) -> Result<ReceiptEntry, ApiError> {
        let found = self.blocking(move |store| store.receipt(&digest, from, limit)).await?;
        found.ok_or_else(|| self.unknown_receipt())
    }

    /// The proof for `place`, or for the earliest place that has one.
    pub async fn proof(&self, digest: Digest, place: Option<Place>) -> Result<(Place, ReceiptProof), ApiError> {
        let mismatch = || ApiError::Mismatch {
            field: "digest",
            message:
                "the receipt's bytes do not give the leaf that was proved (leaf_mismatch), so there is no proof of it"
                    .into(),
            fix: "ask the node that submitted it; the rest of its batch is served".into(),
        };
        let place = match place {
            Some(place) => match self.blocking(move |store| store.validity(&digest, place)).await? {
                Some(true) => place,
                Some(false) => return Err(mismatch()),
                None => {
                    return Err(ApiError::NotFound {
                        field: "batch, bundle, receipt",
                        message: "the receipt does not stand at this place".into(),
                        fix: "see the receipt's positions".into(),
                    });
                }
            },
            None => match self.blocking(move |store| store.first_valid_place(&digest)).await? {
                Some(place) => place,
                None if self.blocking(move |store| store.receipt(&digest, None, 1)).await?.is_some() => {
                    return Err(mismatch());
                }
                None => return Err(self.unknown_receipt()),
            },
        };
        let proof = self.blocking(move |store| store.proof(&digest, place)).await?;
        proof
            .map(|proof| (place, proof))
            .ok_or_else(|| ApiError::Internal("the index lacks a part of the proof".into()))
    }

    pub async fn content(
        &self,
        content: ContentDigest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<ContentHit>, Option<Place>), ApiError> {
        self.blocking(move |store| store.content(&content, from, limit)).await
    }

    fn unknown_receipt(&self) -> ApiError {
        let indexed = self.status().batches_indexed;
        ApiError::NotFound {
            field: "digest",
            message: format!(
                "no receipt with this digest is in the {indexed} indexed batches, which proves nothing about others"
            ),
            fix: "check the digest, and /v1/status for what is indexed".into(),
        }
    }

    /// Reads of the disk do not hold up the async runtime.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || read(&store))
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?
            .map_err(ApiError::from)
    }
}

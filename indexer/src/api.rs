//! What the indexer answers, whatever the interface.
//!
//! Every question is answered from one [`View`]: one moment of the store, and no more of it than was asked for.

mod nodes;
mod replaced;

pub(crate) use nodes::Node;

use crate::status::Status;
use crate::store::{ContentHit, ReceiptEntry, ReplacedPlace, Store, StoreError, StoredBatch, View};
use crate::{Commitment, ContentDigest, Place};
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

/// A receipt, its places, and those that it had in batches that were replaced.
pub(crate) struct Receipt {
    pub entry: ReceiptEntry,
    pub replaced: Vec<ReplacedPlace>,
}

/// A proof file, how sure the chain is of the batch that it leads to, and whether the chain has verified that batch's proof.
pub(crate) struct Proved<T> {
    pub proof: T,
    pub commitment: Commitment,
    pub settled: bool,
}

impl Api {
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub async fn batch(&self, commitment: Commitment, number: u64) -> Result<StoredBatch, ApiError> {
        let found = self.read(commitment, move |view| view.batch(number)).await?;
        found.ok_or_else(|| self.unknown_batch(commitment, number))
    }

    fn unknown_batch(&self, commitment: Commitment, number: u64) -> ApiError {
        let status = self.status();
        let on_chain = match commitment {
            Commitment::Finalized => status.batches_on_chain,
            Commitment::Confirmed => status.confirmed.batches_on_chain,
        };
        let refused = status.problem.filter(|problem| problem.batch == Some(number));
        let message = match &refused {
            Some(problem) => format!("batch {number} is not served: {}", problem.reason),
            None if number < on_chain => format!("batch {number} is on chain and not indexed yet"),
            None if commitment == Commitment::Finalized && number < status.confirmed.batches_on_chain => {
                format!("batch {number} is not final: ask for it with commitment=confirmed, or wait")
            }
            None => format!("there is no batch {number}: the chain has {on_chain}, {commitment}"),
        };
        ApiError::NotFound { field: "number", message, fix: "see /v1/status for what is indexed".into() }
    }

    pub async fn receipt(
        &self,
        commitment: Commitment,
        digest: Digest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<Receipt, ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            let Some(entry) = view.receipt(&digest, from, limit)? else { return Ok(None) };
            let replaced = if from.is_none() { view.replaced_places(&digest, PAGE_SIZE)? } else { Vec::new() };
            Ok(Some(Receipt { entry, replaced }))
        };
        self.read(commitment, read).await?.ok_or_else(|| self.unknown_receipt(commitment))
    }

    /// The proof for `place`, or for the earliest place that has one.
    pub async fn proof(
        &self,
        commitment: Commitment,
        digest: Digest,
        place: Option<Place>,
    ) -> Result<(Place, Proved<ReceiptProof>), ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            let place = match place {
                Some(place) => match view.validity(&digest, place)? {
                    Some(true) => place,
                    Some(false) => return Ok(Err(Unproved::Mismatch)),
                    None => return Ok(Err(Unproved::Elsewhere)),
                },
                None => match (view.first_valid_place(&digest)?, view.first_place(&digest)?) {
                    (Some(place), _) => place,
                    (None, Some(_)) => return Ok(Err(Unproved::Mismatch)),
                    (None, None) if view.replaced_places(&digest, 1)?.is_empty() => return Ok(Err(Unproved::Unknown)),
                    (None, None) => return Ok(Err(Unproved::Replaced)),
                },
            };
            let (commitment, settled) = (view.commitment_of(place.batch), view.is_settled(place.batch));
            let proof = view.proof(&digest, place)?;
            Ok(proof.map(|proof| (place, Proved { proof, commitment, settled })).ok_or(Unproved::Incomplete))
        };
        self.read(commitment, read).await?.map_err(|reason| self.unproved(commitment, reason))
    }

    fn unproved(&self, commitment: Commitment, reason: Unproved) -> ApiError {
        match reason {
            Unproved::Unknown => self.unknown_receipt(commitment),
            Unproved::Incomplete => ApiError::Internal("the index lacks a part of the proof".into()),
            Unproved::Mismatch => ApiError::Mismatch {
                field: "digest",
                message: "the receipt's bytes do not give the leaf that was proved (leaf_mismatch), so there is no \
                          proof of it"
                    .into(),
                fix: "ask the node that submitted it; the rest of its batch is served".into(),
            },
            Unproved::Elsewhere => ApiError::NotFound {
                field: "batch, bundle, receipt",
                message: "the receipt does not stand at this place".into(),
                fix: "see the receipt's positions".into(),
            },
            Unproved::Replaced => ApiError::NotFound {
                field: "digest",
                message: "every batch with this receipt was replaced on chain, so no proof leads to one that stands"
                    .into(),
                fix: "see the receipt's replaced positions; whoever submitted it submits it again".into(),
            },
        }
    }

    pub async fn content(
        &self,
        commitment: Commitment,
        content: ContentDigest,
        from: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<ContentHit>, Option<Place>), ApiError> {
        self.read(commitment, move |view| view.content(&content, from, limit)).await
    }

    fn unknown_receipt(&self, commitment: Commitment) -> ApiError {
        let status = self.status();
        let indexed = match commitment {
            Commitment::Finalized => status.batches_indexed,
            Commitment::Confirmed => status.confirmed.batches_indexed,
        };
        ApiError::NotFound {
            field: "digest",
            message: format!(
                "no receipt with this digest is in the {indexed} indexed batches ({commitment}), which proves nothing \
                 about others"
            ),
            fix: "check the digest, and /v1/status for what is indexed".into(),
        }
    }

    /// Reads of the disk do not hold up the async runtime.
    async fn read<T: Send + 'static>(
        &self,
        commitment: Commitment,
        read: impl FnOnce(&View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || read(&store.view(commitment)?))
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?
            .map_err(ApiError::from)
    }
}

/// Why a receipt has no proof.
enum Unproved {
    Unknown,
    Mismatch,
    Elsewhere,
    Replaced,
    Incomplete,
}

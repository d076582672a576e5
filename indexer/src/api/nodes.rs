//! Answers about nodes: accounts, keys, queue entries, and who signed which bundle.

use super::{Api, ApiError};
use crate::store::{KeyUse, Page, SignedBundle, Store, StoreError, StoredBundle, StoredEntry};
use cairn_types::{Account, AccountProof, BatchHeader, Digest, ReceiptKey};

/// A node as it was after a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub index: u32,
    pub account: Account,
    /// Header of the batch.
    pub header: BatchHeader,
    /// Its digest.
    pub header_digest: Digest,
}

impl Api {
    /// A node after batch `number`, or after the last indexed one.
    pub async fn node(&self, index: u32, number: Option<u64>) -> Result<Node, ApiError> {
        let number = self.named(number)?;
        let batch = self.batch(number).await?;
        let account = self.blocking(move |store| store.node(number.saturating_add(1), index)).await?;
        let account = account.ok_or_else(|| ApiError::NotFound {
            field: "node_index",
            message: format!("no node {index} is registered in the state after batch {number}"),
            fix: "see /v1/nodes; its proof shows that there is none".into(),
        })?;
        Ok(Node { index, account, header: batch.header, header_digest: batch.header_digest })
    }

    /// Nodes after the last indexed batch, by index, and the number of that batch: nobody has an account before batch 0.
    pub async fn nodes(&self, from: u32, limit: usize) -> Result<(u64, Page<(u32, Account), u32>), ApiError> {
        let batches = self.status().batches_indexed;
        let page = self.blocking(move |store| store.nodes(batches, from, limit)).await?;
        Ok((batches.saturating_sub(1), page))
    }

    /// The proof of a node's account, or of its absence, after batch `number` or the last indexed one.
    pub async fn account_proof(&self, index: u32, number: Option<u64>) -> Result<AccountProof, ApiError> {
        let number = self.named(number)?;
        match self.blocking(move |store| store.account_proof(number, index)).await? {
            Some(proof) => Ok(proof),
            None => Err(self.unknown_batch(number)),
        }
    }

    /// Entries that gave a node this key.
    pub async fn key_uses(&self, key: ReceiptKey, from: Option<u64>, limit: usize) -> Result<Page<KeyUse>, ApiError> {
        let batches = self.status().batches_indexed;
        self.blocking(move |store| store.key_uses(batches, &key, from, limit)).await
    }

    /// Entries of the registration queue that a batch consumed, with its header.
    pub async fn entries(
        &self,
        number: u64,
        from: Option<u64>,
        limit: usize,
    ) -> Result<(BatchHeader, Page<StoredEntry>), ApiError> {
        let batch = self.batch(number).await?;
        let read = move |store: &Store| store.entries(number, from, limit);
        let page = self.blocking(read).await?.ok_or_else(|| self.unknown_batch(number))?;
        Ok((batch.header, page))
    }

    /// Bundles that a node signed, by sequence.
    pub async fn signed(&self, index: u32, from: Option<u64>, limit: usize) -> Result<Page<SignedBundle>, ApiError> {
        self.blocking(move |store| store.signed(index, from, limit)).await
    }

    /// A bundle with its signature, and the key that it is by.
    pub async fn bundle(&self, number: u64, bundle: u16) -> Result<StoredBundle, ApiError> {
        let read = move |store: &Store| -> Result<_, StoreError> {
            Ok(match store.bundle(number, bundle)? {
                Some(found) => Ok(found),
                None => Err(store.batch(number)?.map(|batch| batch.header.bundles)),
            })
        };
        self.blocking(read).await?.map_err(|bundles| match bundles {
            Some(bundles) => ApiError::NotFound {
                field: "bundle",
                message: format!("batch {number} has {bundles} bundles"),
                fix: "count them from 0".into(),
            },
            None => self.unknown_batch(number),
        })
    }

    /// The batch that a request means: the one that it names, or the last indexed one.
    fn named(&self, number: Option<u64>) -> Result<u64, ApiError> {
        let last = self.status().batches_indexed.checked_sub(1);
        number.or(last).ok_or_else(|| ApiError::NotFound {
            field: "batch",
            message: "no batch is indexed yet, so there is no state".into(),
            fix: "see /v1/status for what is indexed".into(),
        })
    }
}

//! Answers about nodes: accounts, keys, queue entries, and who signed which bundle.

use super::{Api, ApiError, Proved};
use crate::Commitment;
use crate::store::{KeyUse, Page, SignedBundle, StoreError, StoredBundle, StoredEntry, View};
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
    /// How sure the chain is of it.
    pub commitment: Commitment,
}

/// Why there is no state to answer from.
enum Stateless {
    /// No batch is there at all.
    Empty,
    /// The batch that was named is not.
    Batch(u64),
    /// The node has no account after this batch.
    Node(u64),
}

impl Api {
    /// A node after batch `number`, or after the last indexed one.
    pub async fn node(&self, commitment: Commitment, index: u32, number: Option<u64>) -> Result<Node, ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            let Some(number) = named(view, number) else { return Ok(Err(Stateless::Empty)) };
            let Some(batch) = view.batch(number)? else { return Ok(Err(Stateless::Batch(number))) };
            Ok(match view.node(number.saturating_add(1), index)? {
                Some(account) => Ok(Node {
                    index,
                    account,
                    header: batch.header,
                    header_digest: batch.header_digest,
                    commitment: batch.commitment,
                }),
                None => Err(Stateless::Node(number)),
            })
        };
        self.read(commitment, read).await?.map_err(|why| self.stateless(commitment, index, why))
    }

    /// Nodes after the last indexed batch, by index, and the number of that batch: nobody has an account before batch 0.
    pub async fn nodes(
        &self,
        commitment: Commitment,
        from: u32,
        limit: usize,
    ) -> Result<(u64, Page<(u32, Account), u32>), ApiError> {
        let read = move |view: &View<'_>| Ok((view.batches().saturating_sub(1), view.nodes(from, limit)?));
        self.read(commitment, read).await
    }

    /// The proof of a node's account, or of its absence, after batch `number` or the last indexed one.
    pub async fn account_proof(
        &self,
        commitment: Commitment,
        index: u32,
        number: Option<u64>,
    ) -> Result<Proved<AccountProof>, ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            let Some(number) = named(view, number) else { return Ok(Err(Stateless::Empty)) };
            let proof = view.account_proof(number, index)?;
            let (commitment, settled) = (view.commitment_of(number), view.is_settled(number));
            Ok(proof.map(|proof| Proved { proof, commitment, settled }).ok_or(Stateless::Batch(number)))
        };
        self.read(commitment, read).await?.map_err(|why| self.stateless(commitment, index, why))
    }

    /// Entries that gave a node this key.
    pub async fn key_uses(
        &self,
        commitment: Commitment,
        key: ReceiptKey,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Page<KeyUse>, ApiError> {
        self.read(commitment, move |view| view.key_uses(&key, from, limit)).await
    }

    /// Entries of the registration queue that a batch consumed, with its header.
    pub async fn entries(
        &self,
        commitment: Commitment,
        number: u64,
        from: Option<u64>,
        limit: usize,
    ) -> Result<(BatchHeader, Page<StoredEntry>, Commitment), ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            let (Some(batch), Some(page)) = (view.batch(number)?, view.entries(number, from, limit)?) else {
                return Ok(None);
            };
            Ok(Some((batch.header, page, batch.commitment)))
        };
        self.read(commitment, read).await?.ok_or_else(|| self.unknown_batch(commitment, number))
    }

    /// Bundles that a node signed, by sequence.
    pub async fn signed(
        &self,
        commitment: Commitment,
        index: u32,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Page<SignedBundle>, ApiError> {
        self.read(commitment, move |view| view.signed(index, from, limit)).await
    }

    /// A bundle with its signature, and the key that it is by.
    pub async fn bundle(&self, commitment: Commitment, number: u64, bundle: u16) -> Result<StoredBundle, ApiError> {
        let read = move |view: &View<'_>| -> Result<_, StoreError> {
            Ok(match view.bundle(number, bundle)? {
                Some(found) => Ok(found),
                None => Err(view.batch(number)?.map(|batch| batch.header.bundles)),
            })
        };
        self.read(commitment, read).await?.map_err(|bundles| match bundles {
            Some(bundles) => ApiError::NotFound {
                field: "bundle",
                message: format!("batch {number} has {bundles} bundles"),
                fix: "count them from 0".into(),
            },
            None => self.unknown_batch(commitment, number),
        })
    }

    fn stateless(&self, commitment: Commitment, index: u32, why: Stateless) -> ApiError {
        match why {
            Stateless::Batch(number) => self.unknown_batch(commitment, number),
            Stateless::Node(number) => ApiError::NotFound {
                field: "node_index",
                message: format!("no node {index} is registered in the state after batch {number}"),
                fix: "see /v1/nodes; its proof shows that there is none".into(),
            },
            Stateless::Empty => ApiError::NotFound {
                field: "batch",
                message: format!("no batch is indexed yet ({commitment}), so there is no state"),
                fix: "see /v1/status for what is indexed".into(),
            },
        }
    }
}

/// The batch that a request means: the one that it names, or the last one.
fn named(view: &View<'_>, number: Option<u64>) -> Option<u64> {
    number.or_else(|| view.batches().checked_sub(1))
}

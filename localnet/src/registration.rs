//! A node of the local system: put into the registry, if it is not there.

use crate::home::Rollup;
use cairn_chain::{Keypair, NewNode, RollupClient, RollupError};
use cairn_types::ReceiptKey;

/// Why a node is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The registrar paid and the chain refused, or could not be asked.
    #[error(transparent)]
    Rollup(#[from] RollupError),
    /// The authority's node signs with another key.
    #[error("node {index} is registered with receipt key {registered}, not {given}: rotate it with `cairn rotate-key`")]
    OtherKey {
        /// Its index.
        index: u32,
        /// The key on chain.
        registered: ReceiptKey,
        /// The key at hand.
        given: ReceiptKey,
    },
}

/// The registrar at work.
pub struct Registrations {
    client: RollupClient,
    registrar: Keypair,
}

impl Rollup {
    /// Whoever lets nodes in.
    #[must_use]
    pub fn registrations(&self) -> Registrations {
        Registrations { client: self.client.clone(), registrar: self.registrar.clone() }
    }
}

impl Registrations {
    /// Registers `authority`'s node with `key` unless it is registered; the registrar signs and pays. Gives its index. The
    /// key counts once a batch has consumed the entry.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub async fn ensure_node(&self, authority: &Keypair, key: &ReceiptKey) -> Result<u32, RegistrationError> {
        let new =
            NewNode { authority, payer: Some(&self.registrar), registrar: Some(&self.registrar), receipt_key: *key };
        let (node, _) = self.client.ensure_registered(&new).await?;
        match node.receipt_key == *key {
            true => Ok(node.index),
            false => Err(RegistrationError::OtherKey { index: node.index, registered: node.receipt_key, given: *key }),
        }
    }
}

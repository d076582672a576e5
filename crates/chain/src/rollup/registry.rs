//! Nodes: registered, given another key, deactivated. Each is an entry of the queue, and takes effect when a batch has
//! consumed it.

use super::{RollupClient, RollupError, Submitted};
use crate::{Address, Keypair, TransactionFailure};
use cairn_interface::{Instruction, Node, REGISTRY_COMPUTE_UNITS, RegisterNode, SettlementError};
use cairn_types::ReceiptKey;

/// How often an entry is signed anew because its blockhash expired before it was executed.
const ATTEMPTS: usize = 3;

/// A node to register. The program gives it its index.
#[derive(Debug, Clone, Copy)]
pub struct NewNode<'a> {
    /// Who rotates its key and deactivates it later.
    pub authority: &'a Keypair,
    /// Who pays the rent, the fee and the bond, and gets the bond back; the authority when there is nobody else.
    pub payer: Option<&'a Keypair>,
    /// The rollup's registrar, whose signature saves the bond.
    pub registrar: Option<&'a Keypair>,
    /// The key it signs bundles with.
    pub receipt_key: ReceiptKey,
}

impl RollupClient {
    /// Registers a node, and waits until that is final. Then [`Self::node`] has its index.
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `NodeExists` when the authority has, or had, a node in this rollup.
    pub async fn register_node(&self, new: &NewNode<'_>) -> Result<Submitted, RollupError> {
        let payer = new.payer.unwrap_or(new.authority);
        let arguments = RegisterNode {
            payer: payer.address(),
            authority: new.authority.address(),
            registrar: new.registrar.map(Keypair::address),
            receipt_key: new.receipt_key,
        };
        let instruction = cairn_interface::register_node(&self.program, &self.rollup, &arguments);
        let signers: Vec<_> = std::iter::once(new.authority).chain(new.registrar).collect();
        self.registry_entry(payer, &signers, instruction).await
    }

    /// Gives `authority`'s node another key, and waits until that is final. The key counts from the batch on that
    /// consumes the entry; what was signed with the old key and acknowledged before is still taken until then.
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `RotationPending` while an earlier rotation is unconsumed.
    pub async fn rotate_key(&self, authority: &Keypair, key: &ReceiptKey) -> Result<Submitted, RollupError> {
        let instruction = cairn_interface::rotate_key(&self.program, &self.rollup, &authority.address(), key);
        self.registry_entry(authority, &[], instruction).await
    }

    /// Takes the key of `authority`'s node away for good, and waits until that is final.
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `NodeInactive` when it was done before.
    pub async fn deactivate_node(&self, authority: &Keypair) -> Result<Submitted, RollupError> {
        let instruction = cairn_interface::deactivate_node(&self.program, &self.rollup, &authority.address());
        self.registry_entry(authority, &[], instruction).await
    }

    /// Pays the bond of `authority`'s node back to `recipient`, who paid it, and waits until that is final. Anyone may
    /// send it, once the node's deactivation is consumed.
    ///
    /// # Errors
    /// [`RollupError`]; the failure is `BondLocked` before that, and `NoBond` when there is none.
    pub async fn refund_bond(
        &self,
        payer: &Keypair,
        authority: &Address,
        recipient: &Address,
    ) -> Result<Submitted, RollupError> {
        let instruction = cairn_interface::refund_bond(&self.program, &self.rollup, authority, recipient);
        self.registry_entry(payer, &[], instruction).await
    }

    /// Registers a node unless its authority has one, and says which it is: run again after a crash or a lost answer, it
    /// finds what the first run did. **The node found may have another key, or be deactivated**: look at it.
    ///
    /// # Errors
    /// As [`Self::register_node`].
    pub async fn ensure_registered(&self, new: &NewNode<'_>) -> Result<(Node, Option<Submitted>), RollupError> {
        self.ensure(&new.authority.address(), |_| true, async |client| client.register_node(new).await).await
    }

    /// Gives `authority`'s node this key unless it has it, or is about to.
    ///
    /// # Errors
    /// As [`Self::rotate_key`].
    pub async fn ensure_key(
        &self,
        authority: &Keypair,
        key: &ReceiptKey,
    ) -> Result<(Node, Option<Submitted>), RollupError> {
        let has = |node: &Node| node.receipt_key == *key;
        self.ensure(&authority.address(), has, async |client| client.rotate_key(authority, key).await).await
    }

    /// Deactivates `authority`'s node unless it is.
    ///
    /// # Errors
    /// As [`Self::deactivate_node`].
    pub async fn ensure_deactivated(&self, authority: &Keypair) -> Result<(Node, Option<Submitted>), RollupError> {
        let gone = |node: &Node| !node.is_active();
        self.ensure(&authority.address(), gone, async |client| client.deactivate_node(authority).await).await
    }

    async fn ensure(
        &self,
        authority: &Address,
        is_done: impl Fn(&Node) -> bool,
        send: impl AsyncFn(&Self) -> Result<Submitted, RollupError>,
    ) -> Result<(Node, Option<Submitted>), RollupError> {
        let (mut attempt, mut expired) = (0, 0);
        loop {
            if let Some(node) = self.node(authority).await?.filter(&is_done) {
                return Ok((node, None));
            }
            attempt += 1;
            match send(&self.clone().with_fees(self.fees().after(expired))).await {
                Ok(submitted) => {
                    let absent = RollupError::Absent { address: self.node_address(authority), account: "Node" };
                    return Ok((self.node(authority).await?.ok_or(absent)?, Some(submitted)));
                }
                // Look again: the bytes that expired, or another run of this, may have arrived meanwhile.
                Err(error) if attempt < ATTEMPTS && (error.is_expired() || is_repeated(&error)) => {
                    expired += u32::from(error.is_expired());
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn registry_entry(
        &self,
        payer: &Keypair,
        signers: &[&Keypair],
        instruction: Instruction,
    ) -> Result<Submitted, RollupError> {
        self.deliver(&self.prepare(payer, signers, &[instruction], REGISTRY_COMPUTE_UNITS).await?).await
    }
}

/// Whether the program says that it was done before.
fn is_repeated(error: &RollupError) -> bool {
    let settlement = error.failure().and_then(TransactionFailure::settlement);
    matches!(settlement, Some(SettlementError::NodeExists | SettlementError::NodeInactive))
}

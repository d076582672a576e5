//! Reading a rollup's accounts, with every check that their bytes allow.
//!
//! A read is finalized unless its name ends in `_at`: then it takes the commitment.

use super::{RollupClient, RollupError};
use crate::{Account, AccountFilter, Address, Commitment};
use cairn_interface::{Batch, NODE, Node, Queue, Rollup, layout};
use cairn_types::ReceiptKey;
use std::ops::Range;

/// Batches that [`RollupClient::snapshot_of`] reads at once, at most.
pub const MAX_SNAPSHOT_BATCHES: usize = 64;
/// Where a `Node` account has its rollup; then come authority and payer.
const NODE_ROLLUP: usize = layout::DISCRIMINATOR;
/// Where it has its receipt key; then come registered slot, bond and last position.
const NODE_RECEIPT_KEY: usize = NODE_ROLLUP + 3 * 32;
/// Where it has its index.
const NODE_INDEX: usize = NODE_RECEIPT_KEY + ReceiptKey::BYTES + 3 * 8;

/// A rollup and some of its batches, as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The slot.
    pub slot: u64,
    /// The rollup.
    pub rollup: Rollup,
    /// The batches asked for, in order; `None` where the chain has no account.
    pub batches: Vec<Option<Batch>>,
}

/// A rollup and its registration queue, finalized, as of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalizedQueue {
    /// The slot.
    pub slot: u64,
    /// The rollup.
    pub rollup: Rollup,
    /// The queue.
    pub queue: Queue,
}

impl RollupClient {
    /// The `Rollup` account, finalized, with its identity recomputed.
    ///
    /// # Errors
    /// [`RollupError`] when it is missing or not what this chain's program would write.
    pub async fn rollup(&self) -> Result<Rollup, RollupError> {
        self.rollup_at(Commitment::Finalized).await
    }

    /// The `Rollup` account at `commitment`, with its identity recomputed. What is not finalized may be rolled back.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn rollup_at(&self, commitment: Commitment) -> Result<Rollup, RollupError> {
        Ok(self.snapshot_at(0..0, commitment).await?.rollup)
    }

    /// The `Queue` account, finalized.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn queue(&self) -> Result<Queue, RollupError> {
        Ok(self.finalized_queue().await?.queue)
    }

    /// Rollup and queue, finalized and as of one slot: the entries that a batch may consume are those of this queue from
    /// the batch's own cursor on (`queue.entries_from`). Entries that are not final yet could still be rolled back.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn finalized_queue(&self) -> Result<FinalizedQueue, RollupError> {
        let address = self.queue_address();
        let genesis = self.chain.genesis_hash().await?;
        let read = self.chain.accounts(&[self.rollup, address], Commitment::Finalized).await?;
        let [rollup, queue] = read.accounts.as_slice() else { return Err(RollupError::Missing(self.rollup)) };
        let rollup = rollup.as_ref().ok_or(RollupError::Missing(self.rollup))?;
        let rollup = self.parse_rollup(&genesis, rollup)?;
        let queue = queue.as_ref().ok_or(RollupError::Absent { address, account: "Queue" })?;
        let queue =
            Queue::parse(self.own(address, queue)?).map_err(|source| RollupError::Account { address, source })?;
        if queue.rollup != self.rollup {
            return Err(RollupError::Inconsistent { address, field: "rollup" });
        }
        Ok(FinalizedQueue { slot: read.slot, rollup, queue })
    }

    /// The node that `authority` has, finalized; `None` when it has none.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn node(&self, authority: &Address) -> Result<Option<Node>, RollupError> {
        let address = self.node_address(authority);
        let account = self.chain.account(&address, Commitment::Finalized).await?;
        let Some(account) = account.filter(is_used) else { return Ok(None) };
        let node = self.parse_node(address, &account)?;
        if node.authority != *authority {
            return Err(RollupError::Inconsistent { address, field: "authority" });
        }
        Ok(Some(node))
    }

    /// The node with this index, finalized. It is looked for among all accounts of the program, which some RPC servers
    /// refuse: whoever knows the authority asks [`Self::node`].
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn node_by_index(&self, index: u32) -> Result<Option<Node>, RollupError> {
        Ok(self.nodes_with(NODE_INDEX, &index.to_le_bytes()).await?.pop())
    }

    /// The nodes whose key this is, or will be once their last entry is consumed, finalized and by index; looked for as
    /// by [`Self::node_by_index`]. Nothing stops two nodes from having the same key.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn nodes_by_key(&self, key: &ReceiptKey) -> Result<Vec<Node>, RollupError> {
        self.nodes_with(NODE_RECEIPT_KEY, &key.to_bytes()).await
    }

    async fn nodes_with(&self, offset: usize, bytes: &[u8]) -> Result<Vec<Node>, RollupError> {
        let has = |offset, bytes: &[u8]| AccountFilter::Bytes { offset, bytes: bytes.to_vec() };
        let filters = [
            AccountFilter::Size(NODE.size as u64),
            has(0, &NODE.discriminator),
            has(NODE_ROLLUP, &self.rollup.0),
            has(offset, bytes),
        ];
        let read = self.chain.program_accounts(&self.program, &filters, Commitment::Finalized).await?;
        let mut nodes = Vec::with_capacity(read.accounts.len());
        for (address, account) in read.accounts {
            // The server chose the accounts: whether they are the right ones is checked here.
            let node = self.parse_node(address, &account)?;
            if self.node_address(&node.authority) != address {
                return Err(RollupError::Inconsistent { address, field: "authority" });
            }
            if account.data.get(offset..).is_some_and(|tail| tail.starts_with(bytes)) {
                nodes.push(node);
            }
        }
        nodes.sort_by_key(|node| node.index);
        Ok(nodes)
    }

    /// The `Batch` account of `number`, finalized; `None` when the chain has none.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn batch(&self, number: u64) -> Result<Option<Batch>, RollupError> {
        self.batch_at(number, Commitment::Finalized).await
    }

    /// The `Batch` account of `number` at `commitment`; `None` when the chain has none. What is not finalized may be
    /// rolled back.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn batch_at(&self, number: u64, commitment: Commitment) -> Result<Option<Batch>, RollupError> {
        let address = self.batch_address(number);
        let account = self.chain.account(&address, commitment).await?;
        self.parse_batch(number, account.as_ref())
    }

    /// The rollup and up to 64 of its batches from the start of `numbers`, finalized and as of one slot.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn snapshot(&self, numbers: Range<u64>) -> Result<Snapshot, RollupError> {
        self.snapshot_at(numbers, Commitment::Finalized).await
    }

    /// The rollup and up to 64 of its batches from the start of `numbers`, at `commitment` and as of one slot. What is
    /// not finalized may be rolled back.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn snapshot_at(&self, numbers: Range<u64>, commitment: Commitment) -> Result<Snapshot, RollupError> {
        let end = numbers.end.min(numbers.start.saturating_add(MAX_SNAPSHOT_BATCHES as u64));
        self.snapshot_of(&(numbers.start..end).collect::<Vec<_>>(), commitment).await
    }

    /// The rollup and the first 64 of the batches with these numbers, which need not follow one another, at `commitment`
    /// and as of one slot. What is not finalized may be rolled back.
    ///
    /// # Errors
    /// As [`Self::rollup`].
    pub async fn snapshot_of(&self, numbers: &[u64], commitment: Commitment) -> Result<Snapshot, RollupError> {
        let numbers = &numbers[..numbers.len().min(MAX_SNAPSHOT_BATCHES)];
        let batches = numbers.iter().map(|number| self.batch_address(*number));
        let addresses: Vec<_> = std::iter::once(self.rollup).chain(batches).collect();
        let genesis = self.chain.genesis_hash().await?;
        let read = self.chain.accounts(&addresses, commitment).await?;
        let mut accounts = read.accounts.into_iter();
        let account = accounts.next().flatten().ok_or(RollupError::Missing(self.rollup))?;
        let rollup = self.parse_rollup(&genesis, &account)?;
        let batches = numbers
            .iter()
            .zip(accounts.chain(std::iter::repeat(None)))
            .map(|(number, account)| self.parse_batch(*number, account.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Snapshot { slot: read.slot, rollup, batches })
    }

    fn own<'a>(&self, address: Address, account: &'a Account) -> Result<&'a [u8], RollupError> {
        if account.owner != self.program {
            return Err(RollupError::Foreign { address, owner: account.owner, program: self.program });
        }
        Ok(&account.data)
    }

    pub(super) fn parse_rollup(&self, genesis: &[u8; 32], account: &Account) -> Result<Rollup, RollupError> {
        let address = self.rollup;
        let rollup =
            Rollup::parse(self.own(address, account)?).map_err(|source| RollupError::Account { address, source })?;
        if rollup.genesis_hash != *genesis {
            return Err(RollupError::Inconsistent { address, field: "genesis_hash" });
        }
        if rollup.rollup_id != cairn_interface::rollup_id(genesis, &self.program, &address, rollup.profile) {
            return Err(RollupError::Inconsistent { address, field: "rollup_id" });
        }
        Ok(rollup)
    }

    fn parse_batch(&self, number: u64, account: Option<&Account>) -> Result<Option<Batch>, RollupError> {
        let address = self.batch_address(number);
        let Some(account) = account.filter(|account| is_used(account)) else { return Ok(None) };
        let batch =
            Batch::parse(self.own(address, account)?).map_err(|source| RollupError::Account { address, source })?;
        if batch.rollup != self.rollup {
            return Err(RollupError::Inconsistent { address, field: "rollup" });
        }
        if batch.header.number != number {
            return Err(RollupError::Inconsistent { address, field: "number" });
        }
        Ok(Some(batch))
    }

    fn parse_node(&self, address: Address, account: &Account) -> Result<Node, RollupError> {
        let node =
            Node::parse(self.own(address, account)?).map_err(|source| RollupError::Account { address, source })?;
        if node.rollup != self.rollup {
            return Err(RollupError::Inconsistent { address, field: "rollup" });
        }
        Ok(node)
    }
}

/// Anybody can send lamports to an address before the program makes its account there.
fn is_used(account: &Account) -> bool {
    !(account.owner.is_zero() && account.data.is_empty())
}

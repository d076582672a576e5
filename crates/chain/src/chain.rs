//! `trait Chain`: everything Cairn asks of a chain.

use crate::{
    Account, AccountFilter, AccountWatch, Accounts, Address, ChainError, ProgramAccounts, Signature, SignedTransaction,
    TransactionFailure,
};
use async_trait::async_trait;

/// How sure the chain must be of what it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Commitment {
    /// Executed by the node that was asked.
    Processed,
    /// Voted on by a supermajority of the stake.
    Confirmed,
    /// Never rolled back. Only this counts as settled.
    Finalized,
}

/// Where a chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// The slot.
    pub slot: u64,
    /// Blocks so far: slots that were skipped have none. Expiry of blockhashes counts in blocks.
    pub block_height: u64,
}

/// What makes a transaction recent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash that the transaction names.
    pub hash: [u8; 32],
    /// The transaction can execute while the block height is at most this; past it, the same bytes never will.
    pub last_valid_block_height: u64,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionStatus {
    /// The slot it executed in.
    pub slot: u64,
    /// How final that is.
    pub commitment: Commitment,
    /// Whether it took effect. A failed transaction paid its fee and changed nothing else.
    pub outcome: Result<(), TransactionFailure>,
    /// Units it consumed, where the chain says so.
    pub compute_units: Option<u64>,
    /// Fee in lamports, where the chain says so.
    pub fee: Option<u64>,
    /// The program's log, where the chain keeps it.
    pub logs: Vec<String>,
}

/// A chain: the embedded one, or a cluster behind an RPC server.
///
/// Reads are of account state; nothing in Cairn depends on logs or events. A signature's status is a hint for the one
/// who sent it: whether something is settled is read from accounts at [`Commitment::Finalized`].
#[async_trait]
pub trait Chain: Send + Sync {
    /// Hash of the first block: tells chains apart, and is part of every `rollup_id`.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError>;

    /// The newest slot and block height at `commitment`.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError>;

    /// The accounts at `addresses` (at most 100 of them), all as of one slot.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached or too many addresses are asked for.
    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError>;

    /// A blockhash for new transactions.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError>;

    /// Balance in lamports that keeps an account of `data_length` bytes alive.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError>;

    /// Sends exactly these bytes. Sending the same bytes again never executes them twice.
    ///
    /// `Ok` means that the chain took the transaction, not that it succeeded: read [`Self::status`], then the accounts.
    ///
    /// # Errors
    /// A rejection when the chain refused it unexecuted; transient errors leave open whether it will execute.
    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError>;

    /// What became of a transaction; `None` when the chain does not know it (yet, or any more).
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError>;

    /// What became of each of these transactions (at most 256), without fee, units and log: for whoever has many in the
    /// air.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached or too many are asked for.
    async fn statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<TransactionStatus>>, ChainError> {
        let mut statuses = Vec::with_capacity(signatures.len());
        for signature in signatures {
            statuses.push(self.status(signature).await?);
        }
        Ok(statuses)
    }

    /// Priority fees, in millionths of a lamport per compute unit, that transactions writing to these accounts paid in
    /// recent slots: one entry a slot, in no order. Empty where there is no market for them.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached.
    async fn recent_fees(&self, writable: &[Address]) -> Result<Vec<u64>, ChainError> {
        let _ = writable;
        Ok(Vec::new())
    }

    /// Wakes whoever follows these accounts when one of them may have changed. It is a hint and no source: it may wake
    /// for nothing and may miss changes, so a follower also looks by itself every now and then.
    fn watch(&self, addresses: &[Address], commitment: Commitment) -> AccountWatch {
        let _ = (addresses, commitment);
        AccountWatch::never()
    }

    /// The accounts of `program` that pass every filter. Costly on a cluster, and some RPC servers refuse it: for an
    /// operator's question now and then, never for following a rollup.
    ///
    /// # Errors
    /// [`ChainError`] when the chain cannot be reached or does not answer such questions.
    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        commitment: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        let _ = (filters, commitment);
        Err(ChainError::Invalid(format!("this chain does not list the accounts of a program ({program})")))
    }

    /// The account at `address`, if there is one.
    ///
    /// # Errors
    /// As [`Self::accounts`].
    async fn account(&self, address: &Address, commitment: Commitment) -> Result<Option<Account>, ChainError> {
        let mut read = self.accounts(std::slice::from_ref(address), commitment).await?;
        Ok(read.accounts.pop().flatten())
    }

    /// The newest slot at `commitment`.
    ///
    /// # Errors
    /// As [`Self::tip`].
    async fn slot(&self, commitment: Commitment) -> Result<u64, ChainError> {
        Ok(self.tip(commitment).await?.slot)
    }
}

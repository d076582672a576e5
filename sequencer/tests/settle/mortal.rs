//! A chain through which a process lives no longer than it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use cairn_chain::{
    AccountFilter, AccountWatch, Accounts, Address, Blockhash, Chain, ChainError, Commitment, ProgramAccounts,
    Signature, SignedTransaction, Tip, TransactionStatus,
};
use tokio::sync::Notify;

/// Transactions of at least so many bytes bring a chunk of a proof.
const CHUNK_BYTES: usize = 1_000;
/// Of the chunks, every so manieth is a death.
const CHUNKS_PER_LIFE: u64 = 33;

/// Ends the process, as far as the chain is concerned, before it executes a transaction that is no chunk, and the next one
/// after it has executed that; and every now and then between chunks.
pub struct Mortal {
    chain: Arc<dyn Chain>,
    dead: AtomicBool,
    death: Notify,
    singles: AtomicU64,
    chunks: AtomicU64,
}

fn gone() -> ChainError {
    ChainError::transient("this process is dead", std::io::Error::other("on purpose"))
}

impl Mortal {
    pub fn new(chain: Arc<dyn Chain>) -> Self {
        let (singles, chunks) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { chain, dead: AtomicBool::new(false), death: Notify::new(), singles, chunks }
    }

    /// Another process begins.
    pub fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    /// Waits for the end of the process.
    pub async fn died(&self) {
        loop {
            let death = self.death.notified();
            if self.dead.load(Ordering::SeqCst) {
                return;
            }
            death.await;
        }
    }

    /// Deaths at transactions that are no chunks.
    pub fn deaths_at_single_transactions(&self) -> u64 {
        self.singles.load(Ordering::SeqCst)
    }

    fn die(&self) -> ChainError {
        self.dead.store(true, Ordering::SeqCst);
        self.death.notify_waiters();
        gone()
    }

    fn alive(&self) -> Result<&dyn Chain, ChainError> {
        if self.dead.load(Ordering::SeqCst) { Err(gone()) } else { Ok(&*self.chain) }
    }
}

#[async_trait]
impl Chain for Mortal {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        self.alive()?.genesis_hash().await
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        self.alive()?.tip(commitment).await
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        self.alive()?.accounts(addresses, commitment).await
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.alive()?.latest_blockhash(commitment).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.alive()?.minimum_balance(data_length).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        let chain = self.alive()?;
        if transaction.bytes.len() >= CHUNK_BYTES {
            let chunk = self.chunks.fetch_add(1, Ordering::SeqCst);
            return if (chunk + 1).is_multiple_of(CHUNKS_PER_LIFE) {
                Err(self.die())
            } else {
                chain.send(transaction).await
            };
        }
        if self.singles.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return Err(self.die());
        }
        chain.send(transaction).await?;
        Err(self.die())
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        commitment: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        self.chain.program_accounts(program, filters, commitment).await
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        self.alive()?.status(signature).await
    }

    fn watch(&self, addresses: &[Address], commitment: Commitment) -> AccountWatch {
        self.chain.watch(addresses, commitment)
    }
}

//! Chains that lose answers, forget blockhashes, fail for a while, or have somebody else's batches.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cairn_chain::{
    Account, AccountFilter, Accounts, Address, Blockhash, Chain, ChainError, Commitment, EmbeddedChain, Options,
    ProgramAccounts, Signature, SignedTransaction, TimeSource, Tip, TransactionStatus,
};
use cairn_interface::Profile;
use cairn_sequencer::{Config, RunError, Stage};

use crate::bench::Bench;
use crate::samples::World;

/// A node.
const NODE: u32 = 5;
/// Slots for which a blockhash is good, and some more, in milliseconds.
const PAST_EXPIRY_MS: i64 = (150 + 10) * 400;

/// What goes wrong with the next transaction.
#[derive(Clone, Copy)]
enum Fault {
    /// It executes, and the answer is lost.
    LoseAnswer,
    /// It is lost, and found out only when its blockhash has expired.
    Expire,
    /// It is lost.
    Lose,
}

/// An embedded chain behind a bad connection.
struct BadConnection {
    chain: EmbeddedChain,
    faults: Mutex<Vec<Fault>>,
    sent: AtomicU64,
    clock: Arc<AtomicI64>,
}

fn broken() -> ChainError {
    ChainError::transient("the connection broke", std::io::Error::other("on purpose"))
}

#[async_trait]
impl Chain for BadConnection {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        self.chain.genesis_hash().await
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        self.chain.tip(commitment).await
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        self.chain.accounts(addresses, commitment).await
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.chain.latest_blockhash(commitment).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.chain.minimum_balance(data_length).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.lock().unwrap().pop();
        match fault {
            None => self.chain.send(transaction).await,
            Some(Fault::LoseAnswer) => {
                self.chain.send(transaction).await?;
                Err(broken())
            }
            Some(Fault::Expire) => {
                self.clock.fetch_add(PAST_EXPIRY_MS, Ordering::SeqCst);
                Err(broken())
            }
            Some(Fault::Lose) => Err(broken()),
        }
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        self.chain.status(signature).await
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        commitment: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        self.chain.program_accounts(program, filters, commitment).await
    }

    async fn account(&self, address: &Address, commitment: Commitment) -> Result<Option<Account>, ChainError> {
        self.chain.account(address, commitment).await
    }
}

async fn bench() -> (Bench, Arc<BadConnection>) {
    let folder = tempfile::tempdir().unwrap();
    let (time, clock) = TimeSource::manual(1_900_000_000_000);
    let options = Options { time, ..Options::of(Profile::Dev) };
    let chain = EmbeddedChain::open(folder.path().join("chain"), options).unwrap();
    let bad = BadConnection { chain: chain.clone(), faults: Mutex::default(), sent: AtomicU64::new(0), clock };
    let bad = Arc::new(bad);
    let world = World::on(bad.clone(), &chain, folder.path()).await;
    (Bench::of(world, folder), bad)
}

/// Submits one batch through the faults; returns how many transactions were sent.
async fn submit_through(faults: &[Fault]) -> u64 {
    let (bench, chain) = bench().await;
    let mut running = bench.start_settled().await;
    chain.faults.lock().unwrap().extend(faults.iter().rev());
    chain.sent.store(0, Ordering::SeqCst);
    let acknowledged = running.submit(bench.request(NODE, 0, 2)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    running.stop().await.unwrap();
    assert_eq!(bench.world.assert_holds(&[acknowledged]).await, 1);
    assert!(chain.faults.lock().unwrap().is_empty(), "every fault happened");
    chain.sent.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_lost_answer_is_no_reason_to_send_again() {
    assert_eq!(submit_through(&[Fault::LoseAnswer]).await, 1);
}

#[tokio::test]
async fn a_lost_transaction_is_sent_again() {
    assert_eq!(submit_through(&[Fault::Lose, Fault::Lose]).await, 3);
}

#[tokio::test]
async fn an_expired_transaction_is_signed_anew() {
    assert_eq!(submit_through(&[Fault::Expire]).await, 2);
}

#[tokio::test]
async fn a_sequencer_without_the_newest_store_stops_and_says_so() {
    let bench = Bench::new().await;
    let mut running = bench.start().await;
    running.submit(bench.request(NODE, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    running.stop().await.unwrap();

    let empty = Config { store: bench.folder().join("empty"), ..bench.config.clone() };
    let other = Bench { config: empty, ..bench };
    let running = other.start_at_once().await;
    let error = running.sequencer.join().await.unwrap_err();
    assert!(matches!(error, RunError::Stage { stage: Stage::Submitted, .. }), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("restore the newest one"), "{cause}");
}

#[tokio::test]
async fn a_second_sequencer_of_the_same_rollup_is_found_out() {
    let bench = Bench::new().await;
    let mut running = bench.start_settled().await;
    let mut second = Config { store: bench.folder().join("second"), ..bench.config.clone() };
    second.seal.bundles = 1;
    let second = Bench { config: second, ..bench };
    let mut other = second.start().await;

    running.submit(second.request(NODE, 0, 1)).await.unwrap();
    running.sequencer.seal_now().await.unwrap();
    assert!(running.sequencer.wait_for(Stage::Submitted, 2).await);
    // It may have stopped before it could take the bundle: then it has seen a batch that it never sealed.
    let _ = other.submit(second.request(NODE, 0, 2)).await;
    let error = other.sequencer.join().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("stop the other one") || cause.contains("restore the newest one"), "{cause}");
    running.stop().await.unwrap();
}

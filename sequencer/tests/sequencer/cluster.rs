//! An embedded chain that takes its time like a cluster: what it executes is processed, then confirmed, then final; until
//! then a fork may drop it. It loses transactions, refuses them, and stops answering, when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cairn_chain::{
    Account, AccountFilter, Accounts, Address, Blockhash, Chain, ChainError, Commitment, EmbeddedChain, ErrorClass,
    Options, ProgramAccounts, Signature, SignedTransaction, TimeSource, Tip, TransactionFailure, TransactionStatus,
};
use cairn_interface::{DEV_PROGRAM_ID, Profile, SettlementError};
use parking_lot::Mutex;
use tokio::sync::{RwLock, RwLockReadGuard};

/// When these chains begin, in milliseconds since the Unix epoch.
const BEGIN_MS: i64 = 1_900_000_000_000;
/// A step of the clock, of ours.
const STEP: Duration = Duration::from_millis(20);
/// Slots for which a blockhash is good, in milliseconds, and as many again: transactions in a row take slots ahead of time.
const PAST_EXPIRY_MS: i64 = (150 + 150) * 400;
/// Longer than any test.
pub const NEVER: Duration = Duration::from_secs(3_600);

/// What becomes of a transaction that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is lost, and nobody says so.
    Lose,
    /// The server does not answer; it is lost.
    Unanswered,
    /// The server has not seen the batch before it.
    Lagging,
    /// It executes at a moment when it cannot but fail, and that is final.
    Fail,
}

/// Something executed that is not final.
struct Executed {
    signature: Signature,
    slot: u64,
    at: Instant,
    /// The program's accounts before it.
    before: BTreeMap<Address, Account>,
    /// The chain's files before it.
    copy: PathBuf,
}

#[derive(Default)]
struct State {
    confirms: Duration,
    finalizes: Duration,
    executed: VecDeque<Executed>,
    faults: VecDeque<Fault>,
    /// Calls of any kind that are not answered.
    silent: u32,
    sent: Vec<Signature>,
    failed: Vec<Signature>,
    copies: u32,
}

pub struct Cluster {
    dir: PathBuf,
    time: TimeSource,
    clock: Arc<AtomicI64>,
    chain: RwLock<Option<EmbeddedChain>>,
    state: Mutex<State>,
}

fn unanswered() -> ChainError {
    ChainError::transient("the server does not answer", std::io::Error::other("on purpose"))
}

fn too_early() -> TransactionFailure {
    let error = SettlementError::WrongNumber;
    TransactionFailure {
        name: error.name().to_owned(),
        code: Some(error.code()),
        instruction: Some(1),
        message: error.to_string(),
        class: ErrorClass::Rejection,
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A cluster in `dir` that makes everything final at once, until it is told otherwise, and the chain behind it.
pub fn begin(dir: &Path) -> (Arc<Cluster>, EmbeddedChain) {
    let (time, clock) = TimeSource::manual(BEGIN_MS);
    let chain = EmbeddedChain::open(dir, Options { time: time.clone(), ..Options::of(Profile::Dev) }).unwrap();
    let ticking = Arc::clone(&clock);
    tokio::spawn(async move {
        // It ends with its test.
        loop {
            tokio::time::sleep(STEP).await;
            ticking.fetch_add(STEP.as_millis() as i64, Ordering::SeqCst);
        }
    });
    (Cluster::over(dir, chain.clone(), time, clock), chain)
}

impl Cluster {
    /// The same over a chain in `dir` that is there already.
    pub fn over(dir: &Path, chain: EmbeddedChain, time: TimeSource, clock: Arc<AtomicI64>) -> Arc<Self> {
        let (dir, state) = (dir.to_owned(), Mutex::new(State::default()));
        Arc::new(Self { dir, time, clock, chain: RwLock::new(Some(chain)), state })
    }

    /// From now on what executes is confirmed and final after so long.
    pub fn pace(&self, confirms: Duration, finalizes: Duration) {
        let mut state = self.state.lock();
        (state.confirms, state.finalizes) = (confirms, finalizes);
    }

    /// What becomes of the transactions that are sent next.
    pub fn faults(&self, faults: &[Fault]) {
        self.state.lock().faults.extend(faults);
    }

    /// The next calls are not answered.
    pub fn silence(&self, calls: u32) {
        self.state.lock().silent = calls;
    }

    /// Whether every fault has happened.
    pub fn is_calm(&self) -> bool {
        let state = self.state.lock();
        state.faults.is_empty() && state.silent == 0
    }

    /// What was sent, in order, since this was last asked.
    pub fn sent(&self) -> Vec<Signature> {
        std::mem::take(&mut self.state.lock().sent)
    }

    /// Drops the last `transactions` that were executed, none of which is final: another fork has won.
    pub async fn fork(&self, transactions: usize) {
        let mut chain = self.chain.write().await;
        let first = {
            let mut state = self.state.lock();
            state.reap();
            let keep = state.executed.len().checked_sub(transactions).expect("only what is not final can be dropped");
            state.executed.split_off(keep).pop_front().expect("something is dropped")
        };
        drop(chain.take());
        // A call that was given up may still hold the files.
        let deadline = Instant::now() + Duration::from_secs(10);
        let reopened = loop {
            copy(&first.copy, &self.dir);
            match EmbeddedChain::open(&self.dir, Options { time: self.time.clone(), ..Options::of(Profile::Dev) }) {
                Ok(chain) => break chain,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(STEP).await;
        };
        *chain = Some(reopened);
    }

    /// Time passes until no blockhash that was given out is good any more.
    pub fn outlive_blockhashes(&self) {
        self.clock.fetch_add(PAST_EXPIRY_MS, Ordering::SeqCst);
    }

    async fn embedded(&self) -> Result<RwLockReadGuard<'_, EmbeddedChain>, ChainError> {
        {
            let mut state = self.state.lock();
            if state.silent > 0 {
                state.silent -= 1;
                return Err(unanswered());
            }
        }
        Ok(RwLockReadGuard::map(self.chain.read().await, |chain| chain.as_ref().unwrap()))
    }

    /// The last slot at `commitment` and its height, and the program's accounts then if they are not today's.
    async fn view(
        &self,
        chain: &EmbeddedChain,
        commitment: Commitment,
    ) -> Result<(Tip, Option<BTreeMap<Address, Account>>), ChainError> {
        let open = chain.tip(commitment).await?;
        let mut state = self.state.lock();
        state.reap();
        let first = match commitment {
            Commitment::Processed => None,
            Commitment::Confirmed => state.executed.iter().find(|executed| executed.at.elapsed() < state.confirms),
            Commitment::Finalized => state.executed.front(),
        };
        // The slot before the one that is open, or before the one that does not count yet.
        let slot = first.map_or(open.slot, |executed| executed.slot) - 1;
        let tip = Tip { slot, block_height: open.block_height.saturating_sub(open.slot - slot) };
        Ok((tip, first.map(|executed| executed.before.clone())))
    }
}

impl State {
    /// Forgets how to undo what is final by now.
    fn reap(&mut self) {
        while self.executed.front().is_some_and(|executed| executed.at.elapsed() >= self.finalizes) {
            self.executed.pop_front();
        }
    }
}

#[async_trait]
impl Chain for Cluster {
    async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        self.embedded().await?.genesis_hash().await
    }

    async fn tip(&self, commitment: Commitment) -> Result<Tip, ChainError> {
        let chain = self.embedded().await?;
        Ok(self.view(&chain, commitment).await?.0)
    }

    async fn accounts(&self, addresses: &[Address], commitment: Commitment) -> Result<Accounts, ChainError> {
        let chain = self.embedded().await?;
        let today = chain.accounts(addresses, commitment).await?;
        let (tip, before) = self.view(&chain, commitment).await?;
        let Some(before) = before else { return Ok(Accounts { slot: tip.slot, ..today }) };
        let then = addresses.iter().zip(today.accounts).map(|(address, account)| match before.get(address) {
            Some(account) => Some(account.clone()),
            None => account.filter(|account| account.owner != DEV_PROGRAM_ID),
        });
        Ok(Accounts { slot: tip.slot, accounts: then.collect() })
    }

    async fn latest_blockhash(&self, commitment: Commitment) -> Result<Blockhash, ChainError> {
        self.embedded().await?.latest_blockhash(commitment).await
    }

    async fn minimum_balance(&self, data_length: usize) -> Result<u64, ChainError> {
        self.embedded().await?.minimum_balance(data_length).await
    }

    async fn send(&self, transaction: &SignedTransaction) -> Result<Signature, ChainError> {
        drop(self.embedded().await?);
        let copied = {
            let mut state = self.state.lock();
            state.sent.push(transaction.signature);
            match state.faults.pop_front() {
                None => {}
                Some(Fault::Lose) => return Ok(transaction.signature),
                Some(Fault::Unanswered) => return Err(unanswered()),
                Some(Fault::Lagging) => return Err(ChainError::Refused(too_early())),
                Some(Fault::Fail) => {
                    state.failed.push(transaction.signature);
                    return Ok(transaction.signature);
                }
            }
            state.copies += 1;
            self.dir.with_file_name(format!("before-{}", state.copies))
        };
        // Nobody else sends meanwhile.
        let guard = self.chain.write().await;
        let chain = guard.as_ref().unwrap();
        if chain.status(&transaction.signature).await?.is_some() {
            return Ok(transaction.signature);
        }
        let before = chain.program_accounts(&DEV_PROGRAM_ID, &[], Commitment::Processed).await?.accounts;
        copy(&self.dir, &copied);
        let signature = chain.send(transaction).await?;
        let slot = chain.status(&signature).await?.unwrap().slot;
        let before = before.into_iter().collect();
        let executed = Executed { signature, slot, at: Instant::now(), before, copy: copied };
        self.state.lock().executed.push_back(executed);
        Ok(signature)
    }

    async fn status(&self, signature: &Signature) -> Result<Option<TransactionStatus>, ChainError> {
        let chain = self.embedded().await?;
        let (status, tip) = (chain.status(signature).await?, self.view(&chain, Commitment::Finalized).await?.0);
        let mut state = self.state.lock();
        state.reap();
        if state.failed.contains(signature) {
            return Ok(Some(TransactionStatus {
                slot: tip.slot,
                commitment: Commitment::Finalized,
                outcome: Err(too_early()),
                compute_units: None,
                fee: None,
                logs: Vec::new(),
            }));
        }
        let executed = state.executed.iter().find(|executed| executed.signature == *signature);
        let commitment = match executed {
            None => Commitment::Finalized,
            Some(executed) if executed.at.elapsed() < state.confirms => Commitment::Processed,
            Some(_) => Commitment::Confirmed,
        };
        Ok(status.map(|status| TransactionStatus { commitment, ..status }))
    }

    async fn program_accounts(
        &self,
        program: &Address,
        filters: &[AccountFilter],
        commitment: Commitment,
    ) -> Result<ProgramAccounts, ChainError> {
        self.embedded().await?.program_accounts(program, filters, commitment).await
    }
}

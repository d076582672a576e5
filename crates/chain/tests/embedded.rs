//! The embedded chain keeps the promises of a cluster: strict about what it takes, durable about what it took.

use cairn_chain::{
    Address, BLOCKHASH_SLOTS, Chain, ChainError, Commitment, EmbeddedChain, ErrorClass, Keypair, MAX_TRANSACTION_BYTES,
    OpenError, Options, Record, SLOT_MILLISECONDS, Signature, SignedTransaction, TimeSource, TransactionBuilder,
};
use cairn_interface::Profile;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SOL: u64 = 1_000_000_000;
const START_MS: i64 = 1_800_000_000_000;
const CLOCK_SYSVAR: &str = "SysvarC1ock11111111111111111111111111111111";

struct Bench {
    dir: tempfile::TempDir,
    chain: EmbeddedChain,
    clock: Arc<AtomicI64>,
    payer: Keypair,
}

fn open(dir: &Path, clock: &Arc<AtomicI64>) -> Result<EmbeddedChain, OpenError> {
    EmbeddedChain::open(dir, Options { time: TimeSource::Manual(clock.clone()), ..Options::of(Profile::Dev) })
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START_MS));
        let chain = open(dir.path(), &clock).unwrap();
        let payer = Keypair::generate();
        chain.fund(payer.address(), 100 * SOL).await.unwrap();
        Self { dir, chain, clock, payer }
    }

    /// Closes the chain and opens the directory again, as another process would.
    fn restart(self) -> Self {
        let Self { dir, chain, clock, payer } = self;
        drop(chain);
        let chain = open(dir.path(), &clock).unwrap();
        Self { dir, chain, clock, payer }
    }

    async fn transfer(&self, to: Address, lamports: u64) -> SignedTransaction {
        let blockhash = self.chain.latest_blockhash(Commitment::Finalized).await.unwrap();
        let builder = TransactionBuilder::new().transfer(&self.payer.address(), &to, lamports);
        builder.sign(&self.payer, &[], &blockhash).unwrap()
    }

    async fn balance(&self, of: Address) -> u64 {
        let account = self.chain.account(&of, Commitment::Finalized).await.unwrap();
        account.map_or(0, |account| account.lamports)
    }

    fn pass(&self, slots: u64) {
        self.clock.fetch_add((slots * SLOT_MILLISECONDS) as i64, Ordering::SeqCst);
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn lines(&self) -> Vec<Record> {
        let text = fs::read_to_string(self.file("transactions.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn refusal(error: &ChainError) -> &str {
    match error {
        ChainError::Refused(failure) => &failure.name,
        other => panic!("not a refusal: {other}"),
    }
}

#[tokio::test]
async fn a_transaction_over_1232_bytes_is_refused_whoever_built_it() {
    let bench = Bench::new().await;
    let blockhash = bench.chain.latest_blockhash(Commitment::Finalized).await.unwrap();
    let mut builder = TransactionBuilder::new();
    for to in 0..16 {
        builder = builder.transfer(&bench.payer.address(), &Address([to + 1; 32]), SOL);
    }
    let largest = builder.sign(&bench.payer, &[], &blockhash).unwrap();
    assert!(largest.bytes.len() <= MAX_TRANSACTION_BYTES);
    bench.chain.send(&largest).await.unwrap();

    let mut builder = TransactionBuilder::new();
    for to in 0..30 {
        builder = builder.transfer(&bench.payer.address(), &Address([to + 1; 32]), SOL);
    }
    let error = builder.sign(&bench.payer, &[], &blockhash).unwrap_err().to_string();
    assert!(error.contains("1232 are allowed"), "{error}");

    let mut padded = largest.clone();
    padded.bytes.resize(MAX_TRANSACTION_BYTES + 1, 0);
    let error = bench.chain.send(&padded).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Rejection);
    assert!(error.to_string().contains("1233 bytes, 1232 are allowed"), "{error}");
}

#[tokio::test]
async fn a_resent_transaction_returns_its_outcome_and_does_not_execute_again_even_after_a_restart() {
    let mut bench = Bench::new().await;
    let to = Address([9; 32]);
    let transaction = bench.transfer(to, SOL).await;
    let signature = bench.chain.send(&transaction).await.unwrap();
    let status = bench.chain.status(&signature).await.unwrap().unwrap();
    assert_eq!(status.commitment, Commitment::Finalized);
    assert_eq!(status.outcome, Ok(()));
    for _ in 0..3 {
        assert_eq!(bench.chain.send(&transaction).await.unwrap(), signature);
        bench = bench.restart();
        // Long after its blockhash, too.
        bench.pass(1_000);
        assert_eq!(bench.chain.send(&transaction).await.unwrap(), signature);
        assert_eq!(bench.chain.status(&signature).await.unwrap().unwrap(), status);
        assert_eq!(bench.balance(to).await, SOL);
    }
    assert_eq!(bench.lines().len(), 2, "the funding and one transfer");
}

#[tokio::test]
async fn a_restart_keeps_accounts_genesis_slots_and_recent_blockhashes() {
    let bench = Bench::new().await;
    let to = Address([9; 32]);
    bench.chain.send(&bench.transfer(to, SOL).await).await.unwrap();
    let before = (
        bench.chain.genesis_hash().await.unwrap(),
        bench.balance(to).await,
        bench.balance(bench.payer.address()).await,
    );
    let slot = bench.chain.slot(Commitment::Finalized).await.unwrap();
    // Signed before the restart, sent after it.
    let transaction = bench.transfer(to, SOL).await;
    let bench = bench.restart();
    let after = (
        bench.chain.genesis_hash().await.unwrap(),
        bench.balance(to).await,
        bench.balance(bench.payer.address()).await,
    );
    assert_eq!(before, after);
    assert!(bench.chain.slot(Commitment::Finalized).await.unwrap() >= slot);
    bench.chain.send(&transaction).await.unwrap();
    assert_eq!(bench.balance(to).await, 2 * SOL);
}

#[tokio::test]
async fn a_blockhash_expires_after_150_slots_also_over_a_restart() {
    let bench = Bench::new().await;
    let to = Address([9; 32]);
    let in_time = bench.transfer(to, SOL).await;
    let late = bench.transfer(to, 2 * SOL).await;
    bench.pass(BLOCKHASH_SLOTS - 10);
    bench.chain.send(&in_time).await.unwrap();
    let bench = bench.restart();
    bench.pass(20);
    let error = bench.chain.send(&late).await.unwrap_err();
    assert_eq!((refusal(&error), error.class()), ("BlockhashNotFound", ErrorClass::Transient));
    assert!(bench.chain.tip(Commitment::Finalized).await.unwrap().block_height > late.last_valid_block_height);
    assert_eq!(bench.balance(to).await, SOL);
    assert_eq!(bench.lines().len(), 2, "an expired transaction leaves no trace");
}

#[tokio::test]
async fn slot_and_clock_advance_with_time_and_with_every_transaction_and_never_go_back() {
    let bench = Bench::new().await;
    let sysvar: Address = CLOCK_SYSVAR.parse().unwrap();
    let clock = async || {
        let data = bench.chain.account(&sysvar, Commitment::Finalized).await.unwrap().unwrap().data;
        let slot = u64::from_le_bytes(data[..8].try_into().unwrap());
        (slot, i64::from_le_bytes(data[32..40].try_into().unwrap()))
    };
    let first = bench.chain.slot(Commitment::Finalized).await.unwrap();
    bench.pass(5);
    let second = bench.chain.slot(Commitment::Finalized).await.unwrap();
    assert_eq!(second, first + 3, "slots pass without transactions");
    bench.chain.send(&bench.transfer(Address([9; 32]), SOL).await).await.unwrap();
    let (slot, time) = clock().await;
    assert!(slot >= second);
    assert_eq!(time, START_MS / 1_000 + 2);
    bench.chain.send(&bench.transfer(Address([9; 32]), SOL).await).await.unwrap();
    assert_eq!(clock().await.0, slot + 1, "every transaction has a slot of its own");
    bench.clock.fetch_sub(3_600_000, Ordering::SeqCst);
    let bench = bench.restart();
    assert!(bench.chain.slot(Commitment::Finalized).await.unwrap() > slot);
    bench.chain.send(&bench.transfer(Address([9; 32]), SOL).await).await.unwrap();
    let record = bench.lines().pop().unwrap();
    assert_eq!((record.slot, record.unix_time), (slot + 2, time));
}

#[tokio::test]
async fn a_crash_between_temporary_file_and_rename_keeps_the_old_state() {
    let bench = Bench::new().await;
    let to = Address([9; 32]);
    let old = (fs::read(bench.file("state")).unwrap(), fs::read(bench.file("transactions.jsonl")).unwrap());
    let transaction = bench.transfer(to, SOL).await;
    bench.chain.send(&transaction).await.unwrap();
    let new = fs::read(bench.file("state")).unwrap();
    // As if the process had died with the new state written, whole or in part, but not renamed.
    for length in [0, new.len() / 2, new.len()] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("state"), &old.0).unwrap();
        fs::write(dir.path().join("transactions.jsonl"), &old.1).unwrap();
        fs::write(dir.path().join("state.tmp"), &new[..length]).unwrap();
        let chain = open(dir.path(), &bench.clock).unwrap();
        assert!(chain.account(&to, Commitment::Finalized).await.unwrap().is_none());
        assert!(chain.status(&transaction.signature).await.unwrap().is_none());
        // Never acknowledged, so the client sends it again: it executes once.
        chain.send(&transaction).await.unwrap();
        chain.send(&transaction).await.unwrap();
        assert_eq!(chain.account(&to, Commitment::Finalized).await.unwrap().unwrap().lamports, SOL);
        assert_eq!(fs::read_to_string(chain.transactions_path()).unwrap().lines().count(), 2);
    }
}

#[tokio::test]
async fn a_crash_between_state_and_log_leaves_neither_a_missing_nor_a_double_line() {
    let bench = Bench::new().await;
    let before = fs::metadata(bench.file("transactions.jsonl")).unwrap().len() as usize;
    let transaction = bench.transfer(Address([9; 32]), SOL).await;
    bench.chain.send(&transaction).await.unwrap();
    let state = fs::read(bench.file("state")).unwrap();
    let log = fs::read(bench.file("transactions.jsonl")).unwrap();
    let garbage = [&log[..], b"{\"signature\":\"half of the next li"].concat();
    let cut = [before, before + 1, log.len() - 1].map(|length| log[..length].to_vec());
    for found in cut.into_iter().chain([log.clone(), garbage]) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("state"), &state).unwrap();
        fs::write(dir.path().join("transactions.jsonl"), found).unwrap();
        let chain = open(dir.path(), &bench.clock).unwrap();
        assert_eq!(fs::read(chain.transactions_path()).unwrap(), log);
        assert_eq!(chain.status(&transaction.signature).await.unwrap().unwrap().outcome, Ok(()));
        assert_eq!(chain.send(&transaction).await.unwrap(), transaction.signature);
        assert_eq!(fs::read(chain.transactions_path()).unwrap(), log);
    }
}

#[tokio::test]
async fn lost_lines_and_changed_states_are_refused_with_what_to_do() {
    let Bench { dir, chain, clock, payer: _ } = Bench::new().await;
    drop(chain);
    let (state, log) = (dir.path().join("state"), dir.path().join("transactions.jsonl"));
    let (good_state, good_log) = (fs::read(&state).unwrap(), fs::read(&log).unwrap());

    let chain = open(dir.path(), &clock).unwrap();
    chain.fund(Address([9; 32]), SOL).await.unwrap();
    drop(chain);
    fs::write(&log, &good_log[..good_log.len() - 1]).unwrap();
    let error = open(dir.path(), &clock).err().unwrap().to_string();
    assert!(error.contains("lines were lost, restore both files together"), "{error}");

    fs::write(&log, &good_log).unwrap();
    for at in [0, 20, 60, good_state.len() / 2, good_state.len() - 1] {
        let mut changed = good_state.clone();
        changed[at] ^= 1;
        fs::write(&state, changed).unwrap();
        let error = open(dir.path(), &clock).err().unwrap();
        assert!(matches!(error, OpenError::State { .. }), "byte {at}: {error}");
    }
    fs::remove_file(&state).unwrap();
    assert!(matches!(open(dir.path(), &clock).err().unwrap(), OpenError::Orphaned { .. }));
    fs::write(&state, good_state).unwrap();
    open(dir.path(), &clock).unwrap();
}

#[tokio::test]
async fn forged_malformed_and_foreign_transactions_are_refused() {
    let bench = Bench::new().await;
    let other = Bench::new().await;
    let to = Address([9; 32]);
    let good = bench.transfer(to, SOL).await;

    let mut forged = good.clone();
    forged.bytes[5] ^= 1;
    assert_eq!(refusal(&bench.chain.send(&forged).await.unwrap_err()), "SignatureFailure");
    let mut changed = good.clone();
    *changed.bytes.last_mut().unwrap() ^= 1;
    assert!(bench.chain.send(&changed).await.is_err());
    let mut trailing = good.clone();
    trailing.bytes.push(0);
    assert_eq!(bench.chain.send(&trailing).await.unwrap_err().class(), ErrorClass::Rejection);
    for length in 0..good.bytes.len() {
        let mut cut = good.clone();
        cut.bytes.truncate(length);
        assert!(bench.chain.send(&cut).await.is_err(), "cut at {length}");
    }
    let foreign = other.transfer(to, SOL).await;
    assert_eq!(refusal(&bench.chain.send(&foreign).await.unwrap_err()), "BlockhashNotFound");
    // A payer that does not exist: never enters a block, leaves no line.
    let blockhash = bench.chain.latest_blockhash(Commitment::Finalized).await.unwrap();
    let poor = Keypair::generate();
    let unpaid = TransactionBuilder::new().transfer(&poor.address(), &to, 1).sign(&poor, &[], &blockhash).unwrap();
    assert_eq!(refusal(&bench.chain.send(&unpaid).await.unwrap_err()), "AccountNotFound");

    assert_eq!(bench.lines().len(), 1);
    assert_eq!(bench.balance(to).await, 0);
    bench.chain.send(&good).await.unwrap();
}

#[tokio::test]
async fn a_failed_transaction_is_remembered_with_its_reason_and_its_fee() {
    let bench = Bench::new().await;
    let before = bench.balance(bench.payer.address()).await;
    let transaction = bench.transfer(Address([9; 32]), 1_000 * SOL).await;
    let signature = bench.chain.send(&transaction).await.unwrap();
    let status = bench.chain.status(&signature).await.unwrap().unwrap();
    let failure = status.outcome.unwrap_err();
    assert_eq!((failure.name.as_str(), failure.code), ("Custom", Some(1)));
    assert_eq!(status.fee, Some(5_000));
    assert_eq!(bench.balance(bench.payer.address()).await, before - 5_000);
    let record = bench.lines().pop().unwrap();
    assert_eq!((record.error, record.signature.parse()), (Some(failure), Ok(signature)));
    assert!(record.logs.iter().any(|line| line.contains("insufficient lamports")), "{:?}", record.logs);
}

#[tokio::test]
async fn one_process_writes_and_others_follow() {
    let bench = Bench::new().await;
    assert!(matches!(open(bench.dir.path(), &bench.clock).err().unwrap(), OpenError::Locked { .. }));
    let follower = EmbeddedChain::follow(bench.dir.path(), TimeSource::Manual(bench.clock.clone())).unwrap();
    assert_eq!(follower.genesis_hash().await.unwrap(), bench.chain.genesis_hash().await.unwrap());

    let to = Address([9; 32]);
    let mut sent = Vec::new();
    for round in 1..=3 {
        let transaction = bench.transfer(to, SOL).await;
        sent.push(bench.chain.send(&transaction).await.unwrap());
        let seen = follower.account(&to, Commitment::Finalized).await.unwrap().unwrap();
        assert_eq!(seen.lamports, round * SOL);
        for signature in &sent {
            assert_eq!(follower.status(signature).await.unwrap(), bench.chain.status(signature).await.unwrap());
        }
        assert_eq!(
            follower.tip(Commitment::Finalized).await.unwrap(),
            bench.chain.tip(Commitment::Finalized).await.unwrap()
        );
        let error = follower.send(&transaction).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Fatal);
    }
    assert!(follower.status(&Signature([1; 64])).await.unwrap().is_none());
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(
        EmbeddedChain::follow(nothing.path(), TimeSource::System).err().unwrap(),
        OpenError::Missing { .. }
    ));
}

#[tokio::test]
async fn a_directory_made_with_another_build_of_the_program_is_refused() {
    let Bench { dir, chain, clock, payer: _ } = Bench::new().await;
    drop(chain);
    let mut options = Options { time: TimeSource::Manual(clock.clone()), ..Options::of(Profile::Dev) };
    options.program.elf.to_mut().push(0);
    let error = EmbeddedChain::open(dir.path(), options).err().unwrap();
    assert!(matches!(error, OpenError::OtherProgram { .. }), "{error}");
    assert!(error.to_string().contains("start over in an empty one"), "{error}");
    let other = EmbeddedChain::open(dir.path(), Options::of(Profile::Production)).err().unwrap();
    assert!(matches!(other, OpenError::NoProgram { .. }), "{other}");
    assert!(other.to_string().contains("another profile"), "{other}");
    open(dir.path(), &clock).unwrap();
}

#[tokio::test]
async fn more_accounts_than_one_answer_holds_are_refused() {
    let bench = Bench::new().await;
    let addresses = vec![Address([1; 32]); 101];
    assert_eq!(bench.chain.accounts(&addresses[..100], Commitment::Finalized).await.unwrap().accounts.len(), 100);
    assert!(bench.chain.accounts(&addresses, Commitment::Finalized).await.is_err());
}

#[tokio::test]
async fn no_change_of_one_bit_makes_another_transaction_that_executes() {
    let bench = Bench::new().await;
    let to = Address([9; 32]);
    let good = bench.transfer(to, SOL).await;
    for bit in 0..good.bytes.len() * 8 {
        let mut changed = good.clone();
        changed.bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(bench.chain.send(&changed).await.is_err(), "bit {bit}");
    }
    assert_eq!((bench.balance(to).await, bench.lines().len()), (0, 1));
    bench.chain.send(&good).await.unwrap();
    assert_eq!(bench.balance(to).await, SOL);
}

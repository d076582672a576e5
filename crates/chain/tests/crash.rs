//! A process that sends transactions is killed at any moment, again and again.

use cairn_chain::{Address, Chain as _, ChainError, Commitment, EmbeddedChain, Options, Record, Signature, TimeSource};
use cairn_interface::Profile;
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Set in the child: the directory that it writes.
const WRITER: &str = "CAIRN_TEST_CHAIN_WRITER";
const TO: Address = Address([9; 32]);
const ROUNDS: u64 = 12;

/// Not a test of its own: the body of the child process, which ends when it is killed.
#[tokio::test]
async fn writer_process() {
    let Ok(dir) = std::env::var(WRITER) else { return };
    let chain = EmbeddedChain::open(&dir, Options::of(Profile::Dev)).unwrap();
    let mut out = std::io::stdout();
    for lamports in 1_000_000.. {
        let signature = chain.fund(TO, lamports).await.unwrap();
        // Said only once `send` has returned: from here on it may not be lost.
        writeln!(out, "acknowledged {signature} {lamports}").unwrap();
        out.flush().unwrap();
    }
}

fn spawn(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["writer_process", "--exact", "--nocapture"])
        .env(WRITER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn kill_at_any_moment_loses_no_acknowledged_transaction_and_executes_none_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut before = 0;
    for round in 0..ROUNDS {
        let mut child = spawn(dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Wait for the first acknowledgement of this round, then kill at a moment that differs from round to round.
        let first = lines.by_ref().map(Result::unwrap).find(|line| line.contains("acknowledged ")).unwrap();
        std::thread::sleep(Duration::from_micros(1_700 * round * round));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in std::iter::once(first).chain(lines.map_while(Result::ok)) {
            let words: Vec<_> = line.split(' ').skip_while(|word| *word != "acknowledged").collect();
            // The pipe's last line may be cut.
            if let [_, signature, lamports] = words[..] {
                acknowledged.push((signature.parse::<Signature>().unwrap(), lamports.parse::<u64>().unwrap()));
            }
        }

        let chain = EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap();
        let text = std::fs::read_to_string(chain.transactions_path()).unwrap();
        let records: Vec<Record> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let signatures: HashSet<_> = records.iter().map(|record| record.signature.clone()).collect();
        assert_eq!(signatures.len(), records.len(), "no line twice");
        assert!(records.is_sorted_by(|a, b| a.slot < b.slot), "in the order of execution");
        let mut sum = 0;
        for (signature, lamports) in &acknowledged {
            assert!(signatures.contains(&signature.to_string()), "round {round}: {signature} is lost");
            assert_eq!(chain.status(signature).await.unwrap().unwrap().outcome, Ok(()));
            sum += lamports;
        }
        // At most one transaction per round was durable and not yet acknowledged.
        let unacknowledged = records.len() - acknowledged.len();
        assert!(unacknowledged as u64 <= round + 1, "{unacknowledged}");
        let balance = chain.account(&TO, Commitment::Finalized).await.unwrap().unwrap().lamports;
        assert!(balance >= sum);
        assert_eq!(balance == sum, unacknowledged == 0);
        assert!(records.len() > before);
        before = records.len();
    }
    println!("{before} transactions over {ROUNDS} kills, {} acknowledged", acknowledged.len());
}

#[tokio::test]
async fn a_failed_write_stops_the_chain_until_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chain");
    let chain = EmbeddedChain::open(&path, Options::of(Profile::Dev)).unwrap();
    chain.fund(TO, 1_000_000).await.unwrap();
    let aside = dir.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    let error = chain.fund(TO, 2_000_000).await.unwrap_err();
    assert!(matches!(error, ChainError::Fatal { .. }) && error.to_string().contains("restart to recover"), "{error}");
    std::fs::rename(&aside, &path).unwrap();
    assert!(chain.fund(TO, 3_000_000).await.is_err(), "not before it is opened again");
    drop(chain);
    let chain = EmbeddedChain::open(&path, Options::of(Profile::Dev)).unwrap();
    chain.fund(TO, 4_000_000).await.unwrap();
    assert_eq!(chain.account(&TO, Commitment::Finalized).await.unwrap().unwrap().lamports, 5_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_beside_a_busy_writer_sees_only_whole_states() {
    let dir = tempfile::tempdir().unwrap();
    let chain = EmbeddedChain::open(dir.path(), Options::of(Profile::Dev)).unwrap();
    chain.fund(TO, 1_000_000).await.unwrap();
    let follower = EmbeddedChain::follow(dir.path(), TimeSource::System).unwrap();
    let writer = tokio::spawn(async move {
        let mut sent = Vec::new();
        for _ in 0..60 {
            sent.push(chain.fund(TO, 1_000_000).await.unwrap());
        }
        sent
    });
    let mut last = 0;
    while !writer.is_finished() {
        let seen = follower.account(&TO, Commitment::Finalized).await.unwrap().unwrap().lamports;
        assert!(seen >= last && seen % 1_000_000 == 0);
        last = seen;
    }
    for signature in writer.await.unwrap() {
        assert_eq!(follower.status(&signature).await.unwrap().unwrap().outcome, Ok(()));
    }
    assert_eq!(follower.account(&TO, Commitment::Finalized).await.unwrap().unwrap().lamports, 61_000_000);
}

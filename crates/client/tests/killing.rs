//! A node killed with SIGKILL again and again, at any moment: what it read arrives, and arrives once.
//!
//! This program is both: told of a folder by the environment it is the node, otherwise the test.

mod fake;
mod warc_files;

use cairn_client::node::{self, Options, Status};
use cairn_client::spool::{Filter, Spool, Stage};
use cairn_client::submit::{Config, Node, Pins};
use fake::{Fake, Trouble, config, node_key};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use warc_files::{gzip, response};

const FOLDER: &str = "CAIRN_KILL_TEST_FOLDER";
const SEQUENCER: &str = "CAIRN_KILL_TEST_SEQUENCER";
const FILES: u32 = 40;
const RECORDS: u32 = 30;
const LEAST_KILLS: u32 = 12;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match (std::env::var_os(FOLDER), std::env::var(SEQUENCER)) {
        (Some(folder), Ok(sequencer)) => runtime.block_on(run_node(&PathBuf::from(folder), &sequencer)),
        _ => runtime.block_on(a_killed_node_neither_loses_nor_repeats_receipts()),
    }
}

async fn run_node(folder: &Path, sequencer: &str) {
    let spool = Arc::new(Spool::open(&folder.join("spool")).unwrap());
    let config = Config { max_failures: None, ..config() };
    let node = Node::new(&sequencer.into(), node_key(1), spool, Pins::default(), config).unwrap();
    let options = Options {
        watch: folder.join("crawl"),
        settle: Duration::from_millis(20),
        rescan: Duration::from_millis(50),
        bundle_age: Duration::from_millis(10),
        refresh: Duration::from_millis(50),
        ..Options::default()
    };
    let (status, _hearing) = tokio::sync::watch::channel(Status::default());
    node::run(node, options, status, CancellationToken::new()).await.unwrap();
}

fn start(folder: &Path, sequencer: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).env(FOLDER, folder).env(SEQUENCER, sequencer).spawn().unwrap()
}

fn file(number: u32) -> Vec<u8> {
    let numbers = number * RECORDS..(number + 1) * RECORDS;
    numbers.flat_map(|n| gzip(&response(&format!("/{n}"), n, "HTTP/1.1 200 OK\r\n\r\nhello"))).collect()
}

async fn a_killed_node_neither_loses_nor_repeats_receipts() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = folder.path().join("crawl");
    fs::create_dir(&crawl).unwrap();
    let fake = Fake::new(node_key(1).public());
    let served = fake.serve().await;
    let url = served.at().url;
    let total = (FILES * RECORDS) as usize;
    let mut kills = 0;
    let mut written = 0;
    // What a life has on top, on a machine on which nothing comes of a short one.
    let mut slowness = Duration::ZERO;
    let begun = Instant::now();
    while fake.recorded().len() < total || kills < LEAST_KILLS {
        let before = fake.recorded().len();
        assert!(begun.elapsed() < Duration::from_secs(900), "{before} of {total} receipts came");
        let mut child = start(folder.path(), &url);
        // The crawler goes on meanwhile: half of a file, then all of it, so that kills meet both.
        for _ in 0..4 {
            if written < FILES {
                let bytes = file(written);
                let path = crawl.join(format!("crawl-{written:03}.warc.gz"));
                fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
                tokio::time::sleep(Duration::from_millis(40)).await;
                let mut grown = fs::OpenOptions::new().append(true).open(&path).unwrap();
                std::io::Write::write_all(&mut grown, &bytes[bytes.len() / 2..]).unwrap();
                written += 1;
            }
        }
        if fake.troubles() == 0 {
            fake.trouble(&[Trouble::DropAfter, Trouble::DropBefore]);
        }
        // Each life is of another length, from hardly any to enough for whole files.
        tokio::time::sleep(slowness + Duration::from_millis(30 + u64::from(kills * 37 % 300))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if kills >= LEAST_KILLS && fake.recorded().len() == before {
            slowness += Duration::from_millis(100);
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for told in fake.recorded() {
        *counts.entry(told).or_default() += 1;
    }
    assert_eq!(counts.len(), total, "lost");
    assert!(counts.values().all(|count| *count == 1), "repeated");
    // A last, whole life: the node itself knows of every acknowledgement.
    let spool = Arc::new(Spool::open(&folder.path().join("spool")).unwrap());
    let mut node = Node::new(&served.at(), node_key(1), Arc::clone(&spool), Pins::default(), config()).unwrap();
    node.flush(&()).await.unwrap();
    let mut receipts = 0;
    let filter = Filter { from: Stage::Acknowledged, ..Filter::default() };
    spool
        .list(&filter, false, |record, _| {
            receipts += usize::from(record.receipts);
            record.promise.is_some()
        })
        .unwrap();
    assert_eq!(receipts, total);
    assert!(spool.evidence().unwrap().is_empty());
    println!("{kills} kills, {total} receipts, none lost, none repeated, in {:.1?}", begun.elapsed());
}

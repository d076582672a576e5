//! The sequencer as a process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cairn_sequencer::{Config, SealLimits, Sequencer};
use tokio_util::sync::CancellationToken;

use crate::samples::{NODES, QuickProver, World, authority, receipt_key};

/// Tells the process that it is the sequencer, and of which folder.
const FOLDER: &str = "CAIRN_KILL_TEST_FOLDER";

/// The folder, if this process is the sequencer.
pub fn folder_of_this_process() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs the sequencer until the process is killed. Its first line of output is its address.
pub async fn run(folder: &Path) {
    let world = World::open(folder).await;
    let local = Config::local(folder.join("log"));
    // Small batches, so that every stage is at work whenever the kill comes.
    let (age, entry_age) = (Duration::from_millis(30), Duration::from_millis(10));
    let seal = SealLimits { bundles: crate::BATCH, age, entry_age, ..local.seal };
    let config = Config { seal, chain_poll: Duration::from_millis(50), settle: false, ..local };
    let parts = world.parts(Arc::new(QuickProver));
    let sequencer = Sequencer::start(config, parts, CancellationToken::new()).await.unwrap();
    println!("{}", sequencer.address());
    // The queue moves too: a node that submits nothing changes its key again and again.
    let (restless, rollup) = (authority(NODES - 1), world.rollup.clone());
    tokio::spawn(async move {
        for turn in 0_u32.. {
            // Refused while the last rotation is in no batch yet.
            let _ = rollup.rotate_key(&restless, &receipt_key(1_000 + turn % 50)).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    sequencer.join().await.unwrap();
}

/// A sequencer in another process.
pub struct Child {
    pub address: String,
    process: std::process::Child,
}

impl Child {
    /// Starts it and waits until it listens.
    pub fn start(folder: &Path) -> Self {
        let mut process =
            Command::new(std::env::current_exe().unwrap()).env(FOLDER, folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the sequencer did not start: {:?}", process.wait());
        Self { address: format!("http://{}", line.trim()), process }
    }

    /// SIGKILL, and until it is gone.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Kills it after a while.
    pub async fn kill_after(&mut self, life: Duration) {
        tokio::time::sleep(life).await;
        self.kill();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A test that fails must not leave it behind; one that ended has killed it already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

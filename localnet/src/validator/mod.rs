//! A supervised `solana-test-validator`: a real cluster of one, with the settlement program, on this machine alone.
//!
//! Its folder holds all of it. What is in there is continued; when the validator dies it is started again on the same
//! ledger; when this program ends, however it ends, so does the validator.

pub mod binary;
pub mod ports;
mod process;
#[cfg(test)]
mod script;
mod supervisor;

pub use binary::BinaryError;
pub use ports::{PortChoice, PortError, Ports};

use cairn_chain::{Chain as _, ChainError, Commitment, Program, RpcChain};
use cairn_types::Profile;
use process::Run;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use supervisor::Supervisor;

/// How often a starting validator is asked whether it is there.
const POLL: Duration = Duration::from_millis(250);
/// How long it may take to start: a large ledger is replayed first.
const PATIENCE: Duration = Duration::from_secs(300);
/// Runs that may end before one answers.
const MAX_FAILED_STARTS: u64 = 3;
/// Lines of its output that are shown when it does not start.
const LAST_LINES: usize = 8;
/// The most of its output that is read for them.
const MAX_OUTPUT_BYTES: u64 = 16_384;

/// Why there is no validator.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorError {
    /// The binary.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// The ports.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A file or folder.
    #[error("cannot use {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has one here.
    #[error("{path} is in use by another process: stop that one, or take another --data directory")]
    Locked {
        /// Which folder.
        path: PathBuf,
    },
    /// A validator of an earlier run is still there.
    #[error("cannot stop the validator that an earlier run left behind")]
    Leftover(#[source] io::Error),
    /// It ended at once, again and again.
    #[error("the validator ended {ended} times before it answered; the last it said ({output}):\n{said}")]
    Ended {
        /// How often.
        ended: u64,
        /// Where all of its output is.
        output: PathBuf,
        /// The end of it.
        said: String,
    },
    /// It runs and does not answer.
    #[error("the validator does not answer after {} s; see {output} and its ledger's validator.log", PATIENCE.as_secs())]
    Silent {
        /// Where its output is.
        output: PathBuf,
        /// What the last question came to.
        #[source]
        source: Option<Box<ChainError>>,
    },
    /// It could not be supervised.
    #[error("the thread that supervises the validator failed")]
    Supervisor(#[source] io::Error),
}

/// A running validator.
#[derive(Debug)]
pub struct Validator {
    run: Run,
    supervisor: Supervisor,
    chain: Arc<RpcChain>,
    /// Whoever holds it owns the folder, and with it every validator on its ledger.
    _lock: File,
}

impl Validator {
    /// Starts `binary` over `folder`, made if it is not there, and waits until it has confirmed a slot. A new ledger has the
    /// settlement program of `profile`. `waiting` hears every now and then how long that takes.
    ///
    /// # Errors
    /// [`ValidatorError`].
    pub async fn start(
        folder: &Path,
        binary: &Path,
        profile: Profile,
        ports: PortChoice,
        waiting: &(dyn Fn(Duration) + Send + Sync),
    ) -> Result<Self, ValidatorError> {
        let (folder, binary) = (folder.to_owned(), binary.to_owned());
        let prepared = tokio::task::spawn_blocking(move || prepare(&folder, binary, profile, ports));
        let (run, lock) = prepared.await.map_err(|error| ValidatorError::Supervisor(error.into()))??;
        let chain = Arc::new(RpcChain::new(&url(&run)).map_err(|error| {
            ValidatorError::Supervisor(io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))
        })?);
        let supervisor = Supervisor::start(run.clone()).map_err(ValidatorError::Supervisor)?;
        let validator = Self { run, supervisor, chain, _lock: lock };
        validator.answer(waiting).await?;
        Ok(validator)
    }

    /// Waits until it answers and votes. The first votes after a start come when the ledger is replayed.
    async fn answer(&self, waiting: &(dyn Fn(Duration) + Send + Sync)) -> Result<(), ValidatorError> {
        let began = Instant::now();
        let mut last = None;
        while began.elapsed() < PATIENCE {
            waiting(began.elapsed());
            let ended = self.supervisor.ended();
            if ended >= MAX_FAILED_STARTS {
                let output = self.run.output();
                return Err(ValidatorError::Ended { ended, said: last_lines(&output), output });
            }
            let asked = async {
                let confirmed = self.chain.slot(Commitment::Confirmed).await?;
                Ok::<_, ChainError>((confirmed, self.chain.slot(Commitment::Finalized).await?))
            };
            // A client that retries by itself must not keep the look at the process from being taken.
            match tokio::time::timeout(POLL * 8, asked).await {
                Ok(Ok((confirmed, finalized))) if confirmed > 0 && confirmed >= finalized => return Ok(()),
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(error)) => last = Some(Box::new(error)),
            }
            tokio::time::sleep(POLL).await;
        }
        Err(ValidatorError::Silent { output: self.run.output(), source: last })
    }

    /// A client of its JSON-RPC.
    #[must_use]
    pub fn chain(&self) -> &Arc<RpcChain> {
        &self.chain
    }

    /// Where JSON-RPC is.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.run)
    }

    /// Where subscriptions are.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.run.ports.websocket())
    }

    /// Its ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.run.ports
    }

    /// Its process, while there is one.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.supervisor.process_id()
    }

    /// How often it has ended by itself, and was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.supervisor.ended()
    }

    /// Stops it and waits until it is gone. Its ledger stays.
    ///
    /// # Errors
    /// When it could not be stopped.
    pub async fn stop(mut self) -> Result<(), ValidatorError> {
        let stop = move || self.supervisor.stop();
        let stopped = tokio::task::spawn_blocking(stop).await.map_err(io::Error::other).flatten();
        stopped.map_err(ValidatorError::Supervisor)
    }
}

fn url(run: &Run) -> String {
    format!("http://127.0.0.1:{}", run.ports.rpc())
}

/// Everything that a run needs on disk; takes the folder, and stops what an earlier owner left running in it.
fn prepare(folder: &Path, binary: PathBuf, profile: Profile, ports: PortChoice) -> Result<(Run, File), ValidatorError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ValidatorError::Io { path, source }
    };
    let version = binary::check(&binary)?;
    let binary = match binary.components().count() {
        // A bare name is looked up on PATH.
        1 => binary,
        _ => binary.canonicalize().map_err(io(&binary))?,
    };
    fs::create_dir_all(folder).map_err(io(folder))?;
    let folder = folder.canonicalize().map_err(io(folder))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(io(&path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(ValidatorError::Locked { path: folder }),
        Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
    }
    let mut run = Run { binary, folder: folder.clone(), profile, ports: Ports::default() };
    if let Some(pid) = run.end_leftover().map_err(ValidatorError::Leftover)? {
        tracing::warn!(pid, "stopped the validator that an earlier run left behind");
    }
    run.ports = Ports::choose(&folder, ports)?;
    let program = run.program();
    fs::write(&program, &Program::settlement(profile).elf).map_err(io(&program))?;
    tracing::info!(%version, folder = %folder.display(), rpc = run.ports.rpc(), "starting the validator");
    Ok((run, lock))
}

fn last_lines(output: &Path) -> String {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let read = || -> io::Result<String> {
        let mut file = File::open(output)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MAX_OUTPUT_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that says it is a validator, and does `text` when it is started as one.
    fn binary(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("validator.sh");
        let version = "[ \"$1\" = --version ] && { echo 'solana-test-validator 4.2.2'; exit; }";
        script::write(&path, &format!("{version}\n{text}"));
        path
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_validator_that_ends_at_once_is_given_up_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let binary = binary(folder.path(), "echo 'no room on the disk'; exit 1");
        let home = folder.path().join("home");
        let error = Validator::start(&home, &binary, Profile::Dev, PortChoice::Kept, &|_| {}).await.unwrap_err();
        assert!(error.to_string().contains("no room on the disk"), "{error}");
        assert!(matches!(error, ValidatorError::Ended { ended, .. } if ended >= MAX_FAILED_STARTS));
    }

    #[test]
    fn a_supervised_process_is_started_again_when_it_dies_and_is_gone_after_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let binary = binary(folder.path(), "exec sleep 1000");
        let home = folder.path().join("home");
        let (run, _lock) = prepare(&home, binary.clone(), Profile::Dev, PortChoice::Kept).unwrap();
        let locked = prepare(&home, binary, Profile::Dev, PortChoice::Kept).unwrap_err();
        assert!(matches!(locked, ValidatorError::Locked { .. }), "{locked}");
        let mut supervisor = Supervisor::start(run).unwrap();
        let wait = |not: Option<u32>| {
            let began = Instant::now();
            loop {
                match supervisor.process_id() {
                    Some(pid) if Some(pid) != not => return pid,
                    _ => std::thread::sleep(POLL / 10),
                }
                assert!(began.elapsed() < PATIENCE, "it does not start");
            }
        };
        let first = wait(None);
        let mut kill = std::process::Command::new("/bin/sh");
        assert!(kill.args(["-c", "kill -KILL \"$1\"", "sh", &first.to_string()]).status().unwrap().success());
        let second = wait(Some(first));
        assert_eq!(supervisor.ended(), 1);
        supervisor.stop().unwrap();
        assert_eq!(supervisor.process_id(), None);
        assert!(!Path::new(&format!("/proc/{second}")).exists(), "it is gone");
    }
}

//! The thread that starts the validator, watches it, and starts it again when it ends.

use super::process::{LOOK, Run};
use std::io;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Pauses before it is started again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A run of this length counts as one that worked.
const WORKED: Duration = Duration::from_secs(60);

/// What the thread and its owner both see.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Process id; 0 while there is none.
    pid: AtomicU32,
    /// Runs that ended by themselves.
    ended: AtomicU64,
}

/// A supervised validator. Dropped, it is stopped as well.
#[derive(Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Supervisor {
    /// Starts the validator on a thread of its own, which lives as long as it is supervised: the kernel ends the validator
    /// together with the thread that started it.
    pub fn start(run: Run) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let thread = thread::Builder::new().name("validator".to_owned()).spawn(move || supervise(&run, &seen))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Its process, while there is one.
    pub fn process_id(&self) -> Option<u32> {
        Some(self.shared.pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    /// How often it ended by itself.
    pub fn ended(&self) -> u64 {
        self.shared.ended.load(Ordering::SeqCst)
    }

    /// Stops it and waits until it is gone.
    pub fn stop(&mut self) -> io::Result<()> {
        self.shared.stop.store(true, Ordering::SeqCst);
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("it panicked"))),
            None => Ok(()),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the validator could not be stopped");
        }
    }
}

fn supervise(run: &Run, shared: &Shared) -> io::Result<()> {
    let mut pause = PAUSES.0;
    while !shared.stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        match run.spawn() {
            Ok(mut child) => {
                shared.pid.store(child.id(), Ordering::SeqCst);
                let watched = watch(run, &mut child, shared);
                shared.pid.store(0, Ordering::SeqCst);
                if watched? {
                    return Ok(());
                }
            }
            Err(error) => tracing::error!(%error, binary = %run.binary.display(), "the validator does not start"),
        }
        shared.ended.fetch_add(1, Ordering::SeqCst);
        pause = if began.elapsed() >= WORKED { PAUSES.0 } else { pause };
        rest(pause, shared);
        pause = (pause * 2).min(PAUSES.1);
    }
    Ok(())
}

/// Waits until the validator ends, or ends it when that is asked for. Gives whether it was asked for.
fn watch(run: &Run, child: &mut Child, shared: &Shared) -> io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            tracing::warn!(%status, "the validator ended: it is started again on the same ledger");
            run.forget()?;
            return Ok(false);
        }
        if shared.stop.load(Ordering::SeqCst) {
            run.end(child)?;
            return Ok(true);
        }
        thread::sleep(LOOK);
    }
}

fn rest(pause: Duration, shared: &Shared) {
    let began = Instant::now();
    while began.elapsed() < pause && !shared.stop.load(Ordering::SeqCst) {
        thread::sleep(LOOK);
    }
}

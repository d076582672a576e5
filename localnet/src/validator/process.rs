//! One run of the validator: its command line, its end, and what an earlier run of this program left behind.
//!
//! No run outlives this program. `setpriv`, which every Debian has, asks the kernel to kill the validator when the thread
//! that started it ends, however it ends. Where there is no `setpriv`, a validator that was left behind is found by the
//! process id in its folder and stopped before the next one starts.

use super::ports::Ports;
use cairn_interface::{Profile, program_id};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Shreds that the ledger keeps: an hour of an idle chain.
const LEDGER_SHREDS: u32 = 500_000;
/// How long a validator may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How often it is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// Environment variable with what the validator logs, to the file `validator.log` of its ledger.
const LOG_VARIABLE: &str = "CAIRN_VALIDATOR_LOG";

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Run {
    /// The binary.
    pub binary: PathBuf,
    /// The validator's folder.
    pub folder: PathBuf,
    /// Which settlement program a new ledger has.
    pub profile: Profile,
    /// Its ports.
    pub ports: Ports,
}

impl Run {
    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    /// The program that a new ledger has from its first slot on.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.folder.join("settlement.so")
    }

    /// What it prints, of all runs.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.folder.join("output.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Starts it. The calling thread must live for as long as the validator does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self) -> io::Result<Child> {
        let output = File::options().create(true).append(true).open(self.output())?;
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        // A process group of its own: Ctrl-C is for this program, which ends the validator last.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let (first, end) = self.ports.dynamic();
        command
            .arg("--ledger")
            .arg(self.ledger())
            .arg("--bpf-program")
            .arg(program_id(self.profile).to_string())
            .arg(self.program())
            .args(["--bind-address", "127.0.0.1"])
            .args(["--rpc-port", &self.ports.rpc().to_string()])
            .args(["--faucet-port", &self.ports.faucet().to_string()])
            .args(["--gossip-port", &self.ports.gossip().to_string()])
            .args(["--dynamic-port-range", &format!("{first}-{end}")])
            .args(["--limit-ledger-size", &LEDGER_SHREDS.to_string()])
            // The configuration of the user's Solana tools has no say in this.
            .args(["--config", "/dev/null", "--quiet"])
            .env("RUST_LOG", std::env::var(LOG_VARIABLE).unwrap_or_else(|_| "warn".to_owned()))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let mut child = command.spawn()?;
        if let Err(error) = fs::write(self.pid_file(), format!("{}\n", child.id())) {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        Ok(child)
    }

    /// Asks `child` to end, kills it if it does not, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn end(&self, child: &mut Child) -> io::Result<ExitStatus> {
        terminate(child.id())?;
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if asked.elapsed() > GRACE {
                tracing::warn!(pid = child.id(), "the validator does not end when asked to: it is killed");
                child.kill()?;
                break child.wait()?;
            }
            std::thread::sleep(LOOK);
        };
        self.forget()?;
        Ok(status)
    }

    /// The process is gone.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(self.pid_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends a validator that an earlier run of this program left behind on this ledger. Gives its process id.
    ///
    /// # Errors
    /// When it does not end.
    pub fn end_leftover(&self) -> io::Result<Option<u32>> {
        let Ok(text) = fs::read_to_string(self.pid_file()) else { return Ok(None) };
        let Ok(pid) = text.trim().parse::<u32>() else { return Ok(None) };
        if !self.runs(pid)? {
            return Ok(None);
        }
        terminate(pid)?;
        let asked = Instant::now();
        while self.runs(pid)? {
            if asked.elapsed() > GRACE {
                let text = format!("the validator that was left behind does not end: stop process {pid}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(LOOK);
        }
        self.forget()?;
        Ok(Some(pid))
    }

    /// Whether `pid` is a validator on this ledger: process ids are given out again.
    fn runs(&self, pid: u32) -> io::Result<bool> {
        let ledger = self.ledger();
        let ledger = ledger.to_string_lossy();
        let line = match Path::new("/proc/self/cmdline").exists() {
            true => match fs::read(format!("/proc/{pid}/cmdline")) {
                Ok(line) => line,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            },
            false => Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output()?.stdout,
        };
        let line = String::from_utf8_lossy(&line);
        Ok(line.contains(&*ledger) && line.contains("--ledger"))
    }
}

/// Asks a process to end. The shell is asked because it can do so everywhere.
fn terminate(pid: u32) -> io::Result<()> {
    // Whether it was still there is seen by looking whether it is.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "kill -TERM \"$1\"", "sh", &pid.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(|_| ())
}

fn setpriv() -> Option<&'static str> {
    ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().find(|path| cfg!(target_os = "linux") && Path::new(path).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(folder: &Path) -> Run {
        Run {
            binary: PathBuf::from("/bin/false"),
            folder: folder.to_owned(),
            profile: Profile::Dev,
            ports: Ports::default(),
        }
    }

    /// A process with `ledger` in its command line, which its parent has forgotten.
    fn left_behind(run: &Run, ledger: &Path) -> Child {
        let mut command = Command::new("/bin/sh");
        let child = command.args(["-c", "while :; do sleep 0.1; done", "sh", "--ledger"]).arg(ledger).spawn().unwrap();
        // Its command line is there a moment after it was started.
        while fs::read(format!("/proc/{}/cmdline", child.id())).unwrap().is_empty() {
            std::thread::sleep(LOOK / 10);
        }
        fs::write(run.pid_file(), format!("{}\n", child.id())).unwrap();
        child
    }

    #[test]
    fn a_validator_that_was_left_behind_is_ended_and_no_other_process_is() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path());
        assert_eq!(run.end_leftover().unwrap(), None, "nothing was left");
        let mut ours = left_behind(&run, &run.ledger());
        assert_eq!(run.end_leftover().unwrap(), Some(ours.id()));
        ours.wait().unwrap();
        assert_eq!(run.end_leftover().unwrap(), None, "it is forgotten");

        // The process id was given to somebody else meanwhile.
        let mut others = left_behind(&run, Path::new("/elsewhere/ledger"));
        assert_eq!(run.end_leftover().unwrap(), None);
        assert_eq!(others.try_wait().unwrap(), None, "it runs on");
        others.kill().unwrap();
        others.wait().unwrap();
    }
}

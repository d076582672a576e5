//! `cairn prover`: makes proofs for a sequencer on another machine.

use super::prover_args::start_local;
use super::shutdown;
use anyhow::{Context, Result, bail};
use cairn_prover::remote::tls::IdentityFiles;
use cairn_prover::remote::{Connection, Event, Token, Worker, metrics};
use cairn_prover::{Options, Profile};
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

/// Prove for a sequencer on another machine: connect to its --prover-listen and make the proofs that it hands out
///
/// A batch's proof is a tree: segments of up to 32 bundles, joined two by two, and the header on top. Whatever of it is ready the
/// sequencer hands to whoever asks, each proof on a lease that this worker extends while it works. A worker that is killed costs
/// the proofs in the making and nothing else: when its leases end, others make them. So start and stop as many as you like.
///
/// This machine needs nothing but this program: no data, no keys. It keeps about 1 GB of circuits in $CAIRN_CACHE (by default
/// ~/.cache/cairn), which it builds the first time. Version and --profile must be the sequencer's. Stop it with Ctrl-C or SIGTERM:
/// it gives its leases back at once.
#[derive(Args)]
pub struct ProverCommand {
    /// The sequencer's --prover-listen, as http://host:port, or https://host:port for TLS
    #[arg(long, env = "CAIRN_PROVER_CONNECT", value_name = "URL")]
    connect: String,
    /// Security profile of the proofs, which is the rollup's: production or dev
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    /// Threads that prove [default: one per core]
    #[arg(long, env = "CAIRN_PROVE_THREADS", value_name = "COUNT")]
    prove_threads: Option<NonZeroUsize>,
    /// Memory that proofs in the making may use together, in GiB [default: half of what is available at start]
    #[arg(long, env = "CAIRN_PROVE_MEMORY", value_name = "GIB", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    prove_memory: Option<u32>,
    /// The secret that the sequencer has in its --prover-token
    #[arg(long, env = "CAIRN_PROVER_TOKEN", value_name = "FILE")]
    token: Option<PathBuf>,
    /// Trust only the certificates in this PEM file to sign the sequencer's [default: those of the system]
    #[arg(long, env = "CAIRN_TLS_CA", value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// This worker's certificate chain (PEM), where the sequencer asks for one
    #[arg(long, env = "CAIRN_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Private key of that certificate (PEM), readable by its owner only
    #[arg(long, env = "CAIRN_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// What the sequencer calls this worker in its log [default: the machine's name and the process's number]
    #[arg(long, env = "CAIRN_PROVER_NAME", value_name = "NAME")]
    name: Option<String>,
    /// Serve Prometheus metrics at this address, as in 127.0.0.1:7451 [default: nowhere]
    #[arg(long, env = "CAIRN_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
}

impl ProverCommand {
    /// Works until told to stop.
    ///
    /// # Errors
    /// When it cannot start, or the sequencer refuses it for a reason that does not pass.
    pub async fn run(self) -> Result<ExitCode> {
        if let Some(address) = self.metrics_listen {
            let exporter = PrometheusBuilder::new().with_http_listener(address);
            exporter.install().with_context(|| format!("--metrics-listen {address}"))?;
            metrics::describe();
        }
        let connection = self.connection()?;
        let stop = shutdown::token();
        let options = Options {
            threads: self.prove_threads,
            memory: self.prove_memory.map(|gib| u64::from(gib) << 30),
            ..Options::new(self.profile)
        };
        let prover = tokio::select! {
            prover = start_local(options) => prover?,
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        };
        let name = self.name.clone().unwrap_or_else(default_name);
        let threads = prover.threads();
        let line = Line::new();
        let worker = Worker::new(prover, connection, &name, move |event| line.show(&event))?;
        eprintln!("sequencer  {}", self.connect);
        eprintln!(
            "worker     {name}: {} proofs at a time on {threads} threads, profile {}",
            worker.slots(),
            self.profile
        );
        worker.run(&stop).await?;
        Ok(ExitCode::SUCCESS)
    }

    fn connection(&self) -> Result<Connection> {
        let is_tls = self.connect.starts_with("https://");
        if !is_tls && (self.tls_ca.is_some() || self.tls_certificate.is_some()) {
            bail!("--tls-ca and --tls-certificate are for TLS: write --connect with https://, as in https://host:7450");
        }
        let token = self.token.as_deref().map(Token::read).transpose().context("--token")?;
        let is_here =
            ["http://127.", "http://localhost:", "http://[::1]:"].iter().any(|own| self.connect.starts_with(own));
        if token.is_some() && !is_tls && !is_here {
            tracing::warn!(
                "--token over http:// can be read on the way: use https://, and --prover-tls-certificate at the sequencer"
            );
        }
        let identity = self.tls_certificate.clone().zip(self.tls_key.clone());
        let identity = identity.map(|(certificate, key)| IdentityFiles { certificate, key });
        Ok(Connection { url: self.connect.clone(), token, authorities: self.tls_ca.clone(), identity })
    }
}

/// The machine's name and the process's number.
fn default_name() -> String {
    let machine = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    let machine: String = machine.chars().filter(char::is_ascii_graphic).take(48).collect();
    format!("{}-{}", if machine.is_empty() { "worker" } else { &machine }, std::process::id())
}

/// What goes on: a line that changes on a terminal, and lines that stay.
struct Line {
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    making: Vec<String>,
    proved: u64,
    away: Option<String>,
}

impl Line {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, state: Mutex::default() }
    }

    fn show(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ended = |state: &mut State, name: String| state.making.retain(|making| *making != name);
        match event {
            Event::Connected { slots } => {
                if state.away.take().is_some() {
                    self.say("connected again");
                } else {
                    self.say(&format!("connected, {slots} proofs at a time"));
                }
                state.making.clear();
            }
            Event::Away { reason, pause } => {
                // The same reason again and again is said once.
                if state.away.as_deref() != Some(reason) {
                    self.say(&format!("not connected: {reason}; trying again, at most every 30 s"));
                }
                tracing::debug!(?pause, "not connected: {reason}");
                state.away = Some(reason.clone());
                state.making.clear();
            }
            Event::Began(job) => state.making.push(job.to_string()),
            Event::Proved { job, took, bytes, used } => {
                ended(&mut state, job.to_string());
                state.proved += 1;
                let late = if *used { "" } else { ", but another was faster" };
                self.say(&format!("{job} proved in {:.1} s, {}{late}", took.as_secs_f64(), HumanBytes(*bytes as u64)));
            }
            Event::Unwanted(job) => {
                ended(&mut state, job.to_string());
                self.say(&format!("{job} is not wanted any more"));
            }
            Event::Failed { job, reason } => {
                ended(&mut state, job.to_string());
                self.say(&format!("{job} failed: {reason}"));
            }
        }
        let doing = match (&state.away, state.making.is_empty()) {
            (Some(reason), _) => format!("not connected: {reason}"),
            (None, true) => "waiting for jobs".to_owned(),
            (None, false) => state.making.join(", "),
        };
        self.bar.set_message(format!("{} proofs made | {doing}", state.proved));
    }

    /// A line that stays, terminal or not.
    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        prover: ProverCommand,
    }

    fn connection(flags: &[&str]) -> Result<Connection, String> {
        let command = Command::try_parse_from(["cairn"].iter().chain(flags)).map_err(|error| error.to_string())?;
        command.prover.connection().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn certificates_need_an_address_with_tls_and_each_other() {
        for (flags, named) in [
            (&["--connect", "http://host:1", "--tls-ca", "x"][..], "--connect"),
            (&["--connect", "http://host:1", "--tls-certificate", "x", "--tls-key", "y"], "--connect"),
            (&["--connect", "https://host:1", "--tls-certificate", "x"], "--tls-key"),
            (&["--connect", "http://host:1", "--token", "no-such-file"], "--token"),
            (&[], "--connect"),
            (&["--connect", "http://host:1", "--prove-memory", "0"], "--prove-memory"),
        ] {
            let refusal = connection(flags).unwrap_err();
            assert!(refusal.contains(named), "{flags:?}: {refusal}");
        }
        assert_eq!(connection(&["--connect", "http://host:1"]).unwrap(), Connection::plain("http://host:1"));
    }

    #[test]
    fn the_default_name_is_one_that_a_coordinator_takes() {
        let name = default_name();
        assert!((1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
    }
}

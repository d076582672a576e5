//! `cairn localnet`: a network of one's own, until Ctrl-C.

use super::{bars, shutdown};
use anyhow::{Context, Result, bail};
use cairn_localnet::network::{ChainChoice, Directory, Network, NetworkOptions};
use cairn_localnet::validator::{PortChoice, binary};
use cairn_localnet::{Settings, network};
use cairn_prover::Profile;
use clap::Args;
use comfy_table::{Table, presets};
use indicatif::ProgressBar;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Ports without an offset. The sequencer's gRPC.
const SEQUENCER_PORT: u16 = 7_420;
/// The indexer's gRPC, JSON and metrics.
const INDEXER_PORTS: (u16, u16) = (7_430, 7_431);
/// Solana's JSON-RPC; a validator takes the 40 ports from here on.
const RPC_PORT: u16 = 7_440;
/// The most that ports may be moved by: a validator's last one must be a port.
const MAX_OFFSET: u16 = 58_000;
/// The least that `--seal-age` may be.
const MIN_SEAL_AGE: Duration = Duration::from_millis(100);

/// Run a network of your own: a chain, a rollup on it, sequencer, prover and indexer
///
/// Without --validator, on the embedded chain, which is served as Solana JSON-RPC. With it, on a solana-test-validator that this
/// command starts, starts again when it dies, and stops at the end (`make validator` builds one). Keys are made and funded the
/// first time; prints where everything is and what to try next.
///
/// Everything is in DIR and is continued at the next start. Ctrl-C or SIGTERM stops it in order; killed, it loses nothing that
/// was acknowledged, and leaves no validator behind.
///
/// Ports, each moved by --port-offset: 7420 sequencer (gRPC), 7430 indexer (gRPC), 7431 indexer (JSON, and metrics of everything),
/// 7440 JSON-RPC; with --validator also 7441 subscriptions, 7442 faucet and up to 7479. All at 127.0.0.1, but a test validator
/// serves JSON-RPC, subscriptions and its faucet at every address of the machine: keep it behind a firewall.
#[derive(Args)]
pub struct Localnet {
    /// Data directory
    #[arg(long, env = "CAIRN_DATA", default_value = "data/localnet", value_name = "DIR")]
    data: PathBuf,
    /// Run on a solana-test-validator; PATH is its binary [default: $CAIRN_TEST_VALIDATOR, that of `make validator`, or one on PATH]
    #[arg(long, value_name = "PATH", num_args = 0..=1)]
    validator: Option<Option<PathBuf>>,
    /// Security profile of the proofs: production or dev (faster, weaker); fixed when DIR is created
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    /// Add this to every port, so that several networks run side by side: 100, 200, …
    #[arg(long, env = "CAIRN_PORT_OFFSET", default_value_t = 0, value_name = "PORTS",
          value_parser = clap::value_parser!(u16).range(..=i64::from(MAX_OFFSET)))]
    port_offset: u16,
    /// Seal a batch when its oldest bundle has waited this long, as in `10s`
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_AGE", default_value = "10s", value_name = "DURATION", value_parser = seal_age)]
    seal_age: Duration,
    /// Threads that prove [default: one per core]
    #[arg(long, env = "CAIRN_PROVE_THREADS", value_name = "COUNT")]
    prove_threads: Option<NonZeroUsize>,
    /// When everything is up, write the addresses to this file as JSON; it is gone again after a stop
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// When everything is up, print the addresses as one line of JSON instead of a table
    #[arg(long)]
    json: bool,
}

impl Localnet {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When something does not start, or ends by itself.
    pub async fn run(self) -> Result<ExitCode> {
        let stop = shutdown::token();
        if let Some(path) = &self.ready_file {
            remove(path)?;
        }
        let options = self.options()?;
        let bars = Arc::new(Bars::new());
        let starting = Network::start(options, Arc::clone(&bars));
        let started = tokio::select! {
            started = starting => started,
            // What was started is dropped with the future, the validator included.
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        };
        bars.clear();
        let network = started.with_context(|| format!("localnet in {}", self.data.display()))?;
        let ready = self.announce(&network.directory);
        let ended = match &ready {
            Ok(()) => tokio::select! { () = stop.cancelled() => false, () = network.ended() => true },
            Err(_) => false,
        };
        if let Some(path) = &self.ready_file {
            remove(path)?;
        }
        network.stop().await?;
        ready?;
        if ended {
            bail!("a part of the network ended by itself; run the command again with --log info");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> Result<NetworkOptions> {
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port + self.port_offset));
        let chain = match &self.validator {
            None => ChainChoice::Embedded(at(RPC_PORT)),
            Some(path) => {
                let binary = path.clone().map_or_else(binary::find, Ok).context("--validator")?;
                ChainChoice::Validator { binary, ports: PortChoice::Fixed(RPC_PORT + self.port_offset) }
            }
        };
        let settings = Settings {
            sequencer: at(SEQUENCER_PORT),
            indexer: at(INDEXER_PORTS.0),
            http: at(INDEXER_PORTS.1),
            seal_age: self.seal_age,
            metrics: true,
            ..Settings::local()
        };
        let (data, profile, prove_threads) = (self.data.clone(), self.profile, self.prove_threads);
        Ok(NetworkOptions { data, profile, chain, settings, prove_threads })
    }

    fn announce(&self, directory: &Directory) -> Result<()> {
        let line = serde_json::to_string(directory)?;
        if let Some(path) = &self.ready_file {
            // Whoever waits for the file reads all of it.
            let fresh = path.with_added_extension("new");
            let written = fs::write(&fresh, format!("{line}\n")).and_then(|()| fs::rename(&fresh, path));
            written.with_context(|| format!("--ready-file {}", path.display()))?;
        }
        match self.json {
            true => println!("{line}"),
            false => print(directory),
        }
        Ok(())
    }
}

fn seal_age(text: &str) -> Result<Duration> {
    let age = humantime::parse_duration(text)?;
    if age < MIN_SEAL_AGE {
        bail!("must be at least {}", humantime::format_duration(MIN_SEAL_AGE));
    }
    Ok(age)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("--ready-file {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn print(directory: &Directory) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    let keys = directory.keys.display().to_string();
    let data = directory.data.display().to_string();
    let rows = [
        ("chain", Some(directory.chain)),
        ("  JSON-RPC", Some(directory.rpc.as_str())),
        ("  subscriptions", directory.websocket.as_deref()),
        ("sequencer, gRPC", Some(&directory.sequencer)),
        ("indexer, JSON", Some(&directory.indexer)),
        ("indexer, gRPC", Some(&directory.indexer_grpc)),
        ("metrics", directory.metrics.as_deref()),
        ("rollup", Some(&directory.rollup)),
        ("rollup id", Some(&directory.rollup_id)),
        ("program", Some(&directory.program)),
        ("acknowledgement key", Some(&directory.acknowledgement_key)),
        ("profile", Some(&directory.profile)),
        ("key files", Some(&keys)),
        ("data directory", Some(&data)),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            table.add_row([name, value]);
        }
    }
    println!("{table}\n");
    for command in next(directory) {
        println!("  {command}");
    }
    println!("\nCtrl-C stops it; the same command goes on from there.");
}

/// What to try.
fn next(directory: &Directory) -> Vec<String> {
    let Directory { rpc, rollup, sequencer, indexer, genesis_hash, profile, .. } = directory;
    let registrar = directory.registrar.display();
    vec![
        "cairn keygen --out node.key".into(),
        format!(
            "cairn register --rpc {rpc} --rollup {rollup} --profile {profile} --authority authority.json --new-authority --airdrop --registrar {registrar} --key node.key"
        ),
        format!("cairn submit --sequencer {sequencer} --key node.key FILE.warc.gz"),
        format!("cairn status --sequencer {sequencer}"),
        format!("curl -O -J {indexer}/v1/receipts/DIGEST/proof    # digests: cairn receipts"),
        format!(
            "cairn verify DIGEST.cairnproof --rpc {rpc} --min-servers 1 --genesis {genesis_hash} --rollup {rollup} --profile {profile}"
        ),
    ]
}

/// What is waited for while the network starts.
struct Bars {
    group: indicatif::MultiProgress,
    validator: ProgressBar,
    rollup: ProgressBar,
    circuits: ProgressBar,
}

impl Bars {
    fn new() -> Self {
        let group = bars::group();
        let add = |name| group.add(bars::steps(name));
        Self { validator: add("validator"), rollup: add("rollup"), circuits: add("circuits"), group }
    }

    fn clear(&self) {
        for bar in [&self.validator, &self.rollup, &self.circuits] {
            bar.finish_and_clear();
        }
        self.group.clear().ok();
    }
}

impl network::Progress for Bars {
    fn validator(&self, waited: Duration) {
        bars::step(&self.validator, waited.as_secs() as usize, waited.as_secs() as usize + 1);
        self.validator.set_message("seconds until it answers");
    }

    fn rollup(&self) {
        self.validator.finish_and_clear();
        bars::step(&self.rollup, 0, 1);
        self.rollup.set_message("waiting until it is final");
    }

    fn circuits(&self, done: usize, total: usize) {
        self.rollup.finish_and_clear();
        bars::step(&self.circuits, done, total);
    }
}

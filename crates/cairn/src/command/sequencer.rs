//! `cairn sequencer`: intake, sealing, proving and settlement over one data directory.

use super::{bars, shutdown};
use anyhow::{Context, Result};
use cairn_chain::EmbeddedRpcServer;
use cairn_localnet::Home;
use cairn_prover::{LocalProver, Options, Profile, Prover};
use cairn_sequencer::{Parts, Sequencer as Service, SequencerArgs, objects};
use clap::Args;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where JSON-RPC is served unless told otherwise.
const DEFAULT_RPC_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7_440);

/// Take bundles over gRPC, seal them into batches, prove these and bring them to the embedded chain
///
/// Everything it keeps is in DIR: the log, the keys, the published data under DIR/objects, and the embedded chain, which the first
/// start creates and which is served as Solana JSON-RPC, for `cairn register` and any Solana tool. Stop it with Ctrl-C or SIGTERM:
/// bundles in flight are answered, and an unfinished proof is made again after the next start. `cairn indexer --data DIR` serves
/// what it does; `cairn node` and `cairn submit` feed it.
#[derive(Args)]
pub struct Sequencer {
    /// Data directory
    #[arg(long, env = "CAIRN_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Security profile of the proofs: production or dev; fixed when DIR is created
    #[arg(long, default_value_t = Profile::Production)]
    profile: Profile,
    /// Threads that prove [default: one per core]
    #[arg(long, env = "CAIRN_PROVE_THREADS", value_name = "COUNT")]
    prove_threads: Option<NonZeroUsize>,
    /// Serve Prometheus metrics at this address, as in 127.0.0.1:7421 [default: nowhere]
    #[arg(long, env = "CAIRN_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Serve the embedded chain's JSON-RPC at this address; whoever reaches it may use its faucet
    #[arg(long, env = "CAIRN_RPC_LISTEN", default_value_t = DEFAULT_RPC_LISTEN, value_name = "ADDRESS")]
    rpc_listen: SocketAddr,
    #[command(flatten)]
    sequencer: SequencerArgs,
}

impl Sequencer {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When it cannot start, or fails in a way that trying again cannot help.
    pub async fn run(self) -> Result<ExitCode> {
        let home = Home::create(&self.data)?;
        let config = self.sequencer.config(home.sequencer())?;
        if let Some(address) = self.metrics_listen {
            let exporter = PrometheusBuilder::new().with_http_listener(address);
            exporter.install().with_context(|| format!("--metrics-listen {address}"))?;
        }
        let rollup = home.open_rollup(self.profile).await?;
        let options = Options { threads: self.prove_threads, ..Options::new(self.profile) };
        let bar = bars::steps("circuits");
        let started = {
            let bar = bar.clone();
            tokio::task::spawn_blocking(move || {
                LocalProver::start(options, &|_, done, total| bars::step(&bar, done, total))
            })
        };
        let prover: Arc<dyn Prover> = Arc::new(started.await??);
        bar.finish_and_clear();
        let parts = Parts {
            rollup: rollup.client,
            key: rollup.sequencer,
            acknowledgement_key: rollup.acknowledgement,
            circuit_digest: cairn_prover::circuit_digest(prover.profile()),
            prover,
            objects: Arc::new(objects::local_folder(&home.objects()).context("cannot open the object store")?),
        };
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let stop = shutdown::token();
        let listener = TcpListener::bind(self.rpc_listen).await;
        let listener = listener.with_context(|| format!("--rpc-listen {}", self.rpc_listen))?;
        let rpc = EmbeddedRpcServer::serve(rollup.chain, listener, stop.clone())?;
        let service = Service::start(config, parts, stop).await?;
        eprintln!("rollup     {} at {}", service.rollup_id(), rollup.manifest.rollup);
        eprintln!("chain      {}", rpc.url());
        eprintln!("sequencer  {scheme}://{}", service.address());
        service.join().await?;
        rpc.join().await?;
        Ok(ExitCode::SUCCESS)
    }
}

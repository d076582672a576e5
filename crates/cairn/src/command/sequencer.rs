//! `cairn sequencer`: intake, sealing, proving and settlement over one data directory.

use super::cluster::Served;
use super::prover_args::ProverArgs;
use super::rpc_args::RpcArgs;
use super::shutdown;
use anyhow::{Context, Result, bail};
use cairn_chain::{EmbeddedChain, EmbeddedRpcServer, Keypair, RollupClient};
use cairn_localnet::Home;
use cairn_objects::{self as objects, Location, Trust};
use cairn_prover::Profile;
use cairn_sequencer::{Parts, Sequencer as Service, SequencerArgs};
use clap::Args;
use metrics_exporter_prometheus::PrometheusBuilder;
use object_store::ObjectStore;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where JSON-RPC is served unless told otherwise.
const DEFAULT_RPC_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7_440);

/// Take bundles over gRPC, seal them into batches, prove these and bring them to the chain
///
/// Without --rpc, the chain is an embedded one in DIR, which the first start creates with keys and a rollup, and which is served as
/// Solana JSON-RPC, for `cairn register` and any Solana tool. With --rpc and --rollup, it is a Solana cluster and a rollup that
/// `cairn rollup create` made there; --key pays for what is submitted.
///
/// Everything else is in DIR: the log, the keys, the published data under DIR/objects unless --objects says otherwise. Stop it with
/// Ctrl-C or SIGTERM: bundles in flight are answered, and an unfinished proof is made again after the next start. `cairn indexer`
/// serves what it does; `cairn node` and `cairn submit` feed it.
#[derive(Args)]
pub struct Sequencer {
    /// Data directory
    #[arg(long, env = "CAIRN_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Security profile of the proofs: production or dev; fixed when DIR is created
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    #[command(flatten)]
    prover: ProverArgs,
    /// Serve Prometheus metrics at this address, as in 127.0.0.1:7421 [default: nowhere]
    #[arg(long, env = "CAIRN_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Serve the embedded chain's JSON-RPC at this address; whoever reaches it may use its faucet
    #[arg(long, env = "CAIRN_RPC_LISTEN", default_value_t = DEFAULT_RPC_LISTEN, value_name = "ADDRESS")]
    rpc_listen: SocketAddr,
    /// Publish data and proofs here: a folder, or s3://, gs://, az:// with credentials in the environment [default: DIR/objects]
    #[arg(long, env = "CAIRN_OBJECTS", value_name = "URL")]
    objects: Option<String>,
    #[command(flatten)]
    rpc: Option<RpcArgs>,
    #[command(flatten)]
    served: Served,
    #[command(flatten)]
    sequencer: SequencerArgs,
}

impl Sequencer {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When it cannot start, or fails in a way that trying again cannot help.
    pub async fn run(self) -> Result<ExitCode> {
        self.prover.check()?;
        let home = Home::create(&self.data)?;
        let config = self.sequencer.clone().config(home.sequencer())?;
        if let Some(address) = self.metrics_listen {
            let exporter = PrometheusBuilder::new().with_http_listener(address);
            exporter.install().with_context(|| format!("--metrics-listen {address}"))?;
        }
        let opened = self.open(&home).await?;
        let stop = shutdown::token();
        let proving = self.prover.start(self.profile, stop.clone()).await?;
        let parts = Parts {
            rollup: opened.client.clone(),
            key: opened.key,
            acknowledgement_key: opened.acknowledgement_key,
            circuit_digest: cairn_prover::circuit_digest(self.profile),
            prover: proving.prover,
            objects: self.store(&home)?,
        };
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let (rpc, place) = match opened.chain {
            Place::Embedded(chain) => {
                let listener = TcpListener::bind(self.rpc_listen).await;
                let listener = listener.with_context(|| format!("--rpc-listen {}", self.rpc_listen))?;
                let rpc = EmbeddedRpcServer::serve(chain, listener, stop.clone())?;
                let url = rpc.url();
                (Some(rpc), url)
            }
            Place::Cluster(places) => (None, places),
        };
        let service = Service::start(config, parts, stop).await?;
        eprintln!("rollup     {} at {}", service.rollup_id(), opened.client.address());
        eprintln!("chain      {place}");
        eprintln!("sequencer  {scheme}://{}", service.address());
        if let Some(workers) = &proving.server {
            eprintln!("workers    {}", workers.url);
        }
        service.join().await?;
        if let Some(workers) = proving.server {
            workers.join().await?;
        }
        if let Some(rpc) = rpc {
            rpc.join().await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The rollup to serve, on either kind of chain.
    async fn open(&self, home: &Home) -> Result<Opened> {
        let Some(rpc) = &self.rpc else {
            let (chain, rollup) = home.open_embedded(self.profile).await?;
            let own = rollup.client.address();
            if let Some(other) = self.served.rollup.filter(|asked| *asked != own) {
                bail!("--rollup {other}: the rollup in {} is {own}; one on a cluster needs --rpc", self.data.display());
            }
            return Ok(Opened {
                client: rollup.client,
                key: rollup.sequencer,
                acknowledgement_key: rollup.acknowledgement,
                chain: Place::Embedded(chain),
            });
        };
        let opened = self.served.open(rpc, &home.keys(), self.profile).await?;
        Ok(Opened {
            client: opened.client,
            key: opened.sequencer,
            acknowledgement_key: opened.acknowledgement,
            chain: Place::Cluster(rpc.options()?.places().join(", ")),
        })
    }

    fn store(&self, home: &Home) -> Result<Arc<dyn ObjectStore>> {
        let Some(location) = &self.objects else {
            return Ok(Arc::new(objects::local_folder(&home.objects()).context("cannot open the object store")?));
        };
        let location = Location::parse(location, Trust::Operator).context("--objects")?;
        if let Ok(folder) = location.url().to_file_path() {
            return Ok(Arc::new(objects::local_folder(&folder).context("--objects")?));
        }
        location.open().context("--objects")
    }
}

/// A rollup, its keys, and where its chain is.
struct Opened {
    client: RollupClient,
    key: Keypair,
    acknowledgement_key: Keypair,
    chain: Place,
}

enum Place {
    Embedded(EmbeddedChain),
    /// Servers, as they may be shown.
    Cluster(String),
}

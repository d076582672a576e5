//! What is on chain, according to several servers.

use super::{Judged, Outcome};
use crate::command::node_args::duration;
use anyhow::{Context, Result, anyhow, ensure};
use cairn_chain::agreement::{Agreement, Cluster, FinalBatch, Finding, Patience, Pins, Server, agree, independent};
use cairn_interface::{Address, Profile, program_id, rollup_id};
use cairn_types::{BatchHeader, Digest};
use clap::{Args, ValueEnum};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a question to a server may take, however short --wait is.
const MIN_BUDGET: Duration = Duration::from_secs(5);

/// Whom to ask what is on chain, and what they are not believed about.
#[derive(Args)]
#[command(next_help_heading = "On chain")]
pub struct ChainArgs {
    /// JSON-RPC server that says what is on chain. Give two or more, of different operators: all must say the same at
    /// `finalized`, and none stands in for another
    #[arg(long = "rpc", env = "CAIRN_VERIFY_RPC", hide_env_values = true, value_delimiter = ',', value_name = "URL")]
    rpc: Vec<String>,
    /// Public cluster that the rollup is on [default: mainnet-beta]
    #[arg(long, value_name = "NAME", conflicts_with = "genesis", requires = "rpc")]
    cluster: Option<Cluster>,
    /// Genesis hash of the chain that the rollup is on, as `solana genesis-hash` prints it
    #[arg(long, value_name = "BASE58", value_parser = genesis, requires = "rpc")]
    genesis: Option<[u8; 32]>,
    /// Address of the rollup's account: needed with --rpc
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    rollup: Option<Address>,
    /// Security profile that the rollup must be of: production or dev, whose proofs are worth less
    #[arg(long, env = "CAIRN_PROFILE", default_value_t = Profile::Production)]
    profile: Profile,
    /// How far the file's batch must be on chain
    #[arg(long, value_enum, default_value_t = Stage::Settled, value_name = "STAGE")]
    require: Stage,
    /// The settlement program: needed on a public cluster [default elsewhere: that of local networks, by profile]
    #[arg(long, env = "CAIRN_PROGRAM", value_name = "ADDRESS")]
    program: Option<Address>,
    /// Servers that must agree, at least; 1 takes one server's word
    #[arg(long, default_value_t = 2, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    min_servers: u8,
    /// How long a server that does not answer, or is behind the others, is waited for
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    wait: Duration,
}

/// How far a batch is on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Its header is final, and the program has verified its proof
    Settled,
    /// Its header is final
    Submitted,
}

/// A hash as the cluster's tools write it.
fn genesis(text: &str) -> Result<[u8; 32]> {
    let hash: Result<Address, _> = text.parse();
    hash.map(|hash| hash.0)
        .map_err(|_| anyhow!("a genesis hash is 32 bytes in base58, as `solana genesis-hash` prints it"))
}

impl ChainArgs {
    /// The servers, when there are any. Nobody is asked yet.
    ///
    /// # Errors
    /// With the option to change.
    pub fn open(&self) -> Result<Option<OnChain>> {
        if self.rpc.is_empty() {
            return Ok(None);
        }
        let servers = independent(&self.rpc, self.wait.max(MIN_BUDGET)).context("--rpc")?;
        let (given, needed) = (servers.len(), usize::from(self.min_servers));
        ensure!(
            given >= needed,
            "--rpc: {given} given and --min-servers is {needed}: name servers of other operators too; --min-servers 1 takes \
             one server's word"
        );
        let genesis_hash = self.genesis.unwrap_or_else(|| self.cluster.unwrap_or(Cluster::MainnetBeta).genesis_hash());
        let rollup = self.rollup.context("--rollup: name the rollup's account, which no server is asked for")?;
        let program = match (self.program, Cluster::of(&genesis_hash)) {
            (Some(program), _) => program,
            (None, None) => program_id(self.profile),
            (None, Some(cluster)) => {
                return Err(anyhow!(
                    "--program: name the settlement program of {cluster}: everybody has the key of the one that local networks \
                     run"
                ));
            }
        };
        for url in self.rpc.iter().filter(|url| is_open(url)) {
            let place = cairn_chain::RpcChain::shown(url);
            eprintln!("warning: {place} is asked in the clear: whoever is on the way there can answer instead of it");
        }
        let patience = Patience { wait: self.wait, ..Patience::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pins = Pins { genesis_hash, program, rollup };
        Ok(Some(OnChain {
            servers,
            pins,
            rollup_id: rollup_id(&genesis_hash, &program, &rollup, self.profile),
            profile: self.profile,
            require: self.require,
            patience,
            runtime,
            batches: BTreeMap::new(),
            last: None,
            failed: None,
        }))
    }
}

/// Whether a URL leads over a network without encryption.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    !["127.", "localhost", "[::1]"].iter().any(|here| rest.starts_with(here))
}

/// The chain as several servers show it.
pub struct OnChain {
    servers: Vec<Server>,
    pub pins: Pins,
    /// What files must be of: the hash of the pins and the profile, for which no server is asked.
    rollup_id: Digest,
    profile: Profile,
    require: Stage,
    patience: Patience,
    runtime: Runtime,
    /// What is to be thought of each batch that was asked for.
    batches: BTreeMap<u64, Finding>,
    /// The newest agreement, its batches taken out.
    last: Option<Agreement>,
    /// Why there is none any more.
    failed: Option<String>,
}

/// What the chain says about a file's header.
pub struct Anchor {
    /// In a word.
    pub finding: &'static str,
    /// The batch, where its header is the file's.
    pub batch: Option<Box<FinalBatch>>,
}

impl OnChain {
    /// Asks about the batches of these files, each batch once, and judges the files that hold by themselves.
    pub fn judge(&mut self, files: &mut [Judged]) {
        let mut asked = BTreeSet::new();
        for header in files.iter().filter_map(Judged::claim).filter(|header| header.rollup_id == self.rollup_id) {
            asked.insert(header.number);
        }
        asked.retain(|number| !self.batches.contains_key(number));
        self.ask(&asked);
        for file in files {
            if let (Some(header), Some(digest)) = (file.claim().copied(), file.digest()) {
                let (outcome, detail, anchor) = self.compare(&header, digest);
                file.outcome = outcome;
                file.detail = detail;
                file.anchor = Some(anchor);
            }
        }
    }

    fn ask(&mut self, numbers: &BTreeSet<u64>) {
        if numbers.is_empty() || self.failed.is_some() {
            return;
        }
        let asked = agree(&self.servers, &self.pins, numbers, self.patience);
        match self.runtime.block_on(asked) {
            Err(error) => self.failed = Some(error.to_string()),
            Ok(said) if said.rollup_id != self.rollup_id => {
                self.failed =
                    Some(format!("the rollup is of the profile {}, not {}: see --profile", said.profile, self.profile));
            }
            Ok(mut said) => {
                self.batches.append(&mut said.batches);
                self.last = Some(said);
            }
        }
    }

    fn compare(&self, header: &BatchHeader, digest: Digest) -> (Outcome, Option<String>, Anchor) {
        let said = |outcome, detail: String, finding| (outcome, Some(detail), Anchor { finding, batch: None });
        if header.rollup_id != self.rollup_id {
            let detail = format!(
                "its rollup_id {} is not that of rollup {}, program {}, profile {}, on {}",
                header.rollup_id,
                self.pins.rollup,
                self.pins.program,
                self.profile,
                self.chain()
            );
            return said(Outcome::Invalid, detail, "other rollup");
        }
        let number = header.number;
        match self.batches.get(&number) {
            None => {
                let reason = self.failed.clone().unwrap_or_else(|| "nobody was asked".to_owned());
                said(Outcome::Unusable, reason, "no agreement")
            }
            Some(Finding::Disputed(dispute)) => said(Outcome::Unusable, dispute.to_string(), "disputed"),
            Some(Finding::Absent { tip }) => {
                let detail =
                    format!("batch {number} is not final on chain: the rollup has {tip} there, {}", self.says());
                said(Outcome::NotAnchored, detail, "absent")
            }
            Some(Finding::Closed) => {
                let detail = format!(
                    "batch {number} was settled and its account closed since, {}: the chain does not tell its digest any more",
                    self.says()
                );
                said(Outcome::NotAnchored, detail, "closed")
            }
            Some(Finding::Final(batch)) if batch.digest != digest => {
                let detail = format!(
                    "it ends in header digest {digest}, and batch {number} on chain has {}, {}",
                    batch.digest,
                    self.says()
                );
                said(Outcome::Invalid, detail, "other header")
            }
            Some(Finding::Final(batch)) => {
                let (outcome, proof) = match (batch.settled, self.require) {
                    (true, _) => (Outcome::Valid, "the chain has verified its proof"),
                    (false, Stage::Submitted) => (Outcome::Valid, "the chain has not verified its proof yet"),
                    (false, Stage::Settled) => (
                        Outcome::NotAnchored,
                        "the chain has not verified its proof yet, and until then it can be abandoned: wait for that, or take it \
                         with --require submitted",
                    ),
                };
                let detail = format!("its header is final on chain, {}; {proof}", self.says());
                (outcome, Some(detail), Anchor { finding: "final", batch: Some(batch.clone()) })
            }
        }
    }

    fn says(&self) -> String {
        match self.servers.as_slice() {
            [one] => format!("by the word of {} alone", one.name),
            several => format!("as {} servers agree", several.len()),
        }
    }

    /// The chain by its name.
    pub fn chain(&self) -> String {
        let hash = &self.pins.genesis_hash;
        Cluster::of(hash)
            .map_or_else(|| format!("the chain of genesis {}", Address(*hash)), |cluster| cluster.to_string())
    }

    /// The servers, in order.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|server| server.name.as_str())
    }

    /// The newest agreement, without its batches.
    pub fn last(&self) -> Option<&Agreement> {
        self.last.as_ref()
    }

    /// Batches found final so far, and those of them that are settled.
    pub fn counts(&self) -> (usize, usize) {
        let finals = self.batches.values().filter_map(|finding| match finding {
            Finding::Final(batch) => Some(batch.settled),
            _ => None,
        });
        finals.fold((0, 0), |(all, settled), is_settled| (all + 1, settled + usize::from(is_settled)))
    }
}

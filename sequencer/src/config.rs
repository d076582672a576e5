//! Configuration: flags and environment variables, checked before anything starts.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use cairn_chain::FeePolicy;
use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BATCH_RECEIPTS};

use crate::intake::rate::Rates;
use crate::promise::{PromiseLimits, Rates as ProvingRates};
use crate::seal::policy::SealLimits;

/// Default of `--sequencer-listen`.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7_420);
/// Default of `--in-flight`: at 4 MiB each, a quarter of a GiB.
pub const DEFAULT_IN_FLIGHT: NonZeroU32 = NonZeroU32::new(64).unwrap();
/// The most that `--in-flight` may be: at 4 MiB each, 16 GiB.
pub const MAX_IN_FLIGHT: u32 = 4_096;
/// Default of `--seal-data-bytes`: what a reader can hold in memory at ease.
pub const DEFAULT_SEAL_DATA_BYTES: NonZeroU64 = NonZeroU64::new(256 << 20).unwrap();
/// The most that `--seal-data-bytes` may be: a margin below the protocol's limit on a batch's data.
pub const MAX_SEAL_DATA_BYTES: u64 = 768 << 20;
/// The least that `--seal-data-bytes` may be: one bundle of the largest size.
pub const MIN_SEAL_DATA_BYTES: u64 = 8 << 20;
/// The least that `--seal-age` may be.
pub const MIN_SEAL_AGE: Duration = Duration::from_millis(10);

/// The least that `--seal-entry-age` may be.
pub const MIN_ENTRY_AGE: Duration = Duration::from_millis(10);
/// The most that `--seal-entry-age` may be: well below the shortest `queue_deadline` of a rollup, ten minutes.
pub const MAX_ENTRY_AGE: Duration = Duration::from_secs(120);
/// Default of `--settle-floor`.
pub const DEFAULT_FLOOR: Duration = Duration::from_secs(15 * 60);
/// Default of `--settle-most`: below a rollup's usual `queue_deadline`, six hours.
pub const DEFAULT_MOST: Duration = Duration::from_secs(4 * 3600);
/// What to expect of a proof before one was measured: per batch, per segment.
pub const DEFAULT_PROVING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// Default of `--peer-rate` and `--node-rate`, per second.
pub const DEFAULT_RATES: Rates = Rates { peer: 200, node: 50 };
/// Default of `--proof-account-rest`: to open it again costs two fees, to keep it costs nothing but what lies in it.
pub const DEFAULT_PROOF_ACCOUNT_REST: Duration = Duration::from_secs(3_600);
/// The most that `--check-threads` may be.
pub const MAX_CHECK_THREADS: u32 = 256;

/// The most that `--priority-fee-cap` may be: a SOL.
pub const MAX_FEE_CAP: u64 = 1_000_000_000;

/// Flags of the sequencer, for a command line to flatten.
#[derive(Debug, Clone, clap::Args)]
pub struct SequencerArgs {
    /// Folder of the log [default: in the data directory]
    #[arg(long = "sequencer-store", env = "CAIRN_SEQUENCER_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Address that gRPC listens at; port 0 takes any free one.
    #[arg(long = "sequencer-listen", env = "CAIRN_SEQUENCER_LISTEN", value_name = "ADDRESS", default_value_t = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Bundles that may await their acknowledgement at one time.
    #[arg(long, env = "CAIRN_SEQUENCER_IN_FLIGHT", value_name = "BUNDLES", default_value_t = DEFAULT_IN_FLIGHT)]
    pub in_flight: NonZeroU32,
    /// Seal a batch at this many bundles.
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_BUNDLES", value_name = "BUNDLES", default_value_t = NonZeroU32::new(MAX_BATCH_BUNDLES as u32).unwrap())]
    pub seal_bundles: NonZeroU32,
    /// Seal a batch at this many receipts.
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_RECEIPTS", value_name = "RECEIPTS", default_value_t = NonZeroU32::new(MAX_BATCH_RECEIPTS as u32).unwrap())]
    pub seal_receipts: NonZeroU32,
    /// Seal a batch at this many bytes of data, uncompressed.
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_DATA_BYTES", value_name = "BYTES", default_value_t = DEFAULT_SEAL_DATA_BYTES)]
    pub seal_data_bytes: NonZeroU64,
    /// Seal a batch when its oldest bundle has waited this long, as in `10m`.
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_AGE", value_name = "DURATION", default_value = "10m", value_parser = humantime::parse_duration)]
    pub seal_age: Duration,
    /// Seal a batch when a registration, rotation or deactivation has waited this long, as in `2s`.
    #[arg(long, env = "CAIRN_SEQUENCER_SEAL_ENTRY_AGE", value_name = "DURATION", default_value = "2s", value_parser = humantime::parse_duration)]
    pub seal_entry_age: Duration,
    /// Promise no bundle's settlement sooner than this, as in `15m`.
    #[arg(long, env = "CAIRN_SEQUENCER_SETTLE_FLOOR", value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    pub settle_floor: Duration,
    /// Promise no bundle's settlement later than this, as in `4h`; refuse bundles while the backlog is longer.
    #[arg(long, env = "CAIRN_SEQUENCER_SETTLE_MOST", value_name = "DURATION", default_value = "4h", value_parser = humantime::parse_duration)]
    pub settle_most: Duration,
    /// Expect a batch's proof to take this long beside its segments, until one was measured.
    #[arg(long, env = "CAIRN_SEQUENCER_PROVING_BATCH", value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    pub proving_batch: Duration,
    /// Expect each segment of a proof to take this long, until one was measured.
    #[arg(long, env = "CAIRN_SEQUENCER_PROVING_SEGMENT", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub proving_segment: Duration,
    /// Threads that check bundles and their signatures [default: one per core]
    #[arg(long, env = "CAIRN_SEQUENCER_CHECK_THREADS", value_name = "THREADS")]
    pub check_threads: Option<NonZeroU32>,
    /// Calls in a second that one address may make in the long run; 0 is no limit.
    #[arg(long, env = "CAIRN_SEQUENCER_PEER_RATE", value_name = "CALLS", default_value_t = DEFAULT_RATES.peer)]
    pub peer_rate: u32,
    /// Bundles in a second that one node may submit in the long run; 0 is no limit.
    #[arg(long, env = "CAIRN_SEQUENCER_NODE_RATE", value_name = "BUNDLES", default_value_t = DEFAULT_RATES.node)]
    pub node_rate: u32,
    /// Serve TLS with this certificate chain (PEM).
    #[arg(long, env = "CAIRN_SEQUENCER_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM), readable by its owner only.
    #[arg(long, env = "CAIRN_SEQUENCER_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Serve only clients with a certificate of these authorities (PEM).
    #[arg(long, env = "CAIRN_SEQUENCER_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_certificate")]
    pub tls_client_ca: Option<PathBuf>,
    /// Look at the chain this often, as in `5s`, even when there is nothing to submit.
    #[arg(long, env = "CAIRN_SEQUENCER_CHAIN_POLL", value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    pub chain_poll: Duration,
    /// Have the chain verify proofs and settle batches; `false` leaves that to another process.
    #[arg(long, env = "CAIRN_SEQUENCER_SETTLE", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub settle: bool,
    /// Close the account that proofs are uploaded to, and get its rent back, when no proof has waited for this long.
    #[arg(long, env = "CAIRN_SEQUENCER_PROOF_ACCOUNT_REST", value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    pub proof_account_rest: Duration,
    /// Lamports that one transaction may offer beside the usual fee to be taken sooner; 0 offers nothing.
    #[arg(long, env = "CAIRN_PRIORITY_FEE_CAP", value_name = "LAMPORTS", default_value_t = FeePolicy::MAX_LAMPORTS)]
    pub priority_fee_cap: u64,
    /// Offer what this percentage of recent transactions of the same accounts did not exceed; doubled whenever a
    /// transaction expires.
    #[arg(long, env = "CAIRN_PRIORITY_FEE_PERCENTILE", value_name = "PERCENT", default_value_t = FeePolicy::PERCENTILE)]
    pub priority_fee_percentile: u8,
    /// When stopping, wait this long for bundles in flight, as in `10s`.
    #[arg(long, env = "CAIRN_SEQUENCER_GRACE", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub grace: Duration,
}

/// Where the server's TLS identity lies. Read when the server starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM, readable by its owner only.
    pub key: PathBuf,
    /// Authorities of the clients that are served, PEM; without it, everyone is.
    pub client_ca: Option<PathBuf>,
}

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the store.
    pub store: PathBuf,
    /// Address to listen at.
    pub listen: SocketAddr,
    /// Bundles that may await their acknowledgement at one time.
    pub in_flight: NonZeroU32,
    /// When batches are sealed.
    pub seal: SealLimits,
    /// What is promised.
    pub promise: PromiseLimits,
    /// What to expect of a batch's proof beside its segments, and of a segment, before one was measured.
    pub proving: (Duration, Duration),
    /// Threads that check bundles.
    pub check_threads: NonZeroU32,
    /// How often peers may call and nodes may submit.
    pub rates: Rates,
    /// The server's TLS identity; without it, gRPC is in clear text, for this machine or behind a proxy.
    pub tls: Option<TlsFiles>,
    /// How often to look at the chain without need.
    pub chain_poll: Duration,
    /// Whether to have the chain verify proofs.
    pub settle: bool,
    /// How long the account that proofs are uploaded to is kept without need.
    pub proof_account_rest: Duration,
    /// What transactions offer.
    pub fees: FeePolicy,
    /// How long to wait for bundles in flight when stopping.
    pub grace: Duration,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A number is out of its range.
    #[error("{flag} is {given}, must be {least} to {most}")]
    Range {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: u64,
        /// At least this.
        least: u64,
        /// At most this.
        most: u64,
    },
    /// A time is too long.
    #[error("{flag} is {}, must be at most {}", humantime::format_duration(*given), humantime::format_duration(*most))]
    Long {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: Duration,
        /// At most this.
        most: Duration,
    },
    /// A time is too short.
    #[error("{flag} is {}, must be at least {}", humantime::format_duration(*given), humantime::format_duration(*least))]
    Short {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: Duration,
        /// At least this.
        least: Duration,
    },
}

impl Config {
    /// The defaults, with a store in `store`, any free port of this machine, and no limits on how often it calls.
    #[must_use]
    pub fn local(store: PathBuf) -> Self {
        Self {
            store,
            listen: SocketAddr::new(DEFAULT_LISTEN.ip(), 0),
            in_flight: DEFAULT_IN_FLIGHT,
            seal: SealLimits { data_bytes: DEFAULT_SEAL_DATA_BYTES.get(), ..SealLimits::PROTOCOL },
            promise: PromiseLimits { floor: DEFAULT_FLOOR, most: DEFAULT_MOST },
            proving: DEFAULT_PROVING,
            check_threads: cores(),
            rates: Rates::NONE,
            tls: None,
            chain_poll: Duration::from_secs(5),
            settle: true,
            proof_account_rest: DEFAULT_PROOF_ACCOUNT_REST,
            fees: FeePolicy::default(),
            grace: Duration::from_secs(10),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first flag that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        range("--in-flight", self.in_flight.get().into(), 1, MAX_IN_FLIGHT.into())?;
        range("--seal-bundles", self.seal.bundles.into(), 1, MAX_BATCH_BUNDLES as u64)?;
        range("--seal-receipts", self.seal.receipts.into(), 1, MAX_BATCH_RECEIPTS as u64)?;
        range("--seal-data-bytes", self.seal.data_bytes, MIN_SEAL_DATA_BYTES, MAX_SEAL_DATA_BYTES)?;
        at_least("--seal-age", self.seal.age, MIN_SEAL_AGE)?;
        range("--check-threads", self.check_threads.get().into(), 1, MAX_CHECK_THREADS.into())?;
        at_least("--seal-entry-age", self.seal.entry_age, MIN_ENTRY_AGE)?;
        at_most("--seal-entry-age", self.seal.entry_age, MAX_ENTRY_AGE)?;
        at_least("--settle-floor", self.promise.floor, Duration::from_secs(1))?;
        at_least("--settle-most", self.promise.most, self.promise.floor)?;
        at_least("--proving-batch", self.proving.0, Duration::from_millis(1))?;
        at_least("--proving-segment", self.proving.1, Duration::from_millis(1))?;
        at_least("--chain-poll", self.chain_poll, Duration::from_millis(1))?;
        at_least("--proof-account-rest", self.proof_account_rest, Duration::from_secs(1))?;
        range("--priority-fee-cap", self.fees.max_lamports, 0, MAX_FEE_CAP)?;
        range("--priority-fee-percentile", self.fees.percentile.into(), 0, 100)?;
        at_least("--grace", self.grace, Duration::from_millis(1))
    }

    /// What to expect of proofs before one was measured.
    pub(crate) fn expected(&self) -> ProvingRates {
        ProvingRates { batch: self.proving.0.as_secs_f64(), segment: self.proving.1.as_secs_f64() }
    }
}

fn cores() -> NonZeroU32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

impl SequencerArgs {
    /// Checks every value; the log is in `store` unless a flag says otherwise.
    ///
    /// # Errors
    /// The first flag that is out of range.
    pub fn config(self, store: PathBuf) -> Result<Config, ConfigError> {
        let config = Config {
            store: self.store.unwrap_or(store),
            listen: self.listen,
            in_flight: self.in_flight,
            seal: SealLimits {
                bundles: self.seal_bundles.get(),
                receipts: self.seal_receipts.get(),
                data_bytes: self.seal_data_bytes.get(),
                age: self.seal_age,
                entry_age: self.seal_entry_age,
            },
            promise: PromiseLimits { floor: self.settle_floor, most: self.settle_most },
            proving: (self.proving_batch, self.proving_segment),
            check_threads: self.check_threads.unwrap_or_else(cores),
            rates: Rates { peer: self.peer_rate, node: self.node_rate },
            tls: self.tls_certificate.zip(self.tls_key).map(|(certificate, key)| TlsFiles {
                certificate,
                key,
                client_ca: self.tls_client_ca,
            }),
            chain_poll: self.chain_poll,
            settle: self.settle,
            proof_account_rest: self.proof_account_rest,
            fees: FeePolicy {
                max_lamports: self.priority_fee_cap,
                percentile: self.priority_fee_percentile,
                ..FeePolicy::default()
            },
            grace: self.grace,
        };
        config.validate()?;
        Ok(config)
    }
}

fn range(flag: &'static str, given: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&given) { Ok(()) } else { Err(ConfigError::Range { flag, given, least, most }) }
}

fn at_most(flag: &'static str, given: Duration, most: Duration) -> Result<(), ConfigError> {
    if given <= most { Ok(()) } else { Err(ConfigError::Long { flag, given, most }) }
}

fn at_least(flag: &'static str, given: Duration, least: Duration) -> Result<(), ConfigError> {
    if given >= least { Ok(()) } else { Err(ConfigError::Short { flag, given, least }) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        sequencer: SequencerArgs,
    }

    fn parse(flags: &[&str]) -> Result<Config, String> {
        let all = ["cairn"].iter().chain(flags);
        let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
        command.sequencer.config(PathBuf::from("log")).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_the_protocol_limits() {
        let config = parse(&[]).unwrap();
        let local = Config::local(PathBuf::from("log"));
        assert_eq!(config, Config { listen: DEFAULT_LISTEN, rates: DEFAULT_RATES, ..local });
        assert_eq!((config.seal.bundles, config.seal.receipts), (512, 131_072));
    }

    #[test]
    fn each_flag_out_of_range_is_refused_by_name() {
        let cases = [
            ["--in-flight", "0"],
            ["--in-flight", "4097"],
            ["--seal-bundles", "0"],
            ["--seal-bundles", "513"],
            ["--seal-receipts", "131073"],
            ["--seal-data-bytes", "1"],
            ["--seal-data-bytes", "1073741824"],
            ["--seal-age", "1ms"],
            ["--seal-age", "soon"],
            ["--seal-entry-age", "1ms"],
            ["--seal-entry-age", "3m"],
            ["--settle-floor", "0s"],
            ["--settle-most", "14m"],
            ["--proving-batch", "0s"],
            ["--proving-segment", "0s"],
            ["--check-threads", "0"],
            ["--check-threads", "257"],
            ["--peer-rate", "many"],
            ["--node-rate", "4294967296"],
            ["--chain-poll", "0s"],
            ["--settle", "perhaps"],
            ["--proof-account-rest", "999ms"],
            ["--priority-fee-cap", "1000000001"],
            ["--priority-fee-cap", "some"],
            ["--priority-fee-percentile", "101"],
            ["--priority-fee-percentile", "256"],
            ["--grace", "0s"],
            ["--sequencer-listen", "nowhere"],
        ];
        for flags in cases {
            let error = parse(&flags).unwrap_err();
            assert!(error.contains(flags[0]), "{flags:?}: {error}");
        }
    }

    #[test]
    fn tls_needs_certificate_and_key() {
        for flags in [&["--tls-key", "k"][..], &["--tls-certificate", "c"], &["--tls-client-ca", "a"]] {
            parse(flags).unwrap_err();
        }
        let config = parse(&["--tls-key", "k", "--tls-certificate", "c", "--tls-client-ca", "a"]).unwrap();
        let files = TlsFiles { certificate: "c".into(), key: "k".into(), client_ca: Some("a".into()) };
        assert_eq!(config.tls, Some(files));
    }

    #[test]
    fn settling_can_be_left_to_others() {
        assert!(!parse(&["--settle", "false"]).unwrap().settle);
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        assert_eq!(parse(&["--seal-age", "1m 30s"]).unwrap().seal.age, Duration::from_secs(90));
    }
}

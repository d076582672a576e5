//! Configuration: flags and environment variables, checked before anything starts.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use cairn_types::limits::{MAX_BATCH_BUNDLES, MAX_BATCH_RECEIPTS};

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
    /// Look at the chain this often, as in `10s`, even when there is nothing to submit.
    #[arg(long, env = "CAIRN_SEQUENCER_CHAIN_POLL", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub chain_poll: Duration,
    /// When stopping, wait this long for bundles in flight, as in `10s`.
    #[arg(long, env = "CAIRN_SEQUENCER_GRACE", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub grace: Duration,
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
    /// How often to look at the chain without need.
    pub chain_poll: Duration,
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
    /// The defaults, with a store in `store` and any free port of this machine.
    #[must_use]
    pub fn local(store: PathBuf) -> Self {
        Self {
            store,
            listen: SocketAddr::new(DEFAULT_LISTEN.ip(), 0),
            in_flight: DEFAULT_IN_FLIGHT,
            seal: SealLimits { data_bytes: DEFAULT_SEAL_DATA_BYTES.get(), ..SealLimits::PROTOCOL },
            chain_poll: Duration::from_secs(10),
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
        at_least("--chain-poll", self.chain_poll, Duration::from_millis(1))?;
        at_least("--grace", self.grace, Duration::from_millis(1))
    }
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
            },
            chain_poll: self.chain_poll,
            grace: self.grace,
        };
        config.validate()?;
        Ok(config)
    }
}

fn range(flag: &'static str, given: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&given) { Ok(()) } else { Err(ConfigError::Range { flag, given, least, most }) }
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
        assert_eq!(config, Config { listen: DEFAULT_LISTEN, ..Config::local(PathBuf::from("log")) });
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
            ["--chain-poll", "0s"],
            ["--grace", "0s"],
            ["--sequencer-listen", "nowhere"],
        ];
        for flags in cases {
            let error = parse(&flags).unwrap_err();
            assert!(error.contains(flags[0]), "{flags:?}: {error}");
        }
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        assert_eq!(parse(&["--seal-age", "1m 30s"]).unwrap().seal.age, Duration::from_secs(90));
    }
}

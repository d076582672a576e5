//! Configuration: flags and environment variables, checked before anything starts.

use cairn_chain::Address;
use cairn_objects::{Location, LocationError, Trust};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Default of `--indexer-listen`: gRPC.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7_430);
/// Default of `--indexer-http`: JSON and metrics.
pub const DEFAULT_HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7_431);
/// Default of `--indexer-connections`.
pub const DEFAULT_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// The least that `--indexer-poll` may be.
pub const MIN_POLL: Duration = Duration::from_millis(10);
/// The most that `--indexer-connections` may be.
pub const MAX_CONNECTIONS: usize = 65_536;

/// Flags of the indexer, for a command line to flatten. Chain and object store come from elsewhere.
#[derive(Debug, Clone, clap::Args)]
pub struct IndexerArgs {
    /// Folder of the index. In the data directory unless given.
    #[arg(long = "indexer-store", env = "CAIRN_INDEXER_STORE", value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Where the batches' published data is: a folder, or a URL of file, http, https, s3, gs or az. May be given several
    /// times; the first is preferred, the others are mirrors. Without it, where the rollup says on chain. Credentials for
    /// s3, gs and az come from AWS_…, GOOGLE_… and AZURE_… variables.
    #[arg(long, env = "CAIRN_BLOBS", value_name = "URL", value_delimiter = ',', value_parser = blobs_location)]
    pub blobs: Vec<Location>,
    /// Empty the index first and read the chain and the published data again, as after an update with another layout.
    #[arg(long)]
    pub rebuild: bool,
    /// Address of the rollup's account. That of the data directory unless given.
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    pub rollup: Option<Address>,
    /// Address of the settlement program. That of the rollup's profile unless given.
    #[arg(long, env = "CAIRN_PROGRAM", value_name = "ADDRESS")]
    pub program: Option<Address>,
    /// Address that gRPC listens at; port 0 takes any free one.
    #[arg(long = "indexer-listen", env = "CAIRN_INDEXER_LISTEN", value_name = "ADDRESS", default_value_t = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Address that JSON and metrics listen at; port 0 takes any free one.
    #[arg(long = "indexer-http", env = "CAIRN_INDEXER_HTTP", value_name = "ADDRESS", default_value_t = DEFAULT_HTTP)]
    pub http: SocketAddr,
    /// Look at the chain this often, as in `1s`, and besides whenever a subscription says that the rollup changed.
    #[arg(long = "indexer-poll", env = "CAIRN_INDEXER_POLL", value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub poll: Duration,
    /// Try what failed again after at most this long, as in `30s`.
    #[arg(long = "indexer-retry", env = "CAIRN_INDEXER_RETRY", value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    pub retry: Duration,
    /// Wait this long for the data of one batch to arrive, as in `5m`.
    #[arg(long = "indexer-fetch", env = "CAIRN_INDEXER_FETCH", value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub fetch: Duration,
    /// Answer requests within this time or not at all, as in `10s`.
    #[arg(long = "indexer-patience", env = "CAIRN_INDEXER_PATIENCE", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub patience: Duration,
    /// Connections that each of the two interfaces serves at one time.
    #[arg(long = "indexer-connections", env = "CAIRN_INDEXER_CONNECTIONS", value_name = "COUNT", default_value_t = DEFAULT_CONNECTIONS)]
    pub connections: NonZeroUsize,
}

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the index.
    pub store: PathBuf,
    /// Where the data is; empty for where the rollup says.
    pub blobs: Vec<Location>,
    /// Whether it is emptied first.
    pub rebuild: bool,
    /// The `Rollup` account.
    pub rollup: Address,
    /// The settlement program.
    pub program: Address,
    /// Address of gRPC.
    pub listen: SocketAddr,
    /// Address of JSON and metrics.
    pub http: SocketAddr,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Longest time between two tries of what failed.
    pub retry: Duration,
    /// Longest time that the data of one batch may take.
    pub fetch: Duration,
    /// Longest time that an answer may take.
    pub patience: Duration,
    /// Connections to each interface at one time.
    pub connections: NonZeroUsize,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
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
    /// A number is too large.
    #[error("{flag} is {given}, must be at most {most}")]
    Large {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: usize,
        /// At most this.
        most: usize,
    },
}

impl Config {
    /// What `args` say, with `store`, `program` and `rollup` where they name none.
    ///
    /// # Errors
    /// The first flag that is out of range.
    pub fn new(args: IndexerArgs, store: PathBuf, program: Address, rollup: Address) -> Result<Self, ConfigError> {
        let config = Self {
            store: args.store.unwrap_or(store),
            blobs: args.blobs,
            rebuild: args.rebuild,
            rollup: args.rollup.unwrap_or(rollup),
            program: args.program.unwrap_or(program),
            listen: args.listen,
            http: args.http,
            poll: args.poll,
            retry: args.retry,
            fetch: args.fetch,
            patience: args.patience,
            connections: args.connections,
        };
        config.check().map(|()| config)
    }

    /// The defaults for `rollup`, an account of `program`, on any free ports of this machine.
    #[must_use]
    pub fn local(store: PathBuf, program: Address, rollup: Address) -> Self {
        Self {
            store,
            blobs: Vec::new(),
            rebuild: false,
            rollup,
            program,
            listen: SocketAddr::new(DEFAULT_LISTEN.ip(), 0),
            http: SocketAddr::new(DEFAULT_HTTP.ip(), 0),
            poll: Duration::from_millis(100),
            retry: Duration::from_secs(5),
            fetch: Duration::from_secs(300),
            patience: Duration::from_secs(10),
            connections: DEFAULT_CONNECTIONS,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first flag that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let second = Duration::from_secs(1);
        let times = [
            ("--indexer-poll", self.poll, MIN_POLL),
            ("--indexer-retry", self.retry, self.poll),
            ("--indexer-fetch", self.fetch, second),
            ("--indexer-patience", self.patience, second),
        ];
        if let Some((flag, given, least)) = times.into_iter().find(|(_, given, least)| given < least) {
            return Err(ConfigError::Short { flag, given, least });
        }
        let given = self.connections.get();
        if given > MAX_CONNECTIONS {
            return Err(ConfigError::Large { flag: "--indexer-connections", given, most: MAX_CONNECTIONS });
        }
        Ok(())
    }
}

fn blobs_location(text: &str) -> Result<Location, LocationError> {
    Location::parse(text, Trust::Operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: IndexerArgs,
    }

    const PROGRAM: Address = Address([5; 32]);
    const ROLLUP: Address = Address([6; 32]);

    fn parse(more: &[&str]) -> Result<Config, String> {
        let line = Line::try_parse_from(["cairn"].iter().chain(more)).map_err(|error| error.to_string())?;
        Config::new(line.args, "/tmp/index".into(), PROGRAM, ROLLUP).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_pass_and_each_bad_value_is_refused_by_name() {
        let default = parse(&[]).unwrap();
        assert_eq!((default.store, default.program, default.rollup), (PathBuf::from("/tmp/index"), PROGRAM, ROLLUP));
        let other = Address([7; 32]);
        let given = parse(&["--indexer-store", "/tmp/other", "--rollup", &other.to_string()]).unwrap();
        assert_eq!((given.store, given.rollup, given.rebuild), (PathBuf::from("/tmp/other"), other, false));
        assert!(parse(&["--rebuild"]).unwrap().rebuild);
        assert_eq!(parse(&["--program", &other.to_string()]).unwrap().program, other);
        let blobs = parse(&["--blobs", "/srv/data,http://localhost/x", "--blobs", "s3://bucket/y"]).unwrap().blobs;
        let shown: Vec<_> = blobs.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["file:///srv/data/", "http://localhost/x", "s3://bucket/y"]);
        let bad = [
            ["--indexer-poll", "1ms"],
            ["--indexer-retry", "1ms"],
            ["--indexer-fetch", "10ms"],
            ["--indexer-patience", "0s"],
            ["--indexer-connections", "0"],
            ["--indexer-connections", "70000"],
            ["--indexer-listen", "localhost"],
            ["--indexer-http", "1.2.3.4"],
            ["--program", "not base58"],
            ["--rollup", "0OIl"],
            ["--blobs", "ftp://example.org/"],
            ["--blobs", "https://example.org/?sig=1"],
            ["--blobs", "https://"],
        ];
        for [flag, value] in bad {
            let error = parse(&[flag, value]).unwrap_err();
            assert!(error.contains(flag), "{flag} {value}: {error}");
        }
    }

    #[test]
    fn local_configuration_is_valid() {
        assert_eq!(Config::local("/tmp/index".into(), PROGRAM, ROLLUP).check(), Ok(()));
    }
}

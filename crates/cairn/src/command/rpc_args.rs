//! Which RPC servers a command reaches the chain through.

use super::node_args::duration;
use anyhow::{Context, Result, anyhow};
use cairn_chain::{RPC_URL, RpcChain, RpcOptions, Websocket};
use clap::Args;
use std::num::NonZeroU32;
use std::time::Duration;

/// The chain's RPC servers, and how patiently they are asked.
#[derive(Args, Clone)]
#[command(next_help_heading = "Chain")]
pub struct RpcArgs {
    /// JSON-RPC server of the chain: that of the process with the embedded chain, or a Solana cluster's. Give it several
    /// times, or separated by commas: the first is preferred, the others stand in for it
    #[arg(long = "rpc", env = "CAIRN_RPC", value_delimiter = ',', default_value = RPC_URL, value_name = "URL",
          hide_env_values = true)]
    rpc: Vec<String>,
    /// Genesis hash that every server must have, as `solana genesis-hash` prints it [default: that of the first to answer]
    #[arg(long, env = "CAIRN_RPC_GENESIS", value_name = "BASE58", value_parser = hash)]
    rpc_genesis: Option<[u8; 32]>,
    /// Requests that one server is sent in a second, at most [default: no limit]
    #[arg(long, env = "CAIRN_RPC_RATE", value_name = "COUNT")]
    rpc_rate: Option<NonZeroU32>,
    /// How long one question may take, with every server asked and asked again
    #[arg(long, env = "CAIRN_RPC_BUDGET", default_value = "60s", value_name = "TIME", value_parser = some_time)]
    rpc_budget: Duration,
    /// A server whose slot has not moved for so long is passed over; 0s believes every server
    #[arg(long, env = "CAIRN_RPC_STALL", default_value = "30s", value_name = "TIME", value_parser = duration)]
    rpc_stall: Duration,
    /// Where account changes are subscribed to: `auto` (a server's own address, one port up), `off`, or a ws:// or wss:// URL
    #[arg(long, env = "CAIRN_RPC_WEBSOCKET", default_value = "auto", value_name = "URL", hide_env_values = true)]
    rpc_websocket: Websocket,
}

impl RpcArgs {
    /// The same as options of a chain, checked.
    ///
    /// # Errors
    /// With the flag to change.
    pub fn options(&self) -> Result<RpcOptions> {
        let options = RpcOptions {
            genesis: self.rpc_genesis,
            requests_per_second: self.rpc_rate,
            budget: self.rpc_budget,
            stall: Some(self.rpc_stall).filter(|stall| !stall.is_zero()),
            websocket: self.rpc_websocket.clone(),
            ..RpcOptions::new(&self.rpc)
        };
        options.check().context("--rpc")?;
        Ok(options)
    }

    /// The chain, once a server has answered.
    ///
    /// # Errors
    /// With the flag to change.
    pub async fn connect(&self) -> Result<RpcChain> {
        let options = self.options()?;
        let places = options.places().join(", ");
        RpcChain::connect_with(options).await.with_context(|| {
            format!("--rpc: no chain answers at {places}; start `cairn sequencer`, or name a Solana cluster")
        })
    }
}

/// A hash as the cluster's tools write it.
fn hash(text: &str) -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    match bs58::decode(text).onto(&mut bytes) {
        Ok(32) => Ok(bytes),
        _ => Err(anyhow!("a genesis hash is 32 bytes in base58, as `solana genesis-hash` prints it")),
    }
}

fn some_time(text: &str) -> Result<Duration> {
    match duration(text)? {
        Duration::ZERO => Err(anyhow!("it takes some time: write it as 30s or 5m")),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        rpc: RpcArgs,
    }

    fn parse(arguments: &[&str]) -> Result<RpcOptions, String> {
        let arguments = std::iter::once("cairn").chain(arguments.iter().copied());
        let command = Command::try_parse_from(arguments).map_err(|error| error.to_string())?;
        command.rpc.options().map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn servers_come_in_order_and_the_local_one_is_the_default() {
        let options = parse(&["--rpc", "http://a.example", "--rpc", "http://b.example,http://c.example"]).unwrap();
        assert_eq!(options.urls, ["http://a.example", "http://b.example", "http://c.example"]);
        assert_eq!((options.budget, options.stall), (RpcOptions::BUDGET, Some(RpcOptions::STALL)));
        assert_eq!(parse(&[]).unwrap().urls, [RPC_URL]);
        assert_eq!(parse(&["--rpc-stall", "0s"]).unwrap().stall, None);
        let pinned = parse(&["--rpc-genesis", &bs58::encode([7; 32]).into_string(), "--rpc-rate", "5"]).unwrap();
        assert_eq!((pinned.genesis, pinned.requests_per_second), (Some([7; 32]), NonZeroU32::new(5)));
        assert_eq!(parse(&["--rpc-websocket", "off"]).unwrap().websocket, Websocket::Off);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_under_its_flag() {
        for (arguments, flag) in [
            (["--rpc", "ftp://a.example"], "--rpc"),
            (["--rpc", "http://a.example,http://a.example"], "twice"),
            (["--rpc", ""], "--rpc"),
            (["--rpc-genesis", "abc"], "--rpc-genesis"),
            (["--rpc-rate", "0"], "--rpc-rate"),
            (["--rpc-budget", "0s"], "--rpc-budget"),
            (["--rpc-budget", "soon"], "--rpc-budget"),
            (["--rpc-stall", "soon"], "--rpc-stall"),
            (["--rpc-websocket", "http://a.example"], "--rpc-websocket"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.contains(flag), "{arguments:?}: {error}");
        }
    }
}

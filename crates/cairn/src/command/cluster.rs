//! A rollup on a cluster, for the services: where it is, and whose keys serve it.

use super::program_args::unreadable;
use super::rpc_args::RpcArgs;
use anyhow::{Context, Result, bail};
use cairn_chain::{Address, Keypair, RollupClient};
use cairn_interface::{Rollup, program_id};
use cairn_prover::Profile;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The rollup that a sequencer serves on a chain of others.
#[derive(Args)]
#[command(next_help_heading = "Cluster")]
pub struct Served {
    /// Address of the rollup's account on the chain behind --rpc, as `cairn rollup create` prints it
    #[arg(long, env = "CAIRN_ROLLUP", value_name = "ADDRESS")]
    pub rollup: Option<Address>,
    /// The settlement program, where it is deployed under another id than the profile's
    #[arg(long, env = "CAIRN_PROGRAM", value_name = "ADDRESS")]
    program: Option<Address>,
    /// Key pair of the rollup's sequencer: signs its transactions and pays for them [default: DIR/keys/sequencer.json]
    #[arg(long, env = "CAIRN_SEQUENCER_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Key pair that signs acknowledgements [default: DIR/keys/acknowledgement.json]
    #[arg(long, env = "CAIRN_ACKNOWLEDGEMENT_KEY", value_name = "FILE")]
    acknowledgement_key: Option<PathBuf>,
}

/// A rollup on a cluster with the keys that serve it.
pub struct Opened {
    pub client: RollupClient,
    pub sequencer: Keypair,
    pub acknowledgement: Keypair,
}

impl Served {
    /// Connects, reads the rollup, and checks that keys and profile are its own.
    ///
    /// # Errors
    /// With the flag to change.
    pub async fn open(&self, rpc: &RpcArgs, keys: &Path, profile: Profile) -> Result<Opened> {
        let Some(rollup) = self.rollup else {
            bail!("--rollup: with --rpc (or CAIRN_RPC), name the rollup to serve; `cairn rollup create` makes one");
        };
        let sequencer = load("--key", self.key.as_deref(), &keys.join("sequencer.json"))?;
        let acknowledgement =
            load("--acknowledgement-key", self.acknowledgement_key.as_deref(), &keys.join("acknowledgement.json"))?;
        let program = self.program.unwrap_or_else(|| program_id(profile));
        let client = RollupClient::new(Arc::new(rpc.connect().await?), program, rollup);
        let on_chain = client.rollup().await.map_err(|error| unreadable(rollup, error))?;
        check(&on_chain, &sequencer.address(), &acknowledgement.address(), profile)?;
        Ok(Opened { client, sequencer, acknowledgement })
    }
}

fn load(flag: &str, given: Option<&Path>, default: &Path) -> Result<Keypair> {
    let path = given.unwrap_or(default);
    Keypair::load(path).with_context(|| {
        format!("{flag}: make a key pair with `cairn keygen --solana --out {}`, or name another file", path.display())
    })
}

/// What the program or every node would refuse later is refused here, before anything is acknowledged.
fn check(rollup: &Rollup, sequencer: &Address, acknowledgement: &Address, profile: Profile) -> Result<()> {
    if rollup.sequencer != *sequencer {
        bail!(
            "--key is {sequencer}, and the rollup's sequencer is {}: give that one's file, or have the admin run \
             `cairn rollup set-sequencer`",
            rollup.sequencer
        );
    }
    if rollup.acknowledgement_key != *acknowledgement {
        bail!(
            "--acknowledgement-key is {acknowledgement}, and the rollup's is {}: nodes would refuse what it signs; give \
             that one's file, or have the admin run `cairn rollup set-sequencer`",
            rollup.acknowledgement_key
        );
    }
    if rollup.profile != profile {
        bail!("--profile is {profile}, and the rollup takes proofs of {} alone: give --profile {0}", rollup.profile);
    }
    Ok(())
}

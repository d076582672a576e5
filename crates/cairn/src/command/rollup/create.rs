//! `cairn rollup create`.

use super::super::delivery;
use super::change::blob_location;
use super::report::Report;
use super::terms::Terms;
use super::{Admin, Place, require_fees};
use anyhow::{Context, Result, bail};
use cairn_chain::{
    Address, Chain as _, Commitment, Keypair, NewRollup, RollupClient, RollupError, RpcChain, Submitted,
};
use cairn_interface::{DEFAULT_MAX_PENDING, HISTORY, MAX_PENDING_CEILING, QUEUE, ROLLUP, Registry};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;

/// Create a rollup, with its registration queue and its history
///
/// The rollup's address follows from the admin's key and --id; nobody else can take it. Nothing here can be changed later but
/// keys, terms of registration and blob location: a rollup for the circuits of another profile is another rollup. It costs the rent
/// of three accounts, about 0.19 SOL, which does not come back.
///
/// Running it again is safe: a rollup that is as these options say is said to be there, and one that differs is an error that
/// says in what.
#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    admin: Admin,
    /// Which of the admin's rollups this is
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    id: u64,
    /// Who may submit batches: the address of the sequencer's keypair
    #[arg(long, value_name = "ADDRESS")]
    sequencer: Address,
    /// Whose signature stands under the sequencer's acknowledgements: the address of another keypair than that
    #[arg(long, value_name = "ADDRESS")]
    acknowledgement_key: Address,
    #[command(flatten)]
    terms: Terms,
    /// Batches that may be submitted and not settled yet; further ones wait until the proof of the first is verified on chain
    #[arg(long, default_value_t = DEFAULT_MAX_PENDING, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PENDING_CEILING)))]
    max_pending: u32,
    /// Where the rollup's blobs and proofs can be read: a base URL with https, s3, gs or az
    #[arg(long, value_name = "URL", value_parser = blob_location)]
    blob_location: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Create {
    /// Creates it, or finds that it is there.
    ///
    /// # Errors
    /// When there is no rollup as these options say afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let admin = self.admin.key()?;
        let new = self.new_rollup()?;
        let chain = Arc::new(self.place.rpc.connect().await?);
        let client = RollupClient::of_admin(chain.clone(), self.place.program.address(), &admin.address(), self.id);
        let client = delivery::shown(client);
        let mut sent = Vec::new();
        let found = existing(&client).await?;
        if found.is_none() {
            self.check(&chain, &client, &admin).await?;
            sent.extend(create(&client, &admin, &new).await?);
        }
        let outcome = if sent.is_empty() { "already created" } else { "created" };
        let rollup = client.rollup().await?;
        let mut differences = differences(&rollup, &new);
        // An earlier run may have ended before it came to this.
        if let Some(location) = self.blob_location.as_deref().filter(|location| *location != rollup.blob_location) {
            match rollup.blob_location.is_empty() && differences.is_empty() {
                true => {
                    let set = client.set_blob_location(&admin, location).await;
                    sent.push(
                        set.context("the rollup is created, its blob location is not set; run the command again")?,
                    );
                }
                false => differences.push(("--blob-location", rollup.blob_location.clone(), location.to_owned())),
            }
        }
        if !differences.is_empty() {
            let list = differences.iter().map(|(flag, found, asked)| format!("{flag} {asked}, and it has {found:?}"));
            bail!(
                "--id {}: the admin has rollup {} under this number already, created otherwise: you ask for {}; change it with the other \
                 commands of `cairn rollup`, or give another --id",
                self.id,
                client.address(),
                list.collect::<Vec<_>>().join("; for ")
            );
        }
        Report::read(&chain, &client, outcome, &sent).await?.print(self.place.json);
        Ok(ExitCode::SUCCESS)
    }

    fn new_rollup(&self) -> Result<NewRollup> {
        super::change::check_keys(&self.sequencer, &self.acknowledgement_key)?;
        Ok(NewRollup {
            id: self.id,
            sequencer: self.sequencer,
            acknowledgement_key: self.acknowledgement_key,
            profile: self.place.program.profile,
            max_pending: self.max_pending,
            registry: self.terms.new_registry()?,
        })
    }

    /// Whether it can succeed: said before anything is signed.
    async fn check(&self, chain: &RpcChain, client: &RollupClient, admin: &Keypair) -> Result<()> {
        let program = chain.account(&self.place.program.address(), Commitment::Finalized).await?;
        if !program.is_some_and(|account| account.executable) {
            bail!(
                "--program: there is no program {} on this chain: deploy it, or name the one that is deployed, or another --rpc",
                self.place.program.address()
            );
        }
        let mut rent = 0;
        for account in [ROLLUP, QUEUE, HISTORY] {
            rent += chain.minimum_balance(account.size).await?;
        }
        let transactions = 1 + u64::from(self.blob_location.is_some());
        require_fees(chain, client, &admin.address(), rent, transactions, self.admin.airdrop).await
    }
}

/// The rollup, if it is there. Anybody can send lamports to its address before.
async fn existing(client: &RollupClient) -> Result<Option<cairn_interface::Rollup>> {
    match client.rollup().await {
        Ok(rollup) => Ok(Some(rollup)),
        Err(RollupError::Missing(_)) => Ok(None),
        Err(RollupError::Foreign { owner, .. }) if owner.is_zero() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Creates it; nothing is sent when an earlier run's transaction became final meanwhile.
async fn create(client: &RollupClient, admin: &Keypair, new: &NewRollup) -> Result<Option<Submitted>> {
    match client.initialize(admin, new).await {
        Ok(sent) => Ok(Some(sent)),
        Err(error) => match existing(client).await {
            Ok(Some(_)) => Ok(None),
            _ => Err(error).context("the rollup is not created; run the command again once that is mended"),
        },
    }
}

/// Flag, what the rollup has, and what is asked for.
type Difference = (&'static str, String, String);

fn differences(rollup: &cairn_interface::Rollup, new: &NewRollup) -> Vec<Difference> {
    let (has, wants) = (&rollup.registry, &new.registry);
    let named = |registry: &Registry| match registry.registrar.is_zero() {
        true => "none".to_owned(),
        false => registry.registrar.to_string(),
    };
    [
        ("--sequencer", rollup.sequencer.to_string(), new.sequencer.to_string()),
        ("--acknowledgement-key", rollup.acknowledgement_key.to_string(), new.acknowledgement_key.to_string()),
        ("--profile", rollup.profile.to_string(), new.profile.to_string()),
        ("--max-pending", rollup.max_pending.to_string(), new.max_pending.to_string()),
        ("--registrar", named(has), named(wants)),
        ("--bond", crate::command::funds::sol(has.bond), crate::command::funds::sol(wants.bond)),
        ("--queue-deadline", has.queue_deadline.to_string(), wants.queue_deadline.to_string()),
    ]
    .into_iter()
    .filter(|(_, has, wants)| has != wants)
    .collect()
}

//! `cairn rollup abandon`.

use super::report::Report;
use super::{OfRollup, Opened, require_fees};
use anyhow::{Context, Result, bail};
use cairn_chain::{Address, Commitment, Keypair, Snapshot};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take the tip back to the last settled batch, when the batches after it will not be settled
///
/// A registration waits for ever behind a batch that nobody proves. The sequencer may abandon what is submitted and not settled at
/// any time, anyone else once the next batch to settle has waited for 216,000 slots, about a day. Nothing is lost: a sequencer that
/// runs sees it, and submits its batches again.
#[derive(Args)]
pub struct Abandon {
    /// Keypair that signs and pays: the sequencer's, or anyone's once it is time
    #[arg(long, value_name = "FILE")]
    signer: PathBuf,
    /// Really do it: fees and proofs' uploads for these batches are spent again
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    of: OfRollup,
}

impl Abandon {
    /// Abandons, or finds that nothing is pending.
    ///
    /// # Errors
    /// When it is not time yet, or batches are pending afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let signer = Keypair::load(&self.signer).with_context(|| {
            format!("--signer: make one with `cairn keygen --solana --out {}`", self.signer.display())
        })?;
        let Opened { chain, client, rollup } = self.of.open().await?;
        let next = rollup.settled.batches;
        let seen = client.snapshot_of(&[next], Commitment::Confirmed).await?;
        let pending = seen.rollup.pending();
        let mut sent = Vec::new();
        if pending > 0 {
            require_time(&seen, &signer.address())?;
            if !self.yes {
                bail!(
                    "batches from number {next} on that would be abandoned: {pending}; run the command again with --yes"
                );
            }
            require_fees(&chain, &client, &signer.address(), 0, 1, self.of.airdrop).await?;
            let abandoned = client.abandon_batches(&signer).await;
            sent.push(abandoned.context("nothing is abandoned; run the command again once that is mended")?);
        }
        let outcome =
            if pending > 0 { format!("batches abandoned: {pending}") } else { "nothing is pending".to_owned() };
        Report::read(&chain, &client, &outcome, &sent).await?.print(self.of.place.json);
        Ok(ExitCode::SUCCESS)
    }
}

/// What the program would refuse, with the slot from which it would not.
fn require_time(seen: &Snapshot, signer: &Address) -> Result<()> {
    let rollup = &seen.rollup;
    if rollup.sequencer == *signer {
        return Ok(());
    }
    // One that is not there was settled between two reads: the program says so.
    let Some(Some(batch)) = seen.batches.first() else { return Ok(()) };
    let from = rollup.abandonable_from(batch.slot);
    if seen.slot < from {
        bail!(
            "--signer {signer} is not the rollup's sequencer, {}: anyone else may abandon from slot {from} on, in {} slots",
            rollup.sequencer,
            from - seen.slot
        );
    }
    Ok(())
}

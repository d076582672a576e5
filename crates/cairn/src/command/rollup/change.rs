//! What a rollup's admin may change.

use super::terms::Terms;
use super::{OfAdmin, cluster_time};
use anyhow::{Context, Result, anyhow, bail};
use cairn_chain::Address;
use cairn_interface::{MAX_BLOB_LOCATION_BYTES, is_blob_location};
use cairn_objects::{Location, Trust};
use clap::{ArgGroup, Args};
use std::process::ExitCode;

const AGAIN: &str = "nothing is changed; run the command again once that is mended";

/// Replace the key that submits batches, or the one that signs acknowledgements
///
/// What is not given stays. From then on the old sequencer's batches are refused: stop it before, and start it again with the new key
/// over the same data directory, so that what it has acknowledged is submitted.
#[derive(Args)]
#[command(group = ArgGroup::new("keys").required(true).multiple(true).args(["sequencer", "acknowledgement_key"]))]
pub struct SetSequencer {
    /// Who may submit batches from now on
    #[arg(long, value_name = "ADDRESS")]
    sequencer: Option<Address>,
    /// Whose signature stands under acknowledgements from now on: another key than the sequencer's
    #[arg(long, value_name = "ADDRESS")]
    acknowledgement_key: Option<Address>,
    #[command(flatten)]
    of: OfAdmin,
}

impl SetSequencer {
    /// Replaces them, or finds that they are so.
    ///
    /// # Errors
    /// When they are not so afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let session = self.of.open().await?;
        let rollup = &session.read.rollup;
        let present = (rollup.sequencer, rollup.acknowledgement_key);
        let keys = (self.sequencer.unwrap_or(present.0), self.acknowledgement_key.unwrap_or(present.1));
        check_keys(&keys.0, &keys.1)?;
        if keys == present {
            return session.report("already so", &[]).await;
        }
        session.require_fee().await?;
        let sent = session.client.set_sequencer(&session.admin, &keys.0, &keys.1).await.context(AGAIN)?;
        session.report("keys replaced", &[sent]).await
    }
}

/// Replace the terms on which nodes are registered
///
/// What is not given stays. Nodes that are registered keep the bond that they have. A shorter deadline holds for entries that wait
/// already.
#[derive(Args)]
pub struct SetRegistry {
    #[command(flatten)]
    terms: Terms,
    /// No registrar from now on: whoever pays the bond registers
    #[arg(long, conflicts_with = "registrar")]
    no_registrar: bool,
    #[command(flatten)]
    of: OfAdmin,
}

impl SetRegistry {
    /// Replaces them, or finds that they are so.
    ///
    /// # Errors
    /// When they are not so afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        if self.terms.is_empty() && !self.no_registrar {
            bail!("say what to change: --registrar, --no-registrar, --bond, --queue-deadline");
        }
        let session = self.of.open().await?;
        let present = session.read.rollup.registry;
        let registry = self.terms.over(&present, self.no_registrar)?;
        if registry == present {
            return session.report("already so", &[]).await;
        }
        session.require_fee().await?;
        let sent = session.client.set_registry(&session.admin, &registry).await.context(AGAIN)?;
        session.report("terms replaced", &[sent]).await
    }
}

/// Say on chain where the rollup's blobs and proofs can be read
///
/// Indexers that are not told otherwise read them there: BASE/blobs/<data digest>.zst and BASE/proofs/<header digest>.proof.
/// They need no trust in the place, since whatever they read is checked against the chain, and send no credentials to it.
#[derive(Args)]
#[command(group = ArgGroup::new("location").required(true).args(["url", "clear"]))]
pub struct SetBlobLocation {
    /// Base URL with https, s3, gs or az, of at most 200 printable characters, as in https://blobs.example.com/cairn
    #[arg(value_name = "URL", value_parser = blob_location)]
    url: Option<String>,
    /// Say nothing about it any more
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    of: OfAdmin,
}

impl SetBlobLocation {
    /// Replaces it, or finds that it is so.
    ///
    /// # Errors
    /// When it is not so afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let session = self.of.open().await?;
        let location = self.url.unwrap_or_default();
        if location == session.read.rollup.blob_location {
            return session.report("already so", &[]).await;
        }
        session.require_fee().await?;
        let sent = session.client.set_blob_location(&session.admin, &location).await.context(AGAIN)?;
        let outcome = if self.clear { "blob location cleared" } else { "blob location set" };
        session.report(outcome, &[sent]).await
    }
}

/// Stop batches and registrations for seven days
///
/// Rotations, deactivations and refunds go on. The pause ends by itself, by the cluster's clock, and cannot be made longer while it
/// lasts.
#[derive(Args)]
pub struct Pause {
    #[command(flatten)]
    of: OfAdmin,
}

impl Pause {
    /// Pauses, or finds that it is paused.
    ///
    /// # Errors
    /// When it is not paused afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let session = self.of.open().await?;
        if session.read.rollup.is_paused(cluster_time(&session.chain).await?) {
            return session.report("already paused", &[]).await;
        }
        session.require_fee().await?;
        let sent = session.client.pause(&session.admin).await.context(AGAIN)?;
        session.report("paused", &[sent]).await
    }
}

/// End a pause before its time
#[derive(Args)]
pub struct Unpause {
    #[command(flatten)]
    of: OfAdmin,
}

impl Unpause {
    /// Ends the pause, or finds that there is none.
    ///
    /// # Errors
    /// When it is paused afterwards.
    pub async fn run(self) -> Result<ExitCode> {
        let session = self.of.open().await?;
        if !session.read.rollup.is_paused(cluster_time(&session.chain).await?) {
            return session.report("not paused", &[]).await;
        }
        session.require_fee().await?;
        let sent = session.client.unpause(&session.admin).await.context(AGAIN)?;
        session.report("unpaused", &[sent]).await
    }
}

/// Keys that a sequencer can work with.
///
/// # Errors
/// With the flag to change.
pub fn check_keys(sequencer: &Address, acknowledgement_key: &Address) -> Result<()> {
    for (flag, key) in [("--sequencer", sequencer), ("--acknowledgement-key", acknowledgement_key)] {
        if key.is_zero() {
            bail!("{flag} is zero, which is nobody's address");
        }
    }
    if sequencer == acknowledgement_key {
        bail!(
            "--acknowledgement-key: {acknowledgement_key} is the sequencer's key too; make another, since the machine that nodes talk \
             to holds it"
        );
    }
    Ok(())
}

/// A location that readers will follow: what they refuse is not put on chain.
///
/// # Errors
/// With what is wrong.
pub fn blob_location(text: &str) -> Result<String> {
    if !is_blob_location(text) {
        bail!(
            "it has {} bytes; a location is at most {MAX_BLOB_LOCATION_BYTES} bytes of printable ASCII without spaces: write other \
             characters percent-encoded",
            text.len()
        );
    }
    if text.is_empty() {
        bail!("it is empty; `cairn rollup set-blob-location --clear` says nothing");
    }
    Location::parse(text, Trust::Chain).map_err(|error| anyhow!("{error}"))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_no_reader_follows_is_refused() {
        for text in ["https://blobs.example.com/cairn", "s3://bucket/cairn", "gs://bucket"] {
            assert_eq!(blob_location(text).unwrap(), text);
        }
        let long = format!("https://blobs.example.com/{}", "x".repeat(200));
        for (text, said) in [
            ("", "--clear"),
            ("https://blobs.example.com/a b", "printable ASCII"),
            ("https://blobs.example.com/é", "percent-encoded"),
            (&long, "226 bytes"),
            ("blobs.example.com", "URL"),
            ("http://blobs.example.com", "http"),
            ("file:///var/blobs", "file"),
            ("ftp://blobs.example.com", "ftp"),
            ("https://127.0.0.1/blobs", "public"),
            ("https://user:secret@blobs.example.com", "password"),
        ] {
            let error = format!("{:#}", blob_location(text).unwrap_err());
            assert!(error.contains(said) && !error.contains("secret@"), "{text}: {error}");
        }
    }

    #[test]
    fn keys_that_the_program_would_refuse_are_refused_by_name() {
        let (one, two) = (Address([1; 32]), Address([2; 32]));
        check_keys(&one, &two).unwrap();
        for (sequencer, acknowledgement, flag) in [
            (Address::default(), two, "--sequencer"),
            (one, Address::default(), "--acknowledgement-key"),
            (one, one, "--acknowledgement-key"),
        ] {
            assert!(check_keys(&sequencer, &acknowledgement).unwrap_err().to_string().contains(flag));
        }
    }
}

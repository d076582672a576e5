//! Where proofs are made: in this process, by workers that connect to it, or both.

use super::bars;
use anyhow::{Context, Result, bail};
use cairn_prover::remote::tls::{self, IdentityFiles};
use cairn_prover::remote::{Coordinator, Settings, Token, metrics, serve};
use cairn_prover::{LocalProver, Options, Profile, Prover};
use clap::{ArgAction, Args};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Bounds of `--prover-lease`.
const LEASE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(600)];

/// How batches are proved.
#[derive(Args, Debug)]
pub struct ProverArgs {
    /// Threads that prove [default: one per core]
    #[arg(long, env = "CAIRN_PROVE_THREADS", value_name = "COUNT")]
    prove_threads: Option<NonZeroUsize>,
    /// Hand proofs out to `cairn prover` at this address, as in 127.0.0.1:7450 [default: nowhere]
    #[arg(long, env = "CAIRN_PROVER_LISTEN", value_name = "ADDRESS")]
    prover_listen: Option<SocketAddr>,
    /// Let in workers that have the secret in this file only; needed where other machines reach --prover-listen. `openssl rand
    /// -hex 32` makes one
    #[arg(long, env = "CAIRN_PROVER_TOKEN", value_name = "FILE", requires = "prover_listen")]
    prover_token: Option<PathBuf>,
    /// Serve TLS to workers with this certificate chain (PEM)
    #[arg(long, env = "CAIRN_PROVER_TLS_CERTIFICATE", value_name = "FILE", requires = "prover_tls_key")]
    prover_tls_certificate: Option<PathBuf>,
    /// Private key of that certificate (PEM), readable by its owner only
    #[arg(long, env = "CAIRN_PROVER_TLS_KEY", value_name = "FILE", requires = "prover_tls_certificate")]
    prover_tls_key: Option<PathBuf>,
    /// Let in workers with a certificate of these authorities (PEM) only
    #[arg(long, env = "CAIRN_PROVER_TLS_CLIENT_CA", value_name = "FILE", requires = "prover_tls_certificate")]
    prover_tls_client_ca: Option<PathBuf>,
    /// Whether this process proves as well; with false it waits for workers, and keeps its cores for everything else
    #[arg(long, env = "CAIRN_PROVE_LOCAL", value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    prove_local: bool,
    /// Give a worker's job to another when nothing was heard of the worker for so long, as in 15s
    #[arg(long, env = "CAIRN_PROVER_LEASE", value_name = "DURATION", default_value = "15s", value_parser = humantime::parse_duration)]
    prover_lease: Duration,
}

/// A prover, and the server of its workers.
pub struct Proving {
    /// The prover.
    pub prover: Arc<dyn Prover>,
    /// Where workers connect, if anywhere.
    pub server: Option<WorkerServer>,
}

/// The running server of the workers.
pub struct WorkerServer {
    /// `http://` or `https://` and the address.
    pub url: String,
    task: JoinHandle<Result<(), cairn_prover::remote::ServeError>>,
}

impl WorkerServer {
    /// Waits for its end, after its token was cancelled.
    ///
    /// # Errors
    /// When it failed.
    pub async fn join(self) -> Result<()> {
        Ok(self.task.await??)
    }
}

impl ProverArgs {
    /// Checks what the flags say together.
    ///
    /// # Errors
    /// The flag to change.
    pub fn check(&self) -> Result<()> {
        let [least, most] = LEASE;
        if !(least..=most).contains(&self.prover_lease) {
            bail!("--prover-lease is {}, must be 1s to 10m", humantime::format_duration(self.prover_lease));
        }
        let Some(address) = self.prover_listen else {
            if !self.prove_local {
                bail!("--prove-local false leaves nobody to prove: give --prover-listen as well, for workers");
            }
            if self.prover_tls_certificate.is_some() {
                bail!("--prover-tls-certificate is for workers: give --prover-listen as well");
            }
            return Ok(());
        };
        if !address.ip().is_loopback() && self.prover_token.is_none() && self.prover_tls_client_ca.is_none() {
            bail!(
                "--prover-listen {address} can be reached by others: give --prover-token or --prover-tls-client-ca as well"
            );
        }
        Ok(())
    }

    /// Starts proving: loads or builds the circuits, which takes seconds, and listens for workers if asked to. The server ends
    /// with `stop`.
    ///
    /// # Errors
    /// With the flag to change.
    pub async fn start(&self, profile: Profile, stop: CancellationToken) -> Result<Proving> {
        self.check()?;
        let token = self.prover_token.as_deref().map(Token::read).transpose().context("--prover-token")?;
        let identity = self.prover_tls_certificate.clone().zip(self.prover_tls_key.clone());
        let identity = identity.map(|(certificate, key)| IdentityFiles { certificate, key });
        let tls = identity.map(|identity| tls::server(&identity, self.prover_tls_client_ca.as_deref()));
        let tls = tls.transpose().context("--prover-tls-certificate, --prover-tls-key")?;
        // Before the circuits: an address that is taken is said at once.
        let listener = match self.prover_listen {
            Some(address) => {
                Some(TcpListener::bind(address).await.with_context(|| format!("--prover-listen {address}"))?)
            }
            None => None,
        };
        let options = Options { threads: self.prove_threads, ..Options::new(profile) };
        let prover = start_local(options).await?;
        let Some(listener) = listener else { return Ok(Proving { prover: Arc::new(prover), server: None }) };
        metrics::describe();
        let address = listener.local_addr()?;
        if tls.is_none() && !address.ip().is_loopback() {
            warn!(
                "--prover-listen {address} without TLS: token and jobs can be read on the way; give --prover-tls-certificate"
            );
        }
        let settings = Settings { local: self.prove_local, lease: self.prover_lease, ..Settings::default() };
        let coordinator = Arc::new(Coordinator::start(prover, settings).context("cannot start the proving threads")?);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let served = Arc::clone(&coordinator);
        let task = tokio::spawn(async move { serve(&served, listener, token, tls, stop).await });
        Ok(Proving { prover: coordinator, server: Some(WorkerServer { url: format!("{scheme}://{address}"), task }) })
    }
}

/// Starts this machine's prover under a bar.
pub async fn start_local(options: Options) -> Result<LocalProver> {
    let bar = bars::steps("circuits");
    let shown = bar.clone();
    let start = move || LocalProver::start(options, &|_, done, total| bars::step(&shown, done, total));
    let prover = tokio::task::spawn_blocking(start).await??;
    bar.finish_and_clear();
    Ok(prover)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Command {
        #[command(flatten)]
        prover: ProverArgs,
    }

    fn parse(flags: &[&str]) -> Result<ProverArgs, String> {
        let all = ["cairn"].iter().chain(flags);
        let command = Command::try_parse_from(all).map_err(|error| error.to_string())?;
        command.prover.check().map_err(|error| error.to_string())?;
        Ok(command.prover)
    }

    #[test]
    fn by_default_this_process_proves_alone() {
        let args = parse(&[]).unwrap();
        assert!(args.prove_local && args.prover_listen.is_none());
        assert_eq!(args.prover_lease, Settings::default().lease);
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused_by_name() {
        for (flags, named) in [
            (&["--prove-local", "false"][..], "--prover-listen"),
            (&["--prover-token", "x"], "--prover-listen"),
            (&["--prover-tls-certificate", "x", "--prover-tls-key", "y"], "--prover-listen"),
            (&["--prover-listen", "127.0.0.1:0", "--prover-tls-certificate", "x"], "--prover-tls-key"),
            (&["--prover-listen", "127.0.0.1:0", "--prover-tls-client-ca", "x"], "--prover-tls-certificate"),
            (&["--prover-listen", "0.0.0.0:7450"], "--prover-token"),
            (&["--prover-listen", "[::]:7450"], "--prover-token"),
            (&["--prover-lease", "500ms"], "--prover-lease"),
            (&["--prover-lease", "11m"], "--prover-lease"),
            (&["--prover-lease", "soon"], "--prover-lease"),
            (&["--prove-threads", "0"], "--prove-threads"),
            (&["--prove-local", "perhaps"], "--prove-local"),
        ] {
            let refusal = parse(flags).unwrap_err();
            assert!(refusal.contains(named), "{flags:?}: {refusal}");
        }
        parse(&["--prover-listen", "0.0.0.0:7450", "--prover-token", "x", "--prove-local", "false"]).unwrap();
        parse(&["--prover-listen", "127.0.0.1:7450"]).unwrap();
    }
}

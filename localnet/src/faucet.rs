//! Money for the keys of a local rollup: what a chain that is one's own gives for the asking.

use async_trait::async_trait;
use cairn_chain::{Address, Chain, ChainError, Commitment, EmbeddedChain, RpcChain};
use std::time::{Duration, Instant};

/// How long to wait for the faucet's payment before it is asked again: its transaction can get lost in a restart.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often it is asked.
const ATTEMPTS: usize = 4;
/// How often to look.
const POLL: Duration = Duration::from_millis(400);

/// A chain that pays.
#[async_trait]
pub trait Faucet: Chain {
    /// Pays `lamports` to each of `to` and waits until that is confirmed: whoever spends them finds out whether it holds.
    ///
    /// # Errors
    /// [`ChainError`] when there is no faucet, or it does not pay.
    async fn fund_all(&self, to: &[Address], lamports: u64) -> Result<(), ChainError>;

    /// Makes sure that each of `keys` has at least `least` lamports, by paying `lamports` to those that have not.
    ///
    /// # Errors
    /// As [`Self::fund_all`].
    async fn top_up(&self, keys: &[Address], least: u64, lamports: u64) -> Result<(), ChainError> {
        let poor = poor(self, keys, least).await?;
        if poor.is_empty() { Ok(()) } else { self.fund_all(&poor, lamports).await }
    }
}

/// Those of `keys` that have less than `least` lamports.
async fn poor<C: Chain + ?Sized>(chain: &C, keys: &[Address], least: u64) -> Result<Vec<Address>, ChainError> {
    let read = chain.accounts(keys, Commitment::Confirmed).await?;
    let balances = read.accounts.iter().map(|account| account.as_ref().map_or(0, |account| account.lamports));
    Ok(keys.iter().zip(balances).filter(|(_, balance)| *balance < least).map(|(key, _)| *key).collect())
}

#[async_trait]
impl Faucet for EmbeddedChain {
    async fn fund_all(&self, to: &[Address], lamports: u64) -> Result<(), ChainError> {
        for address in to {
            self.fund(*address, lamports).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Faucet for RpcChain {
    async fn fund_all(&self, to: &[Address], lamports: u64) -> Result<(), ChainError> {
        // Whoever has more than before was paid. A payment that comes late makes nobody poorer.
        let before = self.accounts(to, Commitment::Confirmed).await?;
        let before = before.accounts.iter().map(|account| account.as_ref().map_or(0, |account| account.lamports));
        let mut waiting: Vec<(Address, u64)> = to.iter().copied().zip(before).collect();
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            for (address, _) in &waiting {
                if let Err(error) = self.airdrop(address, lamports).await {
                    tracing::debug!(%address, %error, "the faucet does not pay yet");
                    refused = Some(error);
                }
            }
            let asked = Instant::now();
            while asked.elapsed() < PATIENCE {
                let addresses: Vec<Address> = waiting.iter().map(|(address, _)| *address).collect();
                let now = self.accounts(&addresses, Commitment::Confirmed).await?;
                let mut now = now.accounts.iter().map(|account| account.as_ref().map_or(0, |account| account.lamports));
                waiting.retain(|(_, before)| now.next().is_none_or(|now| now <= *before));
                if waiting.is_empty() {
                    return Ok(());
                }
                // A validator that has just started has its faucet a little later.
                if refused.take().is_some() {
                    break;
                }
                tokio::time::sleep(POLL).await;
            }
            tokio::time::sleep(POLL * 5).await;
        }
        let names: Vec<String> = waiting.iter().map(|(address, _)| address.to_string()).collect();
        let what = format!("the faucet's payment to {} has not arrived", names.join(", "));
        Err(ChainError::Transient { what, source: refused.map(Into::into) })
    }
}
